package fake

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/keyport-go/keyport/domain"
)

type collections struct{ desk desk }

func (r collections) ByName(ctx context.Context, name domain.CollectionName) (c domain.Collection, err error) {
	err = r.desk.do(ctx, "collections.byName", func(t *tables) error {
		found, ok := t.collections[name]
		if !ok {
			return domain.ErrCollectionNotFound
		}
		c = ownCollection(found)
		return nil
	})
	return c, err
}

func (r collections) List(ctx context.Context) (list []domain.Collection, err error) {
	err = r.desk.do(ctx, "collections.list", func(t *tables) error {
		all := slices.SortedFunc(maps.Values(t.collections), func(a, b domain.Collection) int { return cmp.Compare(a.Name, b.Name) })
		for _, c := range all[:min(len(all), domain.MaxCollections)] {
			list = append(list, ownCollection(c))
		}
		return nil
	})
	return list, err
}

func (r collections) Add(ctx context.Context, c domain.Collection) error {
	return r.desk.do(ctx, "collections.add", func(t *tables) error {
		if _, twice := t.collections[c.Name]; twice {
			return domain.ErrCollectionExists
		}
		c = ownCollection(c)
		c.Revision, c.Created, c.Changed = 1, stamp(c.Created), stamp(c.Changed)
		t.collections[c.Name] = c
		return nil
	})
}

func (r collections) Replace(ctx context.Context, c domain.Collection) error {
	return r.desk.do(ctx, "collections.replace", func(t *tables) error {
		old, ok := t.collections[c.Name]
		switch {
		case !ok:
			return domain.ErrCollectionNotFound
		case old.Revision != c.Revision:
			return domain.ErrStale
		case (old.Schema.Text() != c.Schema.Text() || !slices.Equal(old.Unique, c.Unique)) && t.inUse(c.Name):
			return domain.ErrCollectionInUse
		}
		old.Schema, old.Rules, old.Unique, old.Changed = c.Schema, c.Rules, slices.Clone(c.Unique), stamp(c.Changed)
		old.Revision++
		t.collections[c.Name] = old
		return nil
	})
}

// inUse reports whether the collection has records.
func (t *tables) inUse(name domain.CollectionName) bool {
	for at := range t.records {
		if at.collection == name {
			return true
		}
	}
	return false
}

// ownCollection returns a copy of c that shares no slice with it.
func ownCollection(c domain.Collection) domain.Collection {
	c.Unique = slices.Clone(c.Unique)
	return c
}
