package domain_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

var noon = time.Date(2030, 1, 2, 12, 0, 0, 123456000, time.UTC)

var policy = domain.SessionPolicy{Idle: 30 * 24 * time.Hour, Max: 90 * 24 * time.Hour, Grace: time.Minute}

// rotated is a session that was opened at noon, and whose token with counter 6
// was traded for the one with counter 7 two days later.
func rotated() domain.Session {
	return domain.Session{
		ID: "s", Account: "ada", Counter: 7, Device: "Firefox", Renewal: domain.Rotating,
		Created: noon, Used: noon.Add(48 * time.Hour), Ends: noon.Add(policy.Max),
	}
}

func TestARefreshTokenIsJudgedByItsCounterAndTheTime(t *testing.T) {
	const tick = time.Microsecond
	s := rotated()
	strict := policy
	strict.Grace = 0
	endless := policy
	endless.Idle = 365 * 24 * time.Hour
	late := s
	late.Used = s.Ends.Add(-time.Second)
	lasting, stopped := s, s
	lasting.Renewal, stopped.Renewal = domain.Reusable, domain.NoMore
	for _, c := range []struct {
		name      string
		session   domain.Session
		presented domain.Counter
		now       time.Time
		policy    domain.SessionPolicy
		want      domain.Verdict
	}{
		{"the current token is traded", s, 7, s.Used.Add(time.Hour), policy, domain.Rotated},
		{"the current token is traded at once", s, 7, s.Used, policy, domain.Rotated},
		{"the token before is answered again at the instant of the rotation", s, 6, s.Used, policy, domain.Repeated},
		{"the token before is answered again to the end of the grace", s, 6, s.Used.Add(policy.Grace - tick), policy, domain.Repeated},
		{"at the end of the grace itself the token before ends the session", s, 6, s.Used.Add(policy.Grace), policy, domain.Reused},
		{"the token before ends the session long after the grace", s, 6, s.Used.Add(time.Hour), policy, domain.Reused},
		{"without a grace the token before ends the session at once", s, 6, s.Used, strict, domain.Reused},
		{"the token before the one before ends the session within the grace", s, 5, s.Used, policy, domain.Reused},
		{"the first token ends the session", s, 0, s.Used, policy, domain.Reused},
		{"a token that was never issued ends the session", s, 8, s.Used, policy, domain.Reused},
		{"a counter below all ends the session", s, -1, s.Used, policy, domain.Reused},
		{"the current token is good to the end of the idle time", s, 7, s.Used.Add(policy.Idle - tick), policy, domain.Rotated},
		{"at the end of the idle time itself the session is over", s, 7, s.Used.Add(policy.Idle), policy, domain.Refused},
		{"the current token is good to the absolute end", s, 7, s.Ends.Add(-tick), endless, domain.Rotated},
		{"at the absolute end itself the session is over", s, 7, s.Ends, endless, domain.Refused},
		{"the grace does not reach beyond the absolute end", late, 6, late.Ends, endless, domain.Refused},
		{"a session that is over is not reused", s, 3, s.Ends, policy, domain.Refused},
		{"a session whose token is used again and again rotates none", lasting, 7, s.Used, policy, domain.Refused},
		{"a session whose token is used again and again does not end by an old one", lasting, 3, s.Used.Add(time.Hour), policy, domain.Refused},
		{"a session that is renewed no more refuses its token", stopped, 7, s.Used, policy, domain.Refused},
		{"a session that is renewed no more does not end by an old token", stopped, 6, s.Used.Add(time.Hour), policy, domain.Refused},
		{"a clock that is behind the rotation still trades the current token", s, 7, s.Used.Add(-time.Second), policy, domain.Rotated},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, verdict := c.session.Refresh(c.presented, c.now, c.policy)
			if verdict != c.want {
				t.Fatalf("the verdict is %d, want %d", verdict, c.want)
			}
			want := c.session
			if verdict == domain.Rotated {
				want.Counter, want.Used = 8, c.now
			}
			if got != want {
				t.Errorf("the session became\n%+v\nwant\n%+v", got, want)
			}
		})
	}
}

func TestTheZeroVerdictRefuses(t *testing.T) {
	var v domain.Verdict
	if v != domain.Refused {
		t.Error("a verdict that nobody gave lets somebody in")
	}
}

// However the bearers of a session's tokens take turns, at each moment at most
// one counter can be traded; each token that is answered has one successor; and
// no token is answered at two moments that lie the grace or further apart.
func TestHoweverRefreshesInterleaveASessionHasOneLiveSuccessor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := domain.SessionPolicy{
			Idle:  rapid.SampledFrom([]time.Duration{time.Minute, time.Hour}).Draw(t, "idle"),
			Max:   3 * time.Hour,
			Grace: rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute}).Draw(t, "grace"),
		}
		now := noon
		s := domain.Session{ID: "s", Renewal: domain.Rotating, Created: now, Used: now, Ends: now.Add(p.Max)}
		successor := make(map[domain.Counter]domain.Counter)
		first := make(map[domain.Counter]time.Time)
		for range rapid.IntRange(1, 40).Draw(t, "uses") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*p.Grace+time.Second)).Draw(t, "later")))
			tradable := 0
			for c := range s.Counter + 2 {
				if _, verdict := s.Refresh(c, now, p); verdict == domain.Rotated {
					tradable++
				}
			}
			if live := s.Live(now, p); live && tradable != 1 || !live && tradable != 0 {
				t.Fatalf("live: %t, and %d tokens can be traded", live, tradable)
			}

			presented := max(0, s.Counter+rapid.SampledFrom([]domain.Counter{0, 0, 0, 0, -1, -1, -1, -2, 1}).Draw(t, "presented"))
			next, verdict := s.Refresh(presented, now, p)
			current, before := presented == s.Counter, presented == s.Counter-1 && now.Sub(s.Used) < p.Grace
			switch verdict {
			case domain.Rotated:
				if !current || next.Counter != s.Counter+1 || next.Used != now || next.Ends != s.Ends {
					t.Fatalf("%d was traded of\n%+v\nwhich became\n%+v", presented, s, next)
				}
			case domain.Repeated:
				if !before || next != s {
					t.Fatalf("%d was repeated of\n%+v\nwhich became\n%+v", presented, s, next)
				}
			case domain.Reused:
				if current || before {
					t.Fatalf("%d was taken for theft of\n%+v", presented, s)
				}
				return
			case domain.Refused:
				if s.Live(now, p) {
					t.Fatalf("%d was refused of a live\n%+v", presented, s)
				}
				return
			}
			if was, twice := successor[presented]; twice && was != next.Counter {
				t.Fatalf("%d has the successors %d and %d", presented, was, next.Counter)
			}
			successor[presented] = next.Counter
			if _, twice := first[presented]; !twice {
				first[presented] = now
			} else if apart := now.Sub(first[presented]); apart >= p.Grace {
				t.Fatalf("%d was answered twice, %v apart", presented, apart)
			}
			s = next
		}
	})
}
