package tokens_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

var policy = domain.SessionPolicy{Idle: 24 * time.Hour, Max: 72 * time.Hour, Grace: time.Minute}

const accessTTL = 10 * time.Minute

// A world is a Service over fakes, the levers that move them, and an account.
type world struct {
	*tokens.Service
	store  *fake.Store
	clock  *fake.Clock
	newID  func() string
	random byte
	ada    domain.Account
}

func newWorld(t testing.TB) *world {
	t.Helper()
	started := time.Date(2030, 1, 2, 12, 0, 0, 123456000, time.UTC)
	w := &world{store: &fake.Store{Replay: true}, clock: fake.NewClock(started), newID: fake.UUIDs()}
	w.Service = tokens.New(tokens.Config{
		Store: w.store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{},
		AccessTTL: accessTTL, Sessions: policy, Now: w.clock.Now, NewID: w.newID,
		Uptime: func() time.Duration { return w.clock.Now().Sub(started) },
		Random: func() [32]byte { w.random++; return [32]byte{w.random} },
	})
	w.ada = w.account(t, "admin", "editor")
	return w
}

// account stores an account, whose credential is at revision 1.
func (w *world) account(t testing.TB, roles ...domain.Role) domain.Account {
	t.Helper()
	a := domain.Account{ID: domain.AccountID(w.newID()), Roles: roles, Status: domain.Active, Authority: 1, Revision: 1}
	ok(t, w.store.Accounts().Add(t.Context(), a, domain.NewPasswordHash("fake:0:0:x")))
	return a
}

// open opens a session of ada's.
func (w *world) open(t testing.TB) domain.Grant {
	t.Helper()
	g, err := w.Open(t.Context(), w.ada.ID, 1, domain.Client{Device: "Firefox", Address: "192.0.2.1"})
	ok(t, err)
	return g
}

// change makes another of ada, as an administrator does.
func (w *world) change(t testing.TB, c domain.AccountChange) {
	t.Helper()
	a, err := w.store.Accounts().ByID(t.Context(), w.ada.ID)
	ok(t, err)
	a, _ = c.Apply(a, w.clock.Now())
	ok(t, w.store.Accounts().Update(t.Context(), a))
}

// sessions returns ada's sessions as the store has them.
func (w *world) sessions(t testing.TB) []domain.Session {
	t.Helper()
	list, err := w.store.Sessions().List(t.Context(), w.ada.ID, w.clock.Now(), "", 1000)
	ok(t, err)
	return list
}

// live reports whether a session has not ended.
func (w *world) live(t testing.TB, id domain.SessionID) bool {
	t.Helper()
	return slices.ContainsFunc(w.sessions(t), func(s domain.Session) bool { return s.ID == id })
}

// loses makes the store lose the answer of an operation once, or fail before it.
func (w *world) loses(op string, apply bool) {
	done := false
	w.store.Fault = func(asked string) (bool, error) {
		if asked == op && !done {
			done = true
			return apply, domain.ErrUnavailable
		}
		return false, nil
	}
}

// counter returns which rotation a refresh token is of.
func counter(t testing.TB, g domain.Grant) domain.Counter {
	t.Helper()
	token, err := fake.RefreshIssuer{}.Verify(g.Refresh.Reveal())
	ok(t, err)
	return token.Counter
}

// claims returns what an access token says.
func claims(t testing.TB, g domain.Grant) domain.Claims {
	t.Helper()
	c, err := fake.Issuer{}.Verify(t.Context(), g.Access.Reveal())
	ok(t, err)
	return c
}

// is fails the test unless err is the failure want.
func is(t testing.TB, err error, want *domain.Error) {
	t.Helper()
	if e, known := errors.AsType[*domain.Error](err); !known || e.Code != want.Code {
		t.Errorf("got %v, want %s", err, want.Code)
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
