package accounts_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/ports"
)

const (
	right = "correct horse battery"
	other = "staple, and more of it"
)

// A world is a Service over fakes, and the levers that move them.
type world struct {
	*accounts.Service
	store  *fake.Store
	clock  *fake.Clock
	hasher *hasher
	newID  func() string
}

// newWorld returns a world whose store runs each transaction twice, so that no
// effect of the first run may be left behind.
func newWorld() *world {
	w := &world{
		store: &fake.Store{Replay: true}, clock: fake.NewClock(time.Date(2030, 1, 2, 12, 0, 0, 123456000, time.UTC)),
		hasher: &hasher{}, newID: fake.UUIDs(),
	}
	w.Service = accounts.New(accounts.Config{
		Store: w.store, Hasher: w.hasher, Cursors: fake.Cursors{}, Now: w.clock.Now, NewID: w.newID,
		Policy: domain.PasswordPolicy{Common: fake.Common.Contains},
	})
	return w
}

// A hasher counts how often it is asked. It may be too busy to make new hashes,
// or let something happen while it makes one.
type hasher struct {
	fake.Hasher
	hashes, matches atomic.Int64
	busyHash        bool
	meanwhile       func()
}

func (h *hasher) Hash(ctx context.Context, p domain.Password) (domain.PasswordHash, error) {
	h.hashes.Add(1)
	if h.busyHash {
		return domain.PasswordHash{}, domain.ErrBusy
	}
	if h.meanwhile != nil {
		h.meanwhile()
	}
	return h.Hasher.Hash(ctx, p)
}

func (h *hasher) Matches(ctx context.Context, p domain.Password, hash domain.PasswordHash) (ok, stale bool, err error) {
	h.matches.Add(1)
	return h.Hasher.Matches(ctx, p, hash)
}

// register opens an account whose password is right.
func (w *world) register(t testing.TB, roles []domain.Role, logins ...string) domain.Account {
	t.Helper()
	r := accounts.Registration{Name: "Somebody", Roles: roles, Password: domain.NewPassword(right)}
	for _, l := range logins {
		r.Logins = append(r.Logins, login(t, l))
	}
	a, err := w.Register(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// administrator returns somebody who may do everything.
func (w *world) administrator(t testing.TB) domain.Asker {
	return asker(w.register(t, []domain.Role{domain.Administrator}, "root"))
}

// open opens a session of an account as a sign-in with the right password does.
func (w *world) open(t testing.TB, a domain.Account) domain.SessionID {
	t.Helper()
	c, err := w.store.Accounts().Credential(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	now := w.clock.Now()
	s := domain.Session{ID: domain.SessionID(w.newID()), Account: a.ID, Renewal: domain.Rotating, Created: now, Used: now, Ends: now.Add(time.Hour)}
	if _, err := w.store.Sessions().Open(t.Context(), s, c.Revision); err != nil {
		t.Fatal(err)
	}
	return s.ID
}

// sessions returns the ids of an account's sessions, joined by spaces.
func (w *world) sessions(t testing.TB, a domain.Account) string {
	t.Helper()
	list, err := w.store.Sessions().List(t.Context(), a.ID, w.clock.Now(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range list {
		ids = append(ids, string(s.ID))
	}
	return strings.Join(ids, " ")
}

// stored returns the account as the store has it.
func (w *world) stored(t testing.TB, id domain.AccountID) domain.Account {
	t.Helper()
	a, err := w.store.Accounts().ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// signsIn returns what becomes of a sign-in.
func (w *world) signsIn(t testing.TB, name, password string) (accounts.Proof, error) {
	t.Helper()
	return w.Authenticate(t.Context(), login(t, name), domain.NewPassword(password))
}

// fails makes the store fail at an operation once: before it happens, or with
// its answer lost.
func (w *world) fails(op string, apply bool) {
	var done atomic.Bool
	w.store.Fault = func(asked string) (bool, error) {
		if asked == op && done.CompareAndSwap(false, true) {
			return apply, domain.ErrUnavailable
		}
		return false, nil
	}
}

func asker(a domain.Account) domain.Asker { return domain.Asker{Account: a.ID, Roles: a.Roles} }

func login(t testing.TB, s string) domain.Login {
	t.Helper()
	l, err := domain.ParseLogin(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// is fails the test unless err is the failure want.
func is(t testing.TB, err error, want *domain.Error) {
	t.Helper()
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Code != want.Code {
		t.Errorf("got %v, want %s", err, want.Code)
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var _ ports.PasswordHasher = (*hasher)(nil)
