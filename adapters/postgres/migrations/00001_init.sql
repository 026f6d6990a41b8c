-- +goose Up

-- The account row is the one on which all that may be done in an account's name
-- depends: whoever changes that writes this row first, whoever relies on it
-- locks it.
CREATE TABLE accounts (
    id         uuid        CONSTRAINT accounts_pkey PRIMARY KEY,
    name       text        NOT NULL,
    roles      text[]      NOT NULL,
    status     text        NOT NULL CONSTRAINT accounts_status_check CHECK (status IN ('active', 'suspended')),
    authority  bigint      NOT NULL,
    credential bigint      NOT NULL, -- the revision of the credential; here, so that one lock holds both
    revision   bigint      NOT NULL,
    created    timestamptz NOT NULL,
    changed    timestamptz NOT NULL
);

CREATE TABLE logins (
    kind    text COLLATE "C" NOT NULL,
    normal  text COLLATE "C" NOT NULL,
    value   text             NOT NULL,
    account uuid             NOT NULL CONSTRAINT logins_account_fkey REFERENCES accounts ON DELETE CASCADE,
    CONSTRAINT logins_pkey PRIMARY KEY (kind, normal)
);
CREATE INDEX logins_account_idx ON logins (account);

-- Hashes have a table of their own, so that who may read accounts need not be
-- let near them.
CREATE TABLE credentials (
    account uuid CONSTRAINT credentials_pkey PRIMARY KEY
                 CONSTRAINT credentials_account_fkey REFERENCES accounts ON DELETE CASCADE,
    hash    text NOT NULL
);

-- Counter and used, which every refresh writes, are in no index.
CREATE TABLE sessions (
    id      uuid        CONSTRAINT sessions_pkey PRIMARY KEY,
    account uuid        NOT NULL CONSTRAINT sessions_account_fkey REFERENCES accounts ON DELETE CASCADE,
    counter bigint      NOT NULL,
    created timestamptz NOT NULL,
    used    timestamptz NOT NULL,
    ends    timestamptz NOT NULL,
    device  text        NOT NULL
);
CREATE INDEX sessions_account_idx ON sessions (account, id);
CREATE INDEX sessions_ends_idx ON sessions (ends);

-- JSON is kept as json and not as jsonb, which would respell numbers.
CREATE TABLE collections (
    name          text COLLATE "C" CONSTRAINT collections_pkey PRIMARY KEY,
    schema        json             NOT NULL,
    rules         json             NOT NULL,
    unique_fields json             NOT NULL,
    revision      bigint           NOT NULL,
    created       timestamptz      NOT NULL,
    changed       timestamptz      NOT NULL
);

-- Every write of a record locks its collection, which says all that a foreign
-- key would. None leads to accounts: the two may be kept on different machines.
CREATE TABLE records (
    collection text COLLATE "C" NOT NULL,
    id         uuid             NOT NULL,
    owner      uuid,
    data       json             NOT NULL,
    revision   bigint           NOT NULL,
    created    timestamptz      NOT NULL,
    changed    timestamptz      NOT NULL,
    CONSTRAINT records_pkey PRIMARY KEY (collection, id)
);
CREATE INDEX records_owner_idx ON records (owner, collection, id) WHERE owner IS NOT NULL;

CREATE TABLE record_keys (
    collection text COLLATE "C" NOT NULL,
    field      text COLLATE "C" NOT NULL,
    digest     bytea            NOT NULL,
    record     uuid             NOT NULL,
    CONSTRAINT record_keys_pkey PRIMARY KEY (collection, field, digest)
);
CREATE INDEX record_keys_record_idx ON record_keys (collection, record);

CREATE TABLE keys (
    use       text        CONSTRAINT keys_pkey PRIMARY KEY,
    id        text        NOT NULL,
    algorithm text        NOT NULL,
    sealed    bytea       NOT NULL,
    created   timestamptz NOT NULL
);
