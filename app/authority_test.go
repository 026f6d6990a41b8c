package app_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/ports"
)

// TestAuthority tries each cell of the table in docs/authority.md.
func TestAuthority(t *testing.T) {
	rows := authority(t)
	for store, open := range stores {
		for _, row := range rows {
			t.Run(store+"/"+row.event, func(t *testing.T) { row.try(t, open(t)) })
		}
	}
}

// A row is what an event means for the four tokens of two sessions.
type row struct {
	event string
	valid [4]bool // its access and refresh token, the other's
}

// authority reads the table. An event or a column that no code stands for fails.
func authority(t *testing.T) (rows []row) {
	t.Helper()
	text, err := os.ReadFile("../docs/authority.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| what") {
			continue
		}
		r := row{event: strings.TrimSpace(cells[0])}
		if events[r.event] == nil || len(cells) != 5 {
			t.Fatalf("no code stands for %q with %d tokens", r.event, len(cells)-1)
		}
		for i, cell := range cells[1:] {
			switch strings.TrimSpace(cell) {
			case "valid":
				r.valid[i] = true
			case "refused":
			default:
				t.Fatalf("%q is neither valid nor refused", cell)
			}
		}
		rows = append(rows, r)
	}
	if len(rows) != len(events) {
		t.Fatalf("the table has %d events of %d", len(rows), len(events))
	}
	return rows
}

// events are what may happen in ada's first session, or to her account.
var events = map[string]func(t *testing.T, w *fleet) error{
	"sign out":                 func(t *testing.T, w *fleet) error { return w.here.Tokens.End(t.Context(), w.ada, w.ada.Session) },
	"sign out everywhere":      func(t *testing.T, w *fleet) error { return w.here.Tokens.EndAll(t.Context(), w.ada, "") },
	"sign out everywhere else": func(t *testing.T, w *fleet) error { return w.here.Tokens.EndAll(t.Context(), w.ada, w.ada.Session) },
	"end the other session":    func(t *testing.T, w *fleet) error { return w.here.Tokens.End(t.Context(), w.ada, w.second.Session) },
	"revoke its access token": func(t *testing.T, w *fleet) error {
		return w.here.Tokens.Revoke(t.Context(), w.first.Access.Reveal())
	},
	"revoke its refresh token": func(t *testing.T, w *fleet) error {
		return w.here.Tokens.Revoke(t.Context(), w.first.Refresh.Reveal())
	},
	"reuse its refresh token": func(t *testing.T, w *fleet) error {
		old := w.first.Refresh.Reveal()
		next, err := w.here.Tokens.Refresh(t.Context(), old)
		if err != nil {
			return err
		}
		w.first.Refresh = next.Refresh
		w.clock.Advance(time.Minute)
		if _, err := w.here.Tokens.Refresh(t.Context(), old); !errors.Is(err, domain.ErrTokenReused) {
			t.Errorf("using it again gives %v", err)
		}
		return nil
	},
	"change the password": func(t *testing.T, w *fleet) error {
		return w.here.Accounts.ChangePassword(t.Context(), w.ada, adasPassword, domain.NewPassword("another fifteen"))
	},
	"set the password by command": func(t *testing.T, w *fleet) error {
		return w.here.Accounts.SetPassword(t.Context(), w.login, domain.NewPassword("another fifteen"))
	},
	"change the roles": func(t *testing.T, w *fleet) error {
		return w.change(t, domain.AccountChange{Roles: &[]domain.Role{"editor"}})
	},
	"change the name": func(t *testing.T, w *fleet) error {
		name := "Ada"
		return w.change(t, domain.AccountChange{Name: &name})
	},
	"suspend": func(t *testing.T, w *fleet) error { return w.become(t, domain.Suspended) },
	"suspend and restore": func(t *testing.T, w *fleet) error {
		return errors.Join(w.become(t, domain.Suspended), w.become(t, domain.Active))
	},
	"delete": func(t *testing.T, w *fleet) error { return w.here.Accounts.Close(t.Context(), w.ada, 0) },
}

var adasPassword = domain.NewPassword("fifteen characters")

// A fleet is three replicas on one store: here is where things happen, there is
// one that hears of them, and deaf one that has heard nothing for too long.
type fleet struct {
	here, there, deaf wire.Services
	clock, uptime     *fake.Clock
	login             domain.Login
	ada, root         domain.Asker
	first, second     domain.Grant
}

func newFleet(t *testing.T, store ports.Store) *fleet {
	t.Helper()
	epoch := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	w := &fleet{clock: fake.NewClock(epoch), uptime: fake.NewClock(epoch)}
	id := fake.UUIDs()
	replica := func() wire.Services {
		c := defaults()
		c.RevocationMax = 5 * time.Second
		return app.Services(c, app.Parts{
			Store: store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Hasher: fake.Hasher{}, Blocklist: fake.Blocklist{},
			Now: w.clock.Now, NewID: id, Uptime: func() time.Duration { return w.uptime.Now().Sub(epoch) },
		})
	}
	w.here, w.there, w.deaf = replica(), replica(), replica()
	for _, s := range []wire.Services{w.here, w.there, w.deaf} {
		if err := s.Tokens.Hear(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.ada, w.first = w.enter(t, "ada")
	w.ada, w.second = w.enter(t, "ada")
	w.ada.Session = w.first.Session
	w.root, _ = w.enter(t, "root", domain.Administrator)
	w.login, _ = domain.ParseLogin("ada")
	return w
}

// enter signs in, and opens the account first if there is none.
func (w *fleet) enter(t *testing.T, name string, roles ...domain.Role) (domain.Asker, domain.Grant) {
	t.Helper()
	login, err := domain.ParseLogin(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.here.Accounts.Register(t.Context(), accounts.Registration{Logins: []domain.Login{login}, Roles: roles, Password: adasPassword})
	if err != nil && !errors.Is(err, domain.ErrLoginTaken) {
		t.Fatal(err)
	}
	proof, err := w.here.Accounts.Authenticate(t.Context(), login, adasPassword)
	if err != nil {
		t.Fatal(err)
	}
	grant, err := w.here.Tokens.Open(t.Context(), proof.Account, proof.Credential, "")
	if err != nil {
		t.Fatal(err)
	}
	who, err := w.here.Tokens.Check(t.Context(), grant.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return who, grant
}

func (w *fleet) change(t *testing.T, c domain.AccountChange) error {
	_, err := w.here.Accounts.Change(t.Context(), w.root, w.ada.Account, 0, c)
	return err
}

func (w *fleet) become(t *testing.T, status domain.Status) error {
	return w.change(t, domain.AccountChange{Status: &status})
}

func (r row) try(t *testing.T, store ports.Store) {
	w := newFleet(t, store)
	if err := events[r.event](t, w); err != nil {
		t.Fatal(err)
	}
	w.checks(t, "the replica that did it", w.here, r)
	if err := w.there.Tokens.Hear(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.checks(t, "a replica that has heard", w.there, r)
	w.uptime.Advance(5*time.Second + 1)
	w.checks(t, "a replica that has heard nothing for too long", w.deaf, r)
	for i, grant := range []domain.Grant{w.first, w.second} {
		_, err := w.there.Tokens.Refresh(t.Context(), grant.Refresh.Reveal())
		verdict(t, "a replica that has heard", []string{"its refresh token", "the other's refresh token"}[i], err, r.valid[2*i+1])
	}
}

func (w *fleet) checks(t *testing.T, replica string, s wire.Services, r row) {
	t.Helper()
	for i, grant := range []domain.Grant{w.first, w.second} {
		_, err := s.Tokens.Check(t.Context(), grant.Access.Reveal())
		verdict(t, replica, []string{"its access token", "the other's access token"}[i], err, r.valid[2*i])
	}
}

func verdict(t *testing.T, replica, token string, err error, valid bool) {
	t.Helper()
	if valid && err != nil || !valid && !errors.Is(err, domain.Unauthenticated) {
		t.Errorf("%s: %s is to be valid: %t; but %v", replica, token, valid, err)
	}
}

// A replica that relies on what it has heard asks the store nothing; one that has
// heard nothing for too long asks each time, and refuses where it gets no answer.
func TestAReplicaNeverGuesses(t *testing.T) {
	var asked int
	var away error
	store := &fake.Store{Fault: func(op string) (bool, error) {
		if op == "sessions.authority" {
			asked++
		}
		return false, away
	}}
	w := newFleet(t, store)
	check := func() error {
		_, err := w.there.Tokens.Check(t.Context(), w.first.Access.Reveal())
		return err
	}
	asked = 0
	for range 10 {
		if err := check(); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 0 {
		t.Errorf("the store was asked %d times by a replica that has just heard", asked)
	}
	away = domain.ErrUnavailable
	if err := check(); err != nil {
		t.Errorf("a replica that has just heard does without the store: %v", err)
	}
	w.uptime.Advance(5 * time.Second)
	if err := check(); err != nil {
		t.Errorf("at the bound itself it still does: %v", err)
	}
	w.uptime.Advance(1)
	if err := check(); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("past the bound, without the store, it says %v", err)
	}
	if err := w.there.Tokens.Hear(t.Context()); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("hearing without the store says %v", err)
	}
	away = nil
	if err := check(); err != nil || asked != 2 {
		t.Errorf("past the bound it asks the store: %v, asked %d times", err, asked)
	}
	if err := w.there.Tokens.Hear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := check(); err != nil || asked != 2 {
		t.Errorf("once it has heard again it does without: %v, asked %d times", err, asked)
	}
}

// What is of no interest any more is forgotten, here and in the store; what is
// still of interest is not.
func TestOldChangesAreForgotten(t *testing.T) {
	store := new(fake.Store)
	w := newFleet(t, store)
	if err := w.here.Tokens.EndAll(t.Context(), w.ada, w.ada.Session); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{time.Hour, 1}, {20 * time.Minute, 0}} {
		w.clock.Advance(step.after)
		if _, err := w.here.Tokens.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept, _, err := store.Bulletin().News(t.Context(), "")
		if n := w.here.Tokens.News().Changes; err != nil || n != step.want || len(kept) != step.want {
			t.Errorf("after %v there are %d changes in mind and %d in the store, %v; want %d", step.after, n, len(kept), err, step.want)
		}
	}
}
