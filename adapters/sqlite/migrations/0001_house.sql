-- +goose Up

-- Ids are text, times are microseconds since 1970 in UTC, revisions begin at 1.
-- Lists that are only ever read whole (roles, rules, unique fields) are JSON.

CREATE TABLE accounts (
    id        TEXT    NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL,
    roles     TEXT    NOT NULL, -- ["admin", ...], sorted
    status    TEXT    NOT NULL,
    authority INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    changed   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE logins (
    kind    TEXT NOT NULL,
    normal  TEXT NOT NULL,
    value   TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, normal)
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_by_account ON logins (account);

CREATE TABLE credentials (
    account  TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    hash     TEXT    NOT NULL,
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id      TEXT    NOT NULL PRIMARY KEY,
    account TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    counter INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used    INTEGER NOT NULL,
    ends    INTEGER NOT NULL,
    device  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_account ON sessions (account, id);
CREATE INDEX sessions_by_end ON sessions (ends);

CREATE TABLE collections (
    name     TEXT    NOT NULL PRIMARY KEY,
    schema   TEXT    NOT NULL,
    rules    TEXT    NOT NULL, -- {"list": ..., ...}
    uniques  TEXT    NOT NULL, -- [{"field": ..., "per_owner": ...}, ...]
    revision INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    changed  INTEGER NOT NULL
) STRICT;

-- Rows may be large (data has up to 1 MiB), so these two tables keep their row
-- ids: large rows within a key's own tree would make it deep.

CREATE TABLE records (
    collection TEXT    NOT NULL REFERENCES collections (name),
    id         TEXT    NOT NULL,
    owner      TEXT             REFERENCES accounts (id) ON DELETE SET NULL,
    data       TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    PRIMARY KEY (collection, id)
) STRICT;

CREATE INDEX records_by_owner ON records (owner, collection, id) WHERE owner IS NOT NULL;

CREATE TABLE record_keys (
    collection TEXT NOT NULL,
    field      TEXT NOT NULL,
    digest     BLOB NOT NULL,
    record     TEXT NOT NULL,
    PRIMARY KEY (collection, field, digest),
    FOREIGN KEY (collection, record) REFERENCES records (collection, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX record_keys_by_record ON record_keys (collection, record);

CREATE TABLE keys (
    use       TEXT    NOT NULL PRIMARY KEY,
    id        TEXT    NOT NULL UNIQUE,
    algorithm TEXT    NOT NULL,
    sealed    BLOB    NOT NULL,
    created   INTEGER NOT NULL
) STRICT;
