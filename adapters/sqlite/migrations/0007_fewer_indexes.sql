-- +goose Up

-- Each account's entries lie elsewhere, so an index by account costs a write of its own
-- for nearly every record. One is enough: by id, with the times beside, so that those of
-- one account are sorted by time without a look at the records.
DROP INDEX records_by_owner_and_creation;
DROP INDEX records_by_owner_and_change;
DROP INDEX records_by_owner;
CREATE INDEX records_by_owner ON records (owner, collection, id, created, changed) WHERE owner IS NOT NULL;
