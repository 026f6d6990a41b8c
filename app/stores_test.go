package app_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/ports"
)

func TestMain(m *testing.M) { pgtest.Main(m, func() error { return goleak.Find() }) }

// A ledger notes the statements that a store sends.
type ledger struct {
	mu   sync.Mutex
	sent []string
}

func (l *ledger) note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch strings.ToUpper(strings.Fields(text)[0]) {
	case "BEGIN", "COMMIT", "SAVEPOINT", "RELEASE": // frames; what they hold is counted
		return
	}
	l.sent = append(l.sent, strings.Join(strings.Fields(text), " "))
}

// take returns what was noted since the last time.
func (l *ledger) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.sent
	l.sent = nil
	return sent
}

func openFake(*testing.T) ports.Store { return new(fake.Store) }

func openSQLite(t *testing.T) ports.Store { return countedSQLite(t, new(ledger)) }

func countedSQLite(t *testing.T, l *ledger) ports.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "keyport.db"), OnStatement: l.note})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openPostgres(t *testing.T) ports.Store { return countedPostgres(t, new(ledger)) }

func countedPostgres(t *testing.T, l *ledger) ports.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.Database(t, postgres.Migrate), OnStatement: l.note})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
