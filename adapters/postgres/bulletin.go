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

type bulletin struct{ on runner }

func (r bulletin) Post(ctx context.Context, changes ...domain.Change) error {
	if len(changes) == 0 {
		return nil
	}
	var kinds, subjects []string
	var values []int64
	var times []time.Time
	for _, c := range changes {
		kinds, subjects = append(kinds, string(c.Kind)), append(subjects, c.Subject)
		values, times = append(values, c.Value), append(times, micro(c.At))
	}
	_, err := exec(ctx, r.on, `
		INSERT INTO changes (kind, subject, value, at)
		SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[])`,
		kinds, subjects, values, times)
	if err == nil {
		r.on.posted()
	}
	return err
}

// News reads what was written by the transaction that the mark names and by those
// after it. All transactions before a snapshot's xmin have ended, and the snapshot
// shows what they wrote; of later ones some are under way, and may commit at any
// time. So the next mark is never above the xmin of the snapshot in which the rows
// were read. Both are asked in one statement, for at READ COMMITTED the next one
// has a snapshot of its own. While a transaction stays open what was written since
// it began is read again and again, and nothing is missed.
//
// Nor is the next mark above what was read. A server that crashed gives out anew
// the numbers of transactions that left nothing in its log, but none up to that of
// a commit that was seen.
func (r bulletin) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	since, err := parseMark(mark)
	if err != nil {
		return nil, "", err
	}
	news, next, err := r.since(ctx, since)
	if err == nil && next < since {
		// The server has gone back to an earlier state, or is another.
		news, next, err = r.since(ctx, 0)
	}
	if err != nil {
		return nil, "", err
	}
	return news, domain.Mark(strconv.FormatUint(next, 10)), nil
}

// since returns the changes of a transaction and those after it, and where to
// begin the next time: below since only if the server has not come that far.
func (r bulletin) since(ctx context.Context, since uint64) (news []domain.Change, next uint64, err error) {
	type line struct {
		xmin    uint64
		written *uint64 // nil where there is no change, nor any of the rest
		kind    *domain.ChangeKind
		subject *string
		value   *int64
		at      *time.Time
	}
	lines, err := rows(ctx, r.on, func(r pgx.CollectableRow) (l line, err error) {
		err = r.Scan(&l.xmin, &l.written, &l.kind, &l.subject, &l.value, &l.at)
		return l, err
	}, `
		WITH snapshot AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS lowest)
		SELECT snapshot.lowest, c.written, c.kind, c.subject, c.value, c.at
		FROM snapshot LEFT JOIN changes c ON c.written >= $1::text::xid8`, strconv.FormatUint(since, 10))
	if err != nil {
		return nil, 0, err
	}
	next = since
	for _, l := range lines {
		if l.written != nil {
			next = max(next, *l.written+1)
			news = append(news, domain.Change{Kind: *l.kind, Subject: *l.subject, Value: *l.value, At: l.at.UTC()})
		}
	}
	return news, min(next, lines[0].xmin), nil
}

// parseMark reads what News wrote: the number of a transaction, which counts the
// times that the server's own 32 bits ran over.
func parseMark(mark domain.Mark) (uint64, error) {
	if mark == "" || foreign(mark) {
		return 0, nil
	}
	since, err := strconv.ParseUint(string(mark), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("postgres: a mark that is none: %w", err)
	}
	return since, nil
}

// foreign reports whether SQLite made the mark, from which all was copied since: its
// marks are an "s" and a number. Whoever comes with one is told everything anew.
func foreign(mark domain.Mark) bool {
	id, sqlite := strings.CutPrefix(string(mark), "s")
	_, err := strconv.ParseUint(id, 10, 63)
	return sqlite && err == nil
}

func (r bulletin) Posted(ctx context.Context, kind domain.ChangeKind, subject string) (bool, error) {
	posted, _, err := row(ctx, r.on, pgx.RowTo[bool],
		`SELECT EXISTS (SELECT FROM changes WHERE subject = $1::text AND kind = $2::text)`, subject, string(kind))
	return posted, err
}

func (r bulletin) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return forget(ctx, r.on, "changes", "at", t, limit)
}

// forget drops at most limit rows of a table from before t, and says how many. It
// finds them by where they lie, for not all have a key, and it holds them: nothing
// else can come to lie there. The array is made once, and each row of it is one step
// away; a join would read the whole table. What another replica is forgetting at the
// moment is left out.
func forget(ctx context.Context, on runner, table, at string, t time.Time, limit int) (int, error) {
	return exec(ctx, on, `
		DELETE FROM `+table+` WHERE ctid = ANY (ARRAY(
			SELECT ctid FROM `+table+` WHERE `+at+` < $1::timestamptz ORDER BY `+at+` LIMIT $2::bigint FOR UPDATE SKIP LOCKED
		))`, micro(t), int64(limit))
}
