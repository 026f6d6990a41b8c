package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/domain"
)

func TestFiveProcessesMigrateOneNewFile(t *testing.T) {
	for range 3 {
		path := filepath.Join(t.TempDir(), "keyport.db")
		const processes = 5
		play(t, "migrates and adds an account", path, processes)
		s := opened(t, sqlite.Config{Path: path})
		all, err := s.Accounts().List(t.Context(), "", 2*processes)
		if err != nil || len(all) != processes {
			t.Errorf("%d accounts, want %d: %v", len(all), processes, err)
		}
	}
}

func migrates(ctx context.Context, path string) error {
	s, err := sqlite.Open(ctx, sqlite.Config{Path: path})
	if err != nil {
		return err
	}
	pid := os.Getpid()
	err = s.Accounts().Add(ctx, person(pid, "user "+strconv.Itoa(pid)), domain.NewPasswordHash("hash"))
	return errors.Join(err, s.Close())
}

func TestMigratingTwiceChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyport.db")
	if err := sqlite.Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	before := schema(t, path)
	if err := sqlite.Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if after := schema(t, path); before == "" || after != before {
		t.Errorf("the schema was\n%s\nand is\n%s", before, after)
	}
}

func schema(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var text string
	err = db.QueryRowContext(t.Context(), `SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestWhatWasThereBeforeAMigrationIsThereAfterwards(t *testing.T) {
	path, ada := filepath.Join(t.TempDir(), "keyport.db"), person(1, "ada")
	visited, used := visit(1, ada), noon.Add(time.Minute)
	old := []domain.Key{
		{ID: "a", Use: "cursor", Number: 1, Algorithm: domain.HS256, Sealed: []byte{0, 1}, Created: noon, Signs: noon},
		{ID: "b", Use: "sign", Number: 1, Algorithm: domain.RS256, Sealed: []byte{0, 2}, Created: used, Signs: used},
	}
	former(t, path, 2, func(do func(statement string, args ...any)) {
		do(`INSERT INTO accounts VALUES (?, '', '["editor"]', 'active', 0, 1, ?, ?)`, ada.ID, noon.UnixMicro(), noon.UnixMicro())
		do(`INSERT INTO credentials VALUES (?, 'hash', 1)`, ada.ID)
		do(`INSERT INTO sessions VALUES (?, ?, 7, ?, ?, ?, ?)`,
			visited.ID, ada.ID, noon.UnixMicro(), used.UnixMicro(), visited.Ends.UnixMicro(), visited.Device)
		for _, k := range old {
			do(`INSERT INTO keys VALUES (?, ?, ?, ?, ?)`, k.Use, k.ID, k.Algorithm, k.Sealed, k.Created.UnixMicro())
		}
	})
	s := opened(t, sqlite.Config{Path: path})
	visited.Counter, visited.Used, visited.Seen, visited.Address = 7, used, used, ""
	if found, err := s.Sessions().ByID(t.Context(), visited.ID, noon); err != nil || found != visited {
		t.Errorf("the session is %+v, want %+v: %v", found, visited, err)
	}
	if found, err := s.Keys().List(t.Context()); err != nil || !reflect.DeepEqual(found, old) {
		t.Errorf("the keys are %+v, want %+v: %v", found, old, err)
	}
	for _, k := range []domain.Key{sealed(1), sealed(2)} {
		want := k
		if k.Number == 1 {
			want = old[1]
		}
		if found, err := s.Keys().Settle(t.Context(), k); err != nil || !reflect.DeepEqual(found, want) {
			t.Errorf("key %d is %+v, want %+v: %v", k.Number, found, want, err)
		}
	}
	if err := s.AccessKeys().Add(t.Context(), pass(1, ada), visited.ID); err != nil {
		t.Error(err)
	}
}

// The release before this one knew of no renewal: all its sessions rotate.
func TestASessionFromBeforeThereWasRenewalGoesOn(t *testing.T) {
	path, ada := filepath.Join(t.TempDir(), "keyport.db"), person(1, "ada")
	visited := visit(1, ada)
	former(t, path, 3, func(do func(statement string, args ...any)) {
		do(`INSERT INTO accounts VALUES (?, '', '["editor"]', 'active', 0, 1, ?, ?)`, ada.ID, noon.UnixMicro(), noon.UnixMicro())
		do(`INSERT INTO credentials VALUES (?, 'hash', 1)`, ada.ID)
		do(`INSERT INTO sessions VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?)`, visited.ID, ada.ID,
			noon.UnixMicro(), noon.UnixMicro(), visited.Ends.UnixMicro(), visited.Device, visited.Seen.UnixMicro(), visited.Address)
		do(`INSERT INTO changes (kind, subject, value, at) VALUES ('session', ?, 0, ?)`, ending(1).Subject, ending(1).At.UnixMicro())
	})
	s := opened(t, sqlite.Config{Path: path})
	if found, err := s.Sessions().ByID(t.Context(), visited.ID, noon); err != nil || found != visited {
		t.Errorf("the session is %+v, want %+v: %v", found, visited, err)
	}
	answer, err := s.Sessions().Refresh(t.Context(), domain.RefreshToken{Session: visited.ID}, noon, domain.SessionPolicy{Idle: time.Hour})
	if err != nil || answer.Verdict != domain.Rotated {
		t.Errorf("the verdict is %d, want that its token is current: %v", answer.Verdict, err)
	}
	if posted, err := s.Bulletin().Posted(t.Context(), domain.SessionEnded, ending(1).Subject); err != nil || !posted {
		t.Errorf("the change is kept: %t: %v", posted, err)
	}
	if given, err := s.Numbers().Of(t.Context(), "users", string(ada.ID)); err != nil || !slices.Equal(given, []int64{1}) {
		t.Errorf("the first number is %v: %v", given, err)
	}
}

// former makes a database as it was after the given migration, and fills it.
func former(t *testing.T, path string, version int64, fill func(do func(statement string, args ...any))) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	fill(func(statement string, args ...any) {
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	})
}

func TestWhoWaitsToMigrateStopsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyport.db")
	db, err := sql.Open("sqlite", path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if err := sqlite.Migrate(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made without the lock: %v", err)
	}
}
