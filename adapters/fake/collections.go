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
		old, err := t.collection(c.Ref())
		switch {
		case err != nil:
			return err
		case !within(old.Unique, c.Unique) && t.inUse(c.Name):
			return domain.ErrCollectionInUse
		}
		c = ownCollection(c)
		c.Revision, c.Created, c.Changed = old.Revision+1, old.Created, stamp(c.Changed)
		t.collections[c.Name] = c
		return nil
	})
}

// Hold keeps nobody out: a transaction has the whole Store to itself.
func (r collections) Hold(ctx context.Context, c domain.CollectionRef) error {
	return r.desk.do(ctx, "collections.hold", func(t *tables) error {
		_, err := t.collection(c)
		return err
	})
}

func (r collections) Remove(ctx context.Context, c domain.CollectionRef) error {
	return r.desk.do(ctx, "collections.remove", func(t *tables) error {
		switch _, err := t.collection(c); {
		case err != nil:
			return err
		case t.inUse(c.Name):
			return domain.ErrCollectionInUse
		}
		delete(t.collections, c.Name)
		return nil
	})
}

// collection returns a collection, which must have the given revision.
func (t *tables) collection(c domain.CollectionRef) (domain.Collection, error) {
	found, ok := t.collections[c.Name]
	switch {
	case !ok:
		return found, domain.ErrCollectionNotFound
	case found.Revision != c.Revision:
		return found, domain.ErrStale
	}
	return found, nil
}

// within reports whether each of the unique fields was one before.
func within(before, now []domain.Unique) bool {
	return !slices.ContainsFunc(now, func(u domain.Unique) bool { return !slices.Contains(before, u) })
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
	c.Unique, c.Indexes, c.Search = slices.Clone(c.Unique), slices.Clone(c.Indexes), slices.Clone(c.Search)
	for i := range c.Indexes {
		c.Indexes[i].Sort = slices.Clone(c.Indexes[i].Sort)
	}
	return c
}
