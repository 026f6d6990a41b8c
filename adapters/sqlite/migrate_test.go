package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

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
