package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/domain"
)

// later does to a file what a later release has done to it.
func later(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	}
}

// expanding is a step that a program before it need not know of.
var expanding = []string{
	`ALTER TABLE sessions ADD COLUMN later TEXT`,
	`CREATE TABLE later (id TEXT PRIMARY KEY) STRICT`,
	`INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, 1 FROM goose_db_version`,
}

func TestAReleaseServesASchemaThatIsOneStepAhead(t *testing.T) {
	path, ada := filepath.Join(t.TempDir(), "keyport.db"), person(1, "ada")
	if err := sqlite.Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	later(t, path, expanding...)
	s := opened(t, sqlite.Config{Path: path})
	found, wanted, err := s.Steps(t.Context())
	if err != nil || found != wanted+1 {
		t.Errorf("step %d was found and %d is wanted (%v), want one step ahead", found, wanted, err)
	}
	if err := s.Accounts().Add(t.Context(), ada, domain.NewPasswordHash("hash")); err != nil {
		t.Error(err)
	}
	if found, err := s.Accounts().ByID(t.Context(), ada.ID); err != nil || found.ID != ada.ID {
		t.Errorf("the account is %+v: %v", found, err)
	}
}

func TestASchemaThatHasLostWhatAReleaseNeedsIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyport.db")
	s := opened(t, sqlite.Config{Path: path})
	_, wanted, err := s.Steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		floor   int64
		refused bool
	}{{wanted, false}, {wanted + 1, true}} {
		later(t, path, fmt.Sprint("PRAGMA user_version = ", c.floor))
		err := sqlite.Migrate(t.Context(), path)
		if refused := err != nil && strings.Contains(err.Error(), "of a later release"); refused != c.refused || !c.refused && err != nil {
			t.Errorf("programs must know step %d, and this one knows %d: %v", c.floor, wanted, err)
		}
	}
}
