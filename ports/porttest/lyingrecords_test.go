package porttest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingRecords = []liar{
	{
		name:   "tells what it comes upon first",
		open:   onRecords(func(r ports.Repositories) ports.Records { return serial{r.Records()} }),
		caught: []string{"the failure that is named first is told"},
	},
	{
		name: "mixes the ids of collections",
		open: onRecords(func(r ports.Repositories) ports.Records { return mixer{r.Records(), r} }),
		caught: []string{
			"a record is read as it was stored",
			"a collection that is not there",
			"a refusal names the fields",
			"a record is removed",
		},
	},
	{
		name:   "reads data through floats",
		open:   onRecords(func(r ports.Repositories) ports.Records { return floating{r.Records()} }),
		caught: []string{"data keeps its text"},
	},
	{
		name: "finds no record where there is no collection",
		open: onRecords(func(r ports.Repositories) ports.Records { return modest{r.Records()} }),
		caught: []string{
			"a collection that is not there",
			"a failed transaction leaves nothing",
		},
	},
	{
		name: "reads by any revision of a collection",
		open: onRecords(func(r ports.Repositories) ports.Records { return laxReader{r.Records(), r} }),
		caught: []string{
			"a collection that has changed",
			"a write judges the collection when it happens",
		},
	},
	{
		name: "writes by any revision of a collection",
		open: onRecords(func(r ports.Repositories) ports.Records { return laxWriter{r.Records(), r} }),
		caught: []string{
			"a collection that has changed",
			"a write judges the collection when it happens",
		},
	},
	{
		name:   "finds every record",
		open:   onRecords(func(r ports.Repositories) ports.Records { return recordFinder{r.Records()} }),
		caught: []string{"an absent record"},
	},
	{
		name: "filters after the limit",
		open: onRecords(func(r ports.Repositories) ports.Records { return lateFilter{r.Records()} }),
		caught: []string{
			"records are listed by id",
			"many use a store at once",
		},
	},
	{
		name:   "gives a stranger what nobody owns",
		open:   onRecords(func(r ports.Repositories) ports.Records { return openHanded{r.Records()} }),
		caught: []string{"records are listed by id"},
	},
	{
		name:   "takes the revision of a new record from outside",
		open:   onRecords(func(r ports.Repositories) ports.Records { return believingRecorder{r.Records()} }),
		caught: []string{"a record begins at revision 1"},
	},
	{
		name: "keeps quiet when an id is taken",
		open: onRecords(func(r ports.Repositories) ports.Records { return quietRecorder{r.Records()} }),
		caught: []string{
			"an id has one record",
			"a record that is refused is not stored",
			"a failure that f passes over spoils nothing",
			"the failure that is named first is told",
		},
	},
	{
		name: "knows no unique keys",
		open: onRecords(func(r ports.Repositories) ports.Records { return keyless{r.Records()} }),
		caught: []string{
			"what outlives an account",
			"a record begins at revision 1",
			"a unique key has one record",
			"a refusal names the fields",
			"a record that is refused is not stored",
			"a record is replaced",
			"a revision of a record is replaced once",
			"a replacement that is refused",
			"a record is removed",
			"a removal that is refused",
			"a store keeps everything",
			"a transaction reads its own writes",
			"a transaction is kept",
			"a failure that f passes over spoils nothing",
			"nothing begins after its context has ended",
			"slices are copied",
		},
	},
	{
		name: "names one field at fault",
		open: onRecords(func(r ports.Repositories) ports.Records { return terse{r.Records()} }),
		caught: []string{
			"a refusal names the fields",
			"a replacement that is refused",
		},
	},
	{
		name:   "takes one field for another",
		open:   onRecords(func(r ports.Repositories) ports.Records { return fieldless{r.Records()} }),
		caught: []string{"a refusal names the fields"},
	},
	{
		name: "stores what it refuses",
		open: onRecords(func(r ports.Repositories) ports.Records { return storingRefuser{r.Records()} }),
		caught: []string{
			"a refusal names the fields",
			"a record that is refused is not stored",
			"a record is replaced",
			"a revision of a record is replaced once",
			"a replacement that is refused",
			"a failure that f passes over spoils nothing",
		},
	},
	{
		name: "keeps no keys of what is replaced",
		open: onRecords(func(r ports.Repositories) ports.Records { return keyLoser{r.Records()} }),
		caught: []string{
			"a record is replaced",
			"a revision of a record is replaced once",
			"a replacement that is refused",
			"a unique key is replaced into once",
			"a failure that f passes over spoils nothing",
		},
	},
	{
		name:   "writes a record wholly anew",
		open:   onRecords(func(r ports.Repositories) ports.Records { return rewriter{r.Records()} }),
		caught: []string{"what a replacement of a record leaves"},
	},
	{
		name: "replaces a record whatever the revision",
		open: onRecords(func(r ports.Repositories) ports.Records { return blindRecorder{r.Records()} }),
		caught: []string{
			"a revision of a record is replaced once",
			"a replacement that is refused",
			"the failure that is named first is told",
		},
	},
	{
		name:   "adds what it cannot replace",
		open:   onRecords(func(r ports.Repositories) ports.Records { return upserter{r.Records()} }),
		caught: []string{"a replacement that is refused"},
	},
	{
		name: "replaces into a taken key",
		open: onRecords(func(r ports.Repositories) ports.Records { return keyBreaker{r.Records()} }),
		caught: []string{
			"a replacement that is refused",
			"a unique key is replaced into once",
			"a failure that f passes over spoils nothing",
		},
	},
	{
		name:   "removes from every collection",
		open:   onRecords(func(r ports.Repositories) ports.Records { return wideRemover{r.Records(), r} }),
		caught: []string{"a record is removed"},
	},
	{
		name:   "removes a record whatever the revision",
		open:   onRecords(func(r ports.Repositories) ports.Records { return blindEraser{r.Records()} }),
		caught: []string{"a removal that is refused"},
	},
}

// serial asks for the keys before it asks for the id.
type serial struct{ ports.Records }

func (l serial) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	err := l.Records.Add(ctx, c, rec, keys)
	if errors.Is(err, domain.ErrRecordExists) {
		rec.ID = recordID(1 << 20)
		switch other := l.Records.Add(ctx, c, rec, keys); {
		case errors.Is(other, domain.ErrNotUnique):
			return other
		case other == nil:
			return errors.Join(err, l.Remove(ctx, c, rec.ID, 1))
		}
	}
	return err
}

type mixer struct {
	ports.Records
	r ports.Repositories
}

func (l mixer) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	list, _ := l.r.Collections().List(ctx)
	for _, other := range list {
		if _, err := l.Get(ctx, other.Ref(), rec.ID); err == nil && other.Name != c.Name {
			return domain.ErrRecordExists
		}
	}
	return l.Records.Add(ctx, c, rec, keys)
}

type floating struct{ ports.Records }

func (l floating) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error) {
	rec, err := l.Records.Get(ctx, c, id)
	var v any
	if json.Unmarshal([]byte(rec.Data.Text()), &v) == nil && err == nil {
		text, _ := json.Marshal(v)
		rec.Data = domain.RestoreDocument(string(text))
	}
	return rec, err
}

type modest struct{ ports.Records }

func (l modest) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error) {
	rec, err := l.Records.Get(ctx, c, id)
	if errors.Is(err, domain.ErrCollectionNotFound) {
		err = domain.ErrRecordNotFound
	}
	return rec, err
}

type laxReader struct {
	ports.Records
	r ports.Repositories
}

func (l laxReader) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error) {
	return l.Records.Get(ctx, current(ctx, l.r, c), id)
}

// current returns the collection as it is now.
func current(ctx context.Context, r ports.Repositories, c domain.CollectionRef) domain.CollectionRef {
	if now, err := r.Collections().ByName(ctx, c.Name); err == nil {
		return now.Ref()
	}
	return c
}

type laxWriter struct {
	ports.Records
	r ports.Repositories
}

func (l laxWriter) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	return l.Records.Add(ctx, current(ctx, l.r, c), rec, keys)
}

type recordFinder struct{ ports.Records }

func (l recordFinder) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error) {
	rec, err := l.Records.Get(ctx, c, id)
	return rec, quiet(err, domain.ErrRecordNotFound)
}

type lateFilter struct{ ports.Records }

func (l lateFilter) List(ctx context.Context, c domain.CollectionRef, where domain.Predicate, after domain.RecordID, limit int) ([]domain.Record, error) {
	list, err := l.Records.List(ctx, c, domain.Everything{}, after, limit)
	return slices.DeleteFunc(list, func(r domain.Record) bool { return !domain.Holds(where, r) }), err
}

type openHanded struct{ ports.Records }

func (l openHanded) List(ctx context.Context, c domain.CollectionRef, where domain.Predicate, after domain.RecordID, limit int) ([]domain.Record, error) {
	if where == (domain.OwnedBy{}) {
		where = domain.Everything{}
	}
	return l.Records.List(ctx, c, where, after, limit)
}

type believingRecorder struct{ ports.Records }

func (l believingRecorder) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	err := l.Records.Add(ctx, c, rec, keys)
	for n := range rec.Revision - 1 {
		err = errors.Join(err, l.Replace(ctx, c, withRevision(rec, n+1), keys))
	}
	return err
}

type quietRecorder struct{ ports.Records }

func (l quietRecorder) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	return quiet(l.Records.Add(ctx, c, rec, keys), domain.ErrRecordExists)
}

type keyless struct{ ports.Records }

func (l keyless) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, _ []domain.UniqueKey) error {
	return l.Records.Add(ctx, c, rec, nil)
}

type terse struct{ ports.Records }

func (l terse) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	err := l.Records.Add(ctx, c, rec, keys)
	if e, ok := errors.AsType[*domain.Error](err); ok && len(e.Fields) > 1 {
		short := *e
		short.Fields = e.Fields[:1]
		return &short
	}
	return err
}

type fieldless struct{ ports.Records }

func (l fieldless) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	keys = slices.Clone(keys)
	for i := range keys {
		if keys[i].Field == "name" {
			keys[i].Field = "number"
		}
	}
	return l.Records.Add(ctx, c, rec, keys)
}

type storingRefuser struct{ ports.Records }

func (l storingRefuser) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	err := l.Records.Add(ctx, c, rec, keys)
	if errors.Is(err, domain.ErrNotUnique) {
		return errors.Join(err, l.Records.Add(ctx, c, rec, nil))
	}
	return err
}

type keyLoser struct{ ports.Records }

func (l keyLoser) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, _ []domain.UniqueKey) error {
	return l.Records.Replace(ctx, c, rec, nil)
}

type rewriter struct{ ports.Records }

func (l rewriter) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	if err := l.Records.Replace(ctx, c, rec, keys); err != nil {
		return err
	}
	err := errors.Join(l.Remove(ctx, c, rec.ID, rec.Revision+1), l.Add(ctx, c, rec, keys))
	for n := range rec.Revision {
		err = errors.Join(err, l.Records.Replace(ctx, c, withRevision(rec, n+1), keys))
	}
	return err
}

type blindRecorder struct{ ports.Records }

func (l blindRecorder) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	if old, err := l.Get(ctx, c, rec.ID); err == nil {
		rec.Revision = old.Revision
	}
	return quiet(l.Records.Replace(ctx, c, rec, keys), domain.ErrStale)
}

type upserter struct{ ports.Records }

func (l upserter) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	err := l.Records.Replace(ctx, c, rec, keys)
	if errors.Is(err, domain.ErrRecordNotFound) {
		return l.Add(ctx, c, rec, keys)
	}
	return err
}

type keyBreaker struct{ ports.Records }

func (l keyBreaker) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	err := l.Records.Replace(ctx, c, rec, keys)
	if errors.Is(err, domain.ErrNotUnique) {
		return l.Records.Replace(ctx, c, rec, nil)
	}
	return err
}

type wideRemover struct {
	ports.Records
	r ports.Repositories
}

func (l wideRemover) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision) error {
	err := l.Records.Remove(ctx, c, id, rev)
	if err != nil {
		return err
	}
	list, err := l.r.Collections().List(ctx)
	for _, other := range list {
		if other.Name != c.Name {
			err = errors.Join(err, quiet(l.Records.Remove(ctx, other.Ref(), id, rev), domain.ErrRecordNotFound))
		}
	}
	return err
}

type blindEraser struct{ ports.Records }

func (l blindEraser) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision) error {
	if old, err := l.Get(ctx, c, id); err == nil {
		rev = old.Revision
	}
	return l.Records.Remove(ctx, c, id, rev)
}
