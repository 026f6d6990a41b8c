package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/domain"
)

// migrator names the variable that turns this test program into one that
// migrates the database at the URL in it.
const migrator = "KEYPORT_TEST_MIGRATE"

func TestFiveProcessesMigrateOneDatabaseAtOnce(t *testing.T) {
	url := pgtest.Open(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			c := exec.CommandContext(t.Context(), program)
			c.Env = append(os.Environ(), migrator+"="+url)
			if said, err := c.CombinedOutput(); err != nil || len(said) > 0 {
				t.Errorf("it ends with %v, and says %q; want silence", err, said)
			}
		})
	}
	wg.Wait()
	var steps, twice int
	err = connect(t, url).QueryRow(t.Context(), `
		SELECT count(*), count(*) - count(DISTINCT version_id) FROM goose_db_version WHERE version_id > 0`).Scan(&steps, &twice)
	if err != nil || steps == 0 || twice > 0 {
		t.Fatalf("%d steps are noted, %d of them more than once (%v)", steps, twice, err)
	}
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	register(t, s, ada, "ada")
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	s, url := open(t, postgres.Config{})
	register(t, s, ada, "ada")
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accounts().ByID(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
}

func TestEveryConstraintHasAName(t *testing.T) {
	_, url := open(t, postgres.Config{})
	// The names that the server chooses are like ours, so what is asked is that each
	// stands in the migrations. Later servers make constraints of NOT NULL too.
	var texts []byte
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are %d migrations (%v)", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text...)
	}
	rows, err := connect(t, url).Query(t.Context(), `
		SELECT conname FROM pg_constraint
		WHERE contype <> 'n' AND connamespace = 'public'::regnamespace AND conrelid <> 'goose_db_version'::regclass`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`CONSTRAINT ` + name + `\b`).Match(texts) {
			t.Errorf("the constraint %s is not named in the migrations", name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// firstRelease returns the URL of a database as the first release left it, with
// what a release until the third one has written: an account with a session and a
// key.
func firstRelease(t *testing.T) string {
	t.Helper()
	url := pgtest.Open(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	first, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	_, err = first.UpTo(t.Context(), 1)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	register(t, s, ada, "ada")
	if _, _, err := s.Bulletin().News(t.Context(), ""); err == nil {
		t.Fatal("it has a bulletin before it is migrated, and this test proves nothing")
	}
	openedByTheFirst(t, url, 1)
	_, err = connect(t, url).Exec(t.Context(), `INSERT INTO keys (use, id, algorithm, sealed, created) VALUES ('sign', 'kid', 'ES256', '\x01', $1)`, noon)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// openedByTheFirst opens the nth session, last used a minute after noon, as the
// first release did.
func openedByTheFirst(t *testing.T, url string, n int) {
	t.Helper()
	old := session(n, ada)
	_, err := connect(t, url).Exec(t.Context(), `
		INSERT INTO sessions (id, account, counter, created, used, ends, device) VALUES ($1, $2, 0, $3, $4, $5, '')`,
		string(old.ID), string(old.Account), old.Created, noon.Add(time.Minute), old.Ends)
	if err != nil {
		t.Fatal(err)
	}
}

// A release stands on what the one before has left, and serves it at once.
func TestADatabaseOfTheFirstReleaseIsMigratedWithAllThatIsInIt(t *testing.T) {
	url := firstRelease(t)
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found, err := s.Sessions().ByID(t.Context(), session(1, ada).ID, noon)
	if err != nil || !found.Seen.Equal(noon.Add(time.Minute)) || found.Address != "" || found.Renewal != domain.Rotating {
		t.Fatalf("the session is %+v (%v), want it seen when it was last used, without an address, and rotating", found, err)
	}
	if given, err := s.Numbers().Of(t.Context(), "users", string(ada)); err != nil || !slices.Equal(given, []int64{1}) {
		t.Fatalf("the first number is %v (%v)", given, err)
	}
	keys, err := s.Keys().List(t.Context())
	want := []domain.Key{{ID: "kid", Use: "sign", Number: 1, Algorithm: domain.ES256, Sealed: []byte{1}, Created: noon, Signs: noon}}
	if !reflect.DeepEqual(keys, want) || err != nil {
		t.Fatalf("the keys are %+v (%v), want %+v", keys, err, want)
	}
	if err := s.AccessKeys().Add(t.Context(), accessKey(1, ada), session(1, ada).ID); err != nil {
		t.Fatal(err)
	}
	r := newReader(s)
	r.hears(t)
	f, err := s.Sessions().Refresh(t.Context(), domain.RefreshToken{Session: session(1, ada).ID, Counter: 7}, noon, domain.SessionPolicy{Idle: time.Hour})
	if err != nil || f.Verdict != domain.Reused {
		t.Fatalf("the verdict is %d (%v), want that the token was used before", f.Verdict, err)
	}
	r.hears(t, ended(1))
}

// While replicas are replaced one after the other, the old ones go on.
func TestAReleaseThatDoesNotKnowTheNewColumnsMayGoOnOpeningSessions(t *testing.T) {
	url := firstRelease(t)
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	openedByTheFirst(t, url, 2)
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if found, err := s.Sessions().ByID(t.Context(), session(2, ada).ID, noon); err != nil || found.Seen.IsZero() || found.Address != "" || found.Renewal != domain.Rotating {
		t.Fatalf("the session is %+v (%v), want it seen at some time, without an address, and rotating", found, err)
	}
}

func TestMigratingWithoutAServerSaysSo(t *testing.T) {
	is(t, postgres.Migrate(t.Context(), fmt.Sprintf("postgres://keyport@%s/keyport", closedPort(t))), domain.ErrUnavailable)
}

func TestMigratingWhileAnotherDoesEndsWithItsContext(t *testing.T) {
	url := pgtest.Open(t)
	c := connect(t, url)
	if _, err := c.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, int64(0x6b6579706f7274)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := postgres.Migrate(ctx, url); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the error is %v, want that the time is over", err)
	}
	var tables int
	if err := c.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables); err != nil || tables > 0 {
		t.Fatalf("there are %d tables (%v), want none", tables, err)
	}
}
