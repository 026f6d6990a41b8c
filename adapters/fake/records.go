package fake

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
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

func (r records) List(ctx context.Context, c domain.CollectionRef, q domain.Query) (list []domain.Record, err error) {
	err = r.do(ctx, "records.list", c, func(t *tables) error {
		list, err = t.find(c.Name, q)
		return err
	})
	return list, err
}

func (r records) Count(ctx context.Context, c domain.CollectionRef, q domain.Query) (n int, err error) {
	err = r.do(ctx, "records.count", c, func(t *tables) error {
		list, err := t.find(c.Name, q)
		n = len(list)
		return err
	})
	return n, err
}

func (r records) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	return r.do(ctx, "records.add", c, func(t *tables) error { return t.add(c.Name, rec, e) })
}

func (r records) AddAll(ctx context.Context, c domain.CollectionRef, all []ports.Newcomer) (refusals []error, err error) {
	err = r.do(ctx, "records.add all", c, func(t *tables) error {
		refusals = make([]error, len(all))
		for i, n := range all {
			refusals[i] = t.add(c.Name, n.Record, n.Entries)
		}
		return nil
	})
	return refusals, err
}

func (r records) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	return r.do(ctx, "records.replace", c, func(t *tables) error {
		at := place{c.Name, rec.ID}
		old, err := t.record(at, rec.Revision)
		if err != nil {
			return err
		}
		now := old
		now.Data, now.Changed = rec.Data, stamp(rec.Changed)
		now.Revision++
		if err := t.put(at, now, e); err != nil {
			return err
		}
		t.tell(domain.Event{Kind: domain.RecordChanged, Collection: c.Name, Record: now, Before: old.Data, At: e.Event})
		return nil
	})
}

func (r records) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision, event time.Time) error {
	return r.do(ctx, "records.remove", c, func(t *tables) error {
		at := place{c.Name, id}
		old, err := t.record(at, rev)
		if err != nil {
			return err
		}
		delete(t.records, at)
		delete(t.filed, at)
		t.free(at)
		t.tell(domain.Event{Kind: domain.RecordDeleted, Collection: c.Name, Record: old, At: event})
		return nil
	})
}

func (r records) Enter(ctx context.Context, c domain.CollectionRef, filings []ports.Filing) error {
	return r.do(ctx, "records.enter", c, func(t *tables) error {
		for _, f := range filings {
			at := place{c.Name, f.ID}
			if _, err := t.record(at, f.Revision); err == nil {
				t.file(at, f.Entries)
			}
		}
		return nil
	})
}

// add stores a new record, and tells of it.
func (t *tables) add(name domain.CollectionName, rec domain.Record, e domain.Entries) error {
	at := place{name, rec.ID}
	if _, twice := t.records[at]; twice {
		return domain.ErrRecordExists
	}
	rec.Revision, rec.Created, rec.Changed = 1, stamp(rec.Created), stamp(rec.Changed)
	if err := t.put(at, rec, e); err != nil {
		return err
	}
	t.tell(domain.Event{Kind: domain.RecordCreated, Collection: name, Record: rec, At: e.Event})
	return nil
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

// put stores a record and its entries, unless another record has one of its unique
// keys.
func (t *tables) put(at place, rec domain.Record, e domain.Entries) error {
	var taken []string
	for _, k := range e.Unique {
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
	for _, k := range e.Unique {
		t.unique[claim{at.collection, k}] = at.id
	}
	t.records[at] = rec
	t.file(at, e)
	return nil
}

// file keeps where a record stands in indexes, and by which words it is found.
func (t *tables) file(at place, e domain.Entries) {
	t.filed[at] = filing{slices.Clone(e.Index), slices.Clone(e.Words)}
}

// free gives up the unique keys of a record.
func (t *tables) free(at place) {
	maps.DeleteFunc(t.unique, func(c claim, id domain.RecordID) bool { return c.collection == at.collection && id == at.id })
}
