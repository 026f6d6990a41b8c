package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type events struct{ on runner }

// News goes by when an event was written, counted in transactions (keyport_written
// in the schema says how), and then by the order in which they were. What is not
// committed yet, and what is still to be written, is at or behind the lowest
// transaction that is under way: so what lies before that is all there, and nothing
// comes between it any more. Both are asked in one snapshot. While a transaction
// stays open nothing shows that was written after it began.
//
// A mark that the server has not come to yet is of a later state of it, which it has
// lost, or of another server. Then all that is kept is news.
func (r events) News(ctx context.Context, mark domain.Mark, limit int) ([]domain.Event, error) {
	written, seq, err := parseEventMark(mark)
	if err != nil {
		return nil, err
	}
	return rows(ctx, r.on, readEvent, `
		WITH since AS MATERIALIZED (
			SELECT pg_snapshot_xmin(s) AS lowest,
				CASE WHEN $1::text::xid8 < pg_snapshot_xmax(s) THEN $1::text ELSE '0' END::xid8 AS written
			FROM pg_current_snapshot() s
		)
		SELECT written, seq, kind, collection, before, at, record, owner, data, revision, created, changed
		FROM record_events
		WHERE (written, seq) > ((SELECT written FROM since), $2::bigint) AND written < (SELECT lowest FROM since)
		ORDER BY written, seq LIMIT $3::bigint`,
		strconv.FormatUint(written, 10), seq, int64(max(limit, 0)))
}

// Latest returns the mark of the last event that shows, and none ahead of it: a
// server that crashed may give out numbers of transactions anew, but none up to that
// of a commit that was seen.
func (r events) Latest(ctx context.Context) (domain.Mark, error) {
	mark, found, err := row(ctx, r.on, func(r pgx.CollectableRow) (domain.Mark, error) {
		var written uint64
		var seq int64
		err := r.Scan(&written, &seq)
		return eventMark(written, seq), err
	}, `
		SELECT written, seq FROM record_events
		WHERE written < pg_snapshot_xmin(pg_current_snapshot())
		ORDER BY written DESC, seq DESC LIMIT 1`)
	if err == nil && !found {
		mark = eventMark(0, 0)
	}
	return mark, err
}

func (r events) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return forget(ctx, r.on, "record_events", "at", t, limit)
}

func eventMark(written uint64, seq int64) domain.Mark {
	return domain.Mark(strconv.FormatUint(written, 10) + "-" + strconv.FormatInt(seq, 10))
}

// parseEventMark is the inverse of eventMark.
func parseEventMark(mark domain.Mark) (written uint64, seq int64, err error) {
	if mark == "" || foreign(mark) {
		return 0, 0, nil
	}
	a, b, _ := strings.Cut(string(mark), "-")
	if written, err = strconv.ParseUint(a, 10, 64); err == nil {
		seq, err = strconv.ParseInt(b, 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("postgres: a mark that is none: %w", err)
	}
	return written, seq, nil
}

func readEvent(r pgx.CollectableRow) (e domain.Event, err error) {
	var written uint64
	var seq int64
	var before *string
	e.Record, err = scanRecord(r, &written, &seq, &e.Kind, &e.Collection, &before, &e.At)
	e.Mark, e.At = eventMark(written, seq), e.At.UTC()
	if before != nil {
		e.Before = domain.RestoreDocument(*before)
	}
	return e, err
}
