package sqlite

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// DefaultBusy is how long a write waits for another process's write, by default.
const DefaultBusy = 5 * time.Second

// Config says where a store is and how it is used.
type Config struct {
	Path    string        // required: the file; its folder must be there
	Readers int           // connections that read; 0 stands for one a CPU, at least 4
	Busy    time.Duration // how long to wait for another process's write; 0 stands for DefaultBusy

	// OnStatement hears the text of each statement that a repository sends to
	// SQLite, while it holds the connection; nil: nobody does.
	OnStatement func(text string)

	// Span traces the same, each statement under its text; and of a write, as BEGIN,
	// the wait for its turn, and as COMMIT the wait for the disk. nil traces nothing.
	Span ports.Span
}

// A Store is a ports.Store on one file.
type Store struct {
	writer  *writer
	readers *readers
	close   func() error
	repositories
}

var _ ports.Store = (*Store)(nil)

// Open opens the file, makes it if there is none, and migrates it: see Migrate.
// ctx bounds the opening alone. The caller closes the store.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := Migrate(ctx, c.Path); err != nil {
		return nil, err
	}
	path, err := locate(c.Path)
	if err != nil {
		return nil, err
	}
	if c.Readers <= 0 {
		c.Readers = max(4, runtime.GOMAXPROCS(0))
	}
	if c.Busy <= 0 {
		c.Busy = DefaultBusy
	}
	write, err := connector(path, writing(c.Busy)...)
	if err != nil {
		return nil, err
	}
	read, err := connector(path, reading(c.Busy)...)
	if err != nil {
		return nil, err
	}
	s := &Store{
		writer:  newWriter(&line{connector: write, told: c.OnStatement, span: c.Span}),
		readers: newReaders(c.Readers, line{connector: read, told: c.OnStatement, span: c.Span}),
	}
	s.repositories = repositories{s}
	s.close = sync.OnceValue(func() error {
		s.writer.shut()
		// The writer's connection goes last: it folds the log into the file.
		return errors.Join(s.readers.close(), s.writer.end())
	})
	return s, nil
}

// Close serves the calls that wait, ends all connections and stops what Open
// started. Calls that come later fail with domain.ErrUnavailable.
func (s *Store) Close() error { return s.close() }

// Atomically implements ports.Store. It runs f once, on the caller's goroutine,
// while all other writes wait: f must not call the store itself, only tx, or
// both wait for ever. If ctx ends before f's turn, f does not run. If it ends
// before f does, nothing is written; if it ends later, Atomically still waits for
// the commit, and tells what came of it.
func (s *Store) Atomically(ctx context.Context, f func(tx ports.Repositories) error) error {
	return s.writer.do(ctx, func(t *tx) error {
		if err := f(repositories{t}); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// Ping implements ports.Store: it reads the head of the file.
func (s *Store) Ping(ctx context.Context) error {
	err := s.read(ctx, func(l *line) error {
		_, err := l.one("PRAGMA schema_version")
		return err
	})
	if err != nil {
		return domain.ErrUnavailable.Because(err)
	}
	return nil
}

// Stats counts since Open. Members a group is what grouping gains.
type Stats struct {
	Members int64 // writes that were committed, or undone alone
	Groups  int64 // commits that they shared
	Lost    int64 // groups that failed as a whole
	Waiting int   // writes in the queue at the moment
}

// Stats returns the counts at the moment.
func (s *Store) Stats() Stats {
	return Stats{s.writer.members.Load(), s.writer.groups.Load(), s.writer.lost.Load(), len(s.writer.queue)}
}

func (s *Store) read(ctx context.Context, f func(*line) error) error { return s.readers.do(ctx, f) }

func (s *Store) write(ctx context.Context, f func(*line) error) error {
	return s.writer.do(ctx, func(t *tx) error {
		t.line.asked = ctx
		return f(t.line)
	})
}

// lines is what a store and a transaction have in common: they find the line on
// which a method runs.
type lines interface {
	read(ctx context.Context, f func(*line) error) error
	write(ctx context.Context, f func(*line) error) error // wholly or not at all
}

// prune runs a statement that deletes at most limit rows that are older than t,
// and says how many.
func prune(ctx context.Context, on lines, statement string, t time.Time, limit int) (pruned int, err error) {
	err = on.write(ctx, func(l *line) error {
		n, err := l.exec(statement, micros(t), max(limit, 0))
		pruned = int(n)
		return err
	})
	if err != nil {
		return 0, err
	}
	return pruned, nil
}

type repositories struct{ lines lines }

func (r repositories) Accounts() ports.Accounts       { return accounts{r.lines} }
func (r repositories) Sessions() ports.Sessions       { return sessions{r.lines} }
func (r repositories) AccessKeys() ports.AccessKeys   { return accessKeys{r.lines} }
func (r repositories) Collections() ports.Collections { return collections{r.lines} }
func (r repositories) Records() ports.Records         { return records{r.lines} }
func (r repositories) Events() ports.Events           { return events{r.lines} }
func (r repositories) Receipts() ports.Receipts       { return receipts{r.lines} }
func (r repositories) Imports() ports.Imports         { return imports{r.lines} }
func (r repositories) Keys() ports.Keys               { return keys{r.lines} }
func (r repositories) Numbers() ports.Numbers         { return numbers{r.lines} }
func (r repositories) Bulletin() ports.Bulletin       { return bulletin{r.lines} }
