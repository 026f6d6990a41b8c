package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// closedPort returns an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// mutePort returns an address at which connections are taken and never answered.
func mutePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestAServerThatIsAwayIsUnavailable(t *testing.T) {
	for _, c := range []struct {
		name string
		addr func(*testing.T) string
	}{
		{"where nobody listens", closedPort},
		{"where nobody answers", mutePort},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := postgres.Open(t.Context(), postgres.Config{
				URL: fmt.Sprintf("postgres://keyport@%s/keyport?sslmode=disable", c.addr(t)), AcquireTimeout: 100 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			is(t, s.Ping(t.Context()), domain.ErrUnavailable)
			_, err = s.Accounts().ByID(t.Context(), ada)
			is(t, err, domain.ErrUnavailable)
			is(t, s.Atomically(t.Context(), func(ports.Repositories) error { panic("it ran") }), domain.ErrUnavailable)
		})
	}
}

func TestOfSeveralHostsTheOneThatTakesWritesIsUsed(t *testing.T) {
	_, url := open(t, postgres.Config{})
	c := connect(t, url).Config()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: fmt.Sprintf(
		"postgres://%s:%s@%s,%s:%d/%s?target_session_attrs=read-write", c.User, c.Password, closedPort(t), c.Host, c.Port, c.Database)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	register(t, s, ada, "ada")
}

func TestAConnectionThatIsCutIsUnavailableOnceAndThenReplaced(t *testing.T) {
	s, url := open(t, postgres.Config{MaxConns: 1})
	register(t, s, ada, "ada")
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if _, err := tx.Accounts().ByID(t.Context(), ada); err != nil {
			return err
		}
		_, err := connect(t, url).Exec(t.Context(), `
			SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'keyport'`)
		if err != nil {
			return err
		}
		_, err = tx.Accounts().ByID(t.Context(), ada)
		return err
	})
	is(t, err, domain.ErrUnavailable)
	if _, err := s.Accounts().ByID(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
}

func TestWhatTakesTooLongIsUnavailable(t *testing.T) {
	for _, c := range []struct {
		name   string
		config postgres.Config
	}{
		{"a lock that is not given back", postgres.Config{LockTimeout: 50 * time.Millisecond}},
		{"a statement that does not end", postgres.Config{StatementTimeout: time.Second}},
		{"a connection that is not given back", postgres.Config{MaxConns: 1, AcquireTimeout: time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := open(t, c.config)
			for range 60 {
				if s.Ping(t.Context()) == nil {
					break // there is a connection
				}
			}
			register(t, s, ada, "ada")
			err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
				change := domain.Credential{Account: ada, Hash: domain.NewPasswordHash("new"), Revision: 1}
				if err := tx.Accounts().SetCredential(t.Context(), change, noon); err != nil {
					return err
				}
				is(t, s.Accounts().SetCredential(t.Context(), change, noon), domain.ErrUnavailable)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestATransactionThatWaitsTooLongForItsNextStatementIsUnavailable(t *testing.T) {
	s, url := open(t, postgres.Config{IdleTimeout: 50 * time.Millisecond})
	watch := connect(t, url)
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if _, err := tx.Collections().List(t.Context()); err != nil {
			return err
		}
		for open := 1; open > 0; {
			err := watch.QueryRow(t.Context(), `
				SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'keyport'`).Scan(&open)
			if err != nil {
				return err
			}
		}
		_, err := tx.Collections().List(t.Context())
		return err
	})
	is(t, err, domain.ErrUnavailable)
}

func TestAServerThatTakesNoWritesIsUnavailableAndLeft(t *testing.T) {
	s, url := open(t, postgres.Config{MaxConns: 1})
	watch := connect(t, url)
	database := watch.Config().Database
	if _, err := watch.Exec(t.Context(), fmt.Sprintf(`ALTER DATABASE %q SET default_transaction_read_only = on`, database)); err != nil {
		t.Fatal(err)
	}
	is(t, s.Collections().Add(t.Context(), domain.Collection{Name: "ships"}), domain.ErrUnavailable)
	// It is the primary again, for connections that are made from now on.
	if _, err := watch.Exec(t.Context(), fmt.Sprintf(`ALTER DATABASE %q RESET default_transaction_read_only`, database)); err != nil {
		t.Fatal(err)
	}
	if err := s.Collections().Add(t.Context(), domain.Collection{Name: "ships"}); err != nil {
		t.Fatal(err)
	}
}

func TestACallerWhoGoesAwayIsToldSo(t *testing.T) {
	s, url := open(t, postgres.Config{})
	register(t, s, ada, "ada")
	watch := connect(t, url)
	gone, cancel := context.WithCancel(t.Context())
	change := domain.Credential{Account: ada, Hash: domain.NewPasswordHash("new"), Revision: 1}
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if err := tx.Accounts().SetCredential(t.Context(), change, noon); err != nil {
			return err
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Accounts().SetCredential(gone, change, noon) }()
		untilItWaits(t, watch, ended)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v, want that the context was cancelled", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Atomically(gone, func(ports.Repositories) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want that the context was cancelled", err)
	}
}

func TestTextThatTheServerCannotKeepIsTheCallersFault(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	register(t, s, ada, "ada")
	for _, device := range []string{"\x00", "\xff"} {
		odd := session(1, ada)
		odd.Device = device
		_, err := s.Sessions().Open(t.Context(), odd, 1)
		is(t, err, domain.ErrMalformed)
	}
}

func TestWhatCannotBeMeantIsRefusedAtOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		config postgres.Config
	}{
		{"no URL", postgres.Config{}},
		{"a URL of something else", postgres.Config{URL: "sqlite:keyport.db"}},
		{"fewer connections than none", postgres.Config{URL: "postgres://localhost/keyport", MaxConns: -1}},
		{"a timeout below what the server can measure", postgres.Config{URL: "postgres://localhost/keyport", LockTimeout: time.Microsecond}},
		{"an unknown mode of sending", postgres.Config{URL: "postgres://localhost/keyport", ExecMode: "pigeon"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if s, err := postgres.Open(t.Context(), c.config); err == nil {
				s.Close()
				t.Fatal("it opens")
			}
		})
	}
}

// greeting returns the settings with which a store introduces itself.
func greeting(t *testing.T, c postgres.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan string, 1)
	go func() {
		said := make([]byte, 1000)
		n := 0
		if c, err := l.Accept(); err == nil {
			n, _ = c.Read(said)
			_ = c.Close()
		}
		heard <- string(said[:n])
	}()
	c.URL = fmt.Sprintf("postgres://keyport@%s/keyport?sslmode=disable", l.Addr())
	s, err := postgres.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	is(t, s.Ping(t.Context()), domain.ErrUnavailable)
	return <-heard
}

func TestAStoreIntroducesItself(t *testing.T) {
	for _, c := range []struct {
		name          string
		config        postgres.Config
		said, notSaid []string
	}{
		{"with its timeouts", postgres.Config{LockTimeout: 1234 * time.Millisecond}, []string{
			"application_name\x00keyport\x00", "lock_timeout\x001234\x00", "statement_timeout\x005000\x00",
			"idle_in_transaction_session_timeout\x0010000\x00",
		}, nil},
		{
			"without what PgBouncer would refuse",
			postgres.Config{PgBouncer: true},
			[]string{"application_name\x00keyport\x00"},
			[]string{"timeout"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			heard := greeting(t, c.config)
			for _, want := range c.said {
				if !strings.Contains(heard, want) {
					t.Errorf("%q is not in %q", want, heard)
				}
			}
			for _, unwanted := range c.notSaid {
				if strings.Contains(heard, unwanted) {
					t.Errorf("%q is in %q", unwanted, heard)
				}
			}
		})
	}
}
