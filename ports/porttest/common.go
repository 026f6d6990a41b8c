package porttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// common are the promises of all ports, as a store keeps them.
var common = []clause[ports.Store]{
	{
		"many use a store at once",
		"Methods are safe for concurrent use.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			if err := declared(ctx, s, ships); err != nil {
				return err
			}
			return errors.Join(race(func(i int) error {
				a := account(i, fmt.Sprintf("user %d", i))
				now := session(i, a)
				now.Counter = 1
				return errors.Join(
					s.Accounts().Add(ctx, a, hash(i)),
					opened(s.Sessions().Open(ctx, session(i, a), 1)),
					s.AccessKeys().Add(ctx, accessKey(i, a), sessionID(i)),
					s.Records().Add(ctx, ships.Ref(), record(i, a.ID), entries(uniqueKey("number", byte(i)))),
					reads(domain.Refreshed{Verdict: domain.Rotated, Session: now, Authority: authority(a)})(
						s.Sessions().Refresh(ctx, refreshToken(i, 0), noon, policy)),
					s.Atomically(ctx, func(tx ports.Repositories) error {
						return errors.Join(
							tx.Accounts().Update(ctx, a),
							ended(sessionID(i))(tx.Sessions().EndAll(ctx, a.ID, "")),
							reads(1)(tx.AccessKeys().EndAll(ctx, a.ID)),
							tx.Bulletin().Post(ctx, ending(i, noon)),
							tx.Records().Replace(ctx, ships.Ref(), record(i, a.ID), entries()),
						)
					}),
					reads([]domain.Record{withRevision(record(i, a.ID), 2)})(
						s.Records().List(ctx, ships.Ref(), byID(domain.OwnedBy{Account: a.ID}, "", 9))),
					reads(true)(s.Bulletin().Posted(ctx, domain.SessionEnded, string(sessionID(i)))),
					hasNews(ctx, s, ending(i, noon)),
					s.Accounts().SetLogins(ctx, a.ID, 2, []domain.Login{login(fmt.Sprintf("other %d", i))}, noon),
					given(s.Numbers().Of(ctx, users, string(a.ID))),
				)
			})...)
		},
	},
	{
		"nothing begins after its context has ended",
		"Methods stop early when ctx ends, and then return an error for which errors.Is(err, ctx.Err()) holds, or domain.ErrUnavailable.",
		func(ctx context.Context, s ports.Store) error {
			if err := writesAll(ctx, s); err != nil {
				return err
			}
			over, cancel := context.WithCancel(ctx)
			cancel()
			late, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Hour))
			defer cancel()
			for _, ctx := range []context.Context{over, late} {
				errs := everyMethod(ctx, s)
				errs["Atomically"] = s.Atomically(ctx, func(tx ports.Repositories) error {
					return errors.Join(slices.Collect(maps.Values(everyMethod(ctx, tx)))...)
				})
				for name, err := range errs {
					if err := stopped(ctx, err); err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
				}
			}
			return hasAll(ctx, s)
		},
	},
	{
		"a transaction stops when its context ends",
		"Methods stop early when ctx ends, and then return an error for which errors.Is(err, ctx.Err()) holds, or domain.ErrUnavailable.",
		func(ctx context.Context, s ports.Store) error {
			over, cancel := context.WithCancel(ctx)
			defer cancel()
			var inner error
			err := s.Atomically(over, func(tx ports.Repositories) error {
				if err := tx.Accounts().Add(over, account(1, "ada"), hash(1)); err != nil && over.Err() == nil {
					return err
				}
				cancel()
				inner = tx.Accounts().Add(over, account(2, "bob"), hash(2))
				return inner
			})
			return errors.Join(
				stopped(over, inner),
				stopped(over, err),
				reads([]domain.Account(nil))(s.Accounts().List(ctx, "", 9)),
			)
		},
	},
	{
		"who waits for another stops when its context ends",
		"Methods stop early when ctx ends, and then return an error for which errors.Is(err, ctx.Err()) holds, or domain.ErrUnavailable.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			if err := s.Accounts().Add(ctx, ada, hash(1)); err != nil {
				return err
			}
			return s.Atomically(ctx, func(tx ports.Repositories) error {
				if err := tx.Accounts().SetCredential(ctx, credential(ada, 2, 1), noon); err != nil {
					return err
				}
				waiting, cancel := context.WithCancel(ctx)
				done := make(chan error, 1)
				go func() { done <- s.Accounts().SetCredential(waiting, credential(ada, 3, 1), noon) }()
				cancel()
				select {
				case err := <-done:
					return stopped(waiting, err)
				case <-ctx.Done():
					return errors.New("a call waits although its context has ended")
				}
			})
		},
	},
	{
		"failures are of the domain",
		"A failure that the comment names is a *domain.Error.",
		func(ctx context.Context, s ports.Store) error {
			// A store's failure may carry a cause, but keeps code and kind.
			_, err := s.Accounts().ByID(ctx, accountID(1))
			if !errors.Is(err, domain.ErrAccountNotFound) || !errors.Is(err, domain.NotFound) {
				return fmt.Errorf("the error is %w", err)
			}
			return is(err, domain.ErrAccountNotFound)
		},
	},
	{
		"the failure that is named first is told",
		"Of failures that hold at once, the one that is named first is returned.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			stale := ships
			stale.Revision, stale.Schema = 2, document(`{}`)
			k := entries(uniqueKey("number", 1))
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), k),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), entries()),
				is(s.Records().Add(ctx, ships.Ref(), record(2, ""), k), domain.ErrRecordExists),
				is(s.Records().Add(ctx, ships.Ref(), record(1, ""), k), domain.ErrRecordExists),
				is(s.Records().Replace(ctx, ships.Ref(), withRevision(record(2, ""), 2), k), domain.ErrStale),
				is(s.Collections().Replace(ctx, stale), domain.ErrStale),
				is(s.Records().Remove(ctx, stale.Ref(), recordID(3), 1, time.Time{}), domain.ErrCollectionChanged),
				s.Accounts().Add(ctx, account(1, "ada"), hash(1)),
				s.Accounts().Add(ctx, account(2, "bob"), hash(2)),
				is(s.Accounts().SetLogins(ctx, accountID(2), 2, account(1, "ada").Logins, noon), domain.ErrLoginTaken),
				is(s.Accounts().SetLogins(ctx, accountID(3), 2, account(1, "ada").Logins, noon), domain.ErrLoginTaken),
			)
		},
	},
	{
		"slices are copied",
		"What is passed in or out is the receiver's to keep: implementations copy slices.",
		func(ctx context.Context, s ports.Store) error {
			ada, ships, k := account(1, "ada", "ada@example.com"), collection("ships"), key("sign", 1)
			in, sealed := ada, k
			in.Roles, in.Logins = slices.Clone(ada.Roles), slices.Clone(ada.Logins)
			sealed.Sealed = slices.Clone(k.Sealed)
			list := collection("ships") // which has slices of its own
			kept, changes := standing("a", "zoë"), []domain.Change{change(1), change(2)}
			kept.Unique = []domain.UniqueKey{uniqueKey("number", 1)}
			_, err := s.Keys().Settle(ctx, sealed)
			err = errors.Join(
				err,
				s.Accounts().Add(ctx, in, hash(1)),
				s.Collections().Add(ctx, list),
				s.Records().Add(ctx, ships.Ref(), record(1, ada.ID), kept),
				opened(s.Sessions().Open(ctx, session(1, ada), 1)),
				s.Bulletin().Post(ctx, changes...),
			)
			spoil := func() {
				in.Roles[0], in.Logins[0], sealed.Sealed[0], changes[0] = "spoilt", login("eve"), 9, domain.Change{}
				list.Unique[0], list.Indexes[0].Sort[0], list.Indexes[1], list.Search[0] = domain.Unique{}, domain.SortKey{}, domain.Index{}, "spoilt"
				kept.Unique[0], kept.Index[0], kept.Words[0] = domain.UniqueKey{}, domain.IndexKey{}, "spoilt"
			}
			spoil()
			in, err2 := s.Accounts().ByID(ctx, ada.ID)
			list, err3 := s.Collections().ByName(ctx, "ships")
			sealed, err4 := s.Keys().Settle(ctx, key("sign", 2))
			changes, _, err5 := s.Bulletin().News(ctx, "")
			if err := errors.Join(err, err2, err3, err4, err5, same(in, ada), same(list, ships), same(sealed, k), same(changes, []domain.Change{change(1), change(2)})); err != nil {
				return err
			}
			spoil()
			au, err := s.Sessions().Authority(ctx, sessionID(1), noon)
			listed, err2 := s.Collections().List(ctx)
			if err := errors.Join(err, err2, same(au, authority(ada)), same(listed, []domain.Collection{ships})); err != nil {
				return err
			}
			au.Roles[0], listed[0].Unique[0], listed[0].Indexes[0].Sort[0], listed[0].Search[0] = "spoilt", domain.Unique{}, domain.SortKey{}, "spoilt"
			found := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n", Low: "a", High: "b"}, Words: []string{"zoë"}, Where: domain.Everything{}, Limit: 9}
			return errors.Join(hasOnly(ctx, s, ada), hears(change(1), change(2))(s.Bulletin().News(ctx, "")), reads(ships)(s.Collections().ByName(ctx, "ships")), reads(k)(s.Keys().Settle(ctx, key("sign", 3))),
				reads([]domain.Record{record(1, ada.ID)})(s.Records().List(ctx, ships.Ref(), found)),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(2, ""), entries(uniqueKey("number", 1))), "number"))
		},
	},
	{
		"roles that an update brings are copied",
		"implementations copy slices.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			in := revised(ada, 1) // which has roles of its own
			err := errors.Join(s.Accounts().Add(ctx, ada, hash(1)), s.Accounts().Update(ctx, in))
			in.Roles[0] = "spoilt"
			return errors.Join(err, hasOnly(ctx, s, revised(ada, 2)))
		},
	},
	{
		"logins that are set are copied",
		"implementations copy slices.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			now := withChanged(revised(ada, 2), noon)
			now.Logins = []domain.Login{login("lovelace")}
			in := slices.Clone(now.Logins)
			err := errors.Join(s.Accounts().Add(ctx, ada, hash(1)), s.Accounts().SetLogins(ctx, ada.ID, 1, in, noon))
			in[0] = login("eve")
			listed, err2 := s.Accounts().ByIDs(ctx, []domain.AccountID{ada.ID})
			if err := errors.Join(err, err2, same(listed, []domain.Account{now})); err != nil {
				return err
			}
			listed[0].Logins[0], listed[0].Roles[0] = login("eve"), "spoilt"
			return hasOnly(ctx, s, now)
		},
	},
	{
		"what an access key can do is copied",
		"implementations copy slices.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			in := accessKey(1, ada) // which has scopes of its own
			if err := keyed(ctx, s, ada, in); err != nil {
				return err
			}
			in.Scopes[0] = domain.Administer
			found, au, err := s.AccessKeys().ByID(ctx, in.ID, noon)
			if err := bears(accessKey(1, ada), ada)(found, au, err); err != nil {
				return err
			}
			found.Scopes[0], au.Roles[0] = domain.Administer, "spoilt"
			listed, err := s.AccessKeys().List(ctx, ada.ID, noon, "", 9)
			if err := reads([]domain.AccessKey{accessKey(1, ada)})(listed, err); err != nil {
				return err
			}
			listed[0].Scopes[0] = domain.Administer
			return errors.Join(hasOnly(ctx, s, ada), bears(accessKey(1, ada), ada)(s.AccessKeys().ByID(ctx, in.ID, noon)))
		},
	},
	{
		"seals are copied",
		"implementations copy slices.",
		func(ctx context.Context, s ports.Store) error {
			anew, now := key("sign", 1), key("sign", 1)
			anew.Sealed, now.Sealed = []byte{7, 8}, []byte{7, 8}
			_, err := s.Keys().Settle(ctx, key("sign", 1))
			err = errors.Join(err, s.Keys().Reseal(ctx, anew))
			anew.Sealed[0] = 9
			listed, err2 := s.Keys().List(ctx)
			if err := errors.Join(err, err2, same(listed, []domain.Key{now})); err != nil {
				return err
			}
			listed[0].Sealed[0] = 9
			return reads([]domain.Key{now})(s.Keys().List(ctx))
		},
	},
	{
		"times come back in UTC",
		"Times are UTC and survive a round trip to the microsecond.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			err := declared(ctx, s, ships)
			var news []domain.Change
			var heard []domain.Event
			for n, at := range []time.Time{
				noon,
				time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
				time.Date(2400, 2, 29, 0, 0, 0, 1000, time.UTC),
			} {
				there := at.In(time.FixedZone("there", 5*60*60+30*60))
				a := account(n, fmt.Sprintf("user %d", n))
				a.Created, a.Changed = at, at
				in := a
				in.Created, in.Changed = there, there
				p := session(n, a)
				p.Created, p.Used, p.Ends = at, at, at.Add(time.Hour)
				p.Seen = at
				pin := p
				pin.Created, pin.Used, pin.Ends, pin.Seen = there, there, there.Add(time.Hour), there
				sawn := p
				sawn.Seen = at.Add(domain.SightingInterval)
				ak := accessKey(n, a)
				ak.Created, ak.Expires = at, at.Add(time.Hour)
				akin := ak
				akin.Created, akin.Expires = there, there.Add(time.Hour)
				used := ak
				used.Seen = at
				r := record(n, "")
				r.Created, r.Changed = at, at
				rin := r
				rin.Created, rin.Changed = there, there
				c := collection(domain.CollectionName(fmt.Sprintf("c%d", n)))
				c.Created, c.Changed = at, at
				cin := c
				cin.Created, cin.Changed = there, there
				k := key(fmt.Sprintf("use %d", n), n)
				k.Created, k.Signs = at, at.Add(time.Minute)
				kin := k
				kin.Created, kin.Signs = there, there.Add(time.Minute)
				posted, reused := change(n), ending(n+10, at.Add(time.Hour-time.Microsecond))
				posted.At = at
				news = append(news, posted, reused)
				change := posted
				change.At = there
				now := sawn
				now.Counter, now.Used = 1, at.Add(time.Minute)
				last := renewedBy(now, domain.NoMore)
				last.Ends = at.Add(time.Minute + time.Microsecond)
				lost := pin
				lost.ID = sessionID(n + 10)
				heard = append(heard,
					domain.Event{Kind: domain.RecordCreated, Collection: "ships", Record: r, At: at},
					domain.Event{Kind: domain.RecordChanged, Collection: "ships", Record: withRevision(r, 2), Before: r.Data, At: at},
					domain.Event{Kind: domain.RecordDeleted, Collection: "ships", Record: withRevision(r, 2), At: at},
				)
				answered := receipt(n)
				answered.At = at
				kept := answered
				kept.At = there
				taken := importing(n, a, 2)
				taken.Created, taken.Changed = at, at
				taking := taken
				taking.Created, taking.Changed = there, there
				err = errors.Join(err,
					s.Accounts().Add(ctx, in, hash(n)),
					reads(a)(s.Accounts().ByID(ctx, a.ID)),
					s.Accounts().Update(ctx, in),
					reads(revised(a, 2))(s.Accounts().ByID(ctx, a.ID)),
					s.Accounts().SetCredential(ctx, credential(a, n, 1), there),
					reads(revised(a, 3))(s.Accounts().ByID(ctx, a.ID)),
					s.Accounts().SetLogins(ctx, a.ID, 3, a.Logins, there),
					reads(revised(a, 4))(s.Accounts().ByID(ctx, a.ID)),
					reads([]domain.Account{revised(a, 4)})(s.Accounts().ByIDs(ctx, []domain.AccountID{a.ID})),
					opened(s.Sessions().Open(ctx, pin, 2)),
					reads([]domain.Session{p})(s.Sessions().List(ctx, a.ID, there, "", 1)),
					s.Sessions().Saw(ctx, []domain.Sighting[domain.SessionID]{sighting(p.ID, there.Add(domain.SightingInterval), p.Address)}),
					reads(sawn)(s.Sessions().ByID(ctx, p.ID, there)),
					s.AccessKeys().Add(ctx, akin, p.ID),
					bears(ak, a)(s.AccessKeys().ByID(ctx, ak.ID, there)),
					s.AccessKeys().Saw(ctx, []domain.Sighting[domain.AccessKeyID]{sighting(ak.ID, there, "")}),
					reads([]domain.AccessKey{used})(s.AccessKeys().List(ctx, a.ID, there, "", 1)),
					reads(domain.Refreshed{Verdict: domain.Rotated, Session: now, Authority: authority(a)})(
						s.Sessions().Refresh(ctx, refreshToken(n, 0), there.Add(time.Minute), policy)),
					reads([]domain.Session{now})(s.Sessions().List(ctx, a.ID, there, "", 1)),
					s.Sessions().StopRenewal(ctx, a.ID, p.ID, there.Add(time.Minute+time.Microsecond)),
					reads([]domain.Session{last})(s.Sessions().List(ctx, a.ID, there, "", 1)),
					opened(s.Sessions().Open(ctx, lost, 2)),
					s.Collections().Add(ctx, cin),
					reads(c)(s.Collections().ByName(ctx, c.Name)),
					s.Records().Add(ctx, ships.Ref(), rin, watched(entries(), there)),
					reads(r)(s.Records().Get(ctx, ships.Ref(), r.ID)),
					s.Records().Replace(ctx, ships.Ref(), rin, watched(entries(), there)),
					reads(withRevision(r, 2))(s.Records().Get(ctx, ships.Ref(), r.ID)),
					s.Records().Remove(ctx, ships.Ref(), r.ID, 2, there),
					tells(heard...)(allEvents(ctx, s, len(heard))),
					s.Receipts().Keep(ctx, kept),
					finds(answered)(s.Receipts().Claim(ctx, kept.ID)),
					s.Imports().Advance(ctx, taking, 0),
					reads(taken)(s.Imports().ByID(ctx, taken.ID)),
					reads(k)(s.Keys().Settle(ctx, kin)),
					reads(k)(s.Keys().Settle(ctx, kin)), // as it is read
					s.Bulletin().Post(ctx, change),
					reads(domain.Refreshed{Verdict: domain.Reused})(s.Sessions().Refresh(ctx, refreshToken(n+10, 9), there.Add(time.Hour-time.Microsecond), policy)),
					hears(news...)(s.Bulletin().News(ctx, "")),
				)
			}
			return err
		},
	},
}

// hasOnly fails unless a is the one account, however it is read.
func hasOnly(ctx context.Context, s ports.Store, a domain.Account) error {
	byLogin, _, err := s.Accounts().ByLogin(ctx, a.Logins[0])
	return errors.Join(
		err, same(byLogin, a),
		reads(a)(s.Accounts().ByID(ctx, a.ID)),
		reads([]domain.Account{a})(s.Accounts().List(ctx, "", 9)),
	)
}

// stopped fails unless err is one that a method returns when ctx has ended.
func stopped(ctx context.Context, err error) error {
	if errors.Is(err, ctx.Err()) {
		return nil
	}
	return is(err, domain.ErrUnavailable)
}

// everyMethod calls every method of every repository on what writesAll wrote,
// and returns their errors by name.
func everyMethod(ctx context.Context, r ports.Repositories) map[string]error {
	ada, ships := account(1, "ada"), collection("ships")
	errs := make(map[string]error)
	_, errs["Accounts.ByID"] = r.Accounts().ByID(ctx, ada.ID)
	_, _, errs["Accounts.ByLogin"] = r.Accounts().ByLogin(ctx, ada.Logins[0])
	_, errs["Accounts.Credential"] = r.Accounts().Credential(ctx, ada.ID)
	_, errs["Accounts.List"] = r.Accounts().List(ctx, "", 9)
	_, errs["Accounts.ByIDs"] = r.Accounts().ByIDs(ctx, []domain.AccountID{ada.ID})
	errs["Accounts.Add"] = r.Accounts().Add(ctx, account(2, "bob"), hash(2))
	errs["Accounts.Update"] = r.Accounts().Update(ctx, ada)
	errs["Accounts.SetCredential"] = r.Accounts().SetCredential(ctx, credential(ada, 2, 1), noon)
	errs["Accounts.SetLogins"] = r.Accounts().SetLogins(ctx, ada.ID, 0, nil, noon)
	errs["Accounts.Rehash"] = r.Accounts().Rehash(ctx, credential(ada, 2, 1))
	_, errs["Sessions.Open"] = r.Sessions().Open(ctx, session(2, ada), 1)
	errs["Sessions.StopRenewal"] = r.Sessions().StopRenewal(ctx, ada.ID, sessionID(1), noon)
	_, errs["Sessions.Refresh"] = r.Sessions().Refresh(ctx, refreshToken(1, 0), noon, policy)
	_, errs["Sessions.Authority"] = r.Sessions().Authority(ctx, sessionID(1), noon)
	_, errs["Sessions.ByID"] = r.Sessions().ByID(ctx, sessionID(1), noon)
	_, errs["Sessions.List"] = r.Sessions().List(ctx, ada.ID, noon, "", 9)
	errs["Sessions.End"] = r.Sessions().End(ctx, ada.ID, sessionID(1))
	_, errs["Sessions.EndAll"] = r.Sessions().EndAll(ctx, ada.ID, "")
	_, errs["Sessions.Prune"] = r.Sessions().Prune(ctx, noon.AddDate(9, 0, 0), 9)
	errs["Sessions.Saw"] = r.Sessions().Saw(ctx, []domain.Sighting[domain.SessionID]{sighting(sessionID(1), noon.AddDate(0, 0, 1), "")})
	errs["AccessKeys.Add"] = r.AccessKeys().Add(ctx, accessKey(2, ada), sessionID(1))
	_, _, errs["AccessKeys.ByID"] = r.AccessKeys().ByID(ctx, accessKeyID(1), noon)
	_, errs["AccessKeys.List"] = r.AccessKeys().List(ctx, ada.ID, noon, "", 9)
	errs["AccessKeys.End"] = r.AccessKeys().End(ctx, ada.ID, accessKeyID(1))
	_, errs["AccessKeys.EndAll"] = r.AccessKeys().EndAll(ctx, ada.ID)
	errs["AccessKeys.Saw"] = r.AccessKeys().Saw(ctx, []domain.Sighting[domain.AccessKeyID]{sighting(accessKeyID(1), noon, "")})
	_, errs["AccessKeys.Prune"] = r.AccessKeys().Prune(ctx, noon.AddDate(9, 0, 0), 9)
	_, errs["Collections.ByName"] = r.Collections().ByName(ctx, "ships")
	_, errs["Collections.List"] = r.Collections().List(ctx)
	errs["Collections.Add"] = r.Collections().Add(ctx, collection("authors"))
	errs["Collections.Hold"] = r.Collections().Hold(ctx, ships.Ref())
	errs["Collections.Replace"] = r.Collections().Replace(ctx, ships)
	errs["Collections.Remove"] = r.Collections().Remove(ctx, ships.Ref())
	_, errs["Records.Get"] = r.Records().Get(ctx, ships.Ref(), recordID(1))
	_, errs["Records.List"] = r.Records().List(ctx, ships.Ref(), byID(domain.Everything{}, "", 9))
	_, errs["Records.Count"] = r.Records().Count(ctx, ships.Ref(), byID(domain.Everything{}, "", 9))
	errs["Records.Enter"] = r.Records().Enter(ctx, ships.Ref(), []ports.Filing{{ID: recordID(1), Revision: 1, Entries: standing("a")}})
	errs["Records.Add"] = r.Records().Add(ctx, ships.Ref(), record(2, ""), entries())
	errs["Records.Replace"] = r.Records().Replace(ctx, ships.Ref(), record(1, ""), entries())
	errs["Records.Remove"] = r.Records().Remove(ctx, ships.Ref(), recordID(1), 1, time.Time{})
	_, errs["Events.News"] = r.Events().News(ctx, "", 9)
	_, errs["Events.Latest"] = r.Events().Latest(ctx)
	_, errs["Events.Forget"] = r.Events().Forget(ctx, noon.AddDate(9, 0, 0), 9)
	_, _, errs["Receipts.Claim"] = r.Receipts().Claim(ctx, receipt(1).ID)
	errs["Receipts.Keep"] = r.Receipts().Keep(ctx, receipt(2))
	_, errs["Receipts.Forget"] = r.Receipts().Forget(ctx, noon.AddDate(9, 0, 0), 9)
	_, errs["Imports.ByID"] = r.Imports().ByID(ctx, importID(1))
	errs["Imports.Advance"] = r.Imports().Advance(ctx, importing(1, ada, 3), 2)
	_, errs["Imports.Forget"] = r.Imports().Forget(ctx, noon.AddDate(9, 0, 0), 9)
	_, errs["Keys.Settle"] = r.Keys().Settle(ctx, key("cursor", 2))
	_, errs["Keys.List"] = r.Keys().List(ctx)
	errs["Keys.Reseal"] = r.Keys().Reseal(ctx, key("sign", 1))
	errs["Keys.Drop"] = r.Keys().Drop(ctx, key("sign", 1).ID)
	_, errs["Numbers.Of"] = r.Numbers().Of(ctx, users, thing(2))
	_, errs["Numbers.ByNumber"] = r.Numbers().ByNumber(ctx, users, 1)
	_, errs["Numbers.List"] = r.Numbers().List(ctx, users, 0, 9)
	errs["Bulletin.Post"] = r.Bulletin().Post(ctx, change(2))
	_, _, errs["Bulletin.News"] = r.Bulletin().News(ctx, "")
	_, errs["Bulletin.Posted"] = r.Bulletin().Posted(ctx, change(1).Kind, change(1).Subject)
	_, errs["Bulletin.Forget"] = r.Bulletin().Forget(ctx, noon.AddDate(9, 0, 0), 9)
	errs["Accounts.Remove"] = r.Accounts().Remove(ctx, ada.ID, 0)
	return errs
}
