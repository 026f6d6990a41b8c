package porttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// showing is how long a clause waits for an event to show: transactions that have
// nothing to do with it may hold it up. It is no promise of speed.
var showing = patience / 2

var events = []clause[ports.Store]{
	{
		"what becomes of a record is told",
		"Events is where replicas hear what became of records. Records writes it.",
		func(ctx context.Context, s ports.Store) error {
			ada, ships := account(1, "ada"), collection("ships")
			hers, asked := record(1, ada.ID), record(1, "")
			asked.Data, asked.Created, asked.Changed = document(`{"now":1.50}`), noon.Add(time.Hour), noon.Add(time.Minute)
			now := hers // whose owner and time of creation stay
			now.Data, now.Changed, now.Revision = asked.Data, asked.Changed, 2
			return errors.Join(
				declared(ctx, s, ships),
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Records().Add(ctx, ships.Ref(), withRevision(hers, 9), telling(1)),
				s.Records().Replace(ctx, ships.Ref(), asked, telling(2)),
				s.Records().Remove(ctx, ships.Ref(), hers.ID, 2, eventTime(3)),
				tells(added(1, hers), altered(2, hers.Data, now), removed(3, now))(allEvents(ctx, s, 3)),
			)
		},
	},
	{
		"it is told of which collection a record is",
		"Events is where replicas hear what became of records. Records writes it.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			other := record(1, "")
			other.Data = document(`{"name":"Zoë"}`)
			gone := removed(2, other)
			its := added(1, other)
			its.Collection, gone.Collection = "authors", "authors"
			return errors.Join(
				declared(ctx, s, ships, authors),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), telling(0)),
				s.Records().Add(ctx, authors.Ref(), other, telling(1)), // the same id in another collection
				s.Records().Remove(ctx, authors.Ref(), other.ID, 1, eventTime(2)),
				s.Records().Replace(ctx, ships.Ref(), record(1, ""), telling(3)),
				tells(added(0, record(1, "")), its, gone, altered(3, record(1, "").Data, withRevision(record(1, ""), 2)))(allEvents(ctx, s, 4)),
			)
		},
	},
	{
		"an event has the data as they were and as they became",
		"Events is where replicas hear what became of records.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			err := declared(ctx, s, ships)
			var want []domain.Event
			before := document(`{"n":0}`)
			for n, data := range exactDocuments() {
				r := withData(record(n, ""), before)
				now := withRevision(withData(r, data), 2)
				err = errors.Join(err,
					s.Records().Add(ctx, ships.Ref(), r, telling(n)),
					s.Records().Replace(ctx, ships.Ref(), withRevision(now, 1), telling(n)),
					s.Records().Remove(ctx, ships.Ref(), r.ID, 2, eventTime(n)),
				)
				want = append(want, added(n, r), altered(n, before, now), removed(n, now))
				before = data
			}
			return errors.Join(err, tells(want...)(allEvents(ctx, s, len(want))))
		},
	},
	{
		"what failed is told to nobody",
		"If Event is set, the change is told to Events in the same transaction.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			boom := errors.New("boom")
			key := telling(9, uniqueKey("number", 1))
			gone := domain.CollectionRef{Name: "ships", Revision: 7}
			err := errors.Join(
				declared(ctx, s, ships),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), telling(1, uniqueKey("number", 1))),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), telling(2)),
				is(s.Records().Add(ctx, ships.Ref(), record(1, ""), telling(9)), domain.ErrRecordExists),
				is(s.Records().Add(ctx, ships.Ref(), record(3, ""), key), domain.ErrNotUnique),
				is(s.Records().Add(ctx, gone, record(3, ""), telling(9)), domain.ErrCollectionChanged),
				is(s.Records().Replace(ctx, ships.Ref(), record(2, ""), key), domain.ErrNotUnique),
				is(s.Records().Replace(ctx, ships.Ref(), withRevision(record(2, ""), 2), telling(9)), domain.ErrStale),
				is(s.Records().Replace(ctx, ships.Ref(), record(3, ""), telling(9)), domain.ErrRecordNotFound),
				is(s.Records().Remove(ctx, ships.Ref(), recordID(2), 2, eventTime(9)), domain.ErrStale),
				is(s.Records().Remove(ctx, ships.Ref(), recordID(3), 1, eventTime(9)), domain.ErrRecordNotFound),
				is(s.Records().Remove(ctx, gone, recordID(2), 1, eventTime(9)), domain.ErrCollectionChanged),
			)
			failed := s.Atomically(ctx, func(tx ports.Repositories) error {
				return cmp.Or(errors.Join(
					tx.Records().Add(ctx, ships.Ref(), record(3, ""), telling(9)),
					tx.Records().Replace(ctx, ships.Ref(), record(2, ""), telling(9)),
					tx.Records().Remove(ctx, ships.Ref(), recordID(1), 1, eventTime(9)),
				), boom)
			})
			if !errors.Is(failed, boom) {
				return errors.Join(err, fmt.Errorf("Atomically did not return the error of f: %w", failed))
			}
			return errors.Join(
				err,
				s.Atomically(ctx, func(tx ports.Repositories) error {
					return errors.Join(
						tx.Records().Add(ctx, ships.Ref(), record(4, ""), telling(3)),
						is(tx.Records().Add(ctx, ships.Ref(), record(4, ""), telling(9)), domain.ErrRecordExists), // which f passes over
					)
				}),
				s.Records().Add(ctx, ships.Ref(), record(5, ""), telling(4)),
				tells(added(1, record(1, "")), added(2, record(2, "")), added(3, record(4, "")), added(4, record(5, "")))(allEvents(ctx, s, 4)),
			)
		},
	},
	{
		"who goes on from a mark hears the rest",
		"News returns the events after mark, in one order that never changes, at most limit.",
		func(ctx context.Context, s ports.Store) error {
			// Their times run backwards, as they may where clocks differ, and some are the
			// same; two of each three are of one transaction.
			ships := collection("ships")
			err := declared(ctx, s, ships)
			const all = 24
			for n := 0; n < all; n += 3 {
				add := func(r ports.Repositories, n int) error {
					return r.Records().Add(ctx, ships.Ref(), record(all-n, ""), telling(all-n/2))
				}
				err = errors.Join(err, add(s, n), s.Atomically(ctx, func(tx ports.Repositories) error {
					return errors.Join(add(tx, n+1), add(tx, n+2))
				}))
			}
			list, err2 := allEvents(ctx, s, all)
			if err := errors.Join(err, err2, same(len(list), all)); err != nil {
				return err
			}
			for n := 0; n < all; n += 3 {
				if err := tells(added(all-n/2, record(all-n, "")))(list[n:n+1], nil); err != nil {
					return fmt.Errorf("event %d: %w", n, err)
				}
			}
			for from := range all + 1 {
				var mark domain.Mark
				if from > 0 {
					mark = list[from-1].Mark
				}
				for _, limit := range []int{0, 1, 5, all} {
					if err := tells(list[from:min(from+limit, all)]...)(s.Events().News(ctx, mark, limit)); err != nil {
						return fmt.Errorf("%d at most after %d of %d: %w", limit, from, all, err)
					}
				}
			}
			return nil
		},
	},
	{
		"who goes from mark to mark while many write hears each once",
		"An event shows only when all that come before it show: who goes on from the Mark of the last misses none and hears none twice",
		followed,
	},
	{
		"an event whose transaction takes long is heard",
		"An event shows only when all that come before it show: who goes on from the Mark of the last misses none and hears none twice, however long a transaction took to commit.",
		overtaken,
	},
	{
		"who begins hears the first event that is kept",
		"With the mark \"\" it begins with the first that is kept.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			err := errors.Join(declared(ctx, s, ships), tells()(s.Events().News(ctx, "", 9)))
			var want []domain.Event
			for n := range 500 {
				err = errors.Join(err, s.Records().Add(ctx, ships.Ref(), record(n, ""), telling(n)))
				want = append(want, added(n, record(n, "")))
			}
			list, err2 := allEvents(ctx, s, len(want))
			if err := errors.Join(err, tells(want...)(list, err2)); err != nil {
				return err
			}
			return errors.Join(
				reads(200)(s.Events().Forget(ctx, eventTime(200), 999)),
				tells(want[200:]...)(s.Events().News(ctx, "", 999)),
				tells(want[200:207]...)(s.Events().News(ctx, "", 7)),
				// Marks that were made before hold on, also those of events that are gone.
				tells(want[200:]...)(s.Events().News(ctx, list[100].Mark, 999)),
				tells(want[200:]...)(s.Events().News(ctx, list[199].Mark, 999)),
				tells(want[301:]...)(s.Events().News(ctx, list[300].Mark, 999)),
			)
		},
	},
	{
		"who begins at the latest mark hears what comes later",
		"Latest returns the mark behind all events that show, so that News from there has what comes later.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			err := declared(ctx, s, ships)
			var want []domain.Event
			var marks []domain.Mark // of which each is behind so many events
			for n := range 6 {
				// At times all is forgotten that is there.
				if n%2 == 1 {
					_, err2 := s.Events().Forget(ctx, eventTime(10), 99)
					err = errors.Join(err, err2)
				}
				mark, err2 := s.Events().Latest(ctx)
				marks = append(marks, mark)
				event := added(9-n, record(n, ""))
				want = append(want, event)
				one := follower{mark: mark}
				if err := errors.Join(
					err, err2,
					tells()(s.Events().News(ctx, mark, 9)),
					s.Records().Add(ctx, ships.Ref(), record(n, ""), telling(9-n)),
					one.until(ctx, s, 1),
					tells(event)(one.heard, nil),
				); err != nil {
					return fmt.Errorf("event %d: %w", n, err)
				}
			}
			for n, mark := range marks {
				// The last forgetting was before the last event.
				if err := tells(want[max(n, 5):]...)(s.Events().News(ctx, mark, 9)); err != nil {
					return fmt.Errorf("from the mark behind %d: %w", n, err)
				}
			}
			return nil
		},
	},
	{
		"events that are of no interest any more are forgotten",
		"Forget drops at most limit events from before t, and says how many.",
		func(ctx context.Context, s ports.Store) error {
			// Which ones are dropped is the store's to choose.
			ships := collection("ships")
			err := declared(ctx, s, ships)
			for _, n := range []int{3, 1, 2} {
				err = errors.Join(err, s.Records().Add(ctx, ships.Ref(), record(n, ""), telling(n)))
			}
			first, second, third := added(1, record(1, "")), added(2, record(2, "")), added(3, record(3, ""))
			err = errors.Join(
				err,
				tells(third, first, second)(allEvents(ctx, s, 3)),
				reads(0)(s.Events().Forget(ctx, first.At, 9)),
				reads(0)(s.Events().Forget(ctx, third.At, 0)),
				tells(third, first, second)(s.Events().News(ctx, "", 9)),
				reads(1)(s.Events().Forget(ctx, third.At, 1)),
			)
			left, err2 := s.Events().News(ctx, "", 9)
			if tells(third, first)(left, err2) != nil && tells(third, second)(left, err2) != nil {
				err = errors.Join(err, err2, fmt.Errorf("one of two was to be forgotten, and there are %q", spellEvents(left)))
			}
			return errors.Join(
				err,
				reads(1)(s.Events().Forget(ctx, third.At, 9)),
				reads(0)(s.Events().Forget(ctx, third.At, 9)),
				tells(third)(s.Events().News(ctx, "", 9)),
			)
		},
	},
}

// eventTime returns the nth time with which events are told.
func eventTime(n int) time.Time { return noon.Add(time.Duration(n) * time.Microsecond) }

// telling returns the entries of a write that is told with the nth time.
func telling(n int, keys ...domain.UniqueKey) domain.Entries {
	return domain.Entries{Unique: keys, Event: eventTime(n)}
}

func added(n int, r domain.Record) domain.Event {
	return domain.Event{Kind: domain.RecordCreated, Collection: "ships", Record: r, At: eventTime(n)}
}

func altered(n int, before domain.Document, now domain.Record) domain.Event {
	return domain.Event{Kind: domain.RecordChanged, Collection: "ships", Record: now, Before: before, At: eventTime(n)}
}

func removed(n int, last domain.Record) domain.Event {
	return domain.Event{Kind: domain.RecordDeleted, Collection: "ships", Record: last, At: eventTime(n)}
}

// spellEvents writes what counts about events, but their marks.
func spellEvents(list []domain.Event) []string {
	lines := make([]string, len(list))
	for i, e := range list {
		lines[i] = fmt.Sprintf("%s in %s at %v: %s, before %s", e.Kind, e.Collection, e.At, spell(e.Record), e.Before.Text())
	}
	return lines
}

// alike reports whether two events are the same to the last bit, but for their marks.
// Others may spell the same.
func alike(a, b domain.Event) bool {
	a.Mark, b.Mark = "", ""
	return a == b
}

// tells takes what News returned and fails unless it is want, in this order.
func tells(want ...domain.Event) func([]domain.Event, error) error {
	return func(got []domain.Event, err error) error {
		if err != nil {
			return err
		}
		if slices.EqualFunc(got, want, alike) {
			return nil
		}
		g, w := spellEvents(got), spellEvents(want)
		for i := range min(len(g), len(w)) {
			if err := same(g[i], w[i]); err != nil {
				return fmt.Errorf("event %d of %d: %w", i, len(g), err)
			}
		}
		return same(len(g), len(w))
	}
}

// allEvents returns all events that are kept, when at least n of them show.
func allEvents(ctx context.Context, s ports.Store, n int) ([]domain.Event, error) {
	var f follower
	err := f.until(ctx, s, n)
	return f.heard, err
}

// A follower goes from mark to mark, as a replica does.
type follower struct {
	mark  domain.Mark
	heard []domain.Event
}

// follow hears at most limit more.
func (f *follower) follow(ctx context.Context, s ports.Store, limit int) error {
	news, err := s.Events().News(ctx, f.mark, limit)
	switch {
	case err != nil:
		return err
	case len(news) > limit:
		return fmt.Errorf("%d events are told, want %d at most", len(news), limit)
	case len(news) > 0:
		f.mark, f.heard = news[len(news)-1].Mark, append(f.heard, news...)
	}
	return nil
}

// until follows until it has heard n in all, and then as long as there are more. It
// gives up when they have had the time to show.
func (f *follower) until(ctx context.Context, s ports.Store, n int) error {
	const step = 100
	for end := time.Now().Add(showing); ; {
		heard := len(f.heard)
		if err := f.follow(ctx, s, step); err != nil {
			return err
		}
		switch {
		case len(f.heard) > 2*n+step:
			return fmt.Errorf("%d events are told, of which there are %d", len(f.heard), n)
		case len(f.heard) > heard:
			continue
		case len(f.heard) >= n || !time.Now().Before(end):
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// followed adds records by many, alone and in transactions of which some fail, while
// one goes from mark to mark, and another begins anew time and again and finds what
// was there before, and more behind it.
func followed(ctx context.Context, s ports.Store) error {
	const each, followers = 4, 2
	boom := errors.New("boom")
	ships := collection("ships")
	if err := declared(ctx, s, ships); err != nil {
		return err
	}
	var one, two follower
	var writing atomic.Int64
	writing.Store(contenders - followers)
	errs := race(func(i int) error {
		switch i {
		case 0:
			for writing.Load() > 0 {
				if err := one.follow(ctx, s, 3); err != nil {
					return err
				}
			}
			return nil
		case 1:
			for writing.Load() > 0 {
				var again follower
				if err := again.follow(ctx, s, contenders*each); err != nil {
					return err
				}
				if err := tells(two.heard...)(again.heard[:min(len(again.heard), len(two.heard))], nil); err != nil {
					return fmt.Errorf("the order has changed: %w", err)
				}
				two = again
			}
			return nil
		}
		defer writing.Add(-1)
		for n := range each {
			n += i * each
			add := func(r ports.Repositories) error {
				return r.Records().Add(ctx, ships.Ref(), record(n, ""), telling(-n))
			}
			var err error
			switch n % each {
			case 0:
				err = add(s)
			case 3:
				err = s.Atomically(ctx, func(tx ports.Repositories) error { return cmp.Or(add(tx), boom) })
				if errors.Is(err, boom) {
					err = nil
				}
			default:
				err = s.Atomically(ctx, add)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	var want []domain.Event
	for n := followers * each; n < contenders*each; n++ {
		if n%each != 3 {
			want = append(want, added(-n, record(n, "")))
		}
	}
	err := one.until(ctx, s, len(want))
	all, err2 := allEvents(ctx, s, len(want))
	return errors.Join(
		errors.Join(errs...), err, err2,
		tells(all...)(one.heard, nil),
		same(sortedByRecord(one.heard), sortedByRecord(want)),
	)
}

func sortedByRecord(list []domain.Event) []string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b domain.Event) int { return cmp.Compare(a.Record.ID, b.Record.ID) })
	return spellEvents(list)
}

// overtaken adds a record in a transaction, and another one beside it, by who goes
// from mark to mark. Where the store lets them, the second is committed first; both
// are heard all the same, each once, and in the order in which all hear them. Where a
// store's transactions take turns the second waits, so the transaction gives it a
// while, and no more.
func overtaken(ctx context.Context, s ports.Store) error {
	const while, rounds = 200, 8
	ships := collection("ships")
	if err := declared(ctx, s, ships); err != nil {
		return err
	}
	var reader follower
	var want []domain.Event
	latest := make([]domain.Mark, rounds) // of each round, while the transaction may still run,
	shown := make([]int, rounds)          // and how many events showed after that
	for n := range rounds {
		slow, quick := record(2*n, ""), record(2*n+1, "")
		want = append(want, added(2*n, slow), added(2*n+1, quick))
		var beside sync.WaitGroup
		var once sync.Once
		var err2 error
		done := make(chan struct{})
		err := s.Atomically(ctx, func(tx ports.Repositories) error {
			if err := tx.Records().Add(ctx, ships.Ref(), slow, telling(2*n)); err != nil {
				return err
			}
			once.Do(func() {
				beside.Go(func() {
					defer close(done)
					err2 = errors.Join(
						reader.follow(ctx, s, 9),
						s.Records().Add(ctx, ships.Ref(), quick, telling(2*n+1)),
						reader.follow(ctx, s, 9),
					)
					mark, err := s.Events().Latest(ctx)
					list, err3 := s.Events().News(ctx, "", 2*rounds)
					err2 = errors.Join(err2, err, err3)
					latest[n], shown[n] = mark, len(list)
				})
			})
			for range while {
				select {
				case <-done:
					return nil
				default:
				}
				runtime.Gosched()
				if _, err := tx.Accounts().List(ctx, "", 1); err != nil {
					return err
				}
			}
			return nil
		})
		beside.Wait()
		if err := errors.Join(err, err2, reader.until(ctx, s, len(want)), same(sortedByRecord(reader.heard), sortedByRecord(want))); err != nil {
			return fmt.Errorf("round %d: %w", n, err)
		}
	}
	all, err := allEvents(ctx, s, len(want))
	if err := errors.Join(err, tells(all...)(reader.heard, nil)); err != nil {
		return err
	}
	for n, mark := range latest {
		rest, err := s.Events().News(ctx, mark, 2*rounds)
		if err != nil || len(rest) < len(all)-shown[n] || len(rest) > len(all) {
			return errors.Join(err, fmt.Errorf("after %d of %d events showed there are %d behind the latest mark", shown[n], len(all), len(rest)))
		}
		if err := tells(all[len(all)-len(rest):]...)(rest, nil); err != nil {
			return fmt.Errorf("behind the latest mark of round %d: %w", n, err)
		}
	}
	return nil
}
