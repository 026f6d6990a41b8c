package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var accessKeys = []clause[ports.Store]{
	{
		"an access key is read as it was added",
		"AccessKeys keeps the access keys that have not been ended.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one, two := accessKey(1, ada), accessKey(2, ada)
			one.Name, one.Scopes = "A’\"\\%_ "+strings.Repeat("é", domain.MaxName-8), domain.Scopes()
			for i := range one.Digest {
				one.Digest[i] = byte(255 - i)
			}
			two.Scopes, two.Expires = []domain.Scope{domain.Administer}, noon.Add(time.Hour)
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada)),
				s.AccessKeys().Add(ctx, one, sessionID(1)),
				s.AccessKeys().Add(ctx, two, sessionID(1)),
				bears(one, ada)(s.AccessKeys().ByID(ctx, one.ID, noon)),
				bears(two, ada)(s.AccessKeys().ByID(ctx, two.ID, noon)),
				reads([]domain.AccessKey{one, two})(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
			)
		},
	},
	{
		"an ended access key is gone",
		"An ended one is as if it had never been.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			return errors.Join(
				keyed(ctx, s, ada, accessKey(1, ada), accessKey(2, ada)),
				s.AccessKeys().End(ctx, ada.ID, accessKeyID(1)),
				is(s.AccessKeys().End(ctx, ada.ID, accessKeyID(1)), domain.ErrAccessKeyNotFound),
				bearsNothing(s.AccessKeys().ByID(ctx, accessKeyID(1), noon)),
				reads([]domain.AccessKey{accessKey(2, ada)})(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				reads(1)(s.AccessKeys().EndAll(ctx, ada.ID)),
				reads(0)(s.AccessKeys().Prune(ctx, noon.AddDate(9, 0, 0), 9)),
			)
		},
	},
	{
		"an access key is added by who is signed in",
		"Add stores a new key for the account of a session that is live at k.Created: one that Sessions.Authority knows.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			late := accessKey(2, ada)
			late.Created = session(1, ada).Ends.Add(-time.Microsecond)
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada), session(2, ada)),
				signedIn(ctx, s, bob, session(3, bob)),
				s.Accounts().SetCredential(ctx, credential(ada, 2, 1), ada.Changed), // which leaves the session that asked
				s.AccessKeys().Add(ctx, accessKey(1, ada), sessionID(2)),
				s.AccessKeys().Add(ctx, late, sessionID(1)),
				s.AccessKeys().Add(ctx, accessKey(3, bob), sessionID(3)),
				reads([]domain.AccessKey{accessKey(1, ada), late})(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				s.Sessions().End(ctx, ada.ID, sessionID(1)), // which a key outlives
				reads([]domain.AccessKey{accessKey(1, ada), late})(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				reads([]domain.AccessKey{accessKey(3, bob)})(s.AccessKeys().List(ctx, bob.ID, noon, "", 9)),
			)
		},
	},
	{
		"an access key is added by nobody else",
		"Otherwise it fails with domain.ErrSessionNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			gone := bob
			gone.Status = domain.Suspended
			late, later := accessKey(1, ada), accessKey(1, ada)
			late.Created = session(1, ada).Ends
			later.Created = late.Created.Add(time.Microsecond)
			refused := func(k domain.AccessKey, session domain.SessionID) error {
				return is(s.AccessKeys().Add(ctx, k, session), domain.ErrSessionNotFound)
			}
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada), session(2, ada)),
				signedIn(ctx, s, bob, session(3, bob)),
				s.Sessions().End(ctx, ada.ID, sessionID(2)),
				refused(late, sessionID(1)),
				refused(later, sessionID(1)),
				refused(accessKey(1, ada), sessionID(2)),
				refused(accessKey(1, ada), sessionID(3)), // which is another's
				refused(accessKey(1, ada), sessionID(4)),
				refused(accessKey(1, account(3)), sessionID(1)),
				s.Accounts().Update(ctx, gone),
				refused(accessKey(1, bob), sessionID(3)),
				s.AccessKeys().Add(ctx, accessKey(1, ada), sessionID(1)),
			)
		},
	},
	{
		"who is being signed out makes no access key",
		"It waits for a change of the account or an end of the session that is under way, so that whoever holds a revoked access token cannot make a key with it.",
		func(ctx context.Context, s ports.Store) error {
			return keysInterleaved(ctx, s,
				func(tx ports.Repositories, a domain.Account, id domain.SessionID) error {
					return tx.Sessions().End(ctx, a.ID, id)
				},
				func(tx ports.Repositories, a domain.Account, _ domain.SessionID) error {
					_, err := tx.Sessions().EndAll(ctx, a.ID, "")
					return err
				},
				func(tx ports.Repositories, _ domain.Account, id domain.SessionID) error {
					return reads(domain.Refreshed{Verdict: domain.Reused})(
						tx.Sessions().Refresh(ctx, domain.RefreshToken{Session: id, Counter: 9}, noon, policy))
				},
			)
		},
	},
	{
		"who is being suspended or removed makes no access key",
		"It waits for a change of the account or an end of the session that is under way",
		func(ctx context.Context, s ports.Store) error {
			return keysInterleaved(ctx, s,
				func(tx ports.Repositories, a domain.Account, _ domain.SessionID) error {
					a.Status = domain.Suspended
					return tx.Accounts().Update(ctx, a)
				},
				func(tx ports.Repositories, a domain.Account, _ domain.SessionID) error {
					return tx.Accounts().Remove(ctx, a.ID, 0)
				},
			)
		},
	},
	{
		"an account has so many access keys and no more",
		"It fails with domain.ErrTooManyAccessKeys if the account has domain.MaxAccessKeys keys already that are live at k.Created",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			add := func(k domain.AccessKey) error { return s.AccessKeys().Add(ctx, k, sessionID(1)) }
			next := func(n int, created time.Time) domain.AccessKey {
				k := accessKey(n, ada)
				k.Created = created
				return k
			}
			brief := accessKey(1, ada)
			brief.Expires = noon.Add(time.Hour)
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada)),
				signedIn(ctx, s, bob, session(2, bob)),
				add(brief),
				s.AccessKeys().Add(ctx, accessKey(1000, bob), sessionID(2)),
				filled(ctx, s, ada, 2, domain.MaxAccessKeys),
				is(add(next(201, noon)), domain.ErrTooManyAccessKeys),
				is(add(next(201, brief.Expires.Add(-time.Microsecond))), domain.ErrTooManyAccessKeys),
				is(s.AccessKeys().Add(ctx, accessKey(201, ada), sessionID(3)), domain.ErrSessionNotFound),
				s.AccessKeys().Add(ctx, accessKey(1001, bob), sessionID(2)),
				add(next(202, brief.Expires)), // at which the brief one is none any more
				is(add(next(203, brief.Expires)), domain.ErrTooManyAccessKeys),
				s.AccessKeys().End(ctx, ada.ID, accessKeyID(50)),
				add(next(204, brief.Expires)),
				is(add(next(205, brief.Expires)), domain.ErrTooManyAccessKeys),
			)
		},
	},
	{
		"however many access keys are added at once, there are no more than there may be",
		"It fails with domain.ErrTooManyAccessKeys if the account has domain.MaxAccessKeys keys already that are live at k.Created, however many calls come at once.",
		func(ctx context.Context, s ports.Store) error {
			const places = 5
			ada := account(1, "ada")
			if err := errors.Join(signedIn(ctx, s, ada, session(1, ada), session(2, ada)), filled(ctx, s, ada, 1, domain.MaxAccessKeys-places)); err != nil {
				return err
			}
			added := 0
			for _, err := range race(func(i int) error {
				return s.AccessKeys().Add(ctx, accessKey(200+i, ada), sessionID(1+i%2))
			}) {
				if err == nil {
					added++
				} else if err := is(err, domain.ErrTooManyAccessKeys); err != nil {
					return err
				}
			}
			list, err := s.AccessKeys().List(ctx, ada.ID, noon, "", 1000)
			return errors.Join(err, same(added, places), same(len(list), domain.MaxAccessKeys))
		},
	},
	{
		"an access key that is refused is not stored",
		"A call that fails stores nothing.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			return errors.Join(
				signedIn(ctx, s, ada, session(1, ada)),
				is(s.AccessKeys().Add(ctx, accessKey(500, ada), sessionID(2)), domain.ErrSessionNotFound),
				reads([]domain.AccessKey(nil))(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				filled(ctx, s, ada, 1, domain.MaxAccessKeys),
				is(s.AccessKeys().Add(ctx, accessKey(500, ada), sessionID(1)), domain.ErrTooManyAccessKeys),
				bearsNothing(s.AccessKeys().ByID(ctx, accessKeyID(500), noon)),
				reads([]domain.AccessKey(nil))(s.AccessKeys().List(ctx, ada.ID, noon, accessKeyID(domain.MaxAccessKeys), 9)),
			)
		},
	},
	{
		"an access key tells what its account may do at the moment",
		"ByID returns a key that is live at now and whose account is active, and what that account may do.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			bob.Roles, bob.Authority = nil, 1
			now := ada
			now.Roles, now.Authority = []domain.Role{"author"}, 8
			brief := accessKey(2, bob)
			brief.Expires = noon.Add(time.Hour)
			return errors.Join(
				keyed(ctx, s, ada, accessKey(1, ada)),
				keyed(ctx, s, bob, brief),
				bears(accessKey(1, ada), ada)(s.AccessKeys().ByID(ctx, accessKeyID(1), noon)),
				bears(accessKey(1, ada), ada)(s.AccessKeys().ByID(ctx, accessKeyID(1), noon.AddDate(99, 0, 0))),
				bears(brief, bob)(s.AccessKeys().ByID(ctx, brief.ID, brief.Expires.Add(-time.Microsecond))),
				s.Accounts().Update(ctx, now),
				bears(accessKey(1, ada), now)(s.AccessKeys().ByID(ctx, accessKeyID(1), noon)),
			)
		},
	},
	{
		"an access key that cannot be used",
		"Otherwise it fails with domain.ErrAccessKeyNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			gone, restored := ada, ada
			gone.Status, restored.Revision = domain.Suspended, 2
			brief := accessKey(1, ada)
			brief.Expires = noon.Add(time.Hour)
			return errors.Join(
				keyed(ctx, s, ada, brief),
				bearsNothing(s.AccessKeys().ByID(ctx, accessKeyID(2), noon)),
				bearsNothing(s.AccessKeys().ByID(ctx, brief.ID, brief.Expires)),
				bearsNothing(s.AccessKeys().ByID(ctx, brief.ID, brief.Expires.Add(time.Microsecond))),
				s.Accounts().Update(ctx, gone),
				bearsNothing(s.AccessKeys().ByID(ctx, brief.ID, noon)),
				reads([]domain.AccessKey{brief})(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)), // where it waits
				s.Accounts().Update(ctx, restored),
				bears(brief, ada)(s.AccessKeys().ByID(ctx, brief.ID, noon)),
			)
		},
	},
	{
		"access keys are listed by id",
		"List returns at most limit keys of an account ordered by id, beginning after the given one; \"\" is before the first.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			all := make([]domain.AccessKey, 5)
			err := errors.Join(keyed(ctx, s, ada), keyed(ctx, s, bob, accessKey(5, bob)))
			for _, i := range []int{3, 0, 4, 1, 2} {
				all[i] = accessKey(2*i, ada)
				all[i].Name = fmt.Sprintf("key %d", 9-i)
				err = errors.Join(err, s.AccessKeys().Add(ctx, all[i], sessionOf(ada)))
			}
			return errors.Join(
				err,
				reads(all[:3])(s.AccessKeys().List(ctx, ada.ID, noon, "", 3)),
				reads(all[3:])(s.AccessKeys().List(ctx, ada.ID, noon, all[2].ID, 3)),
				reads(all[2:4])(s.AccessKeys().List(ctx, ada.ID, noon, accessKeyID(3), 2)), // an id that is not there
				reads([]domain.AccessKey(nil))(s.AccessKeys().List(ctx, ada.ID, noon, all[4].ID, 3)),
				reads([]domain.AccessKey(nil))(s.AccessKeys().List(ctx, accountID(3), noon, "", 3)),
				reads([]domain.AccessKey{accessKey(5, bob)})(s.AccessKeys().List(ctx, bob.ID, noon, "", 3)),
			)
		},
	},
	{
		"access keys that have expired are not listed",
		"Those that have expired at now are left out.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one, two := accessKey(1, ada), accessKey(2, ada)
			one.Expires = noon.Add(time.Hour)
			return errors.Join(
				keyed(ctx, s, ada, one, two),
				reads([]domain.AccessKey{one, two})(s.AccessKeys().List(ctx, ada.ID, one.Expires.Add(-time.Microsecond), "", 9)),
				reads([]domain.AccessKey{two})(s.AccessKeys().List(ctx, ada.ID, one.Expires, "", 1)),
				reads([]domain.AccessKey{two})(s.AccessKeys().List(ctx, ada.ID, noon.AddDate(99, 0, 0), "", 9)),
			)
		},
	},
	{
		"an access key is ended by its account",
		"End ends a key of the account, or fails with domain.ErrAccessKeyNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			return errors.Join(
				keyed(ctx, s, ada, accessKey(1, ada), accessKey(2, ada)),
				keyed(ctx, s, bob),
				is(s.AccessKeys().End(ctx, bob.ID, accessKeyID(1)), domain.ErrAccessKeyNotFound),
				is(s.AccessKeys().End(ctx, ada.ID, accessKeyID(3)), domain.ErrAccessKeyNotFound),
				s.AccessKeys().End(ctx, ada.ID, accessKeyID(2)),
				reads([]domain.AccessKey{accessKey(1, ada)})(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
			)
		},
	},
	{
		"all access keys of an account are ended",
		"EndAll ends all keys of the account, and says how many.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			return errors.Join(
				keyed(ctx, s, ada, accessKey(1, ada), accessKey(2, ada), accessKey(3, ada)),
				keyed(ctx, s, bob, accessKey(4, bob)),
				reads(3)(s.AccessKeys().EndAll(ctx, ada.ID)),
				reads(0)(s.AccessKeys().EndAll(ctx, ada.ID)),
				reads(0)(s.AccessKeys().EndAll(ctx, accountID(3))),
				reads([]domain.AccessKey(nil))(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				reads([]domain.AccessKey{accessKey(4, bob)})(s.AccessKeys().List(ctx, bob.ID, noon, "", 9)),
			)
		},
	},
	{
		"it is noted when an access key was used",
		"Saw notes when keys were used, and from where.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			// The first sighting is kept whenever it was: clocks of replicas differ.
			one, two := accessKey(1, ada), accessKey(2, ada)
			one.Seen, one.Address = noon.Add(-time.Second), longAddress
			two.Seen, two.Address = noon.Add(time.Microsecond), "192.0.2.7"
			again := two
			again.Seen, again.Address = two.Seen.Add(domain.SightingInterval), ""
			return errors.Join(
				keyed(ctx, s, ada, accessKey(1, ada), accessKey(2, ada), accessKey(3, ada)),
				s.AccessKeys().Saw(ctx, nil),
				s.AccessKeys().Saw(ctx, []domain.Sighting[domain.AccessKeyID]{sighting(one.ID, one.Seen, one.Address), sighting(two.ID, two.Seen, two.Address)}),
				reads([]domain.AccessKey{one, two, accessKey(3, ada)})(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				s.AccessKeys().Saw(ctx, []domain.Sighting[domain.AccessKeyID]{sighting(two.ID, again.Seen, "")}),
				bears(again, ada)(s.AccessKeys().ByID(ctx, two.ID, noon)),
				crowded(func(sightings []domain.Sighting[domain.AccessKeyID]) error { return s.AccessKeys().Saw(ctx, sightings) },
					one.ID, two.ID, accessKeyID(3)),
				reads([]domain.AccessKey{lastSeen(accessKey(1, ada)), lastSeen(accessKey(2, ada)), lastSeen(accessKey(3, ada))})(
					s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
			)
		},
	},
	{
		"what is no news of an access key is passed over",
		"A key that has been ended is passed over, and so is a sighting that is less than domain.SightingInterval after the one that is stored.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			one, two := accessKey(1, ada), accessKey(2, ada)
			one.Seen, one.Address = noon, "192.0.2.1"
			two.Seen, two.Address = noon, "192.0.2.2"
			saw := func(id domain.AccessKeyID, after time.Duration) error {
				// The other is seen in the same call, and not passed over.
				two.Seen, two.Address = two.Seen.Add(time.Hour), two.Address+"0"
				return errors.Join(
					s.AccessKeys().Saw(ctx, []domain.Sighting[domain.AccessKeyID]{sighting(id, noon.Add(after), "192.0.2.9"), sighting(two.ID, two.Seen, two.Address)}),
					reads([]domain.AccessKey{one, two})(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				)
			}
			return errors.Join(
				keyed(ctx, s, ada, accessKey(1, ada), accessKey(2, ada), accessKey(3, ada)),
				s.AccessKeys().End(ctx, ada.ID, accessKeyID(3)),
				s.AccessKeys().Saw(ctx, []domain.Sighting[domain.AccessKeyID]{sighting(one.ID, one.Seen, one.Address), sighting(two.ID, two.Seen, two.Address)}),
				saw(accessKeyID(3), time.Hour),
				saw(accessKeyID(4), time.Hour),
				saw(one.ID, domain.SightingInterval-time.Microsecond),
				saw(one.ID, time.Microsecond),
				saw(one.ID, 0),
				saw(one.ID, -time.Hour),
			)
		},
	},
	{
		"access keys that have expired are forgotten",
		"Prune forgets at most limit keys that expired before t, and says how many.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			list := []domain.AccessKey{accessKey(1, ada), accessKey(2, ada), accessKey(3, ada), accessKey(4, ada)}
			list[0].Expires, list[1].Expires, list[2].Expires = noon.Add(time.Minute), noon.Add(time.Minute), noon.Add(time.Minute+time.Microsecond)
			return errors.Join(
				keyed(ctx, s, ada, list...),
				reads(0)(s.AccessKeys().Prune(ctx, list[0].Expires, 9)),
				reads(list)(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				reads(1)(s.AccessKeys().Prune(ctx, list[2].Expires, 1)),
				reads(1)(s.AccessKeys().Prune(ctx, list[2].Expires, 9)),
				reads(list[2:])(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				reads(1)(s.AccessKeys().Prune(ctx, noon.AddDate(99, 0, 0), 9)),
				reads(list[3:])(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)), // for it does not expire
			)
		},
	},
}

// sessionOf is the session by which keyed adds the keys of an account: that of the
// same number.
func sessionOf(a domain.Account) domain.SessionID {
	return domain.SessionID(strings.Replace(string(a.ID), string(accountID(0))[:9], string(sessionID(0))[:9], 1))
}

// keyed adds an account, opens the session sessionOf it, and adds access keys.
func keyed(ctx context.Context, s ports.Store, a domain.Account, list ...domain.AccessKey) error {
	with := session(0, a)
	with.ID = sessionOf(a)
	err := signedIn(ctx, s, a, with)
	for _, k := range list {
		err = errors.Join(err, s.AccessKeys().Add(ctx, k, with.ID))
	}
	return err
}

// filled adds the access keys first to last of an account by session 1.
func filled(ctx context.Context, s ports.Store, a domain.Account, first, last int) error {
	return s.Atomically(ctx, func(tx ports.Repositories) error {
		for n := first; n <= last; n++ {
			if err := tx.AccessKeys().Add(ctx, accessKey(n, a), sessionID(1)); err != nil {
				return fmt.Errorf("access key %d: %w", n, err)
			}
		}
		return nil
	})
}

// bears takes what AccessKeys.ByID returned and fails unless it is the key, and what
// its account may do.
func bears(want domain.AccessKey, a domain.Account) func(domain.AccessKey, domain.Authority, error) error {
	return func(k domain.AccessKey, au domain.Authority, err error) error {
		if err != nil {
			return err
		}
		return errors.Join(same(k, want), same(au, authority(a)))
	}
}

// bearsNothing takes what AccessKeys.ByID returned and fails unless there is no key.
func bearsNothing(_ domain.AccessKey, _ domain.Authority, err error) error {
	return is(err, domain.ErrAccessKeyNotFound)
}

// keysInterleaved adds an access key while a transaction makes one of the changes,
// which bars it, and then ends all keys. Whichever comes first, none is left.
func keysInterleaved(ctx context.Context, s ports.Store, changes ...func(ports.Repositories, domain.Account, domain.SessionID) error) error {
	for n := range 18 {
		a := account(n, fmt.Sprintf("user %d", n))
		if err := signedIn(ctx, s, a, session(n, a)); err != nil {
			return err
		}
		var adding sync.WaitGroup
		var once sync.Once
		var added error
		begin := func() {
			once.Do(func() { adding.Go(func() { added = s.AccessKeys().Add(ctx, accessKey(n, a), sessionID(n)) }) })
		}
		if n%6 >= 3 {
			begin()
		}
		err := s.Atomically(ctx, func(tx ports.Repositories) error {
			if err := changes[n%len(changes)](tx, a, sessionID(n)); err != nil {
				return err
			}
			begin()
			for range n { // gives Add a while to run into the transaction
				if _, err := tx.Accounts().List(ctx, "", 1); err != nil {
					return err
				}
			}
			_, err := tx.AccessKeys().EndAll(ctx, a.ID)
			return err
		})
		adding.Wait()
		if added != nil {
			err = errors.Join(err, is(added, domain.ErrSessionNotFound))
		}
		if err = errors.Join(err, reads([]domain.AccessKey(nil))(s.AccessKeys().List(ctx, a.ID, noon, "", 9))); err != nil {
			return fmt.Errorf("round %d: %w", n, err)
		}
	}
	return nil
}

// longAddress is as long as an address can be.
const longAddress = "2001:0db8:1234:5678:9abc:def0:1234:5678%enp0s31f6-and-much-more."

// crowded calls saw for each contender at once, with sightings of all the ids, each
// time in another order. Those of one contender lie an interval after those of the
// one before, so that the last ones stay, whichever comes first.
func crowded[ID ~string](saw func([]domain.Sighting[ID]) error, ids ...ID) error {
	return errors.Join(race(func(i int) error {
		var list []domain.Sighting[ID]
		for n := range ids {
			list = append(list, sighting(ids[(n+i)%len(ids)], noon.Add(time.Duration(i+1)*domain.SightingInterval+time.Hour), fmt.Sprintf("192.0.2.%d", i)))
		}
		if i%2 == 0 {
			slices.Reverse(list)
		}
		return saw(list)
	})...)
}

// lastSeen returns k as it is after it was seen by a crowd.
func lastSeen(k domain.AccessKey) domain.AccessKey {
	k.Seen, k.Address = noon.Add(contenders*domain.SightingInterval+time.Hour), fmt.Sprintf("192.0.2.%d", contenders-1)
	return k
}
