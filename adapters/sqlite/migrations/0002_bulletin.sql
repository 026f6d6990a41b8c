-- +goose Up

-- One writer commits at a time, so the order of ids is the order of commits, and
-- who has read up to one has missed none before it. AUTOINCREMENT gives no id a
-- second time, also when the last changes were forgotten.
CREATE TABLE changes (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    value   INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

CREATE INDEX changes_by_time ON changes (at);
