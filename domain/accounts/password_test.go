package accounts_test

import (
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
)

func TestAPasswordChangeEndsTheOtherSessionsAndKeepsTheOneThatAsks(t *testing.T) {
	w := newWorld()
	a, b := w.register(t, nil, "ada"), w.register(t, nil, "bob")
	w.open(t, a)
	mine := w.open(t, a)
	w.open(t, a)
	his := w.open(t, b)
	who := asker(a)
	who.Session = mine
	w.clock.Advance(time.Minute)
	ok(t, w.ChangePassword(t.Context(), who, domain.NewPassword(right), domain.NewPassword(other)))

	if got := w.sessions(t, a); got != string(mine) {
		t.Errorf("the sessions are %q, want %q", got, mine)
	}
	if got := w.sessions(t, b); got != string(his) {
		t.Errorf("the sessions of somebody else are %q, want %q", got, his)
	}
	_, err := w.signsIn(t, "ada", right)
	is(t, err, domain.ErrInvalidCredentials)
	proof, err := w.signsIn(t, "ada", other)
	ok(t, err)
	if proof.Credential != 2 {
		t.Errorf("the credential is at revision %d, want 2", proof.Credential)
	}
	now := w.stored(t, a.ID)
	if now.Authority != a.Authority {
		t.Error("its access tokens are refused")
	}
	if now.Revision != 2 || !now.Changed.Equal(w.clock.Now()) {
		t.Errorf("the account is at revision %d, changed %v", now.Revision, now.Changed)
	}
}

func TestAPasswordChangeIsRefusedAndChangesNothing(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	session := w.open(t, a)
	for _, c := range []struct {
		name          string
		who           domain.Asker
		current, next string
		full          bool
		want          *domain.Error
	}{
		{"to a stranger", domain.Asker{}, right, other, false, domain.ErrUnauthenticated},
		{"with a wrong password", asker(a), other, other, false, domain.ErrWrongPassword},
		{"to a weak password", asker(a), right, "short", false, domain.ErrWeakPassword},
		{"with a wrong password to a weak one", asker(a), other, "short", false, domain.ErrWrongPassword},
		{"when too many are waiting", asker(a), right, other, true, domain.ErrBusy},
		{"to an account that is gone", domain.Asker{Account: "gone"}, right, other, false, domain.ErrAccountNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.hasher.Full = c.full
			defer func() { w.hasher.Full = false }()
			before := w.credential(t, a)
			is(t, w.ChangePassword(t.Context(), c.who, domain.NewPassword(c.current), domain.NewPassword(c.next)), c.want)
			if w.credential(t, a) != before || w.sessions(t, a) != string(session) {
				t.Error("it was changed")
			}
		})
	}
}

func TestOfTwoPasswordChangesOneIsTooLate(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	session := w.open(t, a)
	faster := w.credential(t, a)
	faster.Hash = domain.NewPasswordHash("fake:0:0:the faster of the two")
	w.hasher.meanwhile = func() { ok(t, w.store.Accounts().SetCredential(t.Context(), faster, w.clock.Now())) }
	err := w.ChangePassword(t.Context(), asker(a), domain.NewPassword(right), domain.NewPassword(other))
	is(t, err, domain.ErrCredentialChanged)
	if w.sessions(t, a) != string(session) {
		t.Error("a change that came too late ended a session")
	}
	_, err = w.signsIn(t, "ada", "the faster of the two")
	ok(t, err)
}

func TestAPasswordChangeWhoseAnswerIsLostHasHappenedWhole(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	w.open(t, a)
	w.fails("atomically", true)
	change := func() error {
		return w.ChangePassword(t.Context(), asker(a), domain.NewPassword(right), domain.NewPassword(other))
	}
	is(t, change(), domain.ErrUnavailable)
	if got := w.sessions(t, a); got != "" {
		t.Errorf("a session goes on: %s", got)
	}
	is(t, change(), domain.ErrWrongPassword)
	_, err := w.signsIn(t, "ada", other)
	ok(t, err)
}

func TestAPasswordChangeThatFailsHalfWayHasNotHappened(t *testing.T) {
	w := newWorld()
	w.store.Replay = false
	a := w.register(t, nil, "ada")
	session := w.open(t, a)
	w.fails("sessions.endAll", false)
	err := w.ChangePassword(t.Context(), asker(a), domain.NewPassword(right), domain.NewPassword(other))
	is(t, err, domain.ErrUnavailable)
	if w.sessions(t, a) != string(session) {
		t.Error("the session has ended")
	}
	_, err = w.signsIn(t, "ada", right)
	ok(t, err)
}

func TestTheOperatorSetsAPasswordWithoutTheOldOne(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada", "ada@example.org")
	w.open(t, a)
	w.open(t, a)
	is(t, w.SetPassword(t.Context(), login(t, "nobody"), domain.NewPassword(other)), domain.ErrAccountNotFound)
	is(t, w.SetPassword(t.Context(), login(t, "ada"), domain.NewPassword("short")), domain.ErrWeakPassword)
	if w.sessions(t, a) == "" {
		t.Error("a refusal ended the sessions")
	}
	ok(t, w.SetPassword(t.Context(), login(t, "ADA@example.org"), domain.NewPassword(other)))
	if got := w.sessions(t, a); got != "" {
		t.Errorf("a session goes on: %s", got)
	}
	_, err := w.signsIn(t, "ada", other)
	ok(t, err)
}
