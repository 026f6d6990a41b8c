package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
)

func TestASessionIsEndedByItsOwner(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	bob := domain.Asker{Account: w.account(t).ID}
	ada := domain.Asker{Account: w.ada.ID}
	is(t, w.End(t.Context(), domain.Asker{}, g.Session), domain.ErrUnauthenticated)
	is(t, w.End(t.Context(), bob, g.Session), domain.ErrSessionNotFound)
	is(t, w.End(t.Context(), ada, "none"), domain.ErrSessionNotFound)
	if !w.live(t, g.Session) {
		t.Fatal("somebody else has ended it")
	}
	ok(t, w.End(t.Context(), ada, g.Session))
	is(t, w.End(t.Context(), ada, g.Session), domain.ErrSessionNotFound)
	_, err := w.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrInvalidToken)
}

func TestAllSessionsAreEndedButTheCurrentOne(t *testing.T) {
	w := newWorld(t)
	bob := w.account(t)
	his, err := w.Open(t.Context(), bob.ID, 1, domain.Client{})
	ok(t, err)
	w.open(t)
	current := w.open(t)
	w.open(t)
	is(t, w.EndAll(t.Context(), domain.Asker{}, current.Session), domain.ErrUnauthenticated)
	ada := domain.Asker{Account: w.ada.ID, Session: current.Session}
	ok(t, w.EndAll(t.Context(), ada, current.Session))
	if got := w.sessions(t); len(got) != 1 || got[0].ID != current.Session {
		t.Errorf("there are %+v", got)
	}
	ok(t, w.EndAll(t.Context(), ada, his.Session))
	if got := w.sessions(t); len(got) != 0 {
		t.Errorf("there are %+v", got)
	}
	if _, err := w.Check(t.Context(), his.Access.Reveal(), ""); err != nil {
		t.Errorf("bob: %v", err)
	}
}

func TestATokenOfEitherKindRevokesItsSession(t *testing.T) {
	for _, c := range []struct {
		name  string
		token func(w *world, t testing.TB, g domain.Grant) string
	}{
		{"the access token", func(_ *world, _ testing.TB, g domain.Grant) string { return g.Access.Reveal() }},
		{"the refresh token", func(_ *world, _ testing.TB, g domain.Grant) string { return g.Refresh.Reveal() }},
		{"an access token that has expired", func(w *world, _ testing.TB, g domain.Grant) string {
			w.clock.Advance(time.Hour)
			return g.Access.Reveal()
		}},
		{"an access token whose authority is gone", func(w *world, t testing.TB, g domain.Grant) string {
			w.change(t, domain.AccountChange{Roles: &[]domain.Role{}})
			return g.Access.Reveal()
		}},
		{"a refresh token that was traded", func(w *world, t testing.TB, g domain.Grant) string {
			_, err := w.Refresh(t.Context(), g.Refresh.Reveal())
			ok(t, err)
			w.clock.Advance(time.Hour)
			return g.Refresh.Reveal()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			untouched := w.open(t)
			g := w.open(t)
			token := c.token(w, t, g)
			ok(t, w.Revoke(t.Context(), token))
			if w.live(t, g.Session) || !w.live(t, untouched.Session) {
				t.Errorf("there are %+v", w.sessions(t))
			}
			ok(t, w.Revoke(t.Context(), token)) // it is dead already
		})
	}
}

func TestWhatIsNoTokenIsRevokedWithoutAnError(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	for _, text := range []string{
		"", "garbage", "a.b.c", g.Access.Reveal() + "0", g.Refresh.Reveal() + "0",
		fake.RefreshIssuer{}.Issue(domain.RefreshToken{Session: "none"}).Reveal(),
	} {
		if err := w.Revoke(t.Context(), text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if !w.live(t, g.Session) {
		t.Error("a session has ended")
	}
}

// Whoever is told that a token is dead must be able to rely on it.
func TestARevocationThatDidNotHappenIsNotTaken(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, token := range []string{g.Access.Reveal(), g.Refresh.Reveal()} {
		if err := w.Revoke(gone, token); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		w.store.Fault = func(string) (bool, error) { return false, domain.ErrUnavailable }
		is(t, w.Revoke(t.Context(), token), domain.ErrUnavailable)
		w.store.Fault = nil
	}
	if !w.live(t, g.Session) {
		t.Error("the session has ended")
	}
	w.loses("atomically", true)
	is(t, w.Revoke(t.Context(), g.Refresh.Reveal()), domain.ErrUnavailable)
	ok(t, w.Revoke(t.Context(), g.Refresh.Reveal()))
	if w.live(t, g.Session) {
		t.Error("the session goes on")
	}
}

func TestPagesOfSessionsJoinToTheWhole(t *testing.T) {
	w := newWorld(t)
	bob := w.account(t)
	_, err := w.Open(t.Context(), bob.ID, 1, domain.Client{})
	ok(t, err)
	ada := domain.Asker{Account: w.ada.ID}
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(0, 3).Draw(rt, "more") {
			w.open(t)
		}
		var whole, joined []domain.SessionID
		for _, s := range w.sessions(t) {
			whole = append(whole, s.ID)
		}
		p := domain.PageRequest{Limit: rapid.IntRange(1, 210).Draw(rt, "limit")}
		for {
			page, err := w.List(t.Context(), ada, p)
			if err != nil || len(page.Items) > p.Size() {
				rt.Fatalf("%d items, %v", len(page.Items), err)
			}
			for _, s := range page.Items {
				joined = append(joined, s.ID)
			}
			if p.Cursor = page.Next; p.Cursor == "" {
				break
			}
		}
		if !slices.Equal(joined, whole) {
			rt.Fatalf("got %v, want %v", joined, whole)
		}
	})
}

func TestAListOfSessionsIsItsOwners(t *testing.T) {
	w := newWorld(t)
	w.open(t)
	w.open(t)
	_, err := w.List(t.Context(), domain.Asker{}, domain.PageRequest{})
	is(t, err, domain.ErrUnauthenticated)

	ada, bob := domain.Asker{Account: w.ada.ID}, domain.Asker{Account: w.account(t).ID}
	page, err := w.List(t.Context(), ada, domain.PageRequest{Limit: 1})
	ok(t, err)
	_, err = w.List(t.Context(), bob, domain.PageRequest{Limit: 1, Cursor: page.Next})
	is(t, err, domain.ErrInvalidCursor)
	_, err = w.List(t.Context(), ada, domain.PageRequest{Cursor: "garbage"})
	is(t, err, domain.ErrInvalidCursor)

	w.clock.Advance(policy.Max)
	if page, err = w.List(t.Context(), ada, domain.PageRequest{}); err != nil || len(page.Items) != 0 {
		t.Errorf("sessions that are over are listed: %+v, %v", page, err)
	}
}

func TestSessionsThatAreOverAreForgottenInBatches(t *testing.T) {
	for _, n := range []int{0, 1, 999, 1000, 1001, 2500} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			for range n {
				w.open(t)
			}
			w.clock.Advance(time.Second)
			kept := w.open(t)
			w.clock.Advance(policy.Max - time.Millisecond)
			batches := 0
			w.store.Fault = func(op string) (bool, error) {
				if op == "sessions.prune" {
					batches++
				}
				return false, nil
			}
			total, err := w.Prune(t.Context())
			ok(t, err)
			if total != n || batches != n/1000+1 {
				t.Errorf("%d were forgotten in %d batches", total, batches)
			}
			if !w.live(t, kept.Session) {
				t.Error("a live one was forgotten")
			}
		})
	}
}

func TestAPruneThatBreaksOffSaysHowFarItCame(t *testing.T) {
	w := newWorld(t)
	for range 1500 {
		w.open(t)
	}
	w.clock.Advance(policy.Max + time.Second)
	asked := 0
	w.store.Fault = func(string) (bool, error) {
		if asked++; asked == 2 {
			return false, domain.ErrUnavailable
		}
		return false, nil
	}
	total, err := w.Prune(t.Context())
	is(t, err, domain.ErrUnavailable)
	if total != 1000 {
		t.Errorf("%d were forgotten, want 1000", total)
	}
}
