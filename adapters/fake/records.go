package fake

import (
	"context"
	"maps"

	"github.com/keyport-go/keyport/domain"
)

type records struct{ desk desk }

// do runs f unless the collection is gone or has changed.
func (r records) do(ctx context.Context, op string, c domain.CollectionRef, f func(*tables) error) error {
	return r.desk.do(ctx, op, func(t *tables) error {
		found, ok := t.collections[c.Name]
		switch {
		case !ok:
			return domain.ErrCollectionNotFound
		case found.Revision != c.Revision:
			return domain.ErrCollectionChanged
		}
		return f(t)
	})
}

func (r records) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (rec domain.Record, err error) {
	err = r.do(ctx, "records.get", c, func(t *tables) error {
		var ok bool
		if rec, ok = t.records[place{c.Name, id}]; !ok {
			return domain.ErrRecordNotFound
		}
		return nil
	})
	return rec, err
}

func (r records) List(ctx context.Context, c domain.CollectionRef, where domain.Predicate, after domain.RecordID, limit int) (list []domain.Record, err error) {
	err = r.do(ctx, "records.list", c, func(t *tables) error {
		for at, rec := range t.records {
			if at.collection == c.Name && domain.Holds(where, rec) {
				list = append(list, rec)
			}
		}
		list = page(list, func(rec domain.Record) domain.RecordID { return rec.ID }, after, limit)
		return nil
	})
	return list, err
}

func (r records) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	return r.do(ctx, "records.add", c, func(t *tables) error {
		at := place{c.Name, rec.ID}
		if _, twice := t.records[at]; twice {
			return domain.ErrRecordExists
		}
		rec.Revision, rec.Created, rec.Changed = 1, stamp(rec.Created), stamp(rec.Changed)
		return t.put(at, rec, keys)
	})
}

func (r records) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	return r.do(ctx, "records.replace", c, func(t *tables) error {
		at := place{c.Name, rec.ID}
		old, err := t.record(at, rec.Revision)
		if err != nil {
			return err
		}
		old.Data, old.Changed = rec.Data, stamp(rec.Changed)
		old.Revision++
		return t.put(at, old, keys)
	})
}

func (r records) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision) error {
	return r.do(ctx, "records.remove", c, func(t *tables) error {
		at := place{c.Name, id}
		if _, err := t.record(at, rev); err != nil {
			return err
		}
		delete(t.records, at)
		t.free(at)
		return nil
	})
}

// record returns the record at a place, which must have the given revision.
func (t *tables) record(at place, rev domain.Revision) (domain.Record, error) {
	rec, ok := t.records[at]
	switch {
	case !ok:
		return rec, domain.ErrRecordNotFound
	case rec.Revision != rev:
		return rec, domain.ErrStale
	}
	return rec, nil
}

// put stores a record and its unique keys, unless another record has one of them.
func (t *tables) put(at place, rec domain.Record, keys []domain.UniqueKey) error {
	var taken []string
	for _, k := range keys {
		if owner, ok := t.unique[claim{at.collection, k}]; ok && owner != at.id {
			taken = append(taken, k.Field)
		}
	}
	if taken != nil {
		return domain.NotUnique(taken...)
	}
	if _, was := t.records[at]; was {
		t.free(at)
	}
	for _, k := range keys {
		t.unique[claim{at.collection, k}] = at.id
	}
	t.records[at] = rec
	return nil
}

// free gives up the unique keys of a record.
func (t *tables) free(at place) {
	maps.DeleteFunc(t.unique, func(c claim, id domain.RecordID) bool { return c.collection == at.collection && id == at.id })
}
