package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/domain"
)

func TestMain(m *testing.M) {
	if database := os.Getenv(migrator); database != "" {
		if err := postgres.Migrate(context.Background(), database); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	pgtest.Main(m, func() error { return goleak.Find() })
}

// open returns a store in a fresh database, used as c says, and the database's
// URL. What c leaves open is as patient as it takes on a busy machine.
func open(t testing.TB, c postgres.Config) (*postgres.Store, string) {
	t.Helper()
	c.URL = pgtest.Database(t, postgres.Migrate)
	for _, timeout := range []*time.Duration{&c.AcquireTimeout, &c.StatementTimeout, &c.LockTimeout, &c.CommitTimeout, &c.IdleTimeout} {
		if *timeout == 0 {
			*timeout = 2 * time.Minute
		}
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("connect_timeout", "120")
	u.RawQuery = query.Encode()
	c.URL = u.String()
	s, err := postgres.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, c.URL
}

// connect returns a connection past the store.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// untilItWaits returns once a statement in the database waits for a lock. It
// fails the test if what should wait has ended instead.
func untilItWaits(t testing.TB, c *pgx.Conn, ended <-chan error) {
	t.Helper()
	for waiting := 0; waiting == 0; {
		err := c.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if len(ended) > 0 {
			t.Fatalf("it does not wait, and ends with %v", <-ended)
		}
	}
}

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

const (
	ada = domain.AccountID("01900001-0000-7000-8000-000000000001")
	bob = domain.AccountID("01900001-0000-7000-8000-000000000002")
)

// register adds an account with a user name and a credential at revision 1.
func register(t testing.TB, s *postgres.Store, id domain.AccountID, name string) domain.Account {
	t.Helper()
	a := domain.Account{
		ID: id, Logins: []domain.Login{username(t, name)}, Status: domain.Active, Authority: 1, Revision: 1, Created: noon, Changed: noon,
	}
	if err := s.Accounts().Add(t.Context(), a, domain.NewPasswordHash("old")); err != nil {
		t.Fatal(err)
	}
	return a
}

func username(t testing.TB, name string) domain.Login {
	t.Helper()
	login, err := domain.ParseUsername(name)
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// session returns the nth session of an account, opened at noon.
func session(n int, account domain.AccountID) domain.Session {
	return domain.Session{
		ID: domain.SessionID(fmt.Sprintf("01900002-0000-7000-8000-%012x", n)), Account: account,
		Created: noon, Used: noon, Ends: noon.Add(time.Hour), Renewal: domain.Rotating, Seen: noon,
	}
}

// accessKey returns the nth access key of an account, made at noon.
func accessKey(n int, account domain.AccountID) domain.AccessKey {
	return domain.AccessKey{
		ID: domain.AccessKeyID(fmt.Sprintf("01900004-0000-7000-8000-%012x", n)), Account: account, Name: "backup",
		Scopes: []domain.Scope{domain.ReadRecords}, Created: noon,
	}
}

// is fails the test unless err is want.
func is(t testing.TB, err error, want *domain.Error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("the error is %v, want %s", err, want.Code)
	}
}

// declare adds a collection whose unique field is imo.
func declare(t testing.TB, s *postgres.Store, name domain.CollectionName) domain.Collection {
	t.Helper()
	c := domain.Collection{
		Name: name, Rules: domain.Rules{List: "anyone", Read: "anyone"}, Unique: []domain.Unique{{Field: "imo"}},
		Revision: 1, Created: noon, Changed: noon,
	}
	if err := s.Collections().Add(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// ship returns the nth record, at revision 1.
func ship(n int) domain.Record {
	return domain.Record{
		ID: domain.RecordID(fmt.Sprintf("01900003-0000-7000-8000-%012x", n)), Owner: ada,
		Data: domain.RestoreDocument(fmt.Sprintf(`{"n":%d}`, n)), Revision: 1, Created: noon, Changed: noon,
	}
}
