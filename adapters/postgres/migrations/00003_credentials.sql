-- +goose Up

-- Seen and address, like counter and used, are in no index. They have defaults,
-- for a release that knows nothing of them may go on opening sessions for a while.
ALTER TABLE sessions ADD COLUMN seen timestamptz, ADD COLUMN address text NOT NULL DEFAULT '';
UPDATE sessions SET seen = used;
ALTER TABLE sessions ALTER COLUMN seen SET NOT NULL, ALTER COLUMN seen SET DEFAULT now();

-- Until now there was one key a use, which signed from its first day.
ALTER TABLE keys
    ALTER COLUMN use TYPE text COLLATE "C",
    ADD COLUMN number bigint NOT NULL DEFAULT 1,
    ADD COLUMN signs  timestamptz;
UPDATE keys SET signs = created;
ALTER TABLE keys
    ALTER COLUMN number DROP DEFAULT,
    ALTER COLUMN signs SET NOT NULL,
    DROP CONSTRAINT keys_pkey,
    ADD CONSTRAINT keys_pkey PRIMARY KEY (use, number),
    ADD CONSTRAINT keys_id_key UNIQUE (id);

-- Seen and address, which are all that is ever rewritten, are in no index.
CREATE TABLE access_keys (
    id      uuid        CONSTRAINT access_keys_pkey PRIMARY KEY,
    account uuid        NOT NULL CONSTRAINT access_keys_account_fkey REFERENCES accounts ON DELETE CASCADE,
    name    text        NOT NULL,
    scopes  text[]      NOT NULL,
    digest  bytea       NOT NULL CONSTRAINT access_keys_digest_check CHECK (octet_length(digest) = 32),
    created timestamptz NOT NULL,
    expires timestamptz, -- null: it does not expire by itself
    seen    timestamptz, -- null: never
    address text        NOT NULL
);
CREATE INDEX access_keys_account_idx ON access_keys (account, id);
CREATE INDEX access_keys_expires_idx ON access_keys (expires) WHERE expires IS NOT NULL;
