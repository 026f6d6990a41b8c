// Package postgres keeps Keyport's memory in PostgreSQL 15 or later, through
// pgx.
//
// It owns the schema and its migrations, the pool of connections, the notices by
// which replicas wake one another, and the meaning of the server's errors. It
// leaves to its caller when to migrate, and to the operator how the server is kept
// alive: it writes no replication of its own.
//
// Everything happens at READ COMMITTED. A condition rides on the write that
// depends on it, in one statement wherever that can be. Such a statement locks
// the rows that it judges first, for of all that it reads only a locked row is
// read again when somebody else has just changed it (PostgreSQL manual, section
// 13.2.1); what it looks up beside them is as old as its beginning. Rows are
// locked in one order: account, credential, logins, sessions, access keys; collection,
// record, what is kept of it; and a series of numbers after both.
package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A Store is a ports.Store in a PostgreSQL database.
type Store struct {
	pool *pool
	repositories
}

var _ ports.Store = (*Store)(nil)

// Open returns a Store in the database that c names. It fails if c is not
// usable. It does not wait for the server, which may come later: Ping asks for
// it. The schema must have been made by Migrate. The caller closes the Store.
func Open(ctx context.Context, c Config) (*Store, error) {
	p, err := newPool(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return &Store{p, repositories{p.in(anyLane)}}, nil
}

// Close sends the notice that is due, which takes a second at most, waits for the
// statements that are under way, and closes all connections. No goroutine of the
// Store is left.
func (s *Store) Close() { s.pool.close() }

// Atomically implements ports.Store, at READ COMMITTED. (At SERIALIZABLE two
// thirds of 32 unrelated refreshes failed on a small table, five tries each.)
// It runs f at most five times, again only when the server broke the transaction
// off for the sake of another.
func (s *Store) Atomically(ctx context.Context, f func(tx ports.Repositories) error) error {
	return s.pool.in(several).unit(ctx, func(in runner) error { return f(repositories{in}) })
}

// Ping implements ports.Store.
func (s *Store) Ping(ctx context.Context) error {
	const sql = `SELECT`
	err := s.pool.in(anyLane).run(ctx, sql, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, sql)
		return err
	})
	if err != nil && ctx.Err() == nil {
		return domain.ErrUnavailable.Because(err)
	}
	return err
}

// Stats are the numbers of the pool of connections, and of the notices that go
// from replica to replica.
type Stats struct {
	Max       int32         // connections that may be open at once
	Open      int32         // connections that are open or being made
	InUse     int32         // connections that are lent
	Idle      int32         // connections that wait to be lent
	Lent      int64         // how often a connection was lent
	Waits     int64         // how often none was free at once
	Waited    time.Duration // how long those waits took together
	Abandoned int64         // how often the wait was given up

	NoticesSent   int64 // notices that something was committed
	NoticesHeard  int64 // notices from replicas, this one included
	HearingBroken int64 // how often the connection on which they are heard was lost
}

// Stats returns the numbers of this moment.
func (s *Store) Stats() Stats {
	n := s.pool.connections.Stat()
	stats := Stats{
		Max: n.MaxConns(), Open: n.TotalConns(), InUse: n.AcquiredConns(), Idle: n.IdleConns(),
		Lent: n.AcquireCount(), Waits: n.EmptyAcquireCount(), Waited: n.EmptyAcquireWaitTime(), Abandoned: n.CanceledAcquireCount(),
	}
	if told := s.pool.notices; told != nil {
		stats.NoticesSent, stats.NoticesHeard, stats.HearingBroken = told.sent.Load(), told.heard.Load(), told.lost.Load()
	}
	return stats
}

// repositories send their statements to one runner.
type repositories struct{ on runner }

func (r repositories) Accounts() ports.Accounts       { return accounts{r.on.in(identity)} }
func (r repositories) Sessions() ports.Sessions       { return sessions{r.on.in(identity)} }
func (r repositories) AccessKeys() ports.AccessKeys   { return accessKeys{r.on.in(identity)} }
func (r repositories) Collections() ports.Collections { return collections{r.on.in(content)} }
func (r repositories) Records() ports.Records         { return records{r.on.in(content)} }
func (r repositories) Events() ports.Events           { return events(r) }
func (r repositories) Receipts() ports.Receipts       { return receipts(r) }
func (r repositories) Imports() ports.Imports         { return imports{r.on.in(content)} }
func (r repositories) Keys() ports.Keys               { return keys(r) }
func (r repositories) Numbers() ports.Numbers         { return numbers{r.on.in(identity)} }
func (r repositories) Bulletin() ports.Bulletin       { return bulletin(r) }

// row runs a statement that gives one row or none, and says which.
func row[T any](ctx context.Context, on runner, read pgx.RowToFunc[T], sql string, args ...any) (t T, found bool, err error) {
	all, err := rows(ctx, on, read, sql, args...)
	if len(all) > 0 {
		return all[0], true, err
	}
	return t, false, err
}

// rows runs a statement and reads all rows that it gives.
func rows[T any](ctx context.Context, on runner, read pgx.RowToFunc[T], sql string, args ...any) (all []T, err error) {
	err = on.run(ctx, sql, func(ctx context.Context, q querier) error {
		rows, err := q.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, read)
		return err
	})
	return all, err
}

// exec runs a statement and says how many rows it wrote.
func exec(ctx context.Context, on runner, sql string, args ...any) (written int, err error) {
	err = on.run(ctx, sql, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, sql, args...)
		written = int(tag.RowsAffected())
		return err
	})
	return written, err
}

// micro returns t as the server keeps it, so that no mode of sending rounds it
// up.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// nullable returns an id for a column or a condition that knows no "".
func nullable[ID ~string](id ID) *string {
	if id == "" {
		return nil
	}
	s := string(id)
	return &s
}

// texts returns a list of words for an array, which is not null.
func texts[T ~string](words []T) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return all
}

// words is the inverse of texts.
func words[T ~string](texts []string) []T {
	all := make([]T, len(texts))
	for i, s := range texts {
		all[i] = T(s)
	}
	return all
}

// nullableTime returns a time for a column that is null where there is none.
func nullableTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = micro(t)
	return &t
}

// timeOrZero is the inverse of nullableTime.
func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// bytes returns b for a column that is not null, however empty it is.
func bytes(b []byte) []byte { return append([]byte{}, b...) }
