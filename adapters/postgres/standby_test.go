package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// awaiting has each commit written, and wait for a standby where one is awaited.
var awaiting = pgtest.Options{Standbys: 1, Settings: map[string]string{"synchronous_commit": "on"}}

// serve starts a server of a test's own, with Keyport's schema.
func serve(t *testing.T, o pgtest.Options) *pgtest.Cluster {
	t.Helper()
	c, err := pgtest.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := postgres.Migrate(t.Context(), c.URL("postgres")); err != nil {
		t.Fatal(err)
	}
	return c
}

func follow(t *testing.T, primary *pgtest.Cluster) *pgtest.Cluster {
	t.Helper()
	standby, err := primary.Standby(t.Context(), "second")
	if err == nil {
		t.Cleanup(func() {
			if err := standby.Close(); err != nil {
				t.Error(err)
			}
		})
		err = primary.Await(t.Context(), "second")
	}
	if err != nil {
		t.Fatal(err)
	}
	return standby
}

func storeAt(t *testing.T, c postgres.Config) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestWhileEveryCommitWaitsForALostStandbyReadersAreServed(t *testing.T) {
	primary := serve(t, awaiting)
	standby := follow(t, primary)
	s := storeAt(t, postgres.Config{
		URL: primary.URL("postgres"), MaxConns: 8, AcquireTimeout: time.Second, CommitTimeout: 3 * time.Second, StatementTimeout: 10 * time.Minute,
	})
	register(t, s, ada, "ada")
	if err := standby.Kill(); err != nil {
		t.Fatal(err)
	}
	// None of them waits for another.
	writes := []func(n int) error{
		func(n int) error {
			_, err := s.Sessions().Open(t.Context(), session(n, ada), 1)
			return err
		},
		func(n int) error {
			return s.Collections().Add(t.Context(), domain.Collection{Name: domain.CollectionName(fmt.Sprintf("ships-%d", n))})
		},
		func(n int) error {
			return s.Atomically(t.Context(), func(tx ports.Repositories) error {
				return tx.Bulletin().Post(t.Context(), domain.Change{Kind: domain.SessionEnded, Subject: fmt.Sprint(n), At: noon})
			})
		},
	}
	written := make(chan error)
	var writing sync.WaitGroup
	for _, write := range writes {
		for n := range 8 { // each kind as often as there are connections
			writing.Go(func() { written <- write(n) })
		}
	}
	go func() {
		writing.Wait()
		close(written)
	}()
	for err := range written {
		is(t, err, domain.ErrUnavailable)
		// Others write still: those who wait for a standby are not in a reader's way.
		if _, err := s.Accounts().ByID(t.Context(), ada); err != nil {
			t.Error("a reader of accounts:", err)
		}
		if _, err := s.Collections().List(t.Context()); err != nil {
			t.Error("a reader of collections:", err)
		}
	}
	if err := primary.Await(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	register(t, s, bob, "bob")
}

func TestAStoreFindsThePrimaryThatTookOver(t *testing.T) {
	primary := serve(t, awaiting)
	standby := follow(t, primary)
	s := storeAt(t, postgres.Config{URL: pgtest.URLOf("postgres", primary, standby)})
	register(t, s, ada, "ada")
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	is(t, s.Ping(t.Context()), domain.ErrUnavailable) // the standby takes no writes
	if err := errors.Join(standby.Promote(t.Context()), standby.Await(t.Context(), "")); err != nil {
		t.Fatal(err)
	}
	register(t, s, bob, "bob")
	if _, err := s.Accounts().ByID(t.Context(), ada); err != nil {
		t.Error("what was acknowledged before:", err)
	}
}

func TestAServerThatStopsAtOnceIsUnavailableAndFoundWhenItIsBack(t *testing.T) {
	c := serve(t, awaiting)
	s := storeAt(t, postgres.Config{URL: c.URL("postgres"), MaxConns: 2})
	register(t, s, ada, "ada")
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if err := c.Stop(pgtest.Immediate); err != nil {
			return err
		}
		_, err := tx.Accounts().ByID(t.Context(), ada)
		return err
	})
	is(t, err, domain.ErrUnavailable)
	is(t, s.Ping(t.Context()), domain.ErrUnavailable)
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accounts().ByID(context.WithoutCancel(t.Context()), ada); err != nil {
		t.Error(err)
	}
}
