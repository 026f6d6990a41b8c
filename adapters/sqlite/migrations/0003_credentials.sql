-- +goose Up

ALTER TABLE sessions ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
UPDATE sessions SET seen = used;

-- The keys of one use follow one another now. SQLite cannot change a primary key,
-- so the table is made anew.
ALTER TABLE keys RENAME TO first_keys;

CREATE TABLE keys (
    use       TEXT    NOT NULL,
    number    INTEGER NOT NULL,
    id        TEXT    NOT NULL UNIQUE,
    algorithm TEXT    NOT NULL,
    sealed    BLOB    NOT NULL,
    created   INTEGER NOT NULL,
    signs     INTEGER NOT NULL,
    PRIMARY KEY (use, number)
) STRICT;

INSERT INTO keys (use, number, id, algorithm, sealed, created, signs)
SELECT use, 1, id, algorithm, sealed, created, created FROM first_keys;

DROP TABLE first_keys;

CREATE TABLE access_keys (
    id      TEXT    NOT NULL PRIMARY KEY,
    account TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name    TEXT    NOT NULL,
    scopes  TEXT    NOT NULL, -- ["account:read", ...], sorted
    digest  BLOB    NOT NULL, -- of a secret that is kept nowhere
    created INTEGER NOT NULL,
    expires INTEGER,          -- null: not by itself
    seen    INTEGER,          -- null: never
    address TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX access_keys_by_account ON access_keys (account, id);
CREATE INDEX access_keys_by_expiry ON access_keys (expires) WHERE expires IS NOT NULL;
