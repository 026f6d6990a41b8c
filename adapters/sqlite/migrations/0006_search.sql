-- +goose Up

-- Whether the words of records that were stored before are still being entered.
ALTER TABLE collections ADD COLUMN search_building INTEGER NOT NULL DEFAULT 0;
