package tokens_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

// longer are the terms of an older API whose refresh tokens last.
var longer = tokens.Terms{Access: 15 * time.Minute, Max: 30 * 24 * time.Hour, Renewal: domain.Reusable}

// openOn opens a session of ada's on other terms.
func (w *world) openOn(t testing.TB, terms tokens.Terms) domain.Grant {
	t.Helper()
	g, err := w.OpenOn(t.Context(), w.ada.ID, 1, domain.Client{Device: "Firefox", Address: "192.0.2.1"}, terms)
	ok(t, err)
	return g
}

// stored returns a session as the store has it.
func (w *world) stored(t testing.TB, id domain.SessionID) domain.Session {
	t.Helper()
	s, err := w.store.Sessions().ByID(t.Context(), id, w.clock.Now())
	ok(t, err)
	return s
}

// reuse trades a lasting token for an access token of fifteen minutes.
func (w *world) reuse(t testing.TB, token domain.Secret) domain.Grant {
	t.Helper()
	g, err := w.Reuse(t.Context(), token.Reveal(), longer.Access)
	ok(t, err)
	return g
}

// wants fails the test unless an access token is taken, or refused, as wanted.
func wants(t testing.TB, s *tokens.Service, access domain.Secret, taken bool) {
	t.Helper()
	_, err := s.Check(t.Context(), access.Reveal(), "")
	if taken {
		ok(t, err)
	} else {
		is(t, err, domain.ErrInvalidToken)
	}
}

// raised makes another of ada, and posts what that means for her access tokens.
func (w *world) raised(t testing.TB, c domain.AccountChange) {
	t.Helper()
	w.change(t, c)
	a, err := w.store.Accounts().ByID(t.Context(), w.ada.ID)
	ok(t, err)
	w.post(t, domain.Change{Kind: domain.AuthorityRaised, Subject: string(a.ID), Value: a.Authority})
}

// removed deletes ada, and posts it.
func (w *world) removed(t testing.TB) {
	t.Helper()
	ok(t, w.store.Accounts().Remove(t.Context(), w.ada.ID, 0))
	w.post(t, domain.Change{Kind: domain.AuthorityRaised, Subject: string(w.ada.ID), Value: domain.MaxAuthority})
}

func (w *world) post(t testing.TB, c domain.Change) {
	t.Helper()
	c.At = w.clock.Now()
	ok(t, w.store.Bulletin().Post(t.Context(), c))
}

// waitUntil moves the clock to an instant.
func (w *world) waitUntil(at time.Time) { w.clock.Advance(at.Sub(w.clock.Now())) }

func TestASessionIsOpenedOnItsTerms(t *testing.T) {
	for _, c := range []struct {
		name    string
		terms   tokens.Terms
		renewal domain.Renewal
		access  time.Duration
		max     time.Duration
	}{
		{"of the configuration", tokens.Terms{}, domain.Rotating, accessTTL, policy.Max},
		{"that say as much", tokens.Terms{Renewal: domain.Rotating}, domain.Rotating, accessTTL, policy.Max},
		{"with a token that lasts", longer, domain.Reusable, 15 * time.Minute, 30 * 24 * time.Hour},
		{"with a token that lasts as long as any", tokens.Terms{Renewal: domain.Reusable}, domain.Reusable, accessTTL, policy.Max},
		{"without a refresh token", tokens.Terms{Access: 600 * time.Second, Max: 600 * time.Second, Renewal: domain.NoMore}, domain.NoMore, 600 * time.Second, 600 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			now := w.clock.Now()
			g := w.openOn(t, c.terms)
			want := domain.Session{
				ID: g.Session, Account: w.ada.ID, Renewal: c.renewal, Created: now, Used: now, Ends: now.Add(c.max),
				Device: "Firefox", Seen: now, Address: "192.0.2.1",
			}
			if diff := cmp.Diff(want, w.stored(t, g.Session)); diff != "" {
				t.Error(diff)
			}
			if said := claims(t, g); g.Life != c.access || !g.Expires.Equal(now.Truncate(time.Second).Add(c.access)) || !said.Expires.Equal(g.Expires) || !g.Ends.Equal(want.Ends) {
				t.Errorf("granted is %+v, of which the token says %+v", g, said)
			}
			rotating, rotates := fake.RefreshIssuer{}.Verify(g.Refresh.Reveal())
			lasting, lasts := fake.RefreshIssuer{}.VerifyLasting(g.Refresh.Reveal())
			switch c.renewal {
			case domain.Rotating:
				ok(t, rotates)
				if rotating != (domain.RefreshToken{Session: g.Session}) {
					t.Errorf("the refresh token is %+v", rotating)
				}
			case domain.Reusable:
				ok(t, lasts)
				if want := (domain.LastingToken{Account: w.ada.ID, Session: g.Session, Ends: want.Ends.Truncate(time.Second)}); lasting != want {
					t.Errorf("the lasting token is %+v, want %+v", lasting, want)
				}
			case domain.NoMore:
				if g.Refresh != (domain.Secret{}) {
					t.Errorf("there is a refresh token %q", g.Refresh.Reveal())
				}
			}
		})
	}
}

// replicas are the three ways in which a replica knows what was revoked.
var replicas = []struct {
	name string

	// knows returns the replica when it has come to know, and what it does to
	// come by it after something has happened.
	knows func(w *world, t *testing.T) (s *tokens.Service, after func())
}{
	{"that asks the store", func(w *world, _ *testing.T) (*tokens.Service, func()) { return w.Service, func() {} }},
	{"that has heard", func(w *world, t *testing.T) (*tokens.Service, func()) {
		s := w.replica(w.store, new(time.Duration), new(locksmith))
		ok(t, s.Hear(t.Context()))
		return s, func() { ok(t, s.Hear(t.Context())) }
	}},
	{"that heard too long ago", func(w *world, t *testing.T) (*tokens.Service, func()) {
		uptime := new(time.Duration)
		s := w.replica(w.store, uptime, new(locksmith))
		ok(t, s.Hear(t.Context()))
		return s, func() { *uptime = 5*time.Second + 1 }
	}},
}

func TestATokenIsInspected(t *testing.T) {
	suspended := domain.Suspended
	access := func(g domain.Grant) string { return g.Access.Reveal() }
	lasting := func(g domain.Grant) string { return g.Refresh.Reveal() }
	nothing := func(*world, *testing.T, domain.Grant) {}
	for _, c := range []struct {
		name      string
		token     func(domain.Grant) string
		happens   func(w *world, t *testing.T, g domain.Grant)
		kind      tokens.Kind
		condition tokens.Condition
	}{
		{"an access token", access, nothing, tokens.AccessToken, tokens.Valid},
		{"an access token in its last moment", access, func(w *world, _ *testing.T, g domain.Grant) {
			w.waitUntil(g.Expires.Add(-time.Microsecond))
		}, tokens.AccessToken, tokens.Valid},
		{"an access token as it expires", access, func(w *world, _ *testing.T, g domain.Grant) { w.waitUntil(g.Expires) }, tokens.AccessToken, tokens.Expired},
		{"an access token that expired when it was refused", access, func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.RefuseToken(t.Context(), g.Access.Reveal()))
			w.waitUntil(g.Expires)
		}, tokens.AccessToken, tokens.Expired},
		{"an access token of a session that was ended", access, func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.End(t.Context(), domain.Asker{Account: w.ada.ID}, g.Session))
		}, tokens.AccessToken, tokens.Revoked},
		{"an access token that was refused", access, func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.RefuseToken(t.Context(), g.Access.Reveal()))
		}, tokens.AccessToken, tokens.Revoked},
		{"an access token of an account with other roles", access, func(w *world, t *testing.T, _ domain.Grant) {
			w.raised(t, domain.AccountChange{Roles: &[]domain.Role{"editor"}})
		}, tokens.AccessToken, tokens.Revoked},
		{"an access token of an account that is suspended", access, func(w *world, t *testing.T, _ domain.Grant) {
			w.raised(t, domain.AccountChange{Status: &suspended})
		}, tokens.AccessToken, tokens.Revoked},
		{"an access token of an account that is gone", access, func(w *world, t *testing.T, _ domain.Grant) { w.removed(t) }, tokens.AccessToken, tokens.Revoked},
		{"an access token whose lasting token was ended", access, func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access))
		}, tokens.AccessToken, tokens.Valid},
		{"a lasting token", lasting, nothing, tokens.LastingToken, tokens.Valid},
		{"a lasting token in its last moment", lasting, func(w *world, _ *testing.T, g domain.Grant) {
			w.waitUntil(g.Ends.Truncate(time.Second).Add(-time.Microsecond))
		}, tokens.LastingToken, tokens.Valid},
		{"a lasting token as it expires", lasting, func(w *world, _ *testing.T, g domain.Grant) {
			w.waitUntil(g.Ends.Truncate(time.Second))
		}, tokens.LastingToken, tokens.Expired},
		{"a lasting token that was ended", lasting, func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access))
		}, tokens.LastingToken, tokens.Revoked},
		{"a lasting token that was ended, when its session is over", lasting, func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access))
			w.clock.Advance(longer.Access)
		}, tokens.LastingToken, tokens.Revoked},
		{"a lasting token whose access token was refused", lasting, func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.RefuseToken(t.Context(), g.Access.Reveal()))
		}, tokens.LastingToken, tokens.Valid},
		{"a lasting token of a session that was ended", lasting, func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.End(t.Context(), domain.Asker{Account: w.ada.ID}, g.Session))
		}, tokens.LastingToken, tokens.Revoked},
		{"a lasting token of an account that is suspended", lasting, func(w *world, t *testing.T, _ domain.Grant) {
			w.raised(t, domain.AccountChange{Status: &suspended})
		}, tokens.LastingToken, tokens.Revoked},
		{"a lasting token of an account that is gone", lasting, func(w *world, t *testing.T, _ domain.Grant) { w.removed(t) }, tokens.LastingToken, tokens.Orphaned},
		{"a lasting token that is altered", func(g domain.Grant) string { return g.Refresh.Reveal() + "0" }, nothing, tokens.NoToken, tokens.Unknown},
		{"an access token that is altered", func(g domain.Grant) string { return g.Access.Reveal()[1:] }, nothing, tokens.NoToken, tokens.Unknown},
		{"a word", func(domain.Grant) string { return "word" }, nothing, tokens.NoToken, tokens.Unknown},
		{"nothing", func(domain.Grant) string { return "" }, nothing, tokens.NoToken, tokens.Unknown},
	} {
		for _, replica := range replicas {
			t.Run(c.name+", by a replica "+replica.name, func(t *testing.T) {
				w := newWorld(t)
				g := w.openOn(t, longer)
				s, after := replica.knows(w, t)
				c.happens(w, t, g)
				after()
				got, err := s.Inspect(t.Context(), c.token(g), "")
				ok(t, err)
				want := tokens.Inspection{Kind: c.kind, Condition: c.condition}
				if c.condition == tokens.Valid {
					want.Who = domain.Asker{Account: w.ada.ID, Session: g.Session, Roles: w.ada.Roles}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestWhatIsForOtherAPIsIsUnknownToAnInspection(t *testing.T) {
	w := newWorld(t)
	_, key := w.key(t, domain.ReadRecords)
	for name, text := range map[string]string{
		"an access key":                key,
		"a refresh token that rotates": w.open(t).Refresh.Reveal(),
	} {
		got, err := w.Inspect(t.Context(), text, "")
		ok(t, err)
		if diff := cmp.Diff(tokens.Inspection{}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestALastingTokenIsOfItsOwnAccountAndASessionThatIsReusable(t *testing.T) {
	w := newWorld(t)
	lasts, rotates := w.openOn(t, longer), w.open(t)
	for name, token := range map[string]domain.LastingToken{
		"of another account":        {Account: w.account(t).ID, Session: lasts.Session, Ends: lasts.Ends},
		"of a session that rotates": {Account: w.ada.ID, Session: rotates.Session, Ends: rotates.Ends},
	} {
		text := fake.RefreshIssuer{}.IssueLasting(token).Reveal()
		got, err := w.Inspect(t.Context(), text, "")
		ok(t, err)
		if got.Condition != tokens.Revoked || !got.Who.Stranger() {
			t.Errorf("%s: %+v", name, got)
		}
		_, err = w.Reuse(t.Context(), text, longer.Access)
		is(t, err, domain.ErrInvalidToken)
		is(t, w.EndLasting(t.Context(), text, longer.Access), domain.ErrInvalidToken)
	}
	w.reuse(t, lasts.Refresh)
	_, err := w.Refresh(t.Context(), rotates.Refresh.Reveal())
	ok(t, err)
}

func TestAnInspectionTellsTheRolesOfTheMoment(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, longer)
	w.change(t, domain.AccountChange{Roles: &[]domain.Role{"author"}})
	got, err := w.Inspect(t.Context(), g.Refresh.Reveal(), "")
	ok(t, err)
	if diff := cmp.Diff([]domain.Role{"author"}, got.Who.Roles); diff != "" {
		t.Error(diff)
	}
}

func TestAnInspectionIsASightingOfWhatIsValid(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, longer)
	inspect := func(address string) {
		_, err := w.Inspect(t.Context(), g.Access.Reveal(), address)
		ok(t, err)
		ok(t, w.WriteSightings(t.Context()))
	}
	w.clock.Advance(time.Minute)
	inspect("198.51.100.7")
	at := w.clock.Now()
	w.waitUntil(g.Expires)
	inspect("198.51.100.8")
	if seen, from := w.used(t); !seen.Equal(at) || from != "198.51.100.7" {
		t.Errorf("last seen %v from %q", seen, from)
	}
}

func TestWhatCannotAskTheStoreIsUnavailable(t *testing.T) {
	for _, c := range []struct {
		op    string
		calls func(w *world, t *testing.T, g domain.Grant) error
	}{
		{"sessions.authority", func(w *world, t *testing.T, g domain.Grant) error {
			_, err := w.Inspect(t.Context(), g.Access.Reveal(), "")
			return err
		}},
		{"bulletin.posted", func(w *world, t *testing.T, g domain.Grant) error {
			_, err := w.Inspect(t.Context(), g.Access.Reveal(), "")
			return err
		}},
		{"bulletin.posted", func(w *world, t *testing.T, g domain.Grant) error {
			_, err := w.Check(t.Context(), g.Access.Reveal(), "")
			return err
		}},
		{"sessions.byID", func(w *world, t *testing.T, g domain.Grant) error {
			_, err := w.Inspect(t.Context(), g.Refresh.Reveal(), "")
			return err
		}},
		{"accounts.byID", func(w *world, t *testing.T, g domain.Grant) error {
			w.removed(t)
			_, err := w.Inspect(t.Context(), g.Refresh.Reveal(), "")
			return err
		}},
		{"sessions.byID", func(w *world, t *testing.T, g domain.Grant) error {
			_, err := w.Reuse(t.Context(), g.Refresh.Reveal(), longer.Access)
			return err
		}},
		{"sessions.authority", func(w *world, t *testing.T, g domain.Grant) error {
			return w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access)
		}},
		{"sessions.stopRenewal", func(w *world, t *testing.T, g domain.Grant) error {
			return w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access)
		}},
		{"atomically", func(w *world, t *testing.T, g domain.Grant) error {
			return w.RefuseToken(t.Context(), g.Access.Reveal())
		}},
		{"sessions.byID", func(w *world, t *testing.T, g domain.Grant) error {
			_, err := w.Reissue(t.Context(), domain.Asker{Account: w.ada.ID, Session: g.Session}, longer.Access)
			return err
		}},
	} {
		w := newWorld(t)
		g := w.openOn(t, longer)
		w.loses(c.op, false)
		is(t, c.calls(w, t, g), domain.ErrUnavailable)
	}
}

func TestALastingTokenIsUsedAgainAndAgain(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, longer)
	before := w.stored(t, g.Session)
	seen := map[string]bool{claims(t, g).TokenID: true}
	for range 20 {
		w.clock.Advance(35 * time.Hour) // longer than a session may be idle that rotates
		got := w.reuse(t, g.Refresh)
		wants(t, w.Service, got.Access, true)
		said := claims(t, got)
		if seen[said.TokenID] || got.Session != g.Session || got.Life != longer.Access || !said.SignedIn.Equal(before.Created.Truncate(time.Second)) {
			t.Errorf("granted is %+v, which says %+v", got, said)
		}
		seen[said.TokenID] = true
		if got.Refresh != (domain.Secret{}) {
			t.Error("another refresh token came along")
		}
	}
	if diff := cmp.Diff(before, w.stored(t, g.Session)); diff != "" {
		t.Errorf("something was rotated: %s", diff)
	}
	w.waitUntil(g.Ends.Truncate(time.Second).Add(-time.Minute))
	if got := w.reuse(t, g.Refresh); got.Life != time.Minute {
		t.Errorf("an access token lives for %v, and its session for a minute", got.Life)
	}
}

func TestALastingTokenBringsTheRolesOfTheMoment(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, longer)
	w.change(t, domain.AccountChange{Roles: &[]domain.Role{"author"}})
	wants(t, w.Service, g.Access, false)
	got := w.reuse(t, g.Refresh)
	wants(t, w.Service, got.Access, true)
	if diff := cmp.Diff([]domain.Role{"author"}, claims(t, got).Roles); diff != "" {
		t.Error(diff)
	}
}

func TestALastingTokenIsRefused(t *testing.T) {
	suspended := domain.Suspended
	for _, c := range []struct {
		name string
		do   func(w *world, t *testing.T, g domain.Grant)
	}{
		{"when it was ended", func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access))
		}},
		{"as it expires", func(w *world, _ *testing.T, g domain.Grant) { w.waitUntil(g.Ends.Truncate(time.Second)) }},
		{"when its session was ended", func(w *world, t *testing.T, g domain.Grant) {
			ok(t, w.End(t.Context(), domain.Asker{Account: w.ada.ID}, g.Session))
		}},
		{"when its account is suspended", func(w *world, t *testing.T, _ domain.Grant) { w.change(t, domain.AccountChange{Status: &suspended}) }},
		{"when its account is gone", func(w *world, t *testing.T, _ domain.Grant) { w.removed(t) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			g := w.openOn(t, longer)
			w.reuse(t, g.Refresh)
			c.do(w, t, g)
			got, err := w.Reuse(t.Context(), g.Refresh.Reveal(), longer.Access)
			is(t, err, domain.ErrInvalidToken)
			if got != (domain.Grant{}) {
				t.Errorf("%+v came with the error", got)
			}
			is(t, w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access), domain.ErrInvalidToken)
		})
	}
}

func TestALastingTokenIsEndedAndNoMore(t *testing.T) {
	w := newWorld(t)
	g, another := w.openOn(t, longer), w.openOn(t, longer)
	w.clock.Advance(10 * time.Minute)
	fresh := w.reuse(t, g.Refresh)
	ended := w.clock.Now()
	ok(t, w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access))

	_, err := w.Reuse(t.Context(), g.Refresh.Reveal(), longer.Access)
	is(t, err, domain.ErrInvalidToken)
	wants(t, w.Service, g.Access, true)
	wants(t, w.Service, fresh.Access, true)
	w.reuse(t, another.Refresh)

	w.waitUntil(fresh.Expires.Add(-time.Microsecond))
	wants(t, w.Service, fresh.Access, true)
	w.waitUntil(ended.Add(longer.Access - time.Microsecond))
	if !w.live(t, g.Session) {
		t.Error("the session ended before its last access token may have expired")
	}
	w.waitUntil(ended.Add(longer.Access))
	if w.live(t, g.Session) || !w.live(t, another.Session) {
		t.Error("it is not this session alone that has ended")
	}
	if diff := cmp.Diff(another.Ends, w.stored(t, another.Session).Ends); diff != "" {
		t.Error(diff)
	}
}

func TestWhoEndsALastingTokenDoesNotProlongItsSession(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, longer)
	w.waitUntil(g.Ends.Add(-time.Minute))
	ok(t, w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access))
	if s := w.stored(t, g.Session); !s.Ends.Equal(g.Ends) || s.Renewal != domain.NoMore {
		t.Errorf("the session is %+v", s)
	}
}

func TestALastingTokenWhoseSessionEndsMeanwhileIsRefused(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, longer)
	w.store.Fault = func(op string) (bool, error) {
		if op == "sessions.stopRenewal" {
			return false, domain.ErrSessionNotFound
		}
		return false, nil
	}
	is(t, w.EndLasting(t.Context(), g.Refresh.Reveal(), longer.Access), domain.ErrInvalidToken)
}

func TestAnAccessTokenIsRefusedAndNoMore(t *testing.T) {
	w := newWorld(t)
	g, another := w.openOn(t, longer), w.openOn(t, longer)
	fresh := w.reuse(t, g.Refresh)
	uptime := new(time.Duration)
	here := w.replica(w.store, new(time.Duration), new(locksmith)) // where it is refused
	there := w.replica(w.store, uptime, new(locksmith))
	ok(t, here.Hear(t.Context()))
	ok(t, there.Hear(t.Context()))

	ok(t, here.RefuseToken(t.Context(), g.Access.Reveal()))
	wants(t, here, g.Access, false) // at once
	wants(t, there, g.Access, true) // which relies on what it has heard
	*uptime = 5*time.Second + 1
	wants(t, there, g.Access, false) // and asks where that is too long ago
	ok(t, there.Hear(t.Context()))
	wants(t, there, g.Access, false)
	for _, s := range []*tokens.Service{here, there, w.Service} {
		is(t, s.RefuseToken(t.Context(), g.Access.Reveal()), domain.ErrInvalidToken)
		wants(t, s, fresh.Access, true)
		wants(t, s, another.Access, true)
		i, err := s.Introspect(t.Context(), gateway, g.Access.Reveal())
		ok(t, err)
		if i.Kind != tokens.NoToken {
			t.Errorf("what was refused is worth %+v", i)
		}
	}
	w.reuse(t, g.Refresh)
}

func TestAReplicaThatHasHeardAsksNobodyAboutAToken(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, longer)
	s := w.replica(w.store, new(time.Duration), new(locksmith))
	ok(t, s.Hear(t.Context()))
	w.store.Fault = func(op string) (bool, error) {
		t.Errorf("the store was asked: %s", op)
		return false, nil
	}
	wants(t, s, g.Access, true)
	_, err := s.Inspect(t.Context(), g.Access.Reveal(), "")
	ok(t, err)
}

func TestATokenStaysRefusedForAsLongAsItLives(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, tokens.Terms{Access: time.Hour, Renewal: domain.Reusable})
	ok(t, w.RefuseToken(t.Context(), g.Access.Reveal()))
	w.waitUntil(g.Expires.Add(-time.Microsecond))
	_, err := w.Prune(t.Context())
	ok(t, err)
	wants(t, w.Service, g.Access, false)
	wants(t, w.replica(w.store, new(time.Duration), new(locksmith)), g.Access, false)
	w.clock.Advance(domain.ChangeRetention)
	_, err = w.Prune(t.Context())
	ok(t, err)
	kept, err := w.store.Bulletin().Posted(t.Context(), domain.TokenRefused, claims(t, g).TokenID)
	ok(t, err)
	if kept || w.News().Changes != 0 {
		t.Errorf("a token that expired long ago is remembered: on the bulletin %t, on the board %d", kept, w.News().Changes)
	}
}

func TestARefusalThatWasNotPostedDidNotHappen(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, longer)
	w.loses("atomically", false)
	is(t, w.RefuseToken(t.Context(), g.Access.Reveal()), domain.ErrUnavailable)
	wants(t, w.Service, g.Access, true)
}

func TestATokenBuysTheNextOfItsSession(t *testing.T) {
	w := newWorld(t)
	g := w.openOn(t, tokens.Terms{Access: 10 * time.Minute, Max: 25 * time.Minute, Renewal: domain.NoMore})
	before := w.stored(t, g.Session)
	last := g
	for _, c := range []struct{ after, want time.Duration }{
		{9 * time.Minute, 10 * time.Minute},
		{9 * time.Minute, 7 * time.Minute}, // with which its session ends
		{6 * time.Minute, time.Minute},
	} {
		w.clock.Advance(c.after)
		next, err := w.Reissue(t.Context(), w.in(t, last), 10*time.Minute)
		ok(t, err)
		said := claims(t, next)
		if next.Life != c.want || next.Session != g.Session || said.TokenID == claims(t, last).TokenID || next.Expires.After(g.Ends) || !said.SignedIn.Equal(claims(t, g).SignedIn) {
			t.Errorf("granted is %+v for %v, which says %+v, want %v", next, next.Life, said, c.want)
		}
		if next.Refresh != (domain.Secret{}) {
			t.Error("a refresh token came along")
		}
		wants(t, w.Service, next.Access, true)
		last = next
	}
	if diff := cmp.Diff(before, w.stored(t, g.Session)); diff != "" {
		t.Errorf("the session is another: %s", diff)
	}
	if n := len(w.sessions(t)); n != 1 {
		t.Errorf("there are %d sessions", n)
	}
	who := w.in(t, last)
	w.waitUntil(g.Ends)
	_, err := w.Reissue(t.Context(), who, 10*time.Minute)
	is(t, err, domain.ErrInvalidToken)
}

func TestWhoIsNotSignedInIsIssuedNothing(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	k, _ := w.key(t, domain.ReadRecords)
	who := w.in(t, g)
	ok(t, w.End(t.Context(), who, g.Session))
	for _, c := range []struct {
		who  domain.Asker
		want *domain.Error
	}{
		{domain.Asker{}, domain.ErrUnauthenticated},
		{domain.Asker{Account: w.ada.ID, Key: k.ID, Scopes: k.Scopes}, domain.ErrNotByKey},
		{who, domain.ErrInvalidToken},
	} {
		got, err := w.Reissue(t.Context(), c.who, time.Minute)
		is(t, err, c.want)
		if got != (domain.Grant{}) {
			t.Errorf("%+v came with the error", got)
		}
	}
}

func TestEachKindOfTokenIsForItsOwnUse(t *testing.T) {
	w := newWorld(t)
	lasts, rotates := w.openOn(t, longer), w.open(t)
	_, key := w.key(t, domain.ReadRecords)
	// One that rotates, for a session that does not: nobody issues it.
	stray := fake.RefreshIssuer{}.Issue(domain.RefreshToken{Session: lasts.Session})
	for _, c := range []struct {
		use    string
		takes  func(text string) error
		others map[string]string
	}{
		{"refresh", func(text string) error {
			_, err := w.Refresh(t.Context(), text)
			return err
		}, map[string]string{"a lasting token": lasts.Refresh.Reveal(), "a stray token": stray.Reveal(), "an access token": lasts.Access.Reveal()}},
		{"check", func(text string) error {
			_, err := w.Check(t.Context(), text, "")
			return err
		}, map[string]string{"a lasting token": lasts.Refresh.Reveal(), "a token that rotates": rotates.Refresh.Reveal()}},
		{"reuse", func(text string) error {
			_, err := w.Reuse(t.Context(), text, longer.Access)
			return err
		}, map[string]string{"a token that rotates": rotates.Refresh.Reveal(), "an access token": lasts.Access.Reveal(), "an access key": key, "nothing": ""}},
		{
			"end", func(text string) error { return w.EndLasting(t.Context(), text, longer.Access) },
			map[string]string{"a token that rotates": rotates.Refresh.Reveal(), "an access token": lasts.Access.Reveal(), "an access key": key, "nothing": ""},
		},
		{
			"refuse", func(text string) error { return w.RefuseToken(t.Context(), text) },
			map[string]string{"a token that rotates": rotates.Refresh.Reveal(), "a lasting token": lasts.Refresh.Reveal(), "an access key": key, "nothing": ""},
		},
	} {
		for name, text := range c.others {
			t.Run(c.use+" does not take "+name, func(t *testing.T) { is(t, c.takes(text), domain.ErrInvalidToken) })
		}
	}
	for name, text := range map[string]string{"a lasting token": lasts.Refresh.Reveal(), "a stray token": stray.Reveal()} {
		i, err := w.Introspect(t.Context(), gateway, text)
		ok(t, err)
		if diff := cmp.Diff(tokens.Introspection{}, i); diff != "" {
			t.Errorf("%s is worth something: %s", name, diff)
		}
	}
	w.reuse(t, lasts.Refresh)
	wants(t, w.Service, lasts.Access, true)
	_, err := w.Refresh(t.Context(), rotates.Refresh.Reveal())
	ok(t, err)
}

// What lasts can be given up by whoever bears it, as any refresh token (RFC 7009).
func TestALastingTokenIsRevokedWithItsSession(t *testing.T) {
	w := newWorld(t)
	g, err := w.OpenOn(t.Context(), w.ada.ID, 1, domain.Client{}, tokens.Terms{Renewal: domain.Reusable})
	ok(t, err)
	ok(t, w.Revoke(t.Context(), g.Refresh.Reveal()))
	ok(t, w.Revoke(t.Context(), g.Refresh.Reveal()))
	_, err = w.Reuse(t.Context(), g.Refresh.Reveal(), accessTTL)
	is(t, err, domain.ErrInvalidToken)
	_, err = w.Check(t.Context(), g.Access.Reveal(), "")
	is(t, err, domain.ErrInvalidToken)
}
