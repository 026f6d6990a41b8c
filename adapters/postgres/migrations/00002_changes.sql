-- +goose Up

-- What replicas must hear of, kept for about an hour. Written is the transaction
-- that commits the change: numbers are given out in one order and committed in
-- another, so readers begin where the oldest transaction was that they could not
-- see the end of. There is no primary key, since nothing asks for one change, and
-- the same may be told twice: a sequence would make writers meet, and say nothing
-- of commits. Kind is not checked, for a newer release may write more kinds
-- beside an older one, which passes over them.
CREATE TABLE changes (
    kind    text        NOT NULL,
    subject text        NOT NULL,
    value   bigint      NOT NULL,
    at      timestamptz NOT NULL,
    written xid8        NOT NULL DEFAULT pg_current_xact_id() -- of the whole transaction, in a savepoint too
);
CREATE INDEX changes_written_idx ON changes (written);
CREATE INDEX changes_at_idx ON changes (at);
