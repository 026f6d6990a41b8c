package porttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var records = []clause[ports.Store]{
	{
		"a record is read as it was stored",
		"Records keeps the records of all collections.",
		func(ctx context.Context, s ports.Store) error {
			ada, ships, authors := account(1, "ada"), collection("ships"), collection("authors")
			hers, other := record(1, ada.ID), record(1, "")
			other.Data = document(`{}`)
			return errors.Join(
				declared(ctx, s, ships, authors),
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Records().Add(ctx, ships.Ref(), hers, entries()),
				s.Records().Add(ctx, authors.Ref(), other, entries()), // the same id in another collection
				reads(hers)(s.Records().Get(ctx, ships.Ref(), hers.ID)),
				reads(other)(s.Records().Get(ctx, authors.Ref(), other.ID)),
			)
		},
	},
	{
		"data keeps its text",
		"Records keeps the records of all collections.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			err := declared(ctx, s, ships)
			for n, data := range exactDocuments() {
				r := record(n, "")
				r.Data = data
				now := record(n+100, "")
				replaced := now
				replaced.Data, replaced.Revision = data, 2
				err = errors.Join(err,
					s.Records().Add(ctx, ships.Ref(), r, entries()),
					reads(r)(s.Records().Get(ctx, ships.Ref(), r.ID)),
					s.Records().Add(ctx, ships.Ref(), now, entries()),
					s.Records().Replace(ctx, ships.Ref(), withData(now, data), entries()),
					reads(replaced)(s.Records().Get(ctx, ships.Ref(), now.ID)),
				)
			}
			return err
		},
	},
	{
		"a collection that is not there",
		"Every method fails with domain.ErrCollectionNotFound if there is no such collection",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()),
				refusesAll(ctx, s.Records(), domain.CollectionRef{Name: "authors", Revision: 1}, domain.ErrCollectionNotFound),
			)
		},
	},
	{
		"a collection that has changed",
		"Every method fails with domain.ErrCollectionNotFound if there is no such collection, and with domain.ErrCollectionChanged if its stored revision is not that of c; a write judges this when it happens.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			key := entries(uniqueKey("number", 1))
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), key),
				s.Collections().Replace(ctx, ships),
				refusesAll(ctx, s.Records(), ships.Ref(), domain.ErrCollectionChanged),
				refusesAll(ctx, s.Records(), domain.CollectionRef{Name: "ships", Revision: 3}, domain.ErrCollectionChanged),
				refusesAll(ctx, s.Records(), domain.CollectionRef{Name: "ships"}, domain.ErrCollectionChanged),
				reads([]domain.Record{record(1, "")})(
					s.Records().List(ctx, domain.CollectionRef{Name: "ships", Revision: 2}, byID(domain.Everything{}, "", 9))),
			)
		},
	},
	{
		"a write judges the collection when it happens",
		"a write judges this when it happens.",
		func(ctx context.Context, s ports.Store) error {
			// Of the writes that race a new declaration, those that were judged by
			// the old one come before it: its reader sees them all.
			ships := collection("ships")
			if err := declared(ctx, s, ships); err != nil {
				return err
			}
			now := domain.CollectionRef{Name: "ships", Revision: 2}
			var seen []domain.Record
			errs := race(func(i int) error {
				if i != contenders/2 {
					return s.Records().Add(ctx, ships.Ref(), record(i, ""), entries())
				}
				if err := s.Collections().Replace(ctx, ships); err != nil {
					return err
				}
				var err error
				seen, err = s.Records().List(ctx, now, byID(domain.Everything{}, "", contenders))
				return err
			})
			var want []domain.Record
			for i, err := range errs {
				switch {
				case i == contenders/2 && err != nil:
					return err
				case i == contenders/2:
				case err == nil:
					want = append(want, record(i, ""))
				default:
					if err := is(err, domain.ErrCollectionChanged); err != nil {
						return err
					}
				}
			}
			return errors.Join(same(seen, want), refusesAll(ctx, s.Records(), ships.Ref(), domain.ErrCollectionChanged))
		},
	},
	{
		"what is kept beside a record comes and goes with it",
		"What else is kept of a record (domain.Entries) is written with it, and is gone with it.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			boom := errors.New("boom")
			filed := standing("b", "cat", "zoë")
			filed.Unique = []domain.UniqueKey{uniqueKey("number", 1)}
			found := func(want ...domain.Record) error {
				indexed := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n", Low: "b", High: "c"}, Where: domain.Everything{}, Limit: 9}
				spoken := domain.Query{Words: []string{"cat", "zo"}, Where: domain.Everything{}, Limit: 9}
				return errors.Join(finding(ctx, s, indexed, want...), finding(ctx, s, spoken, want...))
			}
			failed := func(f func(tx ports.Repositories) error) error {
				err := s.Atomically(ctx, func(tx ports.Repositories) error { return cmp.Or(f(tx), boom) })
				if !errors.Is(err, boom) {
					return fmt.Errorf("Atomically did not return the error of f: %w", err)
				}
				return nil
			}
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), filed),
				found(record(1, "")),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(2, ""), filed), "number"),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), entries()), // nothing was kept of it
				found(record(1, "")),
				failed(func(tx ports.Repositories) error {
					return tx.Records().Replace(ctx, ships.Ref(), record(2, ""), standing("b", "cat", "zoë"))
				}),
				failed(func(tx ports.Repositories) error {
					return tx.Records().Remove(ctx, ships.Ref(), recordID(1), 1, time.Time{})
				}),
				found(record(1, "")),
				s.Records().Replace(ctx, ships.Ref(), record(1, ""), entries()),
				found(),
				s.Records().Replace(ctx, ships.Ref(), withRevision(record(1, ""), 2), filed),
				found(withRevision(record(1, ""), 3)),
				s.Records().Remove(ctx, ships.Ref(), recordID(1), 3, time.Time{}),
				found(),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()), // at a revision that it had before
				found(),
				s.Records().Remove(ctx, ships.Ref(), recordID(1), 1, time.Time{}),
				s.Records().Remove(ctx, ships.Ref(), recordID(2), 1, time.Time{}),
				s.Collections().Remove(ctx, ships.Ref()),
				s.Collections().Add(ctx, ships), // of the same name and revision
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()),
				found(),
			)
		},
	},
	{
		"a change is told if it is to be",
		"If Event is set, the change is told to Events in the same transaction.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			boom := errors.New("boom")
			second := withRevision(record(1, ""), 2)
			changed := domain.Event{Kind: domain.RecordChanged, Collection: "ships", Record: withRevision(second, 3), Before: second.Data, At: noon.Add(time.Hour)}
			err := errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()), // nobody is told
				s.Records().Replace(ctx, ships.Ref(), record(1, ""), entries()),
				s.Records().Replace(ctx, ships.Ref(), second, watched(entries(), changed.At)),
			)
			failed := s.Atomically(ctx, func(tx ports.Repositories) error {
				return cmp.Or(tx.Records().Add(ctx, ships.Ref(), record(2, ""), watched(entries(), noon)), boom)
			})
			if !errors.Is(failed, boom) {
				return fmt.Errorf("Atomically did not return the error of f: %w", failed)
			}
			return errors.Join(
				err,
				is(s.Records().Add(ctx, ships.Ref(), record(1, ""), watched(entries(), noon)), domain.ErrRecordExists),
				is(s.Records().Replace(ctx, ships.Ref(), second, watched(entries(), noon)), domain.ErrStale),
				s.Atomically(ctx, func(tx ports.Repositories) error {
					return tx.Records().Add(ctx, ships.Ref(), record(3, ""), watched(entries(), noon))
				}),
				tells(changed, created(record(3, "")))(allEvents(ctx, s, 2)),
			)
		},
	},
	{
		"an absent record",
		"Get returns the record, or domain.ErrRecordNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			absent := fails[domain.Record](domain.ErrRecordNotFound)
			return errors.Join(
				declared(ctx, s, ships, authors),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()),
				reads(record(1, ""))(s.Records().Get(ctx, ships.Ref(), recordID(1))),
				absent(s.Records().Get(ctx, ships.Ref(), recordID(2))),
				absent(s.Records().Get(ctx, authors.Ref(), recordID(1))),
			)
		},
	},
	{
		"a record begins at revision 1",
		"Add stores a new record with its entries at revision 1, whatever r says.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			asked := record(1, "")
			asked.Revision = 9
			key := entries(uniqueKey("number", 1))
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), asked, key),
				reads(record(1, ""))(s.Records().Get(ctx, ships.Ref(), recordID(1))),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(2, ""), key), "number"),
			)
		},
	},
	{
		"an id has one record",
		"Of any number of calls for one id exactly one succeeds; the others fail with domain.ErrRecordExists.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			if err := declared(ctx, s, ships); err != nil {
				return err
			}
			return oneWinner(race(func(int) error { return s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()) }), domain.ErrRecordExists)
		},
	},
	{
		"a unique key has one record",
		"Of any number of calls with one unique key exactly one succeeds; the others fail with domain.ErrNotUnique",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			if err := declared(ctx, s, ships); err != nil {
				return err
			}
			return oneWinner(race(func(i int) error {
				keys := entries(uniqueKey("number", byte(100+i)), uniqueKey("e/mail", 1))
				return raced(s.Records().Add(ctx, ships.Ref(), record(i, ""), keys), "e/mail")
			}), domain.ErrNotUnique)
		},
	},
	{
		"a refusal names the fields",
		"Of any number of calls with one unique key exactly one succeeds; the others fail with domain.ErrNotUnique, which names each field at fault (domain.NotUnique).",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			keys := func(number, mail byte) domain.Entries {
				return entries(uniqueKey("number", number), uniqueKey("e/mail", mail))
			}
			return errors.Join(
				declared(ctx, s, ships, authors),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), keys(1, 1)),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), keys(2, 2)),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(3, ""), keys(1, 3)), "number"),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(3, ""), keys(3, 2)), "e/mail"),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(3, ""), keys(1, 1)), "number", "e/mail"),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(3, ""), keys(2, 1)), "number", "e/mail"),
				// The same digest of another field, and in another collection, is free.
				s.Records().Add(ctx, ships.Ref(), record(3, ""), entries(uniqueKey("name", 1))),
				s.Records().Add(ctx, authors.Ref(), record(3, ""), keys(1, 1)),
			)
		},
	},
	{
		"a record that is refused is not stored",
		"A call that fails stores nothing.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries(uniqueKey("number", 1))),
				is(s.Records().Add(ctx, ships.Ref(), record(2, ""), entries(uniqueKey("e/mail", 2), uniqueKey("number", 1))), domain.ErrNotUnique),
				is(s.Records().Add(ctx, ships.Ref(), withData(record(1, ""), document(`{}`)), entries(uniqueKey("e/mail", 2))), domain.ErrRecordExists),
				reads([]domain.Record{record(1, "")})(s.Records().List(ctx, ships.Ref(), byID(domain.Everything{}, "", 9))),
				// Nor are its keys.
				s.Records().Add(ctx, ships.Ref(), record(2, ""), entries(uniqueKey("e/mail", 2))),
			)
		},
	},
	{
		"many records are added as each would be",
		"AddAll adds records, one after the other, and returns of each the refusal with which Add would have failed, or nil. What is refused leaves nothing, and takes no other with it.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			err := errors.Join(declared(ctx, s, ships, authors), s.Accounts().Add(ctx, account(1, "ada"), hash(1)))
			dice := rand.New(rand.NewPCG(1, 2))
			var told []domain.Event
			for range 12 {
				err = errors.Join(err, addedAlike(ctx, s, throng(dice), &told))
			}
			return errors.Join(err, tells(told...)(allEvents(ctx, s, len(told))))
		},
	},
	{
		"of many records none is added where that fails",
		"Where AddAll fails otherwise it stores none.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			many := []ports.Newcomer{{Record: record(1, ""), Entries: entries(uniqueKey("number", 1))}, {Record: record(2, "")}}
			fail := fails[[]error]
			canceled := func(_ []error, err error) error {
				if !errors.Is(err, context.Canceled) {
					return fmt.Errorf("in a context that has ended: %w", err)
				}
				return nil
			}
			over, cancel := context.WithCancel(ctx)
			cancel()
			return errors.Join(
				fail(domain.ErrCollectionNotFound)(s.Records().AddAll(ctx, ships.Ref(), many)),
				declared(ctx, s, ships),
				fail(domain.ErrCollectionChanged)(s.Records().AddAll(ctx, domain.CollectionRef{Name: "ships", Revision: 2}, many)),
				canceled(s.Records().AddAll(over, ships.Ref(), many)),
				reads([]domain.Record(nil))(s.Records().List(ctx, ships.Ref(), byID(domain.Everything{}, "", 9))),
				s.Records().Add(ctx, ships.Ref(), record(3, ""), entries(uniqueKey("number", 1))),
			)
		},
	},
	{
		"a record is replaced",
		"Replace writes data, time of change and entries if the stored revision is r.Revision, and makes it the next one.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			now := withData(record(1, ""), document(`{"now":1.50}`))
			now.Changed = noon.Add(time.Hour)
			want := now
			want.Revision = 2
			key := func(n byte) domain.Entries { return entries(uniqueKey("number", n)) }
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), key(1)),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), key(2)),
				s.Records().Replace(ctx, ships.Ref(), now, key(3)),
				reads([]domain.Record{want, record(2, "")})(s.Records().List(ctx, ships.Ref(), byID(domain.Everything{}, "", 9))),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(3, ""), key(3)), "number"),
				s.Records().Add(ctx, ships.Ref(), record(3, ""), key(1)), // the old key is free
				s.Records().Replace(ctx, ships.Ref(), want, key(3)),      // its own key is not in its way
				s.Records().Replace(ctx, ships.Ref(), withRevision(want, 3), entries()),
				s.Records().Add(ctx, ships.Ref(), record(4, ""), key(3)),
			)
		},
	},
	{
		"what a replacement of a record leaves",
		"Owner and time of creation stay.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob, ships := account(1, "ada"), account(2, "bob"), collection("ships")
			asked := record(1, bob.ID)
			asked.Created = noon.Add(time.Hour)
			return errors.Join(
				declared(ctx, s, ships),
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Records().Add(ctx, ships.Ref(), record(1, ada.ID), entries()),
				s.Records().Replace(ctx, ships.Ref(), asked, entries()),
				reads(withRevision(record(1, ada.ID), 2))(s.Records().Get(ctx, ships.Ref(), recordID(1))),
			)
		},
	},
	{
		"a revision of a record is replaced once",
		"Of any number of calls for one revision exactly one succeeds; the others fail with domain.ErrStale.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			if err := errors.Join(declared(ctx, s, ships), s.Records().Add(ctx, ships.Ref(), record(1, ""), entries())); err != nil {
				return err
			}
			won := -1
			errs := race(func(i int) error {
				keys := entries(uniqueKey("number", byte(i)), uniqueKey("e/mail", byte(i)))
				return s.Records().Replace(ctx, ships.Ref(), withData(record(1, ""), record(i, "").Data), keys)
			})
			for i, err := range errs {
				if err == nil {
					won = i
				}
			}
			if err := oneWinner(errs, domain.ErrStale); err != nil {
				return err
			}
			want := withRevision(withData(record(1, ""), record(won, "").Data), 2)
			return errors.Join(
				reads(want)(s.Records().Get(ctx, ships.Ref(), recordID(1))),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(2, ""), entries(uniqueKey("number", byte(won)))), "number"),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), entries(uniqueKey("number", byte(won+1)))),
			)
		},
	},
	{
		"a replacement that is refused",
		"It fails with domain.ErrRecordNotFound, and with domain.ErrNotUnique as Add does.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			keys := func(number, mail byte) domain.Entries {
				return entries(uniqueKey("number", number), uniqueKey("e/mail", mail))
			}
			now := withData(record(2, ""), document(`{}`))
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), keys(1, 1)),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), keys(2, 2)),
				is(s.Records().Replace(ctx, ships.Ref(), record(3, ""), entries()), domain.ErrRecordNotFound),
				is(s.Records().Replace(ctx, ships.Ref(), withRevision(now, 2), entries()), domain.ErrStale),
				is(s.Records().Replace(ctx, ships.Ref(), withRevision(now, 0), entries()), domain.ErrStale),
				notUnique(s.Records().Replace(ctx, ships.Ref(), now, keys(3, 1)), "e/mail"),
				notUnique(s.Records().Replace(ctx, ships.Ref(), now, keys(1, 1)), "number", "e/mail"),
				reads([]domain.Record{record(1, ""), record(2, "")})(s.Records().List(ctx, ships.Ref(), byID(domain.Everything{}, "", 9))),
				// The second record still has its old keys and no others.
				notUnique(s.Records().Add(ctx, ships.Ref(), record(3, ""), keys(2, 2)), "number", "e/mail"),
				s.Records().Add(ctx, ships.Ref(), record(3, ""), keys(3, 3)),
			)
		},
	},
	{
		"a unique key is replaced into once",
		"It fails with domain.ErrRecordNotFound, and with domain.ErrNotUnique as Add does.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			if err := declared(ctx, s, ships); err != nil {
				return err
			}
			for i := range contenders {
				if err := s.Records().Add(ctx, ships.Ref(), record(i, ""), entries(uniqueKey("number", byte(i)))); err != nil {
					return err
				}
			}
			return oneWinner(race(func(i int) error {
				return raced(s.Records().Replace(ctx, ships.Ref(), record(i, ""), entries(uniqueKey("number", 99))), "number")
			}), domain.ErrNotUnique)
		},
	},
	{
		"a record is removed",
		"Remove deletes the record if the stored revision is rev, and frees its unique keys.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			key := entries(uniqueKey("number", 1))
			return errors.Join(
				declared(ctx, s, ships, authors),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), key),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), entries()),
				s.Records().Add(ctx, authors.Ref(), record(1, ""), key),
				s.Records().Remove(ctx, ships.Ref(), recordID(1), 1, time.Time{}),
				reads([]domain.Record{record(2, "")})(s.Records().List(ctx, ships.Ref(), byID(domain.Everything{}, "", 9))),
				reads(record(1, ""))(s.Records().Get(ctx, authors.Ref(), recordID(1))),
				s.Records().Add(ctx, ships.Ref(), record(3, ""), key),
				notUnique(s.Records().Add(ctx, authors.Ref(), record(3, ""), key), "number"),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()),
			)
		},
	},
	{
		"a removal that is refused",
		"It fails with domain.ErrStale or domain.ErrRecordNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			key := entries(uniqueKey("number", 1))
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), key),
				is(s.Records().Remove(ctx, ships.Ref(), recordID(1), 2, time.Time{}), domain.ErrStale),
				is(s.Records().Remove(ctx, ships.Ref(), recordID(1), 0, time.Time{}), domain.ErrStale),
				is(s.Records().Remove(ctx, ships.Ref(), recordID(2), 1, time.Time{}), domain.ErrRecordNotFound),
				reads(record(1, ""))(s.Records().Get(ctx, ships.Ref(), recordID(1))),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(2, ""), key), "number"),
			)
		},
	},
	{
		"a removal is told if it is to be",
		"It tells the change with the time event, if that is not zero.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			gone := domain.Event{Kind: domain.RecordDeleted, Collection: "ships", Record: withRevision(record(2, ""), 2), At: noon.Add(time.Hour)}
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), entries()),
				s.Records().Replace(ctx, ships.Ref(), record(2, ""), entries()),
				s.Records().Remove(ctx, ships.Ref(), recordID(1), 1, time.Time{}),
				is(s.Records().Remove(ctx, ships.Ref(), recordID(1), 1, noon), domain.ErrRecordNotFound),
				is(s.Records().Remove(ctx, ships.Ref(), recordID(2), 1, noon), domain.ErrStale),
				s.Records().Remove(ctx, ships.Ref(), recordID(2), 2, gone.At),
				tells(gone)(allEvents(ctx, s, 1)),
			)
		},
	},
	{
		"records are entered anew",
		"Enter writes the index keys and the words of records anew, of those whose stored revision is still that which is given.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			stands := func(key, word string, want ...domain.Record) error {
				indexed := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n", Low: key, High: key + "\x00"}, Where: domain.Everything{}, Limit: 9}
				spoken := domain.Query{Words: []string{word}, Where: domain.Everything{}, Limit: 9}
				return errors.Join(finding(ctx, s, indexed, want...), finding(ctx, s, spoken, want...))
			}
			changed := withRevision(record(2, ""), 2)
			return errors.Join(
				declared(ctx, s, ships, authors),
				s.Records().Enter(ctx, ships.Ref(), nil),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), standing("a", "cat")),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), standing("b", "dog")),
				s.Records().Replace(ctx, ships.Ref(), record(2, ""), standing("c", "emu")),
				s.Records().Add(ctx, ships.Ref(), record(3, ""), entries()),
				s.Records().Add(ctx, ships.Ref(), record(4, ""), standing("f", "gnu")),
				s.Records().Add(ctx, authors.Ref(), record(1, ""), standing("a", "cat")),
				s.Records().Enter(ctx, ships.Ref(), []ports.Filing{
					{ID: recordID(1), Revision: 1, Entries: standing("x", "yak")},
					{ID: recordID(3), Revision: 1, Entries: standing("x", "yak")},
					{ID: recordID(4), Revision: 1}, // which leaves none
					{ID: recordID(9), Revision: 1, Entries: standing("x", "yak")},
				}),
				stands("a", "cat"), stands("f", "gnu"), stands("b", "dog"), stands("c", "emu", changed), stands("x", "yak", record(1, ""), record(3, "")),
				s.Records().Add(ctx, ships.Ref(), record(9, ""), entries()), // which it has not entered before
				stands("x", "yak", record(1, ""), record(3, "")),
				reads(record(1, ""))(s.Records().Get(ctx, ships.Ref(), recordID(1))),
				s.Records().Replace(ctx, ships.Ref(), record(1, ""), entries()),
				stands("x", "yak", record(3, "")),
			)
		},
	},
	{
		"entries fit one revision",
		"A Filing is the entries of a record at one revision.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			now := withRevision(record(1, ""), 2)
			stands := func(key string, want ...domain.Record) error {
				q := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n", Low: key, High: key + "\x00"}, Words: []string{key}, Where: domain.Everything{}, Limit: 9}
				return finding(ctx, s, q, want...)
			}
			filing := func(rev domain.Revision) []ports.Filing {
				return []ports.Filing{{ID: recordID(1), Revision: rev, Entries: standing("b", "b")}}
			}
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), standing("z", "z")),
				s.Records().Replace(ctx, ships.Ref(), record(1, ""), standing("a", "a")),
				s.Records().Enter(ctx, ships.Ref(), filing(1)),
				s.Records().Enter(ctx, ships.Ref(), filing(3)),
				s.Records().Enter(ctx, ships.Ref(), filing(0)),
				stands("a", now), stands("b"), stands("z"),
				s.Records().Enter(ctx, ships.Ref(), filing(2)),
				stands("a"), stands("b", now), stands("z"),
			)
		},
	},
	{
		"an entry is no change",
		"It leaves their unique keys, and tells nobody.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			one, two := uniqueKey("number", 1), uniqueKey("number", 2)
			return errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries(one)),
				s.Records().Enter(ctx, ships.Ref(), []ports.Filing{{ID: recordID(1), Revision: 1, Entries: watched(entries(two), noon)}}),
				notUnique(s.Records().Add(ctx, ships.Ref(), record(2, ""), entries(one)), "number"),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), watched(entries(two), noon)),
				tells(created(record(2, "")))(allEvents(ctx, s, 1)),
				reads(record(1, ""))(s.Records().Get(ctx, ships.Ref(), recordID(1))),
			)
		},
	},
}

// throng deals records of which some have ids and keys that others have.
func throng(dice *rand.Rand) []ports.Newcomer {
	many := make([]ports.Newcomer, dice.IntN(12))
	for i := range many {
		n := dice.IntN(40)
		many[i].Record = record(n, []domain.AccountID{"", accountID(1)}[n%2])
		e := standing(someKey(n), "ship", fmt.Sprintf("word%d", n))
		if dice.IntN(2) == 0 {
			e.Unique = append(e.Unique, uniqueKey("number", byte(dice.IntN(20))))
		}
		if dice.IntN(2) == 0 {
			e.Unique = append(e.Unique, uniqueKey("e/mail", byte(dice.IntN(20))))
		}
		switch dice.IntN(4) {
		case 0:
			e = domain.Entries{Unique: e.Unique}
		case 1:
			e.Words = nil
		case 2:
			e.Event = noon.Add(time.Duration(n) * time.Second)
		}
		many[i].Entries = e
	}
	return many
}

// addedAlike fails unless records that are added to ships at once leave what they do in
// authors, one after the other. It notes what is to be told.
func addedAlike(ctx context.Context, s ports.Store, many []ports.Newcomer, told *[]domain.Event) error {
	ships, authors := collection("ships"), collection("authors")
	refusals, err := s.Records().AddAll(ctx, ships.Ref(), many)
	if err != nil || len(refusals) != len(many) {
		return fmt.Errorf("AddAll of %d records returned %d refusals (%w)", len(many), len(refusals), err)
	}
	for i, n := range many {
		event := created(n.Record)
		event.At, n.Entries.Event = n.Entries.Event, time.Time{}
		want := s.Records().Add(ctx, authors.Ref(), n.Record, n.Entries)
		if blame(refusals[i]) != blame(want) {
			return fmt.Errorf("record %d of %d was refused with %w, want %w", i, len(many), refusals[i], want)
		}
		if want == nil && !event.At.IsZero() {
			*told = append(*told, event)
		}
	}
	for _, q := range []domain.Query{
		byID(domain.Everything{}, "", 99),
		{Walk: domain.Walk{Order: domain.ByIndex, Index: "n"}, Where: domain.Everything{}, Limit: 99},
		{Where: domain.Everything{}, Words: []string{"ship"}, Limit: 99},
	} {
		want, err := s.Records().List(ctx, authors.Ref(), q)
		if err != nil {
			return err
		}
		if err := finding(ctx, s, q, want...); err != nil {
			return err
		}
	}
	return nil
}

// blame returns what a refusal says, however its fields are ordered.
func blame(err error) string {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return fmt.Sprint(err)
	}
	return fmt.Sprint(e.Code, blamed(e))
}

// declared adds collections.
func declared(ctx context.Context, s ports.Store, list ...domain.Collection) (err error) {
	for _, c := range list {
		err = errors.Join(err, s.Collections().Add(ctx, c))
	}
	return err
}

// exactDocuments are those that a store spoils that reads what it keeps. The last
// has domain.MaxDocument bytes.
var exactDocuments = sync.OnceValue(func() []domain.Document {
	digits := "12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
	texts := []string{
		`{}`,
		`{"a":1.0,"b":1e2,"c":1E+2,"d":-0,"e":-0.0,"f":100,"g":1.50,"h":0.1e-7}`,
		`{"n":` + digits[:100] + `,"f":0.` + digits[:98] + `,"big":1e1000,"small":1e-1000}`,
		`{"":"","a b":null,"x":[true,false,null,{},[],""],"é":"Zoë 漢字 👩‍🚀 e\u0301 \ud83d\ude00"}`,
		`{"s":"\u0001\u001f\"\\\/\b\f\n\r\t\u2028\u2029\u007f<>&'%_$1?:"}`,
		`{"A":1,"a":2,"b":{"z":1,"a":{"y":[[[[1.00]]]]}}}`,
	}
	docs := make([]domain.Document, 0, len(texts)+2)
	for _, text := range texts {
		docs = append(docs, document(text))
	}
	const frame = `{"text":""}`
	large := `{"text":"` + strings.Repeat("x", domain.MaxDocument-len(frame)) + `"}`
	return append(docs, domain.Document{}, document(large))
})

func withData(r domain.Record, d domain.Document) domain.Record {
	r.Data = d
	return r
}

func withRevision(r domain.Record, rev domain.Revision) domain.Record {
	r.Revision = rev
	return r
}

// refusesAll fails unless every method refuses c, whatever else there is to say.
func refusesAll(ctx context.Context, r ports.Records, c domain.CollectionRef, want *domain.Error) error {
	key := entries(uniqueKey("number", 1))
	return errors.Join(
		fails[domain.Record](want)(r.Get(ctx, c, recordID(1))),
		fails[domain.Record](want)(r.Get(ctx, c, recordID(2))),
		fails[[]domain.Record](want)(r.List(ctx, c, byID(domain.Everything{}, "", 9))),
		fails[[]domain.Record](want)(r.List(ctx, c, byID(domain.Nothing{}, "", 9))),
		fails[[]domain.Record](want)(r.List(ctx, c, domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n"}, Where: domain.Everything{}})),
		fails[int](want)(r.Count(ctx, c, byID(domain.Everything{}, "", 9))),
		fails[int](want)(r.Count(ctx, c, domain.Query{})),
		is(r.Enter(ctx, c, []ports.Filing{{ID: recordID(1), Revision: 1}}), want),
		is(r.Enter(ctx, c, nil), want),
		is(r.Add(ctx, c, record(1, ""), key), want),
		is(r.Add(ctx, c, record(2, ""), entries()), want),
		fails[[]error](want)(r.AddAll(ctx, c, []ports.Newcomer{{Record: record(2, "")}})),
		fails[[]error](want)(r.AddAll(ctx, c, nil)),
		is(r.Replace(ctx, c, record(1, ""), entries()), want),
		is(r.Replace(ctx, c, record(2, ""), key), want),
		is(r.Remove(ctx, c, recordID(1), 1, time.Time{}), want),
		is(r.Remove(ctx, c, recordID(1), 2, time.Time{}), want),
		is(r.Remove(ctx, c, recordID(2), 1, time.Time{}), want),
	)
}

// notUnique fails unless err blames exactly the given fields, in any order.
func notUnique(err error, fields ...string) error {
	if bad := is(err, domain.ErrNotUnique); bad != nil {
		return bad
	}
	got, _ := errors.AsType[*domain.Error](err)
	return same(blamed(got), blamed(domain.NotUnique(fields...)))
}

func blamed(e *domain.Error) []domain.Field {
	return slices.SortedFunc(slices.Values(e.Fields), func(a, b domain.Field) int { return cmp.Compare(a.Path, b.Path) })
}

// raced returns err, or what is wrong with it if it is a refusal that does not
// blame the field.
func raced(err error, field string) error {
	if err == nil {
		return nil
	}
	return cmp.Or(notUnique(err, field), err)
}
