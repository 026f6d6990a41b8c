-- +goose Up

ALTER TABLE collections
    ADD COLUMN indexes         json    NOT NULL DEFAULT '[]',
    ADD COLUMN search          json    NOT NULL DEFAULT '[]',
    ADD COLUMN search_building boolean NOT NULL DEFAULT false,
    ADD COLUMN watch           boolean NOT NULL DEFAULT false,
    ADD COLUMN managed         boolean NOT NULL DEFAULT false;

-- For walks by time, of all records and of one account's.
CREATE INDEX records_created_idx ON records (collection, created, id);
CREATE INDEX records_changed_idx ON records (collection, changed, id);
CREATE INDEX records_owner_created_idx ON records (owner, collection, created, id) WHERE owner IS NOT NULL;
CREATE INDEX records_owner_changed_idx ON records (owner, collection, changed, id) WHERE owner IS NOT NULL;

-- Where records stand in the indexes that their collection declares. A row counts
-- while the record is at its revision.
CREATE TABLE record_index (
    collection text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL, -- the order, such as -length,model
    key        bytea            NOT NULL,
    record     uuid             NOT NULL,
    revision   bigint           NOT NULL,
    CONSTRAINT record_index_pkey PRIMARY KEY (collection, name, key, record)
);
CREATE INDEX record_index_record_idx ON record_index (collection, record);

-- The words by which records are found, and beside them their collection behind a
-- slash, which no word has: else a word that is rare in one collection and frequent
-- in another would be slow to find in both. What is not in its place in the index yet
-- is read by every search, so it is kept short.
CREATE TABLE record_words (
    collection text COLLATE "C" NOT NULL,
    record     uuid             NOT NULL,
    words      tsvector         NOT NULL,
    CONSTRAINT record_words_pkey PRIMARY KEY (collection, record)
);
CREATE INDEX record_words_words_idx ON record_words USING gin (words) WITH (gin_pending_list_limit = 256);

-- When an event is written, in transactions: the number of its own or that of the
-- last that had ended by then, whichever is greater. The snapshot is of the moment
-- at which the function is called, and not of the statement's beginning. So what
-- one transaction wrote upon seeing what another did comes after that, though it
-- may have had its number before; and what is not committed yet, or not written,
-- is not below the lowest number that is under way.
-- +goose StatementBegin
CREATE FUNCTION keyport_written() RETURNS xid8 LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN greatest(pg_current_xact_id(), (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8);
END
$$;
-- +goose StatementEnd

-- What became of records, kept for about an hour, in the order in which it is told.
CREATE TABLE record_events (
    written    xid8             NOT NULL DEFAULT keyport_written(),
    seq        bigint           NOT NULL GENERATED ALWAYS AS IDENTITY,
    kind       text             NOT NULL,
    collection text COLLATE "C" NOT NULL,
    record     uuid             NOT NULL,
    owner      uuid,
    data       json             NOT NULL,
    before     json, -- of a change alone
    revision   bigint           NOT NULL,
    created    timestamptz      NOT NULL,
    changed    timestamptz      NOT NULL,
    at         timestamptz      NOT NULL,
    CONSTRAINT record_events_pkey PRIMARY KEY (written, seq)
);
CREATE INDEX record_events_at_idx ON record_events (at);

CREATE TABLE receipts (
    id     bytea       CONSTRAINT receipts_pkey PRIMARY KEY,
    body   bytea       NOT NULL,
    answer bytea       NOT NULL,
    at     timestamptz NOT NULL
);
CREATE INDEX receipts_at_idx ON receipts (at);

CREATE TABLE imports (
    id         uuid             CONSTRAINT imports_pkey PRIMARY KEY,
    account    uuid, -- null: a stranger's
    collection text COLLATE "C" NOT NULL,
    lines      bigint           NOT NULL,
    stored     bigint           NOT NULL,
    refused    bigint           NOT NULL,
    problems   json             NOT NULL,
    done       boolean          NOT NULL,
    created    timestamptz      NOT NULL,
    changed    timestamptz      NOT NULL
);
CREATE INDEX imports_changed_idx ON imports (changed);

-- The functions below are what conditions on records are made of. They fail for no
-- value whatever: what has no value is null. Most are expressions, which the server
-- puts in their place.

-- A double overflows from halfway between the greatest one and 2^1024 on, and is 0
-- up to halfway between 0 and the least one, which is 2^-1074.
CREATE FUNCTION keyport_double(n text) RETURNS float8 LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN abs(n::numeric) < 179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792
        AND (n::numeric = 0 OR abs(n::numeric) * 404804506614621236704990693437834614099113299528284236713802716054860679135990693783920767402874248990374155728633623822779617474771586953734026799881477019843034848553132722728933815484186432682479535356945490137124014966849385397236206711298319112681620113024717539104666829230461005064372655017292012526615415482186989568 > 1)
    THEN n::float8
END;

-- A number without an exponent has at most 100 digits, and is far from either end.
CREATE FUNCTION keyport_number(v json) RETURNS float8 LANGUAGE sql IMMUTABLE
RETURN CASE json_typeof(v) WHEN 'number' THEN
    CASE WHEN strpos(v #>> '{}', 'e') + strpos(v #>> '{}', 'E') = 0 AND length(v #>> '{}') < 300
    THEN (v #>> '{}')::float8 ELSE keyport_double(v #>> '{}') END
END;

CREATE FUNCTION keyport_text(v json) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE json_typeof(v) WHEN 'string' THEN v #>> '{}' END;

CREATE FUNCTION keyport_boolean(v json) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN CASE json_typeof(v) WHEN 'boolean' THEN v #>> '{}' = 'true' END;

-- Lists and objects are of one kind. What has no value is of none.
CREATE FUNCTION keyport_kind(v json) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE json_typeof(v)
    WHEN 'number' THEN CASE WHEN keyport_number(v) IS NOT NULL THEN 'number' END
    WHEN 'array' THEN 'composite'
    WHEN 'object' THEN 'composite'
    ELSE json_typeof(v)
END;

-- Values of different kinds are not equal; whether lists and objects are is unknown.
CREATE FUNCTION keyport_same(a json, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN CASE WHEN b IS NULL THEN NULL WHEN json_typeof(a) = 'number' THEN keyport_number(a) = b ELSE keyport_kind(a) = '' END;

CREATE FUNCTION keyport_same(a json, b text) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN CASE WHEN b IS NULL THEN NULL WHEN json_typeof(a) = 'string' THEN a #>> '{}' = b ELSE keyport_kind(a) = '' END;

CREATE FUNCTION keyport_same(a json, b boolean) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN CASE WHEN b IS NULL THEN NULL WHEN json_typeof(a) = 'boolean' THEN keyport_boolean(a) = b ELSE keyport_kind(a) = '' END;

CREATE FUNCTION keyport_same(a json, b timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN CASE WHEN b IS NOT NULL THEN keyport_kind(a) = '' END;

CREATE FUNCTION keyport_same(a json, b json) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN keyport_kind(a) <> keyport_kind(b) THEN false
    WHEN keyport_kind(b) IS NULL THEN NULL
    ELSE CASE keyport_kind(a)
        WHEN 'number' THEN keyport_number(a) = keyport_number(b)
        WHEN 'string' THEN a #>> '{}' = b #>> '{}'
        WHEN 'boolean' THEN keyport_boolean(a) = keyport_boolean(b)
        WHEN 'null' THEN true
    END
END;

CREATE FUNCTION keyport_less(a json, b json) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN coalesce(
    keyport_number(a) < keyport_number(b),
    keyport_text(a) < keyport_text(b) COLLATE "C",
    keyport_boolean(a) < keyport_boolean(b)
);

CREATE FUNCTION keyport_members(v json) RETURNS float8 LANGUAGE sql IMMUTABLE
RETURN (SELECT count(*)::float8 FROM json_object_keys(v));

CREATE FUNCTION keyport_size(v json) RETURNS float8 LANGUAGE sql IMMUTABLE
RETURN CASE json_typeof(v)
    WHEN 'string' THEN char_length(v #>> '{}')::float8
    WHEN 'array' THEN json_array_length(v)::float8
    WHEN 'object' THEN keyport_members(v)
END;

-- Far from both ends of what a double can be nothing can go wrong. Near to them the
-- server refuses just what has no value.
-- +goose StatementBegin
CREATE FUNCTION keyport_calculate(op text, a float8, b float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    IF abs(a) BETWEEN 1e-150 AND 1e150 AND abs(b) BETWEEN 1e-150 AND 1e150 THEN
        RETURN CASE op WHEN '+' THEN a + b WHEN '-' THEN a - b WHEN '*' THEN a * b WHEN '/' THEN a / b END;
    END IF;
    BEGIN
        RETURN CASE op WHEN '+' THEN a + b WHEN '-' THEN a - b WHEN '*' THEN a * b WHEN '/' THEN a / b END;
    EXCEPTION WHEN numeric_value_out_of_range OR division_by_zero THEN
        RETURN NULL;
    END;
END
$$;
-- +goose StatementEnd

-- The server's own dates know no year 0, which an offset can lead out of: so days
-- are counted in the same year of a later era of 400 years.
-- +goose StatementBegin
CREATE FUNCTION keyport_moment(v text) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    part    text[] := regexp_match(v COLLATE "C", '^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-5][0-9])(?:\.([0-9]{1,30}))?(?:Z|([+-])(0[0-9]|1[0-3]):([0-5][0-9])|([+-])14:00)$');
    month   integer := part[2];
    day     integer := part[3];
    hour    integer := part[4];
    minute  integer := part[5];
    first   date; -- of the month
    east    integer; -- minutes by which the clock is ahead of UTC
    written timestamp;
BEGIN
    IF part IS NULL OR month NOT BETWEEN 1 AND 12 OR hour > 23 OR minute > 59 THEN
        RETURN NULL;
    END IF;
    first := make_date(part[1]::integer + 400, month, 1);
    IF day < 1 OR first + (day - 1) >= first + interval '1 month' THEN
        RETURN NULL;
    END IF;
    east := CASE WHEN part[8] IS NOT NULL THEN (part[8] || (part[9]::integer * 60 + part[10]::integer))::integer
        WHEN part[11] IS NOT NULL THEN (part[11] || 840)::integer
        ELSE 0 END;
    written := (first + (day - 1) - 146097)::timestamp + make_interval(mins => hour * 60 + minute - east)
        + (part[6] || '.' || left(coalesce(part[7], '0'), 6))::interval;
    IF written >= '0001-01-01' AND written < '10000-01-01' THEN
        RETURN written AT TIME ZONE 'UTC';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
