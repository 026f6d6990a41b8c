-- +goose Up

-- Walks by time of one account's records sort what records_owner_idx finds.
DROP INDEX records_owner_created_idx;
DROP INDEX records_owner_changed_idx;
