package tokens_test

import (
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
)

func TestAnAccessTokenIsRefused(t *testing.T) {
	suspended, active := domain.Suspended, domain.Active
	for _, c := range []struct {
		name string
		do   func(w *world, t testing.TB, g domain.Grant)
	}{
		{"at the instant it expires", func(w *world, _ testing.TB, g domain.Grant) { w.clock.Advance(g.Expires.Sub(w.clock.Now())) }},
		{"when its session was ended", func(w *world, t testing.TB, g domain.Grant) {
			ok(t, w.End(t.Context(), domain.Asker{Account: w.ada.ID}, g.Session))
		}},
		{"when it was revoked", func(w *world, t testing.TB, g domain.Grant) { ok(t, w.Revoke(t.Context(), g.Access.Reveal())) }},
		{"when its account has other roles", func(w *world, t testing.TB, _ domain.Grant) {
			w.change(t, domain.AccountChange{Roles: &[]domain.Role{"admin", "editor", "more"}})
		}},
		{"when its account has lost its roles and got them back", func(w *world, t testing.TB, _ domain.Grant) {
			w.change(t, domain.AccountChange{Roles: &[]domain.Role{}})
			w.change(t, domain.AccountChange{Roles: &w.ada.Roles})
		}},
		{"when its account is suspended", func(w *world, t testing.TB, _ domain.Grant) { w.change(t, domain.AccountChange{Status: &suspended}) }},
		{"when its account was suspended and restored", func(w *world, t testing.TB, _ domain.Grant) {
			w.change(t, domain.AccountChange{Status: &suspended})
			w.change(t, domain.AccountChange{Status: &active})
		}},
		{"when its account is gone", func(w *world, t testing.TB, _ domain.Grant) {
			ok(t, w.store.Accounts().Remove(t.Context(), w.ada.ID, 0))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			g := w.open(t)
			_, err := w.Check(t.Context(), g.Access.Reveal(), "")
			ok(t, err)
			c.do(w, t, g)
			who, err := w.Check(t.Context(), g.Access.Reveal(), "")
			is(t, err, domain.ErrInvalidToken)
			if !who.Stranger() || who.Roles != nil {
				t.Errorf("%+v came with the error", who)
			}
		})
	}
}

func TestAnAccessTokenIsGoodToItsLastMoment(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	w.clock.Advance(g.Expires.Sub(w.clock.Now()) - time.Microsecond)
	_, err := w.Check(t.Context(), g.Access.Reveal(), "")
	ok(t, err)
}

func TestAChangeOfNameOrPasswordLeavesAccessTokensAlone(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	name := "Countess"
	w.change(t, domain.AccountChange{Name: &name})
	ok(t, w.store.Accounts().SetCredential(t.Context(), domain.Credential{Account: w.ada.ID, Revision: 1}, w.clock.Now()))
	_, err := w.Check(t.Context(), g.Access.Reveal(), "")
	ok(t, err)
}

func TestATokenThatSaysAnotherSubjectThanItsSessionIsRefused(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	c := claims(t, g)
	c.Subject = w.account(t).ID
	forged, err := fake.Issuer{}.Issue(t.Context(), c)
	ok(t, err)
	_, err = w.Check(t.Context(), forged.Reveal(), "")
	is(t, err, domain.ErrInvalidToken)
}

func TestWhatIsNoAccessToken(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	for _, text := range []string{"", "x", g.Refresh.Reveal(), g.Access.Reveal() + "0", g.Access.Reveal()[1:]} {
		_, err := w.Check(t.Context(), text, "")
		is(t, err, domain.ErrInvalidToken)
	}
}

func TestACheckThatCannotAskTheStoreIsUnavailable(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	asked := 0
	w.store.Fault = func(string) (bool, error) {
		asked++
		return false, domain.ErrUnavailable
	}
	_, err := w.Check(t.Context(), g.Access.Reveal(), "")
	is(t, err, domain.ErrUnavailable)
	if asked != 1 {
		t.Errorf("it asked %d times, want once", asked)
	}
}
