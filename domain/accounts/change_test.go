package accounts_test

import (
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// authority returns what the store says that a session may do, as a check of an
// access token asks it.
func (w *world) authority(t testing.TB, id domain.SessionID) (domain.Authority, error) {
	t.Helper()
	return w.store.Sessions().Authority(t.Context(), id, w.clock.Now())
}

func TestASuspensionEndsAllSessionsWithIt(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	a, b := w.register(t, nil, "ada"), w.register(t, nil, "bob")
	w.open(t, a)
	w.open(t, a)
	his := w.open(t, b)
	w.clock.Advance(time.Minute)
	got := suspend(t, w, root, a.ID)
	if got.Status != domain.Suspended || got.Authority != 2 || got.Revision != 2 || !got.Changed.Equal(w.clock.Now()) {
		t.Errorf("it became %+v", got)
	}
	if stored := w.stored(t, a.ID); stored.Revision != got.Revision || stored.Authority != got.Authority || stored.Status != got.Status {
		t.Errorf("the store has %+v", stored)
	}
	if s := w.sessions(t, a); s != "" {
		t.Errorf("a session goes on: %s", s)
	}
	if s := w.sessions(t, b); s != string(his) {
		t.Errorf("the sessions of somebody else are %q", s)
	}

	again := suspend(t, w, root, a.ID)
	if again.Revision != 2 || again.Authority != 2 {
		t.Errorf("suspended once more it became %+v", again)
	}
}

func TestASuspensionThatCannotEndTheSessionsHasNotHappened(t *testing.T) {
	w := newWorld()
	w.store.Replay = false
	root := w.administrator(t)
	a := w.register(t, nil, "ada")
	session := w.open(t, a)
	w.fails("sessions.endAll", true)
	status := domain.Suspended
	_, err := w.Change(t.Context(), root, a.ID, 0, domain.AccountChange{Status: &status})
	is(t, err, domain.ErrUnavailable)
	if got := w.stored(t, a.ID); got.Status != domain.Active || got.Authority != 1 || got.Revision != 1 {
		t.Errorf("it became %+v", got)
	}
	if _, err := w.authority(t, session); err != nil {
		t.Error(err)
	}
}

func TestARestorationGivesNoOldTokenBack(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	a := w.register(t, []domain.Role{"editor"}, "ada")
	before := w.open(t, a)
	suspend(t, w, root, a.ID)
	active := domain.Active
	got, err := w.Change(t.Context(), root, a.ID, 0, domain.AccountChange{Status: &active})
	ok(t, err)
	if got.Authority != 3 {
		t.Errorf("its authority is %d, want 3", got.Authority)
	}
	_, err = w.authority(t, before)
	is(t, err, domain.ErrSessionNotFound)
	now, err := w.authority(t, w.open(t, a))
	ok(t, err)
	if now.Version != 3 {
		t.Errorf("new tokens carry %d", now.Version)
	}
	_, err = w.signsIn(t, "ada", right)
	ok(t, err)
}

func TestNewRolesRaiseTheAuthorityAndKeepTheSessions(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	a := w.register(t, []domain.Role{"editor"}, "ada")
	session := w.open(t, a)
	roles := []domain.Role{"admin", "editor"}
	got, err := w.Change(t.Context(), root, a.ID, a.Revision, domain.AccountChange{Roles: &roles})
	ok(t, err)
	now, err := w.authority(t, session)
	ok(t, err)
	if got.Authority != 2 || now.Version != 2 || len(now.Roles) != 2 {
		t.Errorf("the account %+v, the session %+v", got, now)
	}
}

func TestAChangeOnACondition(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	got, err := w.Rename(t.Context(), asker(a), 1, "Countess")
	ok(t, err)
	if got.Name != "Countess" || got.Revision != 2 || got.Authority != 1 {
		t.Errorf("it became %+v", got)
	}
	_, err = w.Rename(t.Context(), asker(a), 1, "Late")
	is(t, err, domain.ErrStale)
	_, err = w.Rename(t.Context(), asker(a), 1, "Countess")
	is(t, err, domain.ErrStale) // though nothing would change
	_, err = w.Rename(t.Context(), asker(a), -1, "Never")
	is(t, err, domain.ErrStale)
	got, err = w.Rename(t.Context(), asker(a), 0, "Ada")
	ok(t, err)
	if got.Name != "Ada" || got.Revision != 3 {
		t.Errorf("it became %+v", got)
	}
	got, err = w.Rename(t.Context(), asker(a), 3, "Ada")
	ok(t, err)
	if got.Revision != 3 {
		t.Errorf("a change to what it is made revision %d", got.Revision)
	}
}

func TestALostRaceIsRunAgainUnlessThereIsACondition(t *testing.T) {
	for _, c := range []struct {
		name  string
		match domain.Revision
		lost  int
		want  *domain.Error
	}{
		{"four races without one", 0, 4, nil},
		{"five races without one", 0, 5, domain.ErrStale},
		{"one race with one", 1, 1, domain.ErrStale},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.store.Replay = false
			a := w.register(t, nil, "ada")
			lost := 0
			w.store.Fault = func(op string) (bool, error) {
				if op == "accounts.update" && lost < c.lost {
					lost++
					return false, domain.ErrStale
				}
				return false, nil
			}
			got, err := w.Rename(t.Context(), asker(a), c.match, "Countess")
			if c.want == nil {
				ok(t, err)
				if got.Name != "Countess" || got.Revision != 2 {
					t.Errorf("it became %+v", got)
				}
				return
			}
			is(t, err, c.want)
			if got.ID != "" || w.stored(t, a.ID).Revision != 1 {
				t.Errorf("an account came with the error: %+v", got)
			}
		})
	}
}

func TestAChangeWhoseAnswerIsLostCanBeRepeated(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	a := w.register(t, nil, "ada")
	w.open(t, a)
	w.fails("atomically", true)
	status := domain.Suspended
	_, err := w.Change(t.Context(), root, a.ID, 0, domain.AccountChange{Status: &status})
	is(t, err, domain.ErrUnavailable)
	if got := suspend(t, w, root, a.ID); got.Revision != 2 || got.Authority != 2 || w.sessions(t, a) != "" {
		t.Errorf("it became %+v, with the sessions %q", got, w.sessions(t, a))
	}
}

func TestADeletedAccountLeavesItsLoginFree(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	a := w.register(t, nil, "ada", "ada@example.org")
	session := w.open(t, a)
	is(t, w.Close(t.Context(), asker(a), 7), domain.ErrStale)
	ok(t, w.Close(t.Context(), asker(a), 1))
	_, err := w.authority(t, session)
	is(t, err, domain.ErrSessionNotFound)
	_, err = w.signsIn(t, "ada", right)
	is(t, err, domain.ErrInvalidCredentials)
	_, err = w.Me(t.Context(), asker(a))
	is(t, err, domain.ErrAccountNotFound)

	b := w.register(t, nil, "ADA", "ada@example.org")
	is(t, w.Delete(t.Context(), root, b.ID, 7), domain.ErrStale)
	w.fails("atomically", true)
	is(t, w.Delete(t.Context(), root, b.ID, 0), domain.ErrUnavailable)
	is(t, w.Delete(t.Context(), root, b.ID, 0), domain.ErrAccountNotFound)
}
