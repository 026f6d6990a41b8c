package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
)

// The server says that its disk is full as it says so for tables and temporary files.
func TestAServerWhoseDiskIsFullTakesNoWritesAndAnswersReads(t *testing.T) {
	s, url := open(t, postgres.Config{})
	register(t, s, ada, "ada")
	c := connect(t, url)
	for _, text := range []string{
		`CREATE FUNCTION fills() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
		END $$`,
		`CREATE TRIGGER filled BEFORE INSERT ON sessions FOR EACH STATEMENT EXECUTE FUNCTION fills()`,
	} {
		if _, err := c.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Sessions().Open(t.Context(), session(1, ada), 1)
	told, _ := errors.AsType[*domain.Error](err)
	if !errors.Is(err, domain.ErrUnavailable) || told == nil || !strings.Contains(told.Detail, "full") || strings.Contains(told.Detail, "extend") {
		t.Errorf("a write is told: %v", err)
	}
	if _, err := s.Accounts().ByID(t.Context(), ada); err != nil {
		t.Error(err)
	}
	if _, err := c.Exec(t.Context(), `DROP TRIGGER filled ON sessions`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sessions().Open(t.Context(), session(1, ada), 1); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}
