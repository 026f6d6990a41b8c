package tokens_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

func TestWhoeverSignsInTakesATokenOfEachKindHome(t *testing.T) {
	w := newWorld(t)
	now := w.clock.Now()
	g := w.open(t)
	whole := now.Truncate(time.Second)
	if g.Account != w.ada.ID || g.Life != accessTTL || !g.Expires.Equal(whole.Add(accessTTL)) {
		t.Errorf("got %+v", g)
	}
	c := claims(t, g)
	want := domain.Claims{
		Subject: w.ada.ID, Session: g.Session, TokenID: c.TokenID, Authority: 1, Roles: []domain.Role{"admin", "editor"},
		SignedIn: whole, Issued: whole, Expires: whole.Add(accessTTL),
	}
	if diff := cmp.Diff(want, c); diff != "" || c.TokenID == "" {
		t.Error(diff)
	}
	if counter(t, g) != 0 {
		t.Errorf("the first refresh token is of rotation %d", counter(t, g))
	}
	stored := w.sessions(t)
	if diff := cmp.Diff([]domain.Session{{ID: g.Session, Account: w.ada.ID, Renewal: domain.Rotating, Created: now, Used: now, Ends: now.Add(policy.Max), Device: "Firefox", Seen: now, Address: "192.0.2.1"}}, stored); diff != "" {
		t.Error(diff)
	}
	who, err := w.Check(t.Context(), g.Access.Reveal(), "")
	ok(t, err)
	if diff := cmp.Diff(domain.Asker{Account: w.ada.ID, Session: g.Session, Roles: w.ada.Roles}, who); diff != "" {
		t.Error(diff)
	}
}

func TestASessionIsNotOpenedForWhoeverMayNoLongerSignIn(t *testing.T) {
	w := newWorld(t)
	_, err := w.Open(t.Context(), w.ada.ID, 2, domain.Client{})
	is(t, err, domain.ErrInvalidCredentials)
	_, err = w.Open(t.Context(), "gone", 1, domain.Client{})
	is(t, err, domain.ErrInvalidCredentials)

	// The password changes between its verification and the session.
	ok(t, w.store.Accounts().SetCredential(t.Context(), domain.Credential{Account: w.ada.ID, Revision: 1}, w.clock.Now()))
	g, err := w.Open(t.Context(), w.ada.ID, 1, domain.Client{})
	is(t, err, domain.ErrInvalidCredentials)
	if !g.Access.IsZero() || !g.Refresh.IsZero() {
		t.Error("a token came with the error")
	}

	suspended := domain.Suspended
	w.change(t, domain.AccountChange{Status: &suspended})
	_, err = w.Open(t.Context(), w.ada.ID, 2, domain.Client{})
	is(t, err, domain.ErrInvalidCredentials)
	if got := w.sessions(t); len(got) != 0 {
		t.Errorf("there are sessions: %+v", got)
	}
}

func TestADeviceIsKeptAsFarAsThereIsRoom(t *testing.T) {
	for _, c := range []struct{ name, device, want string }{
		{"nothing", "", ""},
		{"as many bytes as there is room", strings.Repeat("x", 256), strings.Repeat("x", 256)},
		{"one byte more", strings.Repeat("x", 257), strings.Repeat("x", 256)},
		{"a character that ends at the bound", strings.Repeat("x", 252) + "🦊" + "x", strings.Repeat("x", 252) + "🦊"},
		{"a character of four bytes across the bound", strings.Repeat("x", 253) + "🦊", strings.Repeat("x", 253)},
		{"a character that begins at the bound", strings.Repeat("x", 256) + "é", strings.Repeat("x", 256)},
		{"bytes that are no text", "Firefox\xFF\x80", "Firefox\uFFFD"},
		{"nothing but continuations", strings.Repeat("\x80", 500), "\uFFFD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.Open(t.Context(), w.ada.ID, 1, domain.Client{Device: c.device})
			ok(t, err)
			if got := w.sessions(t)[0].Device; got != c.want || !utf8.ValidString(got) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnAccessTokenDoesNotOutliveItsSession(t *testing.T) {
	w := newWorld(t)
	first := w.open(t)
	ends := w.sessions(t)[0].Ends
	for w.clock.Now().Add(time.Hour).Before(ends) { // kept alive to its last hour
		w.clock.Advance(time.Hour)
		var err error
		first, err = w.Refresh(t.Context(), first.Refresh.Reveal())
		ok(t, err)
	}
	w.clock.Advance(ends.Add(-3 * time.Minute).Sub(w.clock.Now()))
	g, err := w.Refresh(t.Context(), first.Refresh.Reveal())
	ok(t, err)
	if g.Expires.After(ends) || g.Life > 3*time.Minute+time.Second || !g.Expires.Equal(ends.Truncate(time.Second)) {
		t.Errorf("it lives %v, to %v, and the session to %v", g.Life, g.Expires, ends)
	}

	w.clock.Advance(3 * time.Minute)
	_, err = w.Check(t.Context(), g.Access.Reveal(), "")
	is(t, err, domain.ErrInvalidToken)
	_, err = w.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrInvalidToken)
}

func TestASignInWhoseAnswerIsLostCanBeRepeated(t *testing.T) {
	w := newWorld(t)
	w.loses("sessions.open", true)
	_, err := w.Open(t.Context(), w.ada.ID, 1, domain.Client{})
	is(t, err, domain.ErrUnavailable)
	g := w.open(t)
	if _, err := w.Check(t.Context(), g.Access.Reveal(), ""); err != nil {
		t.Error(err)
	}
	who := domain.Asker{Account: w.ada.ID, Session: g.Session}
	ok(t, w.EndAll(t.Context(), who, g.Session)) // the one that nobody has can be ended
	if got := w.sessions(t); len(got) != 1 || got[0].ID != g.Session {
		t.Errorf("there are %+v", got)
	}
}

func TestAServiceOfOtherKeysKnowsNoneOfOurTokens(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	elsewhere := tokens.New(tokens.Config{
		Store: w.store, Issuer: fake.Issuer{Name: "elsewhere"}, Refresher: fake.RefreshIssuer{Name: "elsewhere"}, Cursors: fake.Cursors{},
		AccessTTL: accessTTL, Sessions: policy, Now: w.clock.Now, NewID: w.newID,
	})
	_, err := elsewhere.Check(t.Context(), g.Access.Reveal(), "")
	is(t, err, domain.ErrInvalidToken)
	_, err = elsewhere.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrInvalidToken)
	ok(t, elsewhere.Revoke(t.Context(), g.Access.Reveal()))
	ok(t, elsewhere.Revoke(t.Context(), g.Refresh.Reveal()))
	if !w.live(t, g.Session) {
		t.Error("the session was ended by somebody else's keys")
	}
}
