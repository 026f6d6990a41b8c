package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestArchive(t *testing.T) {
	porttest.TestArchive(t, func(t *testing.T) porttest.ArchivePlace {
		path := filepath.Join(t.TempDir(), "keyport.db")
		return func() ports.Archive { return sqlite.NewArchive(path) }
	})
}

// TestEveryTableIsInTheArchive fails when a migration adds what a copy would leave behind.
func TestEveryTableIsInTheArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyport.db")
	if err := sqlite.Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `
		SELECT t.name || '.' || c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'record\_words%' ESCAPE '\' AND t.name NOT IN ('record_terms', 'goose_db_version', 'sqlite_sequence')`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var there []string
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		there = append(there, column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	// What has another name here; and what is nobody's but this file's.
	other := map[string]string{
		"record_events.before": "record_events.former", "record_words.collection": "record_texts.collection",
		"record_words.record": "record_texts.record", "record_words.words": "record_texts.words",
	}
	known := []string{"record_texts.number", "record_events.id", "changes.id"}
	for _, table := range ports.Archived() {
		for _, c := range table.Columns {
			name := table.Name + "." + c.Name
			if here, renamed := other[name]; renamed {
				name = here
			}
			known = append(known, name)
		}
	}
	slices.Sort(there)
	slices.Sort(known)
	if !slices.Equal(there, known) {
		t.Errorf("the file has\n%q\nand an archive\n%q", there, known)
	}
}
