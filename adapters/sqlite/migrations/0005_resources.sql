-- +goose Up

ALTER TABLE collections ADD COLUMN indexes TEXT NOT NULL DEFAULT '[]'; -- [{"sort": "-length,model", "building": ...}, ...]
ALTER TABLE collections ADD COLUMN search TEXT NOT NULL DEFAULT '[]'; -- ["model", ...]
ALTER TABLE collections ADD COLUMN watch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE collections ADD COLUMN managed INTEGER NOT NULL DEFAULT 0;

-- A walk by time, of all records or of one account's, follows one of these.
CREATE INDEX records_by_creation ON records (collection, created, id);
CREATE INDEX records_by_change ON records (collection, changed, id);
CREATE INDEX records_by_owner_and_creation ON records (owner, collection, created, id) WHERE owner IS NOT NULL;
CREATE INDEX records_by_owner_and_change ON records (owner, collection, changed, id) WHERE owner IS NOT NULL;

-- A row counts while the record has its revision.
CREATE TABLE record_index (
    collection TEXT    NOT NULL,
    name       TEXT    NOT NULL, -- -length,model
    key        BLOB    NOT NULL, -- compared bytewise
    record     TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    PRIMARY KEY (collection, name, key, record),
    FOREIGN KEY (collection, record) REFERENCES records (collection, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX record_index_by_record ON record_index (collection, record);

-- The words of a record, with a space before, between and behind them. The numbers are
-- for the index of words: VACUUM would change the row ids of records.
CREATE TABLE record_texts (
    number     INTEGER NOT NULL PRIMARY KEY,
    collection TEXT    NOT NULL,
    record     TEXT    NOT NULL,
    words      TEXT    NOT NULL,
    UNIQUE (collection, record),
    FOREIGN KEY (collection, record) REFERENCES records (collection, id) ON DELETE CASCADE
) STRICT;

-- The words of each number, each behind the name of its collection and a colon: those of
-- one collection lie together, apart from those of others. Only a space ends a word
-- here: what is one, the domain says.
CREATE VIRTUAL TABLE record_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none,
    tokenize = "ascii tokenchars '!""#$%&''()*+,-./:;<=>?@[\]^_`{|}~'"
);

-- The same by words, to be read from one on: a row for each word of each number.
CREATE VIRTUAL TABLE record_terms USING fts5vocab (record_words, instance);

-- +goose StatementBegin
CREATE TRIGGER record_texts_gone AFTER DELETE ON record_texts BEGIN
    DELETE FROM record_words WHERE rowid = old.number;
END;
-- +goose StatementEnd

-- As with changes, the order of ids is the order of commits, and none is given twice.
CREATE TABLE record_events (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL,
    collection TEXT    NOT NULL,
    record     TEXT    NOT NULL,
    owner      TEXT,
    data       TEXT    NOT NULL,
    former     TEXT,             -- the data before a change
    revision   INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    at         INTEGER NOT NULL
) STRICT;

CREATE INDEX record_events_by_time ON record_events (at);

-- Answers may be large, so the table keeps its row ids.
CREATE TABLE receipts (
    id     BLOB    NOT NULL PRIMARY KEY,
    body   BLOB    NOT NULL,
    answer BLOB    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

CREATE INDEX receipts_by_time ON receipts (at);

CREATE TABLE imports (
    id         TEXT    NOT NULL PRIMARY KEY,
    account    TEXT    NOT NULL,
    collection TEXT    NOT NULL,
    lines      INTEGER NOT NULL,
    stored     INTEGER NOT NULL,
    refused    INTEGER NOT NULL,
    problems   TEXT    NOT NULL, -- [{"line": ..., "code": ..., "detail": ..., "fields": [...]}, ...]
    done       INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    changed    INTEGER NOT NULL
) STRICT;

CREATE INDEX imports_by_change ON imports (changed);
