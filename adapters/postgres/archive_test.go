package postgres_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestArchive(t *testing.T) {
	porttest.TestArchive(t, func(t *testing.T) porttest.ArchivePlace {
		url := pgtest.Database(t, nil)
		return func() ports.Archive { return postgres.NewArchive(url) }
	})
}

// TestEveryTableIsInTheArchive fails when a migration adds what a copy would leave behind.
func TestEveryTableIsInTheArchive(t *testing.T) {
	c := connect(t, pgtest.Database(t, postgres.Migrate))
	rows, err := c.Query(t.Context(), `
		SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name <> 'goose_db_version'`)
	if err != nil {
		t.Fatal(err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	// What has another name here; and what is nobody's but this server's.
	other := map[string]string{"collections.uniques": "collections.unique_fields", "credentials.revision": "accounts.credential"}
	known := []string{"changes.written", "record_events.written", "record_events.seq"}
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
		t.Errorf("the database has\n%q\nand an archive\n%q", there, known)
	}
}
