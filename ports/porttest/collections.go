package porttest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var collections = []clause[ports.Store]{
	{
		"a collection is read as it was stored",
		"Collections keeps the declarations of collections.",
		func(ctx context.Context, s ports.Store) error {
			ships, bare := collection("ships"), collection("bare")
			bare.Schema, bare.Rules, bare.Unique = domain.Document{}, domain.Rules{Read: "role:\"a'b\\%"}, nil
			bare.Indexes, bare.Search, bare.Watch, bare.Managed = nil, nil, false, false
			large := collection("large")
			large.Schema = document(`{"description":"Ünïcode   ","enum":[1.0,1e2,100,-0.0]}`)
			return errors.Join(
				s.Collections().Add(ctx, ships),
				s.Collections().Add(ctx, bare),
				s.Collections().Add(ctx, large),
				reads(ships)(s.Collections().ByName(ctx, "ships")),
				reads(bare)(s.Collections().ByName(ctx, "bare")),
				reads(large)(s.Collections().ByName(ctx, "large")),
			)
		},
	},
	{
		"an absent collection",
		"ByName returns the collection, or domain.ErrCollectionNotFound.",
		func(ctx context.Context, s ports.Store) error {
			return errors.Join(
				s.Collections().Add(ctx, collection("ships")),
				reads(collection("ships"))(s.Collections().ByName(ctx, "ships")),
				fails[domain.Collection](domain.ErrCollectionNotFound)(s.Collections().ByName(ctx, "ship")),
			)
		},
	},
	{
		"collections are listed by name",
		"List returns all collections ordered by name (bytewise), at most domain.MaxCollections.",
		func(ctx context.Context, s ports.Store) error {
			// A collation of a language would sort these in another order.
			var want []domain.Collection
			for _, name := range []domain.CollectionName{"a", "a-b", "a-d", "a0", "a_c", "aa", "ab", "b"} {
				want = append(want, collection(name))
			}
			err := reads([]domain.Collection(nil))(s.Collections().List(ctx))
			for _, i := range []int{3, 0, 7, 2, 4, 1, 5, 6} {
				err = errors.Join(err, s.Collections().Add(ctx, want[i]))
			}
			return errors.Join(err, reads(want)(s.Collections().List(ctx)))
		},
	},
	{
		"not more than so many collections are listed",
		"List returns all collections ordered by name (bytewise), at most domain.MaxCollections.",
		func(ctx context.Context, s ports.Store) error {
			err := s.Atomically(ctx, func(tx ports.Repositories) error {
				for n := range domain.MaxCollections + 1 {
					c := collection(domain.CollectionName(fmt.Sprintf("c%04d", n)))
					if err := tx.Collections().Add(ctx, c); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			list, err := s.Collections().List(ctx)
			if err != nil || len(list) != domain.MaxCollections {
				return errors.Join(err, same(len(list), domain.MaxCollections))
			}
			return same(list[len(list)-1].Name, "c0999")
		},
	},
	{
		"a name has one collection",
		"Of any number of calls for one name exactly one succeeds; the others fail with domain.ErrCollectionExists.",
		func(ctx context.Context, s ports.Store) error {
			return oneWinner(race(func(int) error { return s.Collections().Add(ctx, collection("ships")) }), domain.ErrCollectionExists)
		},
	},
	{
		"a collection begins at revision 1",
		"Add stores a new collection at revision 1, whatever c says.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			asked, other := ships, ships
			asked.Revision = 9
			other.Rules = domain.Rules{}
			return errors.Join(
				s.Collections().Add(ctx, asked),
				is(s.Collections().Add(ctx, other), domain.ErrCollectionExists),
				reads(ships)(s.Collections().ByName(ctx, "ships")),
			)
		},
	},
	{
		"a collection is declared anew",
		"Replace writes all of c but its name, its revision and the time of creation if the stored revision is c.Revision, and makes it the next one.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			now := ships
			now.Schema, now.Rules, now.Unique = document(`{"minProperties":1.0}`), domain.Rules{List: "owner"}, nil
			now.Indexes, now.Search = []domain.Index{{Sort: order("-speed,name")}, {Sort: order("owner,-n"), Building: true}}, []string{"model"}
			now.Watch, now.Managed, now.Changed = false, false, noon.Add(time.Hour)
			asked, want := now, now
			asked.Created = noon.Add(time.Hour) // which is not written
			want.Revision = 2
			back := ships
			back.Revision, back.Indexes = 2, nil
			return errors.Join(
				s.Collections().Add(ctx, ships),
				s.Collections().Add(ctx, authors),
				s.Collections().Replace(ctx, asked),
				reads([]domain.Collection{authors, want})(s.Collections().List(ctx)),
				s.Collections().Replace(ctx, back),
				reads(declaredAs(back, 3))(s.Collections().ByName(ctx, "ships")),
			)
		},
	},
	{
		"a stale declaration",
		"Otherwise it fails with domain.ErrStale, or with domain.ErrCollectionNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			early, late := ships, ships
			early.Revision, early.Rules = 0, domain.Rules{}
			late.Revision, late.Rules = 2, domain.Rules{}
			return errors.Join(
				s.Collections().Add(ctx, ships),
				is(s.Collections().Replace(ctx, early), domain.ErrStale),
				is(s.Collections().Replace(ctx, late), domain.ErrStale),
				is(s.Collections().Replace(ctx, collection("authors")), domain.ErrCollectionNotFound),
				reads([]domain.Collection{ships})(s.Collections().List(ctx)),
			)
		},
	},
	{
		"a revision of a collection is replaced once",
		"Replace writes all of c but its name, its revision and the time of creation if the stored revision is c.Revision",
		func(ctx context.Context, s ports.Store) error {
			if err := s.Collections().Add(ctx, collection("ships")); err != nil {
				return err
			}
			return oneWinner(race(func(int) error { return s.Collections().Replace(ctx, collection("ships")) }), domain.ErrStale)
		},
	},
	{
		"a collection in use keeps its unique fields",
		"A change of unique fields while there are records fails with domain.ErrCollectionInUse, unless it only leaves some out.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			number, mail := ships.Unique[0], ships.Unique[1]
			other := func(c domain.Collection, unique ...domain.Unique) domain.Collection {
				c.Unique = unique
				return c
			}
			all, fewer := declaredAs(ships, 1), declaredAs(other(ships, mail), 2)
			all.Schema, all.Rules, all.Indexes, all.Search, all.Watch = document(`{}`), domain.Rules{Read: "owner"}, nil, nil, false
			all.Unique = []domain.Unique{mail} // which leaves one out
			fewer.Unique = nil
			return errors.Join(
				s.Collections().Add(ctx, ships),
				s.Collections().Add(ctx, authors),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()),
				is(s.Collections().Replace(ctx, other(ships, number, mail, domain.Unique{Field: "name"})), domain.ErrCollectionInUse),
				is(s.Collections().Replace(ctx, other(ships, number, domain.Unique{Field: "name"})), domain.ErrCollectionInUse),
				is(s.Collections().Replace(ctx, other(ships, domain.Unique{Field: "number", PerOwner: true}, mail)), domain.ErrCollectionInUse),
				is(s.Collections().Replace(ctx, other(ships, number, domain.Unique{Field: mail.Field})), domain.ErrCollectionInUse),
				reads(ships)(s.Collections().ByName(ctx, "ships")),
				s.Collections().Replace(ctx, other(authors, domain.Unique{Field: "name"})), // which has no records
				s.Collections().Replace(ctx, all),
				reads(declaredAs(all, 2))(s.Collections().ByName(ctx, "ships")),
				is(s.Collections().Replace(ctx, declaredAs(other(all, number, mail), 2)), domain.ErrCollectionInUse), // nor does one come back
				s.Collections().Replace(ctx, fewer),
				is(s.Collections().Replace(ctx, declaredAs(other(all, mail), 3)), domain.ErrCollectionInUse),
				s.Records().Remove(ctx, domain.CollectionRef{Name: "ships", Revision: 3}, recordID(1), 1, time.Time{}),
				s.Collections().Replace(ctx, declaredAs(other(all, domain.Unique{Field: "name"}), 3)),
			)
		},
	},
	{
		"a declaration waits for records",
		"It waits for the writes of records that are under way.",
		func(ctx context.Context, s ports.Store) error {
			for n := range 16 {
				c := collection(domain.CollectionName(fmt.Sprintf("c%d", n)))
				if err := s.Collections().Add(ctx, c); err != nil {
					return err
				}
				var replace sync.WaitGroup
				var once sync.Once
				var replaced error
				added := s.Atomically(ctx, func(tx ports.Repositories) error {
					if err := tx.Records().Add(ctx, c.Ref(), record(n, ""), entries()); err != nil {
						return err
					}
					once.Do(func() {
						replace.Go(func() {
							c := c
							c.Unique = []domain.Unique{{Field: "name"}}
							replaced = s.Collections().Replace(ctx, c)
						})
					})
					for range n { // gives Replace a while to run into the transaction
						if _, err := tx.Records().Get(ctx, c.Ref(), recordID(n)); err != nil {
							return err
						}
					}
					return nil
				})
				replace.Wait()
				// Where Atomically ran twice, Replace may have come between.
				err := errors.Join(added, is(replaced, domain.ErrCollectionInUse))
				if added != nil && replaced == nil {
					err = is(added, domain.ErrCollectionChanged)
				}
				if err != nil {
					return fmt.Errorf("round %d: %w", n, err)
				}
			}
			return nil
		},
	},
	{
		"a collection is held",
		"Hold keeps everybody else from writing the collection and its records until the transaction ends, and waits for such writes that are under way: what is read after it stays so.",
		heldAlone,
	},
	{
		"who holds a collection has waited for what was under way",
		"Hold keeps everybody else from writing the collection and its records until the transaction ends, and waits for such writes that are under way: what is read after it stays so.",
		heldBehind,
	},
	{
		"a stale collection is not held",
		"It fails as Replace does if c is not the stored revision.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			refused := func(r ports.Repositories) error {
				return errors.Join(
					is(r.Collections().Hold(ctx, domain.CollectionRef{Name: "ships", Revision: 2}), domain.ErrStale),
					is(r.Collections().Hold(ctx, domain.CollectionRef{Name: "ships"}), domain.ErrStale),
					is(r.Collections().Hold(ctx, domain.CollectionRef{Name: "authors", Revision: 1}), domain.ErrCollectionNotFound),
					r.Collections().Hold(ctx, ships.Ref()),
				)
			}
			return errors.Join(
				s.Collections().Add(ctx, ships),
				refused(s),
				s.Atomically(ctx, func(tx ports.Repositories) error {
					// What it holds is the transaction's own to write.
					return errors.Join(
						refused(tx),
						tx.Records().Add(ctx, ships.Ref(), record(1, ""), entries()),
						tx.Collections().Replace(ctx, ships),
						is(tx.Collections().Hold(ctx, ships.Ref()), domain.ErrStale),
						tx.Collections().Hold(ctx, declaredAs(ships, 2).Ref()),
						tx.Records().Remove(ctx, declaredAs(ships, 2).Ref(), recordID(1), 1, time.Time{}),
					)
				}),
			)
		},
	},
	{
		"a collection is not held outside a transaction",
		"Outside a transaction it holds nothing.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			return errors.Join(
				s.Collections().Add(ctx, ships),
				s.Collections().Hold(ctx, ships.Ref()),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()),
				s.Atomically(ctx, func(tx ports.Repositories) error {
					return errors.Join(tx.Collections().Hold(ctx, ships.Ref()), tx.Collections().Replace(ctx, ships))
				}),
			)
		},
	},
	{
		"a collection is removed",
		"Remove deletes the collection if its stored revision is that of c.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			return errors.Join(
				s.Collections().Add(ctx, ships),
				s.Collections().Add(ctx, authors),
				s.Collections().Replace(ctx, ships),
				s.Records().Add(ctx, authors.Ref(), record(1, ""), entries()), // which is not in its way
				s.Collections().Remove(ctx, declaredAs(ships, 2).Ref()),
				reads([]domain.Collection{authors})(s.Collections().List(ctx)),
				fails[domain.Collection](domain.ErrCollectionNotFound)(s.Collections().ByName(ctx, "ships")),
				reads(record(1, ""))(s.Records().Get(ctx, authors.Ref(), recordID(1))),
				is(s.Records().Add(ctx, ships.Ref(), record(1, ""), entries()), domain.ErrCollectionNotFound),
				s.Collections().Add(ctx, ships), // the name is free
				reads(ships)(s.Collections().ByName(ctx, "ships")),
			)
		},
	},
	{
		"a collection that is not removed",
		"It fails with domain.ErrStale, domain.ErrCollectionNotFound, or while there are records with domain.ErrCollectionInUse.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			second := declaredAs(ships, 2).Ref()
			return errors.Join(
				s.Collections().Add(ctx, ships),
				s.Collections().Replace(ctx, ships),
				is(s.Collections().Remove(ctx, ships.Ref()), domain.ErrStale),
				is(s.Collections().Remove(ctx, domain.CollectionRef{Name: "ships", Revision: 3}), domain.ErrStale),
				is(s.Collections().Remove(ctx, domain.CollectionRef{Name: "authors", Revision: 2}), domain.ErrCollectionNotFound),
				s.Records().Add(ctx, second, record(1, ""), entries()),
				is(s.Collections().Remove(ctx, second), domain.ErrCollectionInUse),
				is(s.Collections().Remove(ctx, ships.Ref()), domain.ErrStale),
				reads([]domain.Collection{declaredAs(ships, 2)})(s.Collections().List(ctx)),
				reads(record(1, ""))(s.Records().Get(ctx, second, recordID(1))),
				s.Records().Remove(ctx, second, recordID(1), 1, time.Time{}),
				s.Collections().Remove(ctx, second),
				is(s.Collections().Remove(ctx, second), domain.ErrCollectionNotFound),
				removedOrUsed(ctx, s),
			)
		},
	},
}

// declaredAs returns c at a revision.
func declaredAs(c domain.Collection, rev domain.Revision) domain.Collection {
	c.Revision = rev
	return c
}

// readings is how often a transaction reads while it gives others the time to run
// into it.
const readings = 100

// heldAlone holds a collection while others write it and its records, and fails if what
// is read meanwhile changes.
func heldAlone(ctx context.Context, s ports.Store) error {
	for n := range 4 {
		c := collection(domain.CollectionName(fmt.Sprintf("c%d", n)))
		err := errors.Join(s.Collections().Add(ctx, c), s.Records().Add(ctx, c.Ref(), record(1, ""), entries()), s.Records().Add(ctx, c.Ref(), record(2, ""), entries()))
		if err != nil {
			return err
		}
		var others sync.WaitGroup
		var once sync.Once
		wrote := make([]error, 4)
		err = s.Atomically(ctx, func(tx ports.Repositories) error {
			if err := tx.Collections().Hold(ctx, c.Ref()); err != nil {
				return err
			}
			before, err := tx.Records().List(ctx, c.Ref(), byID(domain.Everything{}, "", 9))
			if err != nil {
				return err
			}
			once.Do(func() {
				for i, write := range []func() error{
					func() error { return s.Records().Add(ctx, c.Ref(), record(3, ""), entries()) },
					func() error { return s.Records().Replace(ctx, c.Ref(), record(1, ""), entries()) },
					func() error { return s.Records().Remove(ctx, c.Ref(), recordID(2), 1, time.Time{}) },
					func() error { return s.Collections().Replace(ctx, c) },
				} {
					others.Go(func() { wrote[i] = write() })
				}
			})
			for range readings {
				runtime.Gosched()
				if err := reads(before)(tx.Records().List(ctx, c.Ref(), byID(domain.Everything{}, "", 9))); err != nil {
					return fmt.Errorf("records have changed that are held: %w", err)
				}
			}
			return reads(c)(tx.Collections().ByName(ctx, c.Name))
		})
		others.Wait()
		// Where Atomically ran twice, the others may have come between.
		if is(err, domain.ErrStale) == nil && wrote[3] == nil {
			err = nil
		}
		for _, w := range wrote[:3] {
			if w != nil {
				err = errors.Join(err, is(w, domain.ErrCollectionChanged))
			}
		}
		if err = errors.Join(err, wrote[3]); err != nil {
			return fmt.Errorf("round %d: %w", n, err)
		}
	}
	return nil
}

// heldBehind adds a record in a transaction while another wants to hold the
// collection, and fails if that one does not see the record.
func heldBehind(ctx context.Context, s ports.Store) error {
	for n := range 4 {
		c := collection(domain.CollectionName(fmt.Sprintf("c%d", n)))
		if err := s.Collections().Add(ctx, c); err != nil {
			return err
		}
		var other sync.WaitGroup
		var seen []domain.Record
		var holding error
		runs := 0
		err := s.Atomically(ctx, func(tx ports.Repositories) error {
			runs++
			if err := tx.Records().Add(ctx, c.Ref(), record(1, ""), entries()); err != nil {
				return err
			}
			if runs == 1 {
				other.Go(func() {
					holding = s.Atomically(ctx, func(tx ports.Repositories) error {
						if err := tx.Collections().Hold(ctx, c.Ref()); err != nil {
							return err
						}
						var err error
						seen, err = tx.Records().List(ctx, c.Ref(), byID(domain.Everything{}, "", 9))
						return err
					})
				})
			}
			for range readings {
				runtime.Gosched()
				if _, err := tx.Records().Get(ctx, c.Ref(), recordID(1)); err != nil {
					return err
				}
			}
			return nil
		})
		other.Wait()
		err = errors.Join(err, holding)
		if runs == 1 || len(seen) > 0 { // else it may have come between two runs
			err = errors.Join(err, same(seen, []domain.Record{record(1, "")}))
		}
		if err != nil {
			return fmt.Errorf("round %d: %w", n, err)
		}
	}
	return nil
}

// removedOrUsed removes a collection while others add records, and fails if both
// succeed.
func removedOrUsed(ctx context.Context, s ports.Store) error {
	c := collection("contended")
	if err := s.Collections().Add(ctx, c); err != nil {
		return err
	}
	errs := race(func(i int) error {
		if i == contenders/2 {
			return s.Collections().Remove(ctx, c.Ref())
		}
		return s.Records().Add(ctx, c.Ref(), record(i, ""), entries())
	})
	removed := errs[contenders/2]
	for _, err := range slices.Delete(errs, contenders/2, contenders/2+1) {
		if removed == nil {
			err = is(err, domain.ErrCollectionNotFound)
		}
		if err != nil {
			return err
		}
	}
	if removed != nil {
		return is(removed, domain.ErrCollectionInUse)
	}
	return nil
}
