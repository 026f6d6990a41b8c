package postgres_test

import (
	"errors"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

// throughBouncer returns a function that leads a URL through a PgBouncer.
func throughBouncer(t *testing.T) func(direct string) string {
	t.Helper()
	b, err := pgtest.StartBouncer(t.Context(), pgtest.Open(t), composedSettings(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
	})
	return func(direct string) string {
		u, err := url.Parse(direct)
		if err != nil {
			t.Fatal(err)
		}
		return b.URL(strings.TrimPrefix(u.Path, "/"))
	}
}

// composedSettings returns the settings that the PgBouncer of the composition makes.
func composedSettings(t *testing.T) string {
	t.Helper()
	ini, err := os.ReadFile("../../deploy/pgbouncer/pgbouncer.ini")
	if err != nil {
		t.Fatal(err)
	}
	query := regexp.MustCompile(`(?m)^keyport = .* connect_query='(.*)'$`).FindSubmatch(ini)
	if query == nil {
		t.Fatal("the PgBouncer of the composition makes no settings")
	}
	return string(query[1])
}

// What Keyport cannot set through a PgBouncer, the PgBouncer does.
func TestBehindThePgBouncerOfTheCompositionTheSettingsAreThoseOfNone(t *testing.T) {
	through := throughBouncer(t)
	url := pgtest.Database(t, nil)
	set, err := postgres.Settings(postgres.Config{URL: url})
	if err != nil || len(set) < 7 {
		t.Fatalf("they are %v (%v)", set, err)
	}
	delete(set, "application_name")
	bare, c := connect(t, url), connect(t, through(url)+"&default_query_exec_mode=exec")
	for name, value := range set {
		var got, want string
		_, err := bare.Exec(t.Context(), `SELECT set_config($1, $2, false)`, name, value)
		err = errors.Join(err,
			bare.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&want),
			c.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&got))
		if err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
}

// The first start of several replicas that know no other way to the server.
func TestProcessesMigrateThroughPgBouncerAtOnce(t *testing.T) {
	through := throughBouncer(t)
	direct := pgtest.Database(t, nil)
	faults := make(chan error)
	const replicas = 4
	for range replicas {
		go func() { faults <- postgres.Migrate(t.Context(), through(direct)) }()
	}
	for range replicas {
		if err := <-faults; err != nil {
			t.Error(err)
		}
	}
	s, err := postgres.Open(t.Context(), postgres.Config{URL: through(direct), PgBouncer: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if keys, err := s.Keys().List(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("the new schema: %v, %v", keys, err)
	}
}

// No two transactions need have the same connection.
func TestTheStoreKeepsItsPromisesThroughPgBouncer(t *testing.T) {
	t.Parallel()
	through := throughBouncer(t)
	porttest.TestStore(t, func(t *testing.T) ports.Store {
		const patience = 2 * time.Minute // on a busy machine
		s, err := postgres.Open(t.Context(), postgres.Config{
			URL: through(pgtest.Database(t, postgres.Migrate)), PgBouncer: true, MaxConns: 8, AcquireTimeout: patience, StatementTimeout: patience,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	})
}
