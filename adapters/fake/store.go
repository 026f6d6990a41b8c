// Package fake is a whole set of adapters in memory, for tests.
//
// They keep the promises of package ports (porttest says so), and they are exact
// where real ones vary: the clock stands until it is moved, identifiers count up,
// tokens can be read by eye, and a Store fails when it is told to. They leave to
// real adapters what needs a disk or a secret: nothing outlives the process, and
// nothing here withstands somebody who reads this source.
package fake

import (
	"context"
	"sync"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A Store is a ports.Store in maps. The zero Store is empty and ready.
type Store struct {
	// Replay makes Atomically run f once in vain before it runs it in earnest,
	// as a real store does when two transactions collide.
	Replay bool

	// Fault, if not nil, is asked before each operation, and may make it fail.
	// With an error and apply the operation happens all the same, as when only
	// the answer is lost; a verdict or a refusal of its own is then lost too. An
	// operation is called by port and method, such as "sessions.open"; Atomically
	// and Ping are "atomically" and "ping". Fault must be safe for concurrent use
	// and must not call the Store.
	Fault func(op string) (apply bool, err error)

	once   sync.Once
	turn   chan struct{} // holds one item while somebody uses tables
	tables tables
}

var _ ports.Store = (*Store)(nil)

// a desk is where a repository finds its tables: those of the Store, in turn
// with others, or those of a running transaction.
type desk interface {
	do(ctx context.Context, op string, f func(*tables) error) error
}

func (s *Store) do(ctx context.Context, op string, f func(*tables) error) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.leave()
	return s.faulty(op, func() error { return f(&s.tables) })
}

// take waits for the caller's turn, or until ctx ends.
func (s *Store) take(ctx context.Context) error {
	s.once.Do(func() {
		s.turn = make(chan struct{}, 1)
		s.tables = newTables()
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) leave() { <-s.turn }

// faulty runs f unless the Store was told to fail.
func (s *Store) faulty(op string, f func() error) error {
	if s.Fault == nil {
		return f()
	}
	apply, fault := s.Fault(op)
	if fault == nil {
		return f()
	}
	if apply {
		_ = f()
	}
	return fault
}

// Atomically implements ports.Store. A transaction has the whole Store to
// itself; f must not use the Store but through tx.
func (s *Store) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	return s.do(ctx, "atomically", func(t *tables) error {
		if s.Replay {
			_ = f(repositories{&transaction{s, t.clone()}})
		}
		tx := transaction{s, t.clone()}
		if err := f(repositories{&tx}); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		*t = tx.tables
		return nil
	})
}

// Ping implements ports.Store.
func (s *Store) Ping(ctx context.Context) error {
	if ctx.Err() != nil {
		return domain.ErrUnavailable.Because(ctx.Err())
	}
	return s.faulty("ping", func() error { return nil })
}

// Accounts implements ports.Repositories.
func (s *Store) Accounts() ports.Accounts { return accounts{s} }

// Sessions implements ports.Repositories.
func (s *Store) Sessions() ports.Sessions { return sessions{s} }

// AccessKeys implements ports.Repositories.
func (s *Store) AccessKeys() ports.AccessKeys { return accessKeys{s} }

// Collections implements ports.Repositories.
func (s *Store) Collections() ports.Collections { return collections{s} }

// Records implements ports.Repositories.
func (s *Store) Records() ports.Records { return records{s} }

// Events implements ports.Repositories.
func (s *Store) Events() ports.Events { return events{s} }

// Receipts implements ports.Repositories.
func (s *Store) Receipts() ports.Receipts { return receipts{s} }

// Imports implements ports.Repositories.
func (s *Store) Imports() ports.Imports { return imports{s} }

// Keys implements ports.Repositories.
func (s *Store) Keys() ports.Keys { return keys{s} }

// Numbers implements ports.Repositories.
func (s *Store) Numbers() ports.Numbers { return numbers{s} }

// Bulletin implements ports.Repositories.
func (s *Store) Bulletin() ports.Bulletin { return bulletin{s} }

// A transaction is a copy of the tables that is kept or dropped.
type transaction struct {
	store  *Store
	tables tables
}

func (tx *transaction) do(ctx context.Context, op string, f func(*tables) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return tx.store.faulty(op, func() error { return f(&tx.tables) })
}

type repositories struct{ desk desk }

func (r repositories) Accounts() ports.Accounts       { return accounts{r.desk} }
func (r repositories) Sessions() ports.Sessions       { return sessions{r.desk} }
func (r repositories) AccessKeys() ports.AccessKeys   { return accessKeys{r.desk} }
func (r repositories) Collections() ports.Collections { return collections{r.desk} }
func (r repositories) Records() ports.Records         { return records{r.desk} }
func (r repositories) Events() ports.Events           { return events{r.desk} }
func (r repositories) Receipts() ports.Receipts       { return receipts{r.desk} }
func (r repositories) Imports() ports.Imports         { return imports{r.desk} }
func (r repositories) Keys() ports.Keys               { return keys{r.desk} }
func (r repositories) Numbers() ports.Numbers         { return numbers{r.desk} }
func (r repositories) Bulletin() ports.Bulletin       { return bulletin{r.desk} }
