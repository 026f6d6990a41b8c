package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

// later does to a database what a later release has done to it.
func later(t *testing.T, url string, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := connect(t, url).Exec(t.Context(), statement); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	}
}

// expanding is a step that a program before it need not know of.
var expanding = []string{
	`ALTER TABLE sessions ADD COLUMN later text`,
	`CREATE TABLE later (id uuid CONSTRAINT later_pkey PRIMARY KEY)`,
	`INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, true FROM goose_db_version`,
}

func TestAReleaseServesASchemaThatIsOneStepAhead(t *testing.T) {
	url := pgtest.Open(t)
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	later(t, url, expanding...)
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found, wanted, err := s.Steps(t.Context())
	if err != nil || found != wanted+1 {
		t.Errorf("step %d was found and %d is wanted (%v), want one step ahead", found, wanted, err)
	}
	register(t, s, ada, "ada")
	openedByTheFirst(t, url, 1)
	if _, err := s.Sessions().ByID(t.Context(), session(1, ada).ID, noon); err != nil {
		t.Error(err)
	}
}

// While a step is taken, a replica that does not know of it goes on with the
// connections, and the statements prepared on them, that it has.
func TestAReplicaGoesOnWhileTheSchemaIsTakenAStepFurther(t *testing.T) {
	s, url := open(t, postgres.Config{MaxConns: 1})
	register(t, s, ada, "ada")
	openedByTheFirst(t, url, 1)
	looks := func() {
		t.Helper()
		if _, err := s.Sessions().ByID(t.Context(), session(1, ada).ID, noon); err != nil {
			t.Error(err)
		}
	}
	looks()
	later(t, url, expanding...)
	looks()
	later(t, url, `ALTER TABLE sessions DROP COLUMN later`, `DROP TABLE later`)
	looks()
}

func TestASchemaThatHasLostWhatAReleaseNeedsIsRefused(t *testing.T) {
	s, url := open(t, postgres.Config{})
	_, wanted, err := s.Steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		comment, why string
	}{
		{"the notes of somebody else", ""},
		{fmt.Sprint("keyport: programs must know step ", wanted), ""},
		{fmt.Sprint("keyport: programs must know step ", wanted+1), "of a later release"},
		{"keyport: programs must know step many", "names no step"},
	} {
		later(t, url, "COMMENT ON TABLE goose_db_version IS '"+c.comment+"'")
		err := postgres.Migrate(t.Context(), url)
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%q: %v, want %q", c.comment, err, c.why)
		}
	}
}
