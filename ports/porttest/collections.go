package porttest

import (
	"context"
	"errors"
	"fmt"
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
		"Replace writes schema, rules, unique fields and time of change if the stored revision is c.Revision, and makes it the next one.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			now := ships
			now.Schema, now.Rules, now.Unique = document(`{"minProperties":1.0}`), domain.Rules{List: "owner"}, nil
			now.Changed = noon.Add(time.Hour)
			asked, want := now, now
			asked.Created = noon.Add(time.Hour) // which is not written
			want.Revision = 2
			return errors.Join(
				s.Collections().Add(ctx, ships),
				s.Collections().Add(ctx, authors),
				s.Collections().Replace(ctx, asked),
				reads([]domain.Collection{authors, want})(s.Collections().List(ctx)),
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
		"Replace writes schema, rules, unique fields and time of change if the stored revision is c.Revision",
		func(ctx context.Context, s ports.Store) error {
			if err := s.Collections().Add(ctx, collection("ships")); err != nil {
				return err
			}
			return oneWinner(race(func(int) error { return s.Collections().Replace(ctx, collection("ships")) }), domain.ErrStale)
		},
	},
	{
		"a collection in use keeps its schema",
		"A change of schema or unique fields while there are records fails with domain.ErrCollectionInUse.",
		func(ctx context.Context, s ports.Store) error {
			ships, authors := collection("ships"), collection("authors")
			schema, unique, rules := ships, ships, ships
			schema.Schema = document(`{}`)
			unique.Unique = []domain.Unique{{Field: "number", PerOwner: true}, {Field: "e/mail", PerOwner: true}}
			rules.Rules = domain.Rules{Read: "owner"}
			free := authors
			free.Schema = document(`{}`)
			again := schema
			again.Revision = 2
			return errors.Join(
				s.Collections().Add(ctx, ships),
				s.Collections().Add(ctx, authors),
				s.Records().Add(ctx, ships.Ref(), record(1, ""), nil),
				is(s.Collections().Replace(ctx, schema), domain.ErrCollectionInUse),
				is(s.Collections().Replace(ctx, unique), domain.ErrCollectionInUse),
				reads(ships)(s.Collections().ByName(ctx, "ships")),
				s.Collections().Replace(ctx, free), // which has no records
				s.Collections().Replace(ctx, rules),
				s.Records().Remove(ctx, domain.CollectionRef{Name: "ships", Revision: 2}, recordID(1), 1),
				s.Collections().Replace(ctx, again),
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
					if err := tx.Records().Add(ctx, c.Ref(), record(n, ""), nil); err != nil {
						return err
					}
					once.Do(func() {
						replace.Go(func() {
							c := c
							c.Schema = document(`{}`)
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
}
