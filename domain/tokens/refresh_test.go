package tokens_test

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
)

func TestARefreshTokenIsTradedForItsSuccessor(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	w.clock.Advance(time.Hour)
	next, err := w.Refresh(t.Context(), g.Refresh.Reveal())
	ok(t, err)
	if counter(t, next) != 1 || next.Session != g.Session || next.Account != g.Account || next.Life != accessTTL {
		t.Errorf("got %+v of rotation %d", next, counter(t, next))
	}
	c := claims(t, next)
	if first := claims(t, g); c.TokenID == first.TokenID || !c.SignedIn.Equal(first.SignedIn) || !c.Issued.After(first.Issued) {
		t.Errorf("it says %+v", c)
	}
	s := w.sessions(t)[0]
	if s.Counter != 1 || !s.Used.Equal(w.clock.Now()) {
		t.Errorf("the session is %+v", s)
	}
}

func TestALostAnswerIsGivenAgainWithinTheGrace(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	w.clock.Advance(time.Hour)
	w.loses("sessions.refresh", true)
	_, err := w.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrUnavailable)
	w.clock.Advance(policy.Grace - time.Microsecond)
	again, err := w.Refresh(t.Context(), g.Refresh.Reveal())
	ok(t, err)
	if counter(t, again) != 1 {
		t.Errorf("the rotation is %d, want 1", counter(t, again))
	}
	next, err := w.Refresh(t.Context(), again.Refresh.Reveal())
	ok(t, err)
	if counter(t, next) != 2 {
		t.Errorf("the rotation is %d, want 2", counter(t, next))
	}
}

func TestATokenThatIsUsedTwiceEndsItsSessionForGood(t *testing.T) {
	for _, c := range []struct {
		name string
		use  func(w *world, t testing.TB, g domain.Grant) string
	}{
		{"after the grace", func(w *world, t testing.TB, g domain.Grant) string {
			_, err := w.Refresh(t.Context(), g.Refresh.Reveal())
			ok(t, err)
			w.clock.Advance(policy.Grace)
			return g.Refresh.Reveal()
		}},
		{"two rotations later, within the grace", func(w *world, t testing.TB, g domain.Grant) string {
			next, err := w.Refresh(t.Context(), g.Refresh.Reveal())
			ok(t, err)
			_, err = w.Refresh(t.Context(), next.Refresh.Reveal())
			ok(t, err)
			return g.Refresh.Reveal()
		}},
		{"before it was issued", func(_ *world, _ testing.TB, g domain.Grant) string {
			return fake.RefreshIssuer{}.Issue(domain.RefreshToken{Session: g.Session, Counter: 7}).Reveal()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			g := w.open(t)
			stolen := c.use(w, t, g)
			_, err := w.Refresh(t.Context(), stolen)
			is(t, err, domain.ErrTokenReused)
			if w.live(t, g.Session) {
				t.Fatal("the session goes on, because the answer was an error")
			}
			_, err = w.Check(t.Context(), g.Access.Reveal(), "")
			is(t, err, domain.ErrInvalidToken)
			for n := range 4 {
				token := fake.RefreshIssuer{}.Issue(domain.RefreshToken{Session: g.Session, Counter: domain.Counter(n)})
				_, err = w.Refresh(t.Context(), token.Reveal())
				is(t, err, domain.ErrInvalidToken)
			}
		})
	}
}

func TestATheftWhoseAnswerIsLostEndsTheSessionAllTheSame(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	_, err := w.Refresh(t.Context(), g.Refresh.Reveal())
	ok(t, err)
	w.clock.Advance(policy.Grace)
	w.loses("sessions.refresh", true)
	_, err = w.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrUnavailable)
	_, err = w.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrInvalidToken)
}

func TestARefreshTokenThatIsRefused(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	for name, text := range map[string]string{
		"nothing": "", "garbage": "kpr_x_y_z", "an access token": g.Access.Reveal(), "one character more": g.Refresh.Reveal() + "0",
		"of a session that never was": fake.RefreshIssuer{}.Issue(domain.RefreshToken{Session: "none"}).Reveal(),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Refresh(t.Context(), text)
			is(t, err, domain.ErrInvalidToken)
		})
	}
	if !w.live(t, g.Session) {
		t.Error("the session has ended")
	}

	suspended := domain.Suspended
	w.change(t, domain.AccountChange{Status: &suspended})
	_, err := w.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrInvalidToken)
	active := domain.Active
	w.change(t, domain.AccountChange{Status: &active})
	w.clock.Advance(policy.Idle)
	_, err = w.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrInvalidToken)
}

func TestARefreshBringsTheRolesOfTheMoment(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	w.change(t, domain.AccountChange{Roles: &[]domain.Role{"editor"}})
	_, err := w.Check(t.Context(), g.Access.Reveal(), "")
	is(t, err, domain.ErrInvalidToken)
	next, err := w.Refresh(t.Context(), g.Refresh.Reveal())
	ok(t, err)
	who, err := w.Check(t.Context(), next.Access.Reveal(), "")
	ok(t, err)
	if who.Has("admin") || !who.Has("editor") {
		t.Errorf("the roles are %v", who.Roles)
	}
}

func TestOfManyAtOnceAllGetTheOneSuccessor(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			next, err := w.Refresh(t.Context(), g.Refresh.Reveal())
			if err != nil || counter(t, next) != 1 {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if s := w.sessions(t)[0]; s.Counter != 1 {
		t.Errorf("the session is at rotation %d", s.Counter)
	}
}

// Two parties that hold one token may take turns only within the grace: as soon
// as two uses of one token lie that far apart, nobody has a live session.
func TestAThiefAndAVictimCannotTakeTurnsForEver(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		g := w.open(t)
		held := map[string]string{"victim": g.Refresh.Reveal(), "thief": g.Refresh.Reveal()}
		first := make(map[string]time.Time)
		for range 30 {
			w.clock.Advance(time.Duration(rapid.IntRange(0, 40).Draw(rt, "seconds")) * time.Second)
			who := rapid.SampledFrom([]string{"victim", "thief"}).Draw(rt, "who")
			token := held[who]
			next, err := w.Refresh(t.Context(), token)
			if err != nil {
				if w.live(t, g.Session) {
					rt.Fatalf("%s is refused, and the session goes on", who)
				}
				return
			}
			if at, used := first[token]; !used {
				first[token] = w.clock.Now()
			} else if apart := w.clock.Now().Sub(at); apart >= policy.Grace {
				rt.Fatalf("%s has an answer to a token that was used %v before", who, apart)
			}
			held[who] = next.Refresh.Reveal()
		}
	})
}
