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
	{"mixes the ids of collections", onRecords(func(r ports.Repositories) ports.Records { return mixer{r.Records(), r} }), nil, nil},
	{"reads data through floats", onRecords(func(r ports.Repositories) ports.Records { return floating{r.Records()} }), nil, nil},
	{"finds no record where there is no collection", onRecords(func(r ports.Repositories) ports.Records { return modest{r.Records()} }), nil, nil},
	{"reads by any revision of a collection", onRecords(func(r ports.Repositories) ports.Records { return laxReader{r.Records(), r} }), nil, nil},
	{"writes by any revision of a collection", onRecords(func(r ports.Repositories) ports.Records { return laxWriter{r.Records(), r} }), nil, nil},
	{"finds every record", onRecords(func(r ports.Repositories) ports.Records { return recordFinder{r.Records()} }), nil, nil},
	{"filters after the limit", onRecords(func(r ports.Repositories) ports.Records { return lateFilter{r.Records()} }), nil, nil},
	{"gives a stranger what nobody owns", onRecords(func(r ports.Repositories) ports.Records { return openHanded{r.Records()} }), nil, nil},
	{"takes the revision of a new record from outside", onRecords(func(r ports.Repositories) ports.Records { return believingRecorder{r.Records()} }), nil, nil},
	{"keeps quiet when an id is taken", onRecords(func(r ports.Repositories) ports.Records { return quietRecorder{r.Records()} }), nil, nil},
	{"knows no unique keys", onRecords(func(r ports.Repositories) ports.Records { return keyless{r.Records()} }), nil, nil},
	{"names one field at fault", onRecords(func(r ports.Repositories) ports.Records { return terse{r.Records()} }), nil, nil},
	{"takes one field for another", onRecords(func(r ports.Repositories) ports.Records { return fieldless{r.Records()} }), nil, nil},
	{"stores what it refuses", onRecords(func(r ports.Repositories) ports.Records { return storingRefuser{r.Records()} }), nil, nil},
	{"keeps no keys of what is replaced", onRecords(func(r ports.Repositories) ports.Records { return keyLoser{r.Records()} }), nil, nil},
	{"writes a record wholly anew", onRecords(func(r ports.Repositories) ports.Records { return rewriter{r.Records()} }), nil, nil},
	{"replaces a record whatever the revision", onRecords(func(r ports.Repositories) ports.Records { return blindRecorder{r.Records()} }), nil, nil},
	{"adds what it cannot replace", onRecords(func(r ports.Repositories) ports.Records { return upserter{r.Records()} }), nil, nil},
	{"replaces into a taken key", onRecords(func(r ports.Repositories) ports.Records { return keyBreaker{r.Records()} }), nil, nil},
	{"removes from every collection", onRecords(func(r ports.Repositories) ports.Records { return wideRemover{r.Records(), r} }), nil, nil},
	{"removes a record whatever the revision", onRecords(func(r ports.Repositories) ports.Records { return blindEraser{r.Records()} }), nil, nil},
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
