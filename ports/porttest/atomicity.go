package porttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var atomicity = []clause[ports.Store]{
	{
		"a store keeps everything",
		"A Store keeps everything that Keyport remembers.",
		func(ctx context.Context, s ports.Store) error {
			return errors.Join(writesAll(ctx, s), hasAll(ctx, s))
		},
	},
	{
		"the parts of a store are one",
		"Repositories are the parts of a store.",
		func(ctx context.Context, s ports.Store) error {
			before := s.Accounts()
			ada := account(1, "ada")
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				reads(ada)(before.ByID(ctx, ada.ID)),
				opened(s.Sessions().Open(ctx, session(1, ada), 1)),
				before.Remove(ctx, ada.ID, 0),
				fails[domain.Authority](domain.ErrSessionNotFound)(s.Sessions().Authority(ctx, sessionID(1), noon)),
			)
		},
	},
	{
		"a method happens wholly or not at all",
		"Called on a Store itself, each repository method stands alone: it happens wholly or not at all, and is durable when it returns nil.",
		func(ctx context.Context, s ports.Store) error {
			// SetCredential writes two revisions; both are seen, or neither.
			ada := account(1, "ada")
			if err := s.Accounts().Add(ctx, ada, hash(1)); err != nil {
				return err
			}
			return errors.Join(race(func(i int) error {
				for n := range 8 {
					if i == 0 {
						if err := s.Accounts().SetCredential(ctx, credential(ada, n, domain.Revision(n+1)), noon); err != nil {
							return err
						}
					}
					a, c, err := s.Accounts().ByLogin(ctx, ada.Logins[0])
					if err != nil || a.Revision != c.Revision {
						return errors.Join(err, fmt.Errorf("read the account at revision %d with its credential at %d", a.Revision, c.Revision))
					}
				}
				return nil
			})...)
		},
	},
	{
		"a transaction reads its own writes",
		"Atomically runs f on repositories that share one transaction.",
		func(ctx context.Context, s ports.Store) error {
			return s.Atomically(ctx, func(tx ports.Repositories) error {
				return errors.Join(writesAll(ctx, tx), hasAll(ctx, tx))
			})
		},
	},
	{
		"a transaction is kept",
		"If f returns nil the writes become visible together; otherwise none do",
		func(ctx context.Context, s ports.Store) error {
			err := s.Atomically(ctx, func(tx ports.Repositories) error { return writesAll(ctx, tx) })
			return errors.Join(err, hasAll(ctx, s))
		},
	},
	{
		"a failed transaction leaves nothing",
		"If f returns nil the writes become visible together; otherwise none do, and Atomically returns f's error unchanged.",
		func(ctx context.Context, s ports.Store) error {
			boom := errors.New("boom")
			err := s.Atomically(ctx, func(tx ports.Repositories) error {
				if err := writesAll(ctx, tx); err != nil {
					return err
				}
				return boom
			})
			if err != boom { //nolint:errorlint // "unchanged" means the very error
				return fmt.Errorf("Atomically did not return the very error of f: %w", err)
			}
			return hasNothing(ctx, s)
		},
	},
	{
		"a failure of a method is handed on unchanged",
		"Atomically returns f's error unchanged.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			var inner error
			err := errors.Join(s.Accounts().Add(ctx, ada, hash(1)), s.Accounts().Add(ctx, account(2, "bob"), hash(2)))
			outer := s.Atomically(ctx, func(tx ports.Repositories) error {
				if err := tx.Accounts().Remove(ctx, accountID(2), 0); err != nil {
					return err
				}
				inner = tx.Accounts().Add(ctx, account(3, "ada"), hash(3))
				return inner
			})
			if outer != inner { //nolint:errorlint // "unchanged" means the very error
				err = errors.Join(err, errors.New("Atomically did not return the very error of f"), outer, inner)
			}
			return errors.Join(err, is(outer, domain.ErrLoginTaken),
				reads([]domain.Account{ada, account(2, "bob")})(s.Accounts().List(ctx, "", 9)))
		},
	},
	{
		"a failure that f passes over spoils nothing",
		"If f returns nil the writes become visible together",
		func(ctx context.Context, s ports.Store) error {
			ada, bob, ships := account(1, "ada"), account(2, "bob"), collection("ships")
			k := entries(uniqueKey("number", 1))
			err := s.Atomically(ctx, func(tx ports.Repositories) error {
				return errors.Join(
					tx.Accounts().Add(ctx, ada, hash(1)),
					is(tx.Accounts().Add(ctx, account(3, "ada"), hash(3)), domain.ErrLoginTaken),
					is(tx.Accounts().Update(ctx, revised(ada, 5)), domain.ErrStale),
					is(tx.Accounts().SetLogins(ctx, ada.ID, 5, ada.Logins, noon), domain.ErrStale),
					tx.Collections().Add(ctx, ships),
					is(tx.Collections().Add(ctx, ships), domain.ErrCollectionExists),
					tx.Records().Add(ctx, ships.Ref(), record(1, ada.ID), k),
					is(tx.Records().Add(ctx, ships.Ref(), record(1, ada.ID), entries()), domain.ErrRecordExists),
					is(tx.Records().Add(ctx, ships.Ref(), record(2, ada.ID), k), domain.ErrNotUnique),
					tx.Records().Add(ctx, ships.Ref(), record(3, ada.ID), entries()),
					is(tx.Records().Replace(ctx, ships.Ref(), record(3, ada.ID), k), domain.ErrNotUnique),
					tx.Accounts().Add(ctx, bob, hash(2)),
					is(tx.Accounts().SetLogins(ctx, bob.ID, 1, []domain.Login{login("lovelace"), login("ada")}, noon), domain.ErrLoginTaken),
				)
			})
			return errors.Join(
				err,
				reads([]domain.Account{ada, bob})(s.Accounts().List(ctx, "", 9)),
				reads([]domain.Record{record(1, ada.ID), record(3, ada.ID)})(s.Records().List(ctx, ships.Ref(), byID(domain.Everything{}, "", 9))),
			)
		},
	},
	{
		"a transaction is seen whole",
		"If f returns nil the writes become visible together; otherwise none do",
		func(ctx context.Context, s ports.Store) error {
			errs := race(func(i int) error {
				if i%8 == 0 {
					return s.Atomically(ctx, func(tx ports.Repositories) error {
						return errors.Join(
							tx.Accounts().Add(ctx, account(2*i, fmt.Sprintf("user %d", i)), hash(1)),
							tx.Accounts().Add(ctx, account(2*i+1, fmt.Sprintf("other %d", i)), hash(1)),
						)
					})
				}
				for range 8 {
					list, err := s.Accounts().List(ctx, "", contenders)
					if err != nil || len(list)%2 != 0 {
						return errors.Join(err, fmt.Errorf("read %d accounts, of which each transaction adds two", len(list)))
					}
				}
				return nil
			})
			list, err := s.Accounts().List(ctx, "", contenders)
			return errors.Join(errors.Join(errs...), err, same(len(list), contenders/8*2))
		},
	},
	{
		"a condition is judged when the write happens",
		"Where that matters the write carries the condition, and the condition is judged when the write happens.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			if err := s.Accounts().Add(ctx, ada, hash(1)); err != nil {
				return err
			}
			won := int64(0)
			for _, err := range race(func(int) error {
				return s.Atomically(ctx, func(tx ports.Repositories) error {
					a, err := tx.Accounts().ByID(ctx, ada.ID)
					if err != nil {
						return err
					}
					a.Authority++
					return tx.Accounts().Update(ctx, a)
				})
			}) {
				if err == nil {
					won++
				} else if err := is(err, domain.ErrStale); err != nil {
					return err
				}
			}
			now := revised(ada, domain.Revision(1+won))
			now.Authority += won
			if won == 0 {
				return errors.New("no transaction succeeded")
			}
			return reads(now)(s.Accounts().ByID(ctx, ada.ID))
		},
	},
	{
		"transactions that collide all end",
		"If f returns nil the writes become visible together; otherwise none do",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			if err := errors.Join(s.Accounts().Add(ctx, ada, hash(1)), s.Accounts().Add(ctx, bob, hash(2))); err != nil {
				return err
			}
			// Half of them take the two accounts in the other order.
			for _, err := range race(func(i int) error {
				if i >= 4 {
					return nil
				}
				one, two := ada, bob
				if i%2 == 1 {
					one, two = bob, ada
				}
				return s.Atomically(ctx, func(tx ports.Repositories) error {
					if err := tx.Accounts().Rehash(ctx, credential(one, i, 1)); err != nil {
						return err
					}
					return tx.Accounts().Rehash(ctx, credential(two, i, 1))
				})
			}) {
				if err != nil && is(err, domain.ErrUnavailable) != nil {
					return err
				}
			}
			a, err := s.Accounts().Credential(ctx, ada.ID)
			b, err2 := s.Accounts().Credential(ctx, bob.ID)
			return errors.Join(err, err2, same(a.Hash.Reveal(), b.Hash.Reveal()))
		},
	},
	{
		"a transaction can be part of another",
		"Within returns the transaction tx as a Store, for what is to be part of it. Its own Atomically is part of tx, too: an error from it undoes nothing unless tx fails.",
		func(ctx context.Context, s ports.Store) error {
			boom := errors.New("boom")
			ada, bob := account(1, "ada"), account(2, "bob")
			write := func(tx ports.Repositories) error {
				inner := ports.Within(tx)
				return errors.Join(
					inner.Ping(ctx),
					inner.Accounts().Add(ctx, ada, hash(1)),
					is(inner.Atomically(ctx, func(part ports.Repositories) error {
						return errors.Join(reads(ada)(part.Accounts().ByID(ctx, ada.ID)), part.Accounts().Add(ctx, bob, hash(2)), domain.ErrBusy)
					}), domain.ErrBusy),
				)
			}
			failed := s.Atomically(ctx, func(tx ports.Repositories) error { return cmp.Or(write(tx), boom) })
			if !errors.Is(failed, boom) {
				return fmt.Errorf("Atomically did not return the error of f: %w", failed)
			}
			return errors.Join(
				reads([]domain.Account(nil))(s.Accounts().List(ctx, "", 9)),
				s.Atomically(ctx, write),
				reads([]domain.Account{ada, bob})(s.Accounts().List(ctx, "", 9)),
			)
		},
	},
	{
		"a store answers",
		"Ping reports whether the store answers.",
		func(ctx context.Context, s ports.Store) error { return s.Ping(ctx) },
	},
	{
		"a store that is not waited for does not answer",
		"It fails with domain.ErrUnavailable.",
		func(ctx context.Context, s ports.Store) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			if err := s.Ping(ctx); !errors.Is(err, context.Canceled) {
				return is(err, domain.ErrUnavailable)
			}
			return nil
		},
	},
}

// writesAll writes something by every repository.
func writesAll(ctx context.Context, r ports.Repositories) error {
	ada, ships := account(1, "ada"), collection("ships")
	_, err := r.Keys().Settle(ctx, key("sign", 1))
	err = errors.Join(err, given(r.Numbers().Of(ctx, users, thing(1))))
	return errors.Join(
		r.Accounts().Add(ctx, ada, hash(1)),
		opened(r.Sessions().Open(ctx, session(1, ada), 1)),
		r.AccessKeys().Add(ctx, accessKey(1, ada), sessionID(1)),
		r.Collections().Add(ctx, ships),
		r.Records().Add(ctx, ships.Ref(), record(1, ada.ID), watched(entries(uniqueKey("number", 1)), noon)),
		r.Receipts().Keep(ctx, receipt(1)),
		r.Imports().Advance(ctx, importing(1, ada, 2), 0),
		r.Bulletin().Post(ctx, change(1)),
		err,
	)
}

// hasAll fails unless everything that writesAll wrote is there.
func hasAll(ctx context.Context, r ports.Repositories) error {
	ada, ships := account(1, "ada"), collection("ships")
	a, c, err := r.Accounts().ByLogin(ctx, ada.Logins[0])
	return errors.Join(
		err, same(a, ada), same(c, credential(ada, 1, 1)),
		finds(receipt(1))(r.Receipts().Claim(ctx, receipt(1).ID)),
		reads(importing(1, ada, 2))(r.Imports().ByID(ctx, importID(1))),
		reads([]domain.Session{session(1, ada)})(r.Sessions().List(ctx, ada.ID, noon, "", 9)),
		reads([]domain.AccessKey{accessKey(1, ada)})(r.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
		reads(ships)(r.Collections().ByName(ctx, "ships")),
		reads(record(1, ada.ID))(r.Records().Get(ctx, ships.Ref(), recordID(1))),
		notUnique(r.Records().Add(ctx, ships.Ref(), record(2, ""), entries(uniqueKey("number", 1))), "number"),
		reads(key("sign", 1))(r.Keys().Settle(ctx, key("sign", 2))),
		reads(thing(1))(r.Numbers().ByNumber(ctx, users, 1)),
		reads([]int64{1})(r.Numbers().Of(ctx, users, thing(1))),
		hears(change(1))(r.Bulletin().News(ctx, "")),
	)
}

// hasNothing fails unless the store is empty. It leaves a key and a number in it.
func hasNothing(ctx context.Context, s ports.Store) error {
	_, _, absent := s.Accounts().ByLogin(ctx, login("ada"))
	_, kept, err := s.Receipts().Claim(ctx, receipt(1).ID)
	return errors.Join(
		is(absent, domain.ErrAccountNotFound),
		err, same(kept, false),
		fails[domain.Import](domain.ErrImportNotFound)(s.Imports().ByID(ctx, importID(1))),
		reads([]domain.Event(nil))(s.Events().News(ctx, "", 9)),
		reads([]domain.Account(nil))(s.Accounts().List(ctx, "", 9)),
		reads([]domain.Session(nil))(s.Sessions().List(ctx, accountID(1), noon, "", 9)),
		reads([]domain.AccessKey(nil))(s.AccessKeys().List(ctx, accountID(1), noon, "", 9)),
		reads([]domain.Collection(nil))(s.Collections().List(ctx)),
		fails[domain.Record](domain.ErrCollectionNotFound)(s.Records().Get(ctx, collection("ships").Ref(), recordID(1))),
		reads(key("sign", 2))(s.Keys().Settle(ctx, key("sign", 2))),
		fails[string](domain.ErrNumberNotFound)(s.Numbers().ByNumber(ctx, users, 1)),
		reads([]int64{1})(s.Numbers().Of(ctx, users, thing(2))), // the next one to what was never given
		hears()(s.Bulletin().News(ctx, "")),
	)
}
