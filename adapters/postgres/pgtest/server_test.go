package pgtest

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
)

// These look inside, for the server of a process is one, and Main ends the
// process that would want to look at it.

func TestServerThatNobodyWouldEndIsNotStarted(t *testing.T) {
	if _, err := new(server).create(t.Context(), nil); !errors.Is(err, errNoMain) {
		t.Errorf("err = %v, want %v", err, errNoMain)
	}
}

func TestRunEndsTheServerAndTellsOfEveryFailure(t *testing.T) {
	fault := errors.New("a check that is meant to fail")
	for _, c := range []struct {
		name   string
		tests  int
		checks []func() error
		want   int
	}{
		{name: "all is well", want: 0},
		{name: "a test fails", tests: 3, want: 3},
		{name: "a check fails", checks: []func() error{func() error { return nil }, func() error { return fault }}, want: 1},
		{name: "a test fails and a check too", tests: 3, checks: []func() error{func() error { return fault }}, want: 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s server
			admitted := false
			got := s.run(func() int { admitted = s.admitted; return c.tests }, c.checks)
			if got != c.want || !admitted || s.admitted {
				t.Errorf("exit code %d, want %d; admitted %t during the tests and %t after", got, c.want, admitted, s.admitted)
			}
		})
	}
}

func TestServerNamedByTheEnvironmentIsUsedAndLeftAsItWas(t *testing.T) {
	c, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	before := databases(t, c.URL("postgres"))
	t.Setenv(Variable, c.URL("postgres"))
	var s server
	s.run(func() int {
		name, err := s.create(t.Context(), func(context.Context, string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if s.cluster != nil {
			t.Error("a cluster was started all the same")
		}
		if got := databases(t, s.url(name)); got != before+2 {
			t.Errorf("%d databases, want a template and a clone more than %d", got, before)
		}
		if err := s.drop(t.Context(), name); err != nil {
			t.Error(err)
		}
		return 0
	}, nil)
	if got := databases(t, c.URL("postgres")); got != before {
		t.Errorf("%d databases after, %d before", got, before)
	}
}

func TestAddressThatIsNoURLIsRefusedWithoutBeingShown(t *testing.T) {
	t.Setenv(Variable, "host=localhost password=hunter2")
	s := server{admitted: true}
	_, err := s.create(t.Context(), nil)
	if want := Variable + ": want postgres://user:password@host:port/database"; err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
}

func TestMigrationThatFailsLeavesNoTemplate(t *testing.T) {
	fault := errors.New("a migration failed")
	var s server
	s.run(func() int {
		_, err := s.create(t.Context(), func(context.Context, string) error { return fault })
		if !errors.Is(err, fault) {
			t.Fatalf("err = %v, want %v", err, fault)
		}
		if n := databases(t, s.base.String()); n != 3 {
			t.Errorf("%d databases, want the 3 that every cluster has", n)
		}
		return 0
	}, nil)
}

func databases(t *testing.T, url string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_database").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
