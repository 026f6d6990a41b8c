package porttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var sessions = []clause[ports.Store]{
	{
		"a session is read as it was opened",
		"Sessions keeps the sessions that have not ended.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one, two := session(1, ada), session(2, ada)
			two.Counter, two.Device, two.Used = 1<<40, "", noon.Add(time.Microsecond)
			two.Seen, two.Address = noon.Add(2*time.Microsecond), longAddress
			two.Renewal = domain.Reusable
			three := session(3, ada)
			three.Address, three.Used, three.Renewal = "", two.Used, domain.NoMore
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				opened(s.Sessions().Open(ctx, one, 1)),
				opened(s.Sessions().Open(ctx, two, 1)),
				opened(s.Sessions().Open(ctx, three, 1)),
				reads([]domain.Session{one, two, three})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				reads(two)(s.Sessions().ByID(ctx, two.ID, noon)),
			)
		},
	},
	{
		"an ended session is gone",
		"An ended one is as if it had never been.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada), session(2, ada)),
				s.Sessions().End(ctx, ada.ID, sessionID(1)),
				is(s.Sessions().End(ctx, ada.ID, sessionID(1)), domain.ErrSessionNotFound),
				fails[domain.Authority](domain.ErrSessionNotFound)(s.Sessions().Authority(ctx, sessionID(1), noon)),
				reads(domain.Refreshed{})(s.Sessions().Refresh(ctx, refreshToken(1, 0), noon, policy)),
				reads([]domain.Session{session(2, ada)})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				ended(sessionID(2))(s.Sessions().EndAll(ctx, ada.ID, "")),
			)
		},
	},
	{
		"a session is opened for who proved the password",
		"Open stores a new session if its account is active and the revision of the account's credential is the given one, and returns the account's authority.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Update(ctx, ada), // a revision of the account is none of its credential
				reads(authority(ada))(s.Sessions().Open(ctx, session(1, ada), 1)),
				s.Accounts().SetCredential(ctx, credential(ada, 2, 1), noon),
				reads(authority(ada))(s.Sessions().Open(ctx, session(2, ada), 2)),
				reads([]domain.Session{session(1, ada), session(2, ada)})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
			)
		},
	},
	{
		"a session is not opened for anybody else",
		"Otherwise it fails with domain.ErrCredentialChanged and stores nothing.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			bob.Status = domain.Suspended
			refused := fails[domain.Authority](domain.ErrCredentialChanged)
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Accounts().SetCredential(ctx, credential(ada, 2, 1), noon),
				refused(s.Sessions().Open(ctx, session(1, ada), 1)),
				refused(s.Sessions().Open(ctx, session(1, ada), 3)),
				refused(s.Sessions().Open(ctx, session(2, bob), 1)),
				refused(s.Sessions().Open(ctx, session(3, account(3)), 1)),
				reads([]domain.Session(nil))(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				reads([]domain.Session(nil))(s.Sessions().List(ctx, bob.ID, noon, "", 9)),
				opened(s.Sessions().Open(ctx, session(1, ada), 2)),
			)
		},
	},
	{
		"a sign-in with an old password does not survive its change",
		"It waits for a change of the account that is under way, so that a sign-in that verified an old password does not survive the change.",
		func(ctx context.Context, s ports.Store) error {
			return interleaved(ctx, s, func(tx ports.Repositories, a domain.Account) error {
				return tx.Accounts().SetCredential(ctx, credential(a, 2, 1), noon)
			})
		},
	},
	{
		"a sign-in does not survive a suspension",
		"It waits for a change of the account that is under way",
		func(ctx context.Context, s ports.Store) error {
			return interleaved(ctx, s, func(tx ports.Repositories, a domain.Account) error {
				a.Status = domain.Suspended
				return tx.Accounts().Update(ctx, a)
			})
		},
	},
	{
		"a session is renewed no more",
		"StopRenewal makes the renewal of a session of the account NoMore, and its end no later than ends, or fails with domain.ErrSessionNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			one, two := renewedBy(session(1, ada), domain.Reusable), session(2, ada)
			three, four := renewedBy(session(3, ada), domain.Reusable), renewedBy(session(4, ada), domain.Reusable)
			sooner, latest := noon.Add(time.Hour+time.Microsecond), one.Ends.Add(time.Microsecond)
			stopped := renewedBy(one, domain.NoMore)
			stopped.Ends = sooner
			again := stopped
			again.Ends = sooner.Add(-time.Microsecond)
			return errors.Join(
				signedIn(ctx, s, ada, one, two, three, four),
				signedIn(ctx, s, bob),
				is(s.Sessions().StopRenewal(ctx, bob.ID, one.ID, sooner), domain.ErrSessionNotFound),
				is(s.Sessions().StopRenewal(ctx, ada.ID, sessionID(5), sooner), domain.ErrSessionNotFound),
				s.Sessions().End(ctx, ada.ID, four.ID),
				is(s.Sessions().StopRenewal(ctx, ada.ID, four.ID, sooner), domain.ErrSessionNotFound),
				reads([]domain.Session{one, two, three})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				s.Sessions().StopRenewal(ctx, ada.ID, one.ID, sooner),
				s.Sessions().StopRenewal(ctx, ada.ID, two.ID, latest),
				reads([]domain.Session{stopped, renewedBy(two, domain.NoMore), three})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				s.Sessions().StopRenewal(ctx, ada.ID, one.ID, latest),
				reads(stopped)(s.Sessions().ByID(ctx, one.ID, noon)),
				s.Sessions().StopRenewal(ctx, ada.ID, one.ID, again.Ends),
				reads(again)(s.Sessions().ByID(ctx, one.ID, noon)),
				reads(domain.Refreshed{})(s.Sessions().Refresh(ctx, refreshToken(2, 0), noon, policy)),
				hears()(s.Bulletin().News(ctx, "")),
			)
		},
	},
	{
		"a session that is renewed no more goes on",
		"The session goes on until then.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one, ends := renewedBy(session(1, ada), domain.Reusable), noon.Add(time.Hour)
			stopped := renewedBy(one, domain.NoMore)
			stopped.Ends = ends
			seen := stopped
			seen.Seen, seen.Address = noon.Add(domain.SightingInterval), longAddress
			return errors.Join(
				signedIn(ctx, s, ada, one),
				s.Sessions().StopRenewal(ctx, ada.ID, one.ID, ends),
				reads(authority(ada))(s.Sessions().Authority(ctx, one.ID, ends.Add(-time.Microsecond))),
				reads(stopped)(s.Sessions().ByID(ctx, one.ID, ends.Add(-time.Microsecond))),
				s.Sessions().Saw(ctx, []domain.Sighting[domain.SessionID]{sighting(one.ID, seen.Seen, seen.Address)}),
				reads([]domain.Session{seen})(s.Sessions().List(ctx, ada.ID, ends.Add(-time.Microsecond), "", 9)),
				fails[domain.Authority](domain.ErrSessionNotFound)(s.Sessions().Authority(ctx, one.ID, ends)),
				reads([]domain.Session(nil))(s.Sessions().List(ctx, ada.ID, ends, "", 9)),
				reads(1)(s.Sessions().Prune(ctx, ends.Add(time.Microsecond), 9)),
			)
		},
	},
	{
		"a refresh token is judged as the domain judges it",
		"Refresh judges the token as Session.Refresh does and writes what follows, in one step: Rotated raises the counter and sets the time of use, Reused ends the session, the others change nothing.",
		judged,
	},
	{
		"an ending is news",
		"An ending is posted on the bulletin in the same step.",
		func(ctx context.Context, s ports.Store) error {
			ada, later := account(1, "ada"), noon.Add(time.Hour)
			gone := revised(ada, 1)
			gone.Status = domain.Suspended
			comesTo := func(v domain.Verdict, r ports.Repositories, t domain.RefreshToken, now time.Time) error {
				got, err := r.Sessions().Refresh(ctx, t, now, policy)
				return errors.Join(err, same(got.Verdict, v))
			}
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada), session(2, ada), session(3, ada)),
				comesTo(domain.Rotated, s, refreshToken(1, 0), noon),
				comesTo(domain.Repeated, s, refreshToken(1, 0), noon.Add(time.Second)),
				comesTo(domain.Refused, s, refreshToken(4, 0), noon),
				comesTo(domain.Refused, s, refreshToken(2, 9), session(2, ada).Ends),
				hears()(s.Bulletin().News(ctx, "")),
				comesTo(domain.Reused, s, refreshToken(1, 0), later),
				comesTo(domain.Refused, s, refreshToken(1, 0), later.Add(time.Second)),
				hears(ending(1, later))(s.Bulletin().News(ctx, "")),
				s.Atomically(ctx, func(tx ports.Repositories) error {
					return comesTo(domain.Reused, tx, refreshToken(2, 9), later.Add(time.Minute))
				}),
				s.Accounts().Update(ctx, gone),
				comesTo(domain.Refused, s, refreshToken(3, 9), later),
				hears(ending(1, later), ending(2, later.Add(time.Minute)))(s.Bulletin().News(ctx, "")),
			)
		},
	},
	{
		"there is no ending without its news",
		"An ending is posted on the bulletin in the same step.",
		endings,
	},
	{
		"a refresh token of no session",
		"A session that has ended, or whose account is suspended, is Refused.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			gone, restored := ada, ada
			gone.Status = domain.Suspended
			restored.Revision = 2
			rotated := session(1, ada)
			rotated.Counter, rotated.Used = 1, noon.Add(time.Hour)
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada)),
				reads(domain.Refreshed{})(s.Sessions().Refresh(ctx, refreshToken(2, 0), noon, policy)),
				s.Accounts().Update(ctx, gone),
				reads(domain.Refreshed{})(s.Sessions().Refresh(ctx, refreshToken(1, 0), noon, policy)),
				reads(domain.Refreshed{})(s.Sessions().Refresh(ctx, refreshToken(1, 5), noon, policy)), // which ends nothing
				s.Accounts().Update(ctx, restored),
				reads(domain.Refreshed{Verdict: domain.Rotated, Session: rotated, Authority: authority(ada)})(
					s.Sessions().Refresh(ctx, refreshToken(1, 0), rotated.Used, policy)),
			)
		},
	},
	{
		"a refresh token is rotated once, and repeated within the grace",
		"Of any number of calls that present the current counter exactly one is Rotated.",
		func(ctx context.Context, s ports.Store) error { return rotations(ctx, s, policy, domain.Repeated) },
	},
	{
		"a refresh token is rotated once, and without a grace the session ends",
		"Of any number of calls that present the current counter exactly one is Rotated.",
		func(ctx context.Context, s ports.Store) error {
			strict := policy
			strict.Grace = 0
			// One loser ends the session; for those after it there is none.
			return rotations(ctx, s, strict, domain.Reused, domain.Refused)
		},
	},
	{
		"a verdict is no error",
		"A verdict is no error, so that what it wrote stays.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			reused := domain.Refreshed{Verdict: domain.Reused}
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada), session(2, ada)),
				reads(reused)(s.Sessions().Refresh(ctx, refreshToken(1, 1), noon, policy)),
				s.Atomically(ctx, func(tx ports.Repositories) error {
					return reads(reused)(tx.Sessions().Refresh(ctx, refreshToken(2, 1), noon, policy))
				}),
				reads([]domain.Session(nil))(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
			)
		},
	},
	{
		"a session tells what its account may do at the moment",
		"Authority returns what the account of a session may do at the moment.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			bob.Roles, bob.Authority = nil, 1
			now := ada
			now.Roles, now.Authority = []domain.Role{"author"}, 8
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada)),
				signedIn(ctx, s, bob, session(2, bob)),
				reads(authority(ada))(s.Sessions().Authority(ctx, sessionID(1), noon)),
				reads(authority(bob))(s.Sessions().Authority(ctx, sessionID(2), noon)),
				s.Accounts().Update(ctx, now),
				reads(authority(now))(s.Sessions().Authority(ctx, sessionID(1), noon)),
			)
		},
	},
	{
		"a session without authority",
		"It fails with domain.ErrSessionNotFound if the session has ended, was due to end at now or before, or its account is suspended.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one := session(1, ada)
			gone := ada
			gone.Status = domain.Suspended
			absent := fails[domain.Authority](domain.ErrSessionNotFound)
			return errors.Join(
				signedIn(ctx, s, ada, one),
				absent(s.Sessions().Authority(ctx, sessionID(2), noon)),
				reads(authority(ada))(s.Sessions().Authority(ctx, one.ID, one.Ends.Add(-time.Microsecond))),
				absent(s.Sessions().Authority(ctx, one.ID, one.Ends)),
				absent(s.Sessions().Authority(ctx, one.ID, one.Ends.Add(time.Microsecond))),
				s.Accounts().Update(ctx, gone),
				absent(s.Sessions().Authority(ctx, one.ID, noon)),
			)
		},
	},
	{
		"a session is found by its id",
		"ByID returns a session that Authority knows, and fails with domain.ErrSessionNotFound for any other.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			one, two := session(1, ada), session(2, bob)
			two.Counter, two.Device = 7, ""
			gone := ada
			gone.Status = domain.Suspended
			absent := fails[domain.Session](domain.ErrSessionNotFound)
			return errors.Join(
				signedIn(ctx, s, ada, one),
				signedIn(ctx, s, bob, two),
				reads(one)(s.Sessions().ByID(ctx, one.ID, noon)),
				reads(two)(s.Sessions().ByID(ctx, two.ID, two.Ends.Add(-time.Microsecond))),
				absent(s.Sessions().ByID(ctx, two.ID, two.Ends)),
				absent(s.Sessions().ByID(ctx, sessionID(3), noon)),
				s.Accounts().Update(ctx, gone),
				absent(s.Sessions().ByID(ctx, one.ID, noon)),
				s.Sessions().End(ctx, bob.ID, two.ID),
				absent(s.Sessions().ByID(ctx, two.ID, noon)),
			)
		},
	},
	{
		"sessions are listed by id",
		"List returns at most limit sessions of an account ordered by id, beginning after the given one; \"\" is before the first.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			all := make([]domain.Session, 5)
			if err := errors.Join(signedIn(ctx, s, ada), signedIn(ctx, s, bob, session(5, bob))); err != nil {
				return err
			}
			for _, i := range []int{3, 0, 4, 1, 2} {
				all[i] = session(2*i, ada)
				all[i].Used = noon.Add(time.Duration(9-i) * time.Hour)
				if err := opened(s.Sessions().Open(ctx, all[i], 1)); err != nil {
					return err
				}
			}
			return errors.Join(
				reads(all[:3])(s.Sessions().List(ctx, ada.ID, noon, "", 3)),
				reads(all[3:])(s.Sessions().List(ctx, ada.ID, noon, all[2].ID, 3)),
				reads(all[2:4])(s.Sessions().List(ctx, ada.ID, noon, sessionID(3), 2)), // an id that is not there
				reads([]domain.Session(nil))(s.Sessions().List(ctx, ada.ID, noon, all[4].ID, 3)),
				reads([]domain.Session(nil))(s.Sessions().List(ctx, accountID(3), noon, "", 3)),
				reads([]domain.Session{session(5, bob)})(s.Sessions().List(ctx, bob.ID, noon, "", 3)),
			)
		},
	},
	{
		"sessions that are over are not listed",
		"Those that were due to end at now or before are left out.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one, two := session(1, ada), session(2, ada)
			one.Ends = two.Ends.Add(-time.Microsecond)
			return errors.Join(
				signedIn(ctx, s, ada, one, two),
				reads([]domain.Session{one, two})(s.Sessions().List(ctx, ada.ID, one.Ends.Add(-time.Microsecond), "", 9)),
				reads([]domain.Session{two})(s.Sessions().List(ctx, ada.ID, one.Ends, "", 1)),
				reads([]domain.Session(nil))(s.Sessions().List(ctx, ada.ID, two.Ends, "", 9)),
			)
		},
	},
	{
		"a session is ended by its account",
		"End ends a session of the account, or fails with domain.ErrSessionNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada), session(2, ada)),
				signedIn(ctx, s, bob),
				is(s.Sessions().End(ctx, bob.ID, sessionID(1)), domain.ErrSessionNotFound),
				is(s.Sessions().End(ctx, ada.ID, sessionID(3)), domain.ErrSessionNotFound),
				s.Sessions().End(ctx, ada.ID, sessionID(2)),
				reads([]domain.Session{session(1, ada)})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
			)
		},
	},
	{
		"all sessions of an account are ended but one",
		"EndAll ends the account's sessions but one, and says which; except may be \"\".",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada), session(2, ada), session(3, ada)),
				signedIn(ctx, s, bob, session(4, bob)),
				ended(sessionID(1), sessionID(3))(s.Sessions().EndAll(ctx, ada.ID, sessionID(2))),
				reads([]domain.Session{session(2, ada)})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				ended(sessionID(2))(s.Sessions().EndAll(ctx, ada.ID, sessionID(4))), // which is another's
				ended()(s.Sessions().EndAll(ctx, ada.ID, "")),
				reads([]domain.Session{session(4, bob)})(s.Sessions().List(ctx, bob.ID, noon, "", 9)),
				ended(sessionID(4))(s.Sessions().EndAll(ctx, bob.ID, "")),
			)
		},
	},
	{
		"it is noted when a session was used",
		"Saw notes when sessions were used, and from where.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one, three := session(1, ada), session(3, ada)
			one.Seen, one.Address = noon.Add(domain.SightingInterval), longAddress
			three.Seen, three.Address = noon.Add(time.Hour), ""
			rotated := three
			rotated.Counter, rotated.Used = 1, noon.Add(2*time.Hour)
			last := []domain.Session{one, session(2, ada), rotated}
			for i := range last {
				last[i].Seen, last[i].Address = noon.Add(contenders*domain.SightingInterval+time.Hour), fmt.Sprintf("192.0.2.%d", contenders-1)
			}
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada), session(2, ada), session(3, ada)),
				s.Sessions().Saw(ctx, nil),
				s.Sessions().Saw(ctx, []domain.Sighting[domain.SessionID]{sighting(one.ID, one.Seen, one.Address), sighting(three.ID, three.Seen, three.Address)}),
				reads([]domain.Session{one, session(2, ada), three})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				reads(domain.Refreshed{Verdict: domain.Rotated, Session: rotated, Authority: authority(ada)})(
					s.Sessions().Refresh(ctx, refreshToken(3, 0), rotated.Used, policy)),
				crowded(func(sightings []domain.Sighting[domain.SessionID]) error { return s.Sessions().Saw(ctx, sightings) },
					one.ID, sessionID(2), three.ID),
				reads(last)(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
			)
		},
	},
	{
		"what is no news of a session is passed over",
		"One that has ended is passed over, and so is a sighting that is less than domain.SightingInterval after the one that is stored.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one, two := session(1, ada), session(2, ada)
			saw := func(id domain.SessionID, after time.Duration) error {
				// The other is seen in the same call, and not passed over.
				two.Seen, two.Address = two.Seen.Add(time.Hour), two.Address+"0"
				return errors.Join(
					s.Sessions().Saw(ctx, []domain.Sighting[domain.SessionID]{sighting(id, noon.Add(after), "192.0.2.9"), sighting(two.ID, two.Seen, two.Address)}),
					reads([]domain.Session{one, two})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				)
			}
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada), session(2, ada), session(3, ada)),
				s.Sessions().End(ctx, ada.ID, sessionID(3)),
				saw(sessionID(3), time.Hour),
				saw(sessionID(4), time.Hour),
				saw(one.ID, domain.SightingInterval-time.Microsecond),
				saw(one.ID, time.Microsecond),
				saw(one.ID, 0),
				saw(one.ID, -time.Hour),
			)
		},
	},
	{
		"sessions that are over are forgotten",
		"Prune forgets at most limit sessions that were due to end before t, and says how many.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one, two, three := session(1, ada), session(2, ada), session(3, ada)
			one.Ends, two.Ends, three.Ends = noon.Add(time.Minute), noon.Add(time.Minute), noon.Add(time.Minute+time.Microsecond)
			return errors.Join(
				signedIn(ctx, s, ada, one, two, three),
				reads(0)(s.Sessions().Prune(ctx, one.Ends, 9)),
				reads([]domain.Session{one, two, three})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				reads(1)(s.Sessions().Prune(ctx, three.Ends, 1)),
				reads(1)(s.Sessions().Prune(ctx, three.Ends, 9)),
				reads([]domain.Session{three})(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
			)
		},
	},
}

func refreshToken(n int, c domain.Counter) domain.RefreshToken {
	return domain.RefreshToken{Session: sessionID(n), Counter: c}
}

// signedIn adds an account and opens its sessions.
func signedIn(ctx context.Context, s ports.Store, a domain.Account, list ...domain.Session) error {
	err := s.Accounts().Add(ctx, a, hash(1))
	for _, n := range list {
		err = errors.Join(err, opened(s.Sessions().Open(ctx, n, 1)))
	}
	return err
}

// judged puts sessions in every state that tells verdicts apart, at the instants
// next to each bound, and compares the store with Session.Refresh.
func judged(ctx context.Context, s ports.Store) error {
	ada := account(1, "ada")
	if err := s.Accounts().Add(ctx, ada, hash(1)); err != nil {
		return err
	}
	p := domain.SessionPolicy{Idle: time.Hour, Max: 3 * time.Hour, Grace: time.Minute}
	strict := p
	strict.Grace = 0
	n := 0
	for _, p := range []domain.SessionPolicy{p, strict} {
		for _, after := range []time.Duration{
			0, time.Microsecond, time.Minute - time.Microsecond, time.Minute, time.Minute + time.Microsecond,
			time.Hour - time.Microsecond, time.Hour, time.Hour + time.Microsecond, -time.Second,
			3*time.Hour - time.Microsecond, 3 * time.Hour, 4 * time.Hour,
		} {
			for presented := range domain.Counter(5) {
				n++
				was := session(n, ada)
				was.Counter, was.Ends = 3, noon.Add(p.Max)
				if after >= 3*time.Hour-time.Microsecond {
					was.Used = noon.Add(p.Max - time.Minute) // so that only Ends is in question
				}
				now := noon.Add(after)
				if err := judgedOnce(ctx, s, ada, was, refreshToken(n, presented), now, p); err != nil {
					return fmt.Errorf("counter %d presented %v after, grace %v, of %s: %w", presented, after, p.Grace, spell(was), err)
				}
			}
		}
	}
	for _, renewal := range []domain.Renewal{domain.Reusable, domain.NoMore} {
		for presented := range domain.Counter(5) {
			n++
			was := renewedBy(session(n, ada), renewal)
			was.Counter = 3
			if err := judgedOnce(ctx, s, ada, was, refreshToken(n, presented), noon.Add(time.Second), p); err != nil {
				return fmt.Errorf("counter %d presented of %s: %w", presented, spell(was), err)
			}
		}
	}
	return nil
}

func judgedOnce(ctx context.Context, s ports.Store, a domain.Account, was domain.Session, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) error {
	is, verdict := was.Refresh(t.Counter, now, p)
	want := domain.Refreshed{Verdict: verdict, Session: is, Authority: authority(a)}
	left, ids := []domain.Session{is}, []domain.SessionID{is.ID}
	if verdict == domain.Reused {
		left, ids = nil, nil
	}
	return errors.Join(
		opened(s.Sessions().Open(ctx, was, 1)),
		reads(want)(s.Sessions().Refresh(ctx, t, now, p)),
		reads(left)(s.Sessions().List(ctx, a.ID, noon, "", 9)),
		ended(ids...)(s.Sessions().EndAll(ctx, a.ID, "")),
	)
}

// endings ends sessions by reuse, some of them in transactions that fail, while
// others look whether ever one is gone and not news, or news and not gone.
func endings(ctx context.Context, s ports.Store) error {
	ada, boom := account(1, "ada"), errors.New("boom")
	var kept []domain.Session
	var news []domain.Change
	if err := signedIn(ctx, s, ada); err != nil {
		return err
	}
	for i := range contenders {
		if err := opened(s.Sessions().Open(ctx, session(i, ada), 1)); err != nil {
			return err
		}
		if i%2 == 0 || i%8 == 7 {
			kept = append(kept, session(i, ada))
		} else {
			news = append(news, ending(i, noon))
		}
	}
	errs := race(func(i int) error {
		end := func(r ports.Repositories) error {
			return reads(domain.Refreshed{Verdict: domain.Reused})(r.Sessions().Refresh(ctx, refreshToken(i, 9), noon, policy))
		}
		switch {
		case i%8 == 7:
			if err := s.Atomically(ctx, func(tx ports.Repositories) error { return cmp.Or(end(tx), boom) }); !errors.Is(err, boom) {
				return fmt.Errorf("Atomically did not return the error of f: %w", err)
			}
			return nil
		case i%2 == 1:
			return end(s)
		}
		for range 4 {
			if err := gone(ctx, s, ada); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(
		errors.Join(errs...),
		reads(kept)(s.Sessions().List(ctx, ada.ID, noon, "", contenders)),
		hears(news...)(s.Bulletin().News(ctx, "")),
	)
}

// gone fails if one of the account's sessions, of which there were as many as
// contenders, has ended and is not news, or is news and has not ended.
func gone(ctx context.Context, s ports.Store, a domain.Account) error {
	before, _, err := s.Bulletin().News(ctx, "")
	left, err2 := s.Sessions().List(ctx, a.ID, noon, "", contenders)
	after, _, err3 := s.Bulletin().News(ctx, "")
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	for i := range contenders {
		id, end := sessionID(i), ending(i, noon)
		lives := slices.ContainsFunc(left, func(s domain.Session) bool { return s.ID == id })
		if lives && slices.Contains(before, end) {
			return fmt.Errorf("the end of session %d is news, and it lives", i)
		}
		if !lives && !slices.Contains(after, end) {
			return fmt.Errorf("session %d has ended, and that is no news", i)
		}
	}
	return nil
}

// ended takes what EndAll returned and fails unless it is want, in any order.
func ended(want ...domain.SessionID) func([]domain.SessionID, error) error {
	return func(got []domain.SessionID, err error) error {
		if err != nil {
			return err
		}
		return same(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
	}
}

// rotations races calls that present the current counter. One is Rotated, the
// others get one of the given verdicts; the first of those at least once.
func rotations(ctx context.Context, s ports.Store, p domain.SessionPolicy, losers ...domain.Verdict) error {
	ada := account(1, "ada")
	if err := signedIn(ctx, s, ada, session(1, ada)); err != nil {
		return err
	}
	now := noon.Add(time.Hour)
	next := session(1, ada)
	next.Counter, next.Used = 1, now
	var mu sync.Mutex
	count := make(map[domain.Verdict]int)
	errs := race(func(int) error {
		got, err := s.Sessions().Refresh(ctx, refreshToken(1, 0), now, p)
		mu.Lock()
		defer mu.Unlock()
		count[got.Verdict]++
		if err == nil && (got.Verdict == domain.Rotated || got.Verdict == domain.Repeated) {
			err = same(got, domain.Refreshed{Verdict: got.Verdict, Session: next, Authority: authority(ada)})
		}
		return err
	})
	lost := 0
	for _, v := range losers {
		lost += count[v]
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if count[domain.Rotated] != 1 || lost != contenders-1 || count[losers[0]] == 0 {
		return fmt.Errorf("of %d calls the verdicts were %v, want one Rotated and the others of %v", contenders, count, losers)
	}
	return nil
}

// interleaved opens a session for the old credential while a transaction makes
// change, which bars it, and then ends all sessions. Whichever comes first, none
// is left.
func interleaved(ctx context.Context, s ports.Store, change func(ports.Repositories, domain.Account) error) error {
	for n := range 16 {
		a := account(n, fmt.Sprintf("user %d", n))
		if err := s.Accounts().Add(ctx, a, hash(n)); err != nil {
			return err
		}
		var signIn sync.WaitGroup
		var once sync.Once
		var open error
		begin := func() {
			once.Do(func() { signIn.Go(func() { open = opened(s.Sessions().Open(ctx, session(n, a), 1)) }) })
		}
		if n%2 == 0 {
			begin()
		}
		err := s.Atomically(ctx, func(tx ports.Repositories) error {
			if err := change(tx, a); err != nil {
				return err
			}
			begin()
			for range n { // gives Open a while to run into the transaction
				if _, err := tx.Accounts().ByID(ctx, a.ID); err != nil {
					return err
				}
			}
			_, err := tx.Sessions().EndAll(ctx, a.ID, "")
			return err
		})
		signIn.Wait()
		if open != nil {
			err = errors.Join(err, is(open, domain.ErrCredentialChanged))
		}
		if err = errors.Join(err, reads([]domain.Session(nil))(s.Sessions().List(ctx, a.ID, noon, "", 9))); err != nil {
			return fmt.Errorf("round %d: %w", n, err)
		}
	}
	return nil
}
