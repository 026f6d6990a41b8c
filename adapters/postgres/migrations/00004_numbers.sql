-- +goose Up

-- What a release does not know is not renewed by it, so the words are not checked.
-- There is a default, for a release that knows nothing of renewal may go on opening
-- sessions for a while, and they rotate. (Sessions are locked before changes, as by
-- all that write both, so that none of those waits for this step and is waited for.)
ALTER TABLE sessions ADD COLUMN renewal text NOT NULL DEFAULT 'rotating';

-- For who asks whether something about a subject is kept, of whatever kind.
CREATE INDEX changes_subject_idx ON changes (subject, kind);

-- Nothing is ever deleted here, so what is above the greatest number of a series was
-- never given. That holds for what the numbers stood for, too: no foreign key leads
-- there.
CREATE TABLE numbers (
    series text COLLATE "C" NOT NULL,
    number bigint           NOT NULL CONSTRAINT numbers_number_check CHECK (number > 0),
    id     text COLLATE "C" NOT NULL,
    CONSTRAINT numbers_pkey PRIMARY KEY (series, number),
    CONSTRAINT numbers_id_key UNIQUE (series, id)
);
