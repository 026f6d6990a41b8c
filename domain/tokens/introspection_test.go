package tokens_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

var gateway = domain.Asker{Account: "gateway", Roles: []domain.Role{domain.Introspector}}

func TestALiveTokenIsWorthWhatItSays(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	opened := w.clock.Now().Truncate(time.Second)
	for _, c := range []struct {
		name  string
		token domain.Secret
		want  tokens.Introspection
	}{
		{"an access token", g.Access, tokens.Introspection{Kind: tokens.AccessToken, Claims: claims(t, g)}},
		{"a refresh token", g.Refresh, tokens.Introspection{Kind: tokens.RefreshToken, Claims: domain.Claims{
			Subject: w.ada.ID, Session: g.Session, SignedIn: opened, Expires: opened.Add(policy.Idle),
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.Introspect(t.Context(), gateway, c.token.Reveal())
			ok(t, err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARefreshTokenIsWorthNoMoreThanItsSession(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	ends := w.clock.Now().Add(policy.Max).Truncate(time.Second)
	for range 3 {
		w.clock.Advance(policy.Idle - time.Hour)
		var err error
		g, err = w.Refresh(t.Context(), g.Refresh.Reveal())
		ok(t, err)
	}
	got, err := w.Introspect(t.Context(), gateway, g.Refresh.Reveal())
	ok(t, err)
	if !got.Claims.Expires.Equal(ends) {
		t.Errorf("it ends %v, want %v", got.Claims.Expires, ends)
	}
}

// Sessions are found by their ids, also where those differ by one.
func TestEachSessionIsFoundAmongItsNeighbours(t *testing.T) {
	w := newWorld(t)
	now := w.clock.Now()
	var ids []domain.SessionID
	for n := range 300 {
		ids = append(ids, domain.SessionID(fmt.Sprintf("01900000-0000-7000-a%03x-%012x", n/2, 0xffffffffffff*(n%2))))
		ids = append(ids, domain.SessionID(fmt.Sprintf("01900000-0000-7000-b000-%012x", n)))
	}
	for _, id := range ids {
		_, err := w.store.Sessions().Open(t.Context(), domain.Session{ID: id, Account: w.ada.ID, Renewal: domain.Rotating, Created: now, Used: now, Ends: now.Add(policy.Max)}, 1)
		ok(t, err)
	}
	for _, id := range ids {
		got, err := w.Introspect(t.Context(), gateway, fake.RefreshIssuer{}.Issue(domain.RefreshToken{Session: id}).Reveal())
		ok(t, err)
		if got.Kind != tokens.RefreshToken || got.Claims.Session != id {
			t.Errorf("%s: %+v", id, got)
		}
	}
}

func TestATokenIsWorthNothing(t *testing.T) {
	suspended := domain.Suspended
	refreshed := func(w *world, t testing.TB, g domain.Grant) {
		_, err := w.Refresh(t.Context(), g.Refresh.Reveal())
		ok(t, err)
	}
	for _, c := range []struct {
		name string
		text func(w *world, t testing.TB, g domain.Grant) string
	}{
		{"that is none", func(*world, testing.TB, domain.Grant) string { return "x" }},
		{"that was altered", func(_ *world, _ testing.TB, g domain.Grant) string { return g.Access.Reveal() + "0" }},
		{"that another made", func(_ *world, t testing.TB, g domain.Grant) string {
			token, err := fake.RefreshIssuer{}.Verify(g.Refresh.Reveal())
			ok(t, err)
			return fake.RefreshIssuer{Name: "another"}.Issue(token).Reveal()
		}},
		{"that has expired", func(w *world, _ testing.TB, g domain.Grant) string {
			w.clock.Advance(accessTTL)
			return g.Access.Reveal()
		}},
		{"that was traded, even within the grace", func(w *world, t testing.TB, g domain.Grant) string {
			refreshed(w, t, g)
			return g.Refresh.Reveal()
		}},
		{"that is not out yet", func(_ *world, _ testing.TB, g domain.Grant) string {
			return fake.RefreshIssuer{}.Issue(domain.RefreshToken{Session: g.Session, Counter: 1}).Reveal()
		}},
		{"whose session was idle for too long", func(w *world, _ testing.TB, g domain.Grant) string {
			w.clock.Advance(policy.Idle)
			return g.Refresh.Reveal()
		}},
		{"whose session was ended", func(w *world, t testing.TB, g domain.Grant) string {
			ok(t, w.Revoke(t.Context(), g.Access.Reveal()))
			return g.Refresh.Reveal()
		}},
		{"whose account is suspended", func(w *world, t testing.TB, g domain.Grant) string {
			w.change(t, domain.AccountChange{Status: &suspended})
			return g.Refresh.Reveal()
		}},
		{"whose account has other roles", func(w *world, t testing.TB, g domain.Grant) string {
			w.change(t, domain.AccountChange{Roles: &[]domain.Role{}})
			return g.Access.Reveal()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			g := w.open(t)
			text := c.text(w, t, g)
			got, err := w.Introspect(t.Context(), gateway, text)
			ok(t, err)
			if diff := cmp.Diff(tokens.Introspection{}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIntrospectionRotatesNothing(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	before := w.sessions(t)
	w.clock.Advance(time.Minute)
	for range 3 {
		_, err := w.Introspect(t.Context(), gateway, g.Refresh.Reveal())
		ok(t, err)
	}
	if diff := cmp.Diff(before, w.sessions(t)); diff != "" {
		t.Error(diff)
	}
	next, err := w.Refresh(t.Context(), g.Refresh.Reveal())
	ok(t, err)
	if counter(t, next) != 1 {
		t.Errorf("the next refresh token is number %d", counter(t, next))
	}
}

func TestWhoMayIntrospect(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	for _, token := range []string{g.Access.Reveal(), g.Refresh.Reveal(), "x"} {
		_, err := w.Introspect(t.Context(), domain.Asker{}, token)
		is(t, err, domain.ErrUnauthenticated)
		_, err = w.Introspect(t.Context(), domain.Asker{Roles: gateway.Roles}, token)
		is(t, err, domain.ErrUnauthenticated)
		_, err = w.Introspect(t.Context(), domain.Asker{Account: w.ada.ID, Roles: []domain.Role{"editor", "introspector"}}, token)
		is(t, err, domain.ErrNotAllowed)
		for _, role := range []domain.Role{"introspect", "admin"} {
			_, err = w.Introspect(t.Context(), domain.Asker{Account: "gateway", Roles: []domain.Role{role}}, token)
			ok(t, err)
		}
	}
}

func TestAnIntrospectionThatCannotAskTheStoreIsUnavailable(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	w.loses("sessions.byID", false)
	got, err := w.Introspect(t.Context(), gateway, g.Refresh.Reveal())
	is(t, err, domain.ErrUnavailable)
	if got.Kind != tokens.NoToken {
		t.Errorf("%+v came with the error", got)
	}
	w.loses("sessions.authority", false)
	_, err = w.Introspect(t.Context(), gateway, g.Access.Reveal())
	is(t, err, domain.ErrUnavailable)
}
