package postgres_test

import (
	"errors"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres"
)

// usedThrough does what requests do, several at once, so that what is prepared on one
// connection is used on another.
func usedThrough(t *testing.T, url, mode string) error {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url, PgBouncer: true, ExecMode: mode, MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const callers, times = 4, 8
	done := make(chan error)
	for n := range callers {
		go func() {
			_, err := s.Sessions().Open(t.Context(), session(n+1, ada), 1)
			for range times {
				_, found := s.Accounts().ByID(t.Context(), ada)
				_, listed := s.Sessions().List(t.Context(), ada, noon, "", 10)
				_, _, heard := s.Bulletin().News(t.Context(), "")
				err = errors.Join(err, found, listed, heard)
			}
			done <- err
		}()
	}
	for range callers {
		err = errors.Join(err, <-done)
	}
	return err
}

// PgBouncer 1.18 in transaction mode knows nothing of prepared statements. Which modes
// of pgx pass is found out here, and not believed: what the setting chooses is one that
// does.
func TestThroughPgBouncerSomeModesOfSendingPass(t *testing.T) {
	through := throughBouncer(t)
	for _, c := range []struct {
		mode   string
		passes bool
	}{
		{"", true}, // what PgBouncer stands for
		{"cache_describe", true},
		{"cache_statement", false},
		{"exec", true},
		{"simple_protocol", true},
	} {
		t.Run("the mode "+c.mode, func(t *testing.T) {
			direct, url := open(t, postgres.Config{})
			register(t, direct, ada, "ada")
			err := usedThrough(t, through(url), c.mode)
			if (err == nil) != c.passes {
				t.Errorf("it passes: %t (%v), want %t", err == nil, err, c.passes)
			}
		})
	}
}

// Whoever forgets the setting is told at the start, and not by what fails later.
func TestAPgBouncerThatNobodyHasNamedIsFoundOut(t *testing.T) {
	through := throughBouncer(t)
	_, direct := open(t, postgres.Config{})
	for _, c := range []struct {
		name   string
		config postgres.Config
		found  bool
	}{
		{"straight to the server", postgres.Config{URL: direct}, false},
		{"through PgBouncer, and said so", postgres.Config{URL: through(direct), PgBouncer: true}, false},
		{"through PgBouncer, and not said so", postgres.Config{URL: through(direct)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := postgres.Open(t.Context(), c.config)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			err = s.Reach(t.Context())
			if found := errors.Is(err, postgres.ErrPooled); found != c.found || err != nil && !found {
				t.Errorf("%v: found out %t, want %t", err, found, c.found)
			}
		})
	}
}

// One that was told to ignore the settings that it does not know is found out by what
// it does.
func TestATransactionModeIsFoundOutByWhereItLeads(t *testing.T) {
	through := throughBouncer(t)
	_, direct := open(t, postgres.Config{})
	for url, want := range map[string]bool{direct: false, through(direct): true} {
		s, err := postgres.Open(t.Context(), postgres.Config{URL: url, PgBouncer: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if pooled, err := postgres.Pooled(t.Context(), s); err != nil || pooled != want {
			t.Errorf("found out %t (%v), want %t", pooled, err, want)
		}
	}
}
