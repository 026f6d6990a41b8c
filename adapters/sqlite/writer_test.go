package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// queued runs the calls so that they share one group: they wait behind a
// transaction that ends when all are in the queue. It returns their errors.
func queued(t *testing.T, s *sqlite.Store, calls ...func() error) []error {
	t.Helper()
	errs := make([]error, len(calls))
	var wg sync.WaitGroup
	err := s.Atomically(t.Context(), func(ports.Repositories) error {
		for i, call := range calls {
			wg.Go(func() { errs[i] = call() })
		}
		return awaits(t.Context(), func() bool { return s.Stats().Waiting == len(calls) })
	})
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return errs
}

// awaits returns when something has come about that other goroutines do.
func awaits(ctx context.Context, come func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !come() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		runtime.Gosched()
	}
	return nil
}

func TestWritesThatWaitShareACommit(t *testing.T) {
	s, ships := harbour(t)
	before := s.Stats()
	calls := make([]func() error, 100)
	for i := range calls {
		calls[i] = func() error { return s.Records().Add(t.Context(), ships, ship(i), domain.Entries{}) }
	}
	if err := errors.Join(queued(t, s, calls...)...); err != nil {
		t.Fatal(err)
	}
	after := s.Stats()
	if groups, members := after.Groups-before.Groups, after.Members-before.Members; groups != 1 || members != 101 {
		t.Errorf("%d writes in %d groups, want 101 in 1", members, groups)
	}
	if got := count(t, s, ships); got != 100 {
		t.Errorf("%d records, want 100", got)
	}
}

func TestAGroupIsBounded(t *testing.T) {
	s, ships := harbour(t)
	before := s.Stats()
	calls := make([]func() error, 600)
	for i := range calls {
		calls[i] = func() error { return s.Records().Add(t.Context(), ships, ship(i), domain.Entries{}) }
	}
	if err := errors.Join(queued(t, s, calls...)...); err != nil {
		t.Fatal(err)
	}
	if groups := s.Stats().Groups - before.Groups; groups != 3 {
		t.Errorf("601 writes in %d groups, want 3", groups)
	}
}

func TestAMemberThatFailsLeavesTheOthers(t *testing.T) {
	s, ships := harbour(t)
	boom := errors.New("boom")
	unread, cancel := context.WithCancel(t.Context())
	defer cancel()
	errs := queued(t, s,
		func() error { return s.Records().Add(t.Context(), ships, ship(1), domain.Entries{}) },
		func() error {
			return s.Atomically(t.Context(), func(tx ports.Repositories) error {
				return errors.Join(tx.Records().Add(t.Context(), ships, ship(2), domain.Entries{}), boom)
			})
		},
		func() (err error) {
			defer func() { err = fmt.Errorf("%v", recover()) }()
			return s.Atomically(t.Context(), func(tx ports.Repositories) error {
				panic(fmt.Sprint("overboard: ", tx.Records().Add(t.Context(), ships, ship(3), domain.Entries{})))
			})
		},
		func() error {
			var err error
			var wg sync.WaitGroup
			wg.Go(func() {
				_ = s.Atomically(t.Context(), func(tx ports.Repositories) error {
					err = tx.Records().Add(t.Context(), ships, ship(4), domain.Entries{})
					runtime.Goexit()
					return nil
				})
			})
			wg.Wait()
			return err
		},
		func() error {
			return s.Atomically(unread, func(tx ports.Repositories) error {
				cancel()
				return tx.Records().Add(t.Context(), ships, ship(5), domain.Entries{})
			})
		},
		func() error { return s.Records().Add(t.Context(), ships, ship(6), domain.Entries{}) },
	)
	for i, want := range []string{"<nil>", "boom", "overboard: <nil>", "<nil>", "context canceled", "<nil>"} {
		if got := fmt.Sprint(errs[i]); got != want {
			t.Errorf("call %d: %s, want %s", i+1, got, want)
		}
	}
	page, err := s.Records().List(t.Context(), ships, everything(9))
	if err != nil || len(page) != 2 || page[0].ID != ship(1).ID || page[1].ID != ship(6).ID {
		t.Errorf("there are %v, want ships 1 and 6: %v", page, err)
	}
}

func TestWhoLeavesTheQueueDoesNotRun(t *testing.T) {
	s, ships := harbour(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	err := s.Atomically(t.Context(), func(ports.Repositories) error {
		go func() {
			left <- s.Atomically(ctx, func(tx ports.Repositories) error {
				t.Error("it ran")
				return tx.Records().Add(t.Context(), ships, ship(1), domain.Entries{})
			})
		}()
		if err := awaits(t.Context(), func() bool { return s.Stats().Waiting == 1 }); err != nil {
			return err
		}
		cancel()
		// The writer is busy with this, so nobody but the caller ends the wait.
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, ships); got != 0 {
		t.Errorf("%d records, want none", got)
	}
}

func TestAWriteWhoseContextEndsWhileItRunsIsToldTheTruth(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	end := func(string) {}
	s := opened(t, sqlite.Config{
		Path:        litetest.Path(t),
		OnStatement: func(text string) { end(text) },
	})
	ships := fleet("ships")
	if err := s.Collections().Add(t.Context(), ships); err != nil {
		t.Fatal(err)
	}
	end = func(string) { cancel() }
	if err := s.Records().Add(ctx, ships.Ref(), ship(1), domain.Entries{}); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, ships.Ref()); got != 1 {
		t.Errorf("%d records, want 1", got)
	}
}

func TestAnotherProcessThatHoldsTheFileMakesItUnavailable(t *testing.T) {
	path := litetest.Path(t)
	s := opened(t, sqlite.Config{Path: path, Busy: time.Millisecond})
	ships := fleet("ships")
	if err := s.Collections().Add(t.Context(), ships); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := s.Records().Add(t.Context(), ships.Ref(), ship(i), domain.Entries{}); !errors.Is(err, domain.ErrUnavailable) {
				t.Errorf("the error is %v", err)
			}
		})
	}
	wg.Wait()
	if got := count(t, s, ships.Ref()); got != 0 {
		t.Errorf("%d records, want none", got)
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := s.Records().Add(t.Context(), ships.Ref(), ship(1), domain.Entries{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestCloseServesThoseWhoWait(t *testing.T) {
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: litetest.Path(t)})
	if err != nil {
		t.Fatal(err)
	}
	ships := fleet("ships")
	if err := s.Collections().Add(t.Context(), ships); err != nil {
		t.Fatal(err)
	}
	var closing sync.WaitGroup
	calls := make([]func() error, 1000) // several groups
	for i := range calls {
		calls[i] = func() error { return s.Records().Add(t.Context(), ships.Ref(), ship(i), domain.Entries{}) }
	}
	var wg sync.WaitGroup
	errs := make([]error, len(calls))
	err = s.Atomically(t.Context(), func(ports.Repositories) error {
		for i, call := range calls {
			wg.Go(func() { errs[i] = call() })
		}
		if err := awaits(t.Context(), func() bool { return s.Stats().Waiting == len(calls) }); err != nil {
			return err
		}
		closing.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		// From here on the store takes nobody in.
		return awaits(t.Context(), func() bool { return s.Ping(t.Context()) != nil })
	})
	wg.Wait()
	closing.Wait()
	if err := errors.Join(append(errs, err)...); err != nil {
		t.Errorf("somebody who waited was not served: %v", err)
	}
}

func count(t *testing.T, s *sqlite.Store, c domain.CollectionRef) int {
	t.Helper()
	page, err := s.Records().List(t.Context(), c, everything(1000))
	if err != nil {
		t.Fatal(err)
	}
	return len(page)
}
