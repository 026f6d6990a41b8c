package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/domain"
)

// crowded returns the URL of a database that lets in as few connections as that, and of
// no superuser.
func crowded(t *testing.T, connections string) string {
	t.Helper()
	c, err := pgtest.Start(t.Context(), pgtest.Options{Settings: map[string]string{
		"max_connections": connections, "superuser_reserved_connections": "1", "autovacuum": "off",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	url, err := c.Tenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestAReplicaMakesDoWithTheConnectionsThatItGets(t *testing.T) {
	url := crowded(t, "4")
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url, MaxConns: 32, AcquireTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	register(t, s, ada, "ada")
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for range 20 {
				if _, err := s.Accounts().ByID(t.Context(), ada); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	if open := s.Stats().Open; open > 3 {
		t.Errorf("%d connections are open, want those 3 that there are", open)
	}
}

func TestWhoFindsNoConnectionAtAllIsToldSoInTime(t *testing.T) {
	url := crowded(t, "2")
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url, AcquireTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	is(t, s.Ping(t.Context()), domain.ErrUnavailable)
	if err := other.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for s.Ping(t.Context()) != nil {
		if t.Context().Err() != nil {
			t.Fatal("it does not find the one that was given back")
		}
	}
}

func TestMigratingWaitsForAConnection(t *testing.T) {
	url := crowded(t, "3")
	var others []*pgx.Conn
	for range 2 {
		c, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		others = append(others, c)
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := postgres.Migrate(short, url); err == nil {
		t.Fatal("it migrates without a connection")
	}
	migrated := make(chan error, 1)
	go func() { migrated <- postgres.Migrate(t.Context(), url) }()
	for _, c := range others {
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
}
