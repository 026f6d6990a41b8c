package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// walks are the promises about how records are listed and counted.
var walks = []clause[ports.Store]{
	{
		"records are walked by id",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(int, *domain.Record) domain.Entries { return entries() })
			return errors.Join(err, walked(ctx, s, domain.Walk{}, all, func(r domain.Record) domain.Place { return domain.Place{ID: r.ID} }))
		},
	},
	{
		"records are walked by the time at which they were made",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Created = someTime(n)
				return entries()
			})
			return errors.Join(err, walked(ctx, s, domain.Walk{Order: domain.ByCreated}, all, func(r domain.Record) domain.Place {
				return domain.Place{Key: domain.TimeKey(r.Created), ID: r.ID}
			}))
		},
	},
	{
		"records are walked by the time of their last change",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			all, err := fleet(ctx, s, func(int, *domain.Record) domain.Entries { return entries() })
			for i := range all { // which moves them on the walk
				all[i].Changed = someTime(i)
				err = errors.Join(err, s.Records().Replace(ctx, ships.Ref(), all[i], entries()))
				all[i].Revision = 2
			}
			return errors.Join(err, walked(ctx, s, domain.Walk{Order: domain.ByChanged}, all, func(r domain.Record) domain.Place {
				return domain.Place{Key: domain.TimeKey(r.Changed), ID: r.ID}
			}))
		},
	},
	{
		"records are walked by index",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, _ *domain.Record) domain.Entries {
				e := standing(someKey(n))
				e.Index = append(e.Index, domain.IndexKey{Index: "-speed,name", Key: someKey(n + 5)})
				return e
			})
			nth := func(r domain.Record) int {
				return slices.IndexFunc(all, func(x domain.Record) bool { return x.ID == r.ID })
			}
			return errors.Join(err,
				walked(ctx, s, domain.Walk{Order: domain.ByIndex, Index: "n"}, all, func(r domain.Record) domain.Place {
					return domain.Place{Key: someKey(nth(r)), ID: r.ID}
				}),
				walked(ctx, s, domain.Walk{Order: domain.ByIndex, Index: "-speed,name"}, all, func(r domain.Record) domain.Place {
					return domain.Place{Key: someKey(nth(r) + 5), ID: r.ID}
				}),
			)
		},
	},
	{
		"an index is walked between bounds",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, _ *domain.Record) domain.Entries { return standing(someKey(n)) })
			key := func(r domain.Record) domain.Place {
				n := slices.IndexFunc(all, func(x domain.Record) bool { return x.ID == r.ID })
				return domain.Place{Key: someKey(n), ID: r.ID}
			}
			for _, low := range someKeys {
				for _, high := range append([]string{""}, someKeys...) {
					within := slices.Clone(all)
					within = slices.DeleteFunc(within, func(r domain.Record) bool {
						k := key(r).Key
						return k < low || high != "" && k >= high
					})
					slices.SortFunc(within, func(a, b domain.Record) int { return key(a).Compare(key(b)) })
					q := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n", Low: low, High: high}, Where: domain.Everything{}, Limit: len(all)}
					err = errors.Join(err, finding(ctx, s, q, within...))
					q.Backward = true
					slices.Reverse(within)
					err = errors.Join(err, finding(ctx, s, q, within...))
					if len(within) > 2 {
						q.After = key(within[1])
						err = errors.Join(err, finding(ctx, s, q, within[2:]...))
					}
				}
			}
			return err
		},
	},
	{
		"a walk can be of one owner's records",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Created, r.Changed = someTime(n), someTime(n+2)
				return standing(someKey(n))
			})
			key := map[domain.Order]func(n int) string{
				domain.ByID:      func(int) string { return "" },
				domain.ByCreated: func(n int) string { return domain.TimeKey(all[n].Created) },
				domain.ByChanged: func(n int) string { return domain.TimeKey(all[n].Changed) },
				domain.ByIndex:   someKey,
			}
			for order, key := range key {
				for _, owner := range []domain.AccountID{accountID(1), accountID(2), accountID(3)} {
					own := slices.DeleteFunc(slices.Clone(all), func(r domain.Record) bool { return r.Owner != owner })
					w := domain.Walk{Order: order, Owner: owner}
					if order == domain.ByIndex {
						w.Index = "n"
					}
					err = errors.Join(err, walked(ctx, s, w, own, func(r domain.Record) domain.Place {
						return domain.Place{Key: key(slices.IndexFunc(all, func(x domain.Record) bool { return x.ID == r.ID })), ID: r.ID}
					}))
				}
			}
			return err
		},
	},
	{
		"pages join to the whole",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Data = document([]string{
					`{"n":1}`, `{"n":1.0,"speed":3}`, `{"n":-2,"speed":-0.5,"name":"Zoë"}`, `{}`, `{"n":null,"name":null}`, `{"n":"text","speed":true}`,
					`{"n":"1","name":"a","speed":false}`, `{"n":[1]}`, `{"n":1e400,"name":"ab"}`, `{"n":{"x":1},"name":"😀"}`,
				}[n%10])
				r.Created, r.Changed = someTime(n), someTime(n+1)
				return ships.Entries(*r, noon)
			})
			if err != nil {
				return err
			}
			for _, w := range []domain.Walk{{}, {Order: domain.ByCreated}, {Order: domain.ByChanged}, {Order: domain.ByIndex, Index: "n"}, {Order: domain.ByIndex, Index: "-speed,name"}} {
				if err := walked(ctx, s, w, all, func(r domain.Record) domain.Place { return ships.PlaceOf(w, r) }); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		"records are found for which the condition is true",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Data = document([]string{`{"n":1}`, `{}`, `{"n":2}`, `{"n":"2"}`}[n%4])
				return standing(someKey(n))
			})
			list := func(where domain.Predicate, want func(n int) bool) error {
				var some []domain.Record
				for n, r := range all {
					if want(n) {
						some = append(some, r)
					}
				}
				return finding(ctx, s, byID(where, "", len(all)), some...)
			}
			two := below(at("n"), lit(2.0))
			return errors.Join(err,
				list(domain.Everything{}, func(int) bool { return true }),
				list(domain.Nothing{}, func(int) bool { return false }),
				list(nil, func(int) bool { return false }),
				list(two, func(n int) bool { return n%4 == 0 }),
				list(domain.Not{Part: two}, func(n int) bool { return n%4 == 2 }),
				list(domain.Undecided{}, func(int) bool { return false }),
				list(domain.Not{Part: domain.Undecided{}}, func(int) bool { return false }),
				list(domain.OwnedBy{Account: accountID(1)}, func(n int) bool { return all[n].Owner == accountID(1) }),
				list(domain.OwnedBy{Account: accountID(3)}, func(int) bool { return false }),
				list(domain.OwnedBy{}, func(int) bool { return false }), // nobody owns what has no owner
			)
		},
	},
	{
		"as many records are found as were asked for",
		"at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(int, *domain.Record) domain.Entries { return entries() })
			where := domain.OwnedBy{Account: accountID(1)}
			own := slices.DeleteFunc(slices.Clone(all), func(r domain.Record) bool { return r.Owner != accountID(1) })
			return errors.Join(err,
				finding(ctx, s, byID(where, "", len(own)), own...),
				finding(ctx, s, byID(where, "", 2), own[:2]...), // not of the first two
				finding(ctx, s, byID(where, own[0].ID, 1), own[1]),
				finding(ctx, s, byID(where, recordID(3), 1), own[1]), // behind an id that is not there
				finding(ctx, s, byID(where, "", 0)),
				finding(ctx, s, byID(where, "", -1)),
			)
		},
	},
	{
		"records are found by their words",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			kept := [][]string{
				{"black", "pearl", "the"},
				{"black", "cat"},
				{"pearl"},
				nil,
				{"zoë", "漢字"},
				{"blackpearl"},
				{"and", "near", "not", "or"},
				{strings.Repeat("é", domain.MaxWord/2)},
				{"zoe"},
				{"123", "4"},
			}
			err := declared(ctx, s, ships, authors)
			for n, words := range kept {
				err = errors.Join(err, s.Records().Add(ctx, ships.Ref(), record(n, ""), standing(someKey(n), words...)))
			}
			err = errors.Join(err, s.Records().Add(ctx, authors.Ref(), record(0, ""), standing("a", "cat", "pearl")))
			find := func(want []int, words ...string) error {
				var list []domain.Record
				for _, n := range want {
					list = append(list, record(n, ""))
				}
				q := byID(domain.Everything{}, "", len(kept))
				q.Words = words
				if err := finding(ctx, s, q, list...); err != nil {
					return fmt.Errorf("words %q: %w", words, err)
				}
				return nil
			}
			large := make([]string, domain.MaxWords)
			for n := range large {
				large[n] = fmt.Sprintf("word%04d", n)
			}
			return errors.Join(err,
				find([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}),
				find([]int{0, 2}, "pearl"),
				find([]int{0, 1, 5}, "black"), // of the last word its beginning
				find([]int{0}, "black", "pearl"),
				find([]int{0}, "pearl", "black"),
				find([]int{0}, "pearl", "the", "bl"),
				find([]int{1}, "black", "c"),
				find(nil, "blac", "cat"), // of the others all
				find(nil, "cat", "pearl"),
				find([]int{2, 0}[1:], "the", "p"),
				find([]int{4, 8}, "zo"),
				find([]int{4}, "zoë"),
				find([]int{4}, "zoë", "漢"),
				find([]int{6}, "or", "and", "not"),
				find([]int{6}, "near"),
				find([]int{9}, "4", "12"),
				find([]int{7}, strings.Repeat("é", domain.MaxWord/2)),
				find(nil, "earl"),
				s.Records().Add(ctx, ships.Ref(), record(20, ""), domain.Entries{Words: large}),
				s.Records().Remove(ctx, ships.Ref(), recordID(0), 1, time.Time{}),
				find([]int{20}, large[0], large[domain.MaxWords-1]),
				find([]int{2}, "pearl"),
			)
		},
	},
	{
		"words, conditions and bounds join on any walk",
		"List returns the records of the walk after the given place that have the words and for which the condition is True, in the order of the walk, at most q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Created = someTime(n)
				return standing(fmt.Sprintf("%02d", n), []string{"even", "odd"}[n%2])
			})
			q := domain.Query{Where: domain.Not{Part: domain.OwnedBy{Account: accountID(1)}}, Words: []string{"od"}, Limit: 3}
			q.Order, q.Index, q.Low, q.High, q.Backward = domain.ByIndex, "n", "02", "10", true
			var want []domain.Record
			for n := 9; n >= 2; n-- {
				if n%2 == 1 && all[n].Owner != accountID(1) {
					want = append(want, all[n])
				}
			}
			first := q
			first.Limit = 1
			rest := q
			rest.After = domain.Place{Key: "07", ID: all[7].ID}
			behind := slices.DeleteFunc(slices.Clone(want), func(r domain.Record) bool { return r.ID >= all[7].ID })
			return errors.Join(err, finding(ctx, s, q, want[:min(3, len(want))]...), finding(ctx, s, first, want[0]), finding(ctx, s, rest, behind...))
		},
	},
	{
		"a record is found by its last index key",
		"A walk by index finds the records by the index keys that were last written with them.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			now := func(rev domain.Revision) domain.Record { return withRevision(record(1, ""), rev) }
			stands := func(key string, want ...domain.Record) error {
				q := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n", Low: key, High: key + "\x00"}, Where: domain.Everything{}, Limit: 9}
				return finding(ctx, s, q, want...)
			}
			whole := func(want ...domain.Record) error {
				return finding(ctx, s, domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n"}, Where: domain.Everything{}, Limit: 9}, want...)
			}
			return errors.Join(
				declared(ctx, s, ships, authors),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), standing("a")),
				s.Records().Add(ctx, ships.Ref(), record(2, ""), standing("b")),
				s.Records().Add(ctx, ships.Ref(), record(3, ""), entries()), // which stands nowhere
				s.Records().Add(ctx, authors.Ref(), record(1, ""), standing("a")),
				stands("a", record(1, "")), whole(record(1, ""), record(2, "")),
				s.Records().Replace(ctx, ships.Ref(), now(1), standing("c")),
				stands("a"), stands("c", now(2)), whole(record(2, ""), now(2)),
				s.Records().Replace(ctx, ships.Ref(), now(2), standing("a")), // and back
				stands("c"), stands("a", now(3)), whole(now(3), record(2, "")),
				s.Records().Replace(ctx, ships.Ref(), now(3), standing("a")), // and on the spot
				stands("a", now(4)), whole(now(4), record(2, "")),
				s.Records().Replace(ctx, ships.Ref(), now(4), domain.Entries{Index: []domain.IndexKey{{Index: "-speed,name", Key: "a"}}}),
				stands("a"), whole(record(2, "")),
				is(s.Records().Replace(ctx, ships.Ref(), now(4), standing("d")), domain.ErrStale),
				stands("d"),
			)
		},
	},
	{
		"a walk that looks at too many records is refused",
		"If there are fewer than q.Limit among the first q.Scan records of the walk after the place, and these are not all, it fails with domain.ErrTooBroad.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Created, r.Changed = someTime(n), someTime(n)
				return standing(fmt.Sprintf("%02d", n), []string{"even", "odd"}[n%2])
			})
			return errors.Join(err, scanned(ctx, s, all, nil, func(q domain.Query) ([]domain.Record, error) {
				return s.Records().List(ctx, collection("ships").Ref(), q)
			}, func(list []domain.Record) []domain.Record { return list }))
		},
	},
	{
		"a walk by time of an account that has many records passes those of all",
		"Of an account that has more than q.Scan records in the collection, a walk by time passes the records of all, and those of others are looked at, too.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Created, r.Changed = someTime(n), someTime(n+1)
				return entries()
			})
			for _, order := range []domain.Order{domain.ByCreated, domain.ByChanged} {
				err = errors.Join(err, jostled(ctx, s, all, domain.Walk{Order: order, Owner: accountID(1)}))
			}
			return err
		},
	},
	{
		"a search is answered however far along the walk it finds something",
		"A search may be answered even so, and is if fewer than domain.RareWord words of the collection's records match one of its words.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Created, r.Changed = someTime(n), someTime(n)
				return standing(fmt.Sprintf("%02d", n), "ship", []string{"even", "odd"}[n%2])
			})
			return errors.Join(err, scanned(ctx, s, all, []string{"odd", "s"}, func(q domain.Query) ([]domain.Record, error) {
				return s.Records().List(ctx, collection("ships").Ref(), q)
			}, func(list []domain.Record) []domain.Record { return list }))
		},
	},
	{
		"words are few up to a bound",
		"A search may be answered even so, and is if fewer than domain.RareWord words of the collection's records match one of its words.",
		func(ctx context.Context, s ports.Store) error {
			// All have a word, and all but the first two, which come last by index,
			// another.
			ships, authors := collection("ships"), collection("authors")
			err := errors.Join(declared(ctx, s, ships, authors), s.Atomically(ctx, func(tx ports.Repositories) error {
				var err error
				for n := range domain.RareWord + 1 {
					e := standing(fmt.Sprintf("%04d", domain.RareWord-n), "many")
					if n >= 2 {
						e.Words = append(e.Words, "rare")
					}
					err = errors.Join(err, tx.Records().Add(ctx, ships.Ref(), record(n, ""), e))
				}
				return errors.Join(err, tx.Records().Add(ctx, authors.Ref(), record(0, ""), standing("", "many", "rare")))
			}))
			finds := func(q domain.Query, words []string, want ...int) error {
				q.Words, q.Scan = words, max(q.Scan, 1)
				var list []domain.Record
				for _, n := range want {
					list = append(list, record(n, ""))
				}
				return finding(ctx, s, q, list...)
			}
			every := domain.Everything{}
			last := domain.Not{Part: below(at("n"), lit(float64(domain.RareWord)))}
			byIndex := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n", Backward: true}, Where: every, Limit: 3}
			most := domain.Query{Where: every, Words: []string{"many", "rar"}, Limit: 2 * domain.RareWord, Scan: 1}
			frequent := byID(every, recordID(500), 3)
			frequent.Scan = 3
			return errors.Join(err,
				finds(byID(every, "", 1), []string{"rare"}, 2),
				finds(byID(every, "", 2), []string{"many", "rar"}, 2, 3),
				finds(byID(every, recordID(499), 2), []string{"rare", "man"}, 500, 501),
				finds(byID(every, "", 1), []string{"many", "none"}),
				finds(byID(last, "", 2), []string{"rare"}, domain.RareWord),
				finds(byIndex, []string{"rare"}, 2, 3, 4),
				finds(frequent, []string{"man"}, 501, 502, 503),
				finds(frequent, []string{"many", "m"}, 501, 502, 503),
				reads(domain.RareWord-1)(s.Records().Count(ctx, ships.Ref(), most)),
			)
		},
	},
	{
		"what has moved on a walk is looked at once",
		"If there are fewer than q.Limit among the first q.Scan records of the walk after the place, and these are not all, it fails with domain.ErrTooBroad.",
		func(ctx context.Context, s ports.Store) error {
			// Neither where it stood before, nor what is gone, counts.
			ships := collection("ships")
			err := declared(ctx, s, ships)
			for n := range 6 {
				err = errors.Join(err, s.Records().Add(ctx, ships.Ref(), record(n, ""), standing(fmt.Sprint(n))))
			}
			for n := range 3 {
				err = errors.Join(err, s.Records().Replace(ctx, ships.Ref(), record(n, ""), standing("9")))
			}
			q := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n"}, Where: domain.Everything{}, Limit: 2, Scan: 2}
			return errors.Join(err,
				s.Records().Remove(ctx, ships.Ref(), recordID(3), 1, time.Time{}),
				finding(ctx, s, q, record(4, ""), record(5, "")),
			)
		},
	},
	{
		"records are counted as they are listed",
		"Count returns how many records List would return without a limit on them but q.Limit.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Created = someTime(n)
				return standing(fmt.Sprintf("%02d", n), []string{"even", "odd"}[n%2])
			})
			ships := collection("ships")
			counts := func(q domain.Query, want int) error { return reads(want)(s.Records().Count(ctx, ships.Ref(), q)) }
			odd := byID(domain.Everything{}, "", len(all))
			odd.Words = []string{"odd"}
			indexed := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "n", Low: "02", High: "05"}, Where: domain.Everything{}, Limit: 9}
			behind := indexed
			behind.Backward, behind.After = true, domain.Place{Key: "03", ID: all[3].ID}
			owned := domain.Query{Walk: domain.Walk{Owner: accountID(2)}, Where: domain.Everything{}, Limit: len(all)}
			return errors.Join(err,
				counts(byID(domain.Everything{}, "", len(all)), len(all)),
				counts(byID(domain.Everything{}, "", len(all)+1), len(all)),
				counts(byID(domain.Everything{}, "", 3), 3),
				counts(byID(domain.Everything{}, "", 0), 0),
				counts(byID(domain.Everything{}, all[4].ID, len(all)), len(all)-5),
				counts(byID(domain.Nothing{}, "", len(all)), 0),
				counts(byID(nil, "", len(all)), 0),
				counts(byID(domain.OwnedBy{Account: accountID(1)}, "", len(all)), len(all)/3),
				counts(odd, len(all)/2),
				counts(indexed, 3),
				counts(behind, 1),
				counts(owned, len(all)/3),
			)
		},
	},
	{
		"a count that looks at too many records is refused",
		"It fails with domain.ErrTooBroad as List does.",
		func(ctx context.Context, s ports.Store) error {
			all, err := fleet(ctx, s, func(n int, r *domain.Record) domain.Entries {
				r.Created, r.Changed = someTime(n), someTime(n)
				return standing(fmt.Sprintf("%02d", n), []string{"even", "odd"}[n%2])
			})
			for _, words := range [][]string{nil, {"odd"}} {
				err = errors.Join(err, scanned(ctx, s, all, words, func(q domain.Query) (int, error) {
					return s.Records().Count(ctx, collection("ships").Ref(), q)
				}, func(list []domain.Record) int { return len(list) }))
			}
			return err
		},
	},
}

// fleet declares ships, and some other collection with records of the same ids, and
// stores records in both, in turn of nobody, of ada and of bob. It returns those in
// ships in the order of their ids, as they are read. tend may bend the nth, and
// says what is kept of it.
func fleet(ctx context.Context, s ports.Store, tend func(n int, r *domain.Record) domain.Entries) ([]domain.Record, error) {
	ships, authors := collection("ships"), collection("authors")
	err := errors.Join(
		declared(ctx, s, ships, authors),
		s.Accounts().Add(ctx, account(1, "ada"), hash(1)),
		s.Accounts().Add(ctx, account(2, "bob"), hash(2)),
	)
	all := make([]domain.Record, 12)
	for i := range all {
		n := i * 5 % len(all) // not in order
		all[n] = record(2*n, []domain.AccountID{"", accountID(1), accountID(2)}[n%3])
		e := tend(n, &all[n])
		err = errors.Join(err, s.Records().Add(ctx, ships.Ref(), all[n], e))
		if n%3 == 0 {
			err = errors.Join(err, s.Records().Add(ctx, authors.Ref(), all[n], e))
		}
	}
	return all, err
}

// someTime returns one of a few times, around the epoch and to the microsecond.
func someTime(n int) time.Time {
	return []time.Time{
		noon, time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), noon.Add(time.Microsecond), time.Unix(0, 0).UTC(),
		time.Date(2400, 2, 29, 0, 0, 0, 0, time.UTC),
	}[n%5]
}

// someKeys are keys of an index, of any bytes.
var someKeys = []string{"", "\x00", "\x00\xff", "a", "a\x00", "a\xff", "b", "é", "\x80", "\xff", "\xff\xff"}

func someKey(n int) string { return someKeys[n*3%len(someKeys)] }

// finding fails unless a query finds what is wanted in ships.
func finding(ctx context.Context, s ports.Store, q domain.Query, want ...domain.Record) error {
	if err := reads(want)(s.Records().List(ctx, domain.CollectionRef{Name: "ships", Revision: 1}, q)); err != nil {
		return fmt.Errorf("query %+v: %w", q, err)
	}
	return nil
}

// jostled fails unless a walk by time of one account's records is that of all where it
// may look at fewer than the account has.
func jostled(ctx context.Context, s ports.Store, all []domain.Record, w domain.Walk) error {
	ships := collection("ships")
	slices.SortFunc(all, func(a, b domain.Record) int { return ships.PlaceOf(w, a).Compare(ships.PlaceOf(w, b)) })
	others := func(r domain.Record) bool { return r.Owner != w.Owner }
	own := slices.DeleteFunc(slices.Clone(all), others)
	for _, w.Backward = range []bool{false, true} {
		if w.Backward {
			slices.Reverse(all)
			slices.Reverse(own)
		}
		for scan := 1; scan <= len(all); scan++ {
			q := domain.Query{Walk: w, Where: domain.Everything{}, Limit: len(own), Scan: scan}
			seen := slices.DeleteFunc(slices.Clone(all[:scan]), others)
			if scan >= len(own) || len(seen) == len(own) {
				if err := finding(ctx, s, q, own...); err != nil {
					return err
				}
				continue
			}
			if err := fails[[]domain.Record](domain.ErrTooBroad)(s.Records().List(ctx, ships.Ref(), q)); err != nil {
				return fmt.Errorf("query %+v: %w", q, err)
			}
			q.Limit = len(seen)
			if err := finding(ctx, s, q, seen...); err != nil {
				return err
			}
		}
	}
	return nil
}

// walked fails unless a walk passes the given records in the order of their places,
// forward and backward, as one page and as pages of two, and from the place of each,
// and of what is not there.
func walked(ctx context.Context, s ports.Store, w domain.Walk, all []domain.Record, at func(domain.Record) domain.Place) error {
	all = slices.SortedFunc(slices.Values(all), func(a, b domain.Record) int { return at(a).Compare(at(b)) })
	for _, w.Backward = range []bool{false, true} {
		if w.Backward {
			slices.Reverse(all)
		}
		q := domain.Query{Walk: w, Where: domain.Everything{}, Limit: len(all) + 1}
		if err := finding(ctx, s, q, all...); err != nil {
			return err
		}
		q.Limit = 2
		for n, r := range all {
			q.After = at(r)
			if err := finding(ctx, s, q, all[n+1:min(n+3, len(all))]...); err != nil {
				return err
			}
			last := len(r.ID) - 1
			q.After.ID = r.ID[:last] + domain.RecordID(r.ID[last]+1) // odd, where no record is
			rest := all[n+1:]
			if w.Backward {
				rest = all[n:]
			}
			if err := finding(ctx, s, q, rest[:min(2, len(rest))]...); err != nil {
				return err
			}
		}
	}
	return nil
}

// scanned fails unless queries are refused with domain.ErrTooBroad where they must
// be, and answered with what answer makes of the right records where not: of those with
// an odd number if there are words.
func scanned[T any](ctx context.Context, s ports.Store, all []domain.Record, words []string, ask func(domain.Query) (T, error), answer func([]domain.Record) T) error {
	var ships domain.Collection
	var err error
	if ships, err = s.Collections().ByName(ctx, "ships"); err != nil {
		return err
	}
	key := func(w domain.Walk, n int) domain.Place {
		if w.Order == domain.ByIndex {
			return domain.Place{Key: fmt.Sprintf("%02d", n), ID: all[n].ID}
		}
		return ships.PlaceOf(w, all[n])
	}
	for _, w := range []domain.Walk{
		{},
		{Backward: true},
		{Owner: accountID(1)},
		{Order: domain.ByCreated},
		{Order: domain.ByChanged, Backward: true},
		{Order: domain.ByIndex, Index: "n"},
		{Order: domain.ByIndex, Index: "n", Backward: true, Low: "03", High: "09"},
	} {
		var passed []int // in the order of the walk
		for n, r := range all {
			k := key(w, n).Key
			if (w.Owner == "" || r.Owner == w.Owner) && (w.Order != domain.ByIndex || k >= w.Low && (w.High == "" || k < w.High)) {
				passed = append(passed, n)
			}
		}
		slices.SortFunc(passed, func(a, b int) int {
			if w.Backward {
				a, b = b, a
			}
			return key(w, a).Compare(key(w, b))
		})
		for _, from := range []int{0, 2} {
			for _, limit := range []int{0, 2, 20} {
				for _, scan := range []int{0, 1, 3, len(passed) - from, len(passed) + 1} {
					q := domain.Query{Walk: w, Where: domain.Not{Part: domain.OwnedBy{Account: accountID(2)}}, Words: words, Limit: limit, Scan: scan}
					left := passed[from:]
					if from > 0 {
						q.After = key(w, passed[from-1])
					}
					var want []domain.Record
					broad := false
					for i, n := range left {
						if len(want) >= limit {
							break
						}
						if broad = words == nil && scan > 0 && i >= scan; broad {
							break
						}
						if all[n].Owner != accountID(2) && (words == nil || n%2 == 1) {
							want = append(want, all[n])
						}
					}
					got, err := ask(q)
					if broad {
						err = fails[T](domain.ErrTooBroad)(got, err)
					} else {
						err = reads(answer(want))(got, err)
					}
					if err != nil {
						return fmt.Errorf("query %+v: %w", q, err)
					}
				}
			}
		}
	}
	return nil
}
