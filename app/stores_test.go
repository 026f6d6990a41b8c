package app_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func TestMain(m *testing.M) { pgtest.Main(m, func() error { return goleak.Find() }) }

// A ledger notes the statements that a store sends. A nil one notes nothing.
type ledger struct {
	mu   sync.Mutex
	sent []string
	read map[string]string // what is noted of a statement; "": nothing
}

func (l *ledger) note(text string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	line, known := l.read[text]
	if !known {
		words := strings.Fields(text)
		switch strings.ToUpper(words[0]) {
		case "BEGIN", "COMMIT", "SAVEPOINT", "RELEASE": // frames; what they hold is counted
		default:
			line = strings.Join(words, " ")
		}
		if l.read == nil {
			l.read = make(map[string]string)
		}
		l.read[text] = line
	}
	if line != "" {
		l.sent = append(l.sent, line)
	}
}

// take returns what was noted since the last time.
func (l *ledger) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.sent
	l.sent = nil
	return sent
}

// openKeys returns a keyring of its own on the store, whose keys are published for
// a minute before they sign.
func openKeys(tb testing.TB, store ports.Store, master jose.Master, now func() time.Time) *jose.Keyring {
	tb.Helper()
	return openKeysOf(tb, domain.ES256, store, master, now)
}

func openKeysOf(tb testing.TB, a domain.Algorithm, store ports.Store, master jose.Master, now func() time.Time) *jose.Keyring {
	tb.Helper()
	keys, err := jose.Open(tb.Context(), jose.Config{
		Store: store, Master: master, Issuer: "http://localhost", Audience: "http://localhost", Algorithm: a,
		Ahead: time.Minute, SessionMax: defaults().SessionMax, NewID: app.NewID, Now: now,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(keys.Close)
	return keys
}

func openFake(*testing.T) ports.Store { return new(fake.Store) }

func openSQLite(t *testing.T) ports.Store { return countedSQLite(t, nil) }

func countedSQLite(t *testing.T, l *ledger) ports.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: litetest.Path(t), OnStatement: l.note})
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

// countedStores are all the kinds of store. The fake sends no statements.
var countedStores = map[string]func(*testing.T, *ledger) ports.Store{
	"fake": func(t *testing.T, _ *ledger) ports.Store { return openFake(t) }, "SQLite": countedSQLite, "PostgreSQL": countedPostgres,
}

func openPostgres(t *testing.T) ports.Store { return countedPostgres(t, nil) }

func countedPostgres(t *testing.T, l *ledger) ports.Store {
	t.Helper()
	const patience = time.Minute // on a busy machine, where it is not what is tested
	s, err := postgres.Open(t.Context(), postgres.Config{
		URL: pgtest.Database(t, postgres.Migrate), OnStatement: l.note,
		AcquireTimeout: patience, StatementTimeout: patience, LockTimeout: patience, CommitTimeout: patience, IdleTimeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
