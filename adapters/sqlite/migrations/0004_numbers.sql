-- +goose Up

-- Sessions that were opened until now rotate.
ALTER TABLE sessions ADD COLUMN renewal TEXT NOT NULL DEFAULT 'rotating';

-- For who asks whether something about a subject is kept, of whatever kind.
CREATE INDEX changes_by_subject ON changes (subject, kind);

-- Nothing is ever deleted here, so what is above the greatest number of a series was
-- never given. That holds for what the numbers stood for, too: no foreign key leads
-- there.
CREATE TABLE numbers (
    series TEXT    NOT NULL,
    number INTEGER NOT NULL, -- from 1
    id     TEXT    NOT NULL,
    PRIMARY KEY (series, number),
    UNIQUE (series, id)
) STRICT, WITHOUT ROWID;
