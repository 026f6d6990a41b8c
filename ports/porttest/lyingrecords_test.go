package porttest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingRecords = []liar{
	{
		name: "tells what it comes upon first",
		open: onRecords(func(r ports.Repositories) ports.Records { return serial{r.Records()} }),
		caught: []string{
			"a change is told if it is to be",
			"many records are added as each would be",
			"the failure that is named first is told",
			"what failed is told to nobody",
		},
	},
	{
		name: "mixes the ids of collections",
		open: onRecords(func(r ports.Repositories) ports.Records { return mixer{r.Records(), r} }),
		caught: []string{
			"a collection is held",
			"a collection is removed",
			"a collection that is not there",
			"a count that looks at too many records is refused",
			"a record is found by its last index key",
			"a record is read as it was stored",
			"a record is removed",
			"a refusal names the fields",
			"a search is answered however far along the walk it finds something",
			"a walk by time of an account that has many records passes those of all",
			"a walk can be of one owner's records",
			"a walk that looks at too many records is refused",
			"an index is walked between bounds",
			"as many records are found as were asked for",
			"it is told of which collection a record is",
			"many records are added as each would be",
			"pages join to the whole",
			"records are counted as they are listed",
			"records are entered anew",
			"records are found by their words",
			"records are found for which the condition is true",
			"records are walked by id",
			"records are walked by index",
			"records are walked by the time at which they were made",
			"records are walked by the time of their last change",
			"who holds a collection has waited for what was under way",
			"words are few up to a bound",
			"words, conditions and bounds join on any walk",
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
			"what failed is told to nobody",
		},
	},
	{
		name: "finds every record",
		open: onRecords(func(r ports.Repositories) ports.Records { return recordFinder{r.Records()} }),
		caught: []string{
			"a receipt that is not kept leaves its id free",
			"an absent record",
		},
	},
	{
		name: "takes the revision of a new record from outside",
		open: onRecords(func(r ports.Repositories) ports.Records { return believingRecorder{r.Records()} }),
		caught: []string{
			"a record begins at revision 1",
			"what becomes of a record is told",
		},
	},
	{
		name: "keeps quiet when an id is taken",
		open: onRecords(func(r ports.Repositories) ports.Records { return quietRecorder{r.Records()} }),
		caught: []string{
			"a change is told if it is to be",
			"a failure that f passes over spoils nothing",
			"a record that is refused is not stored",
			"an id has one record",
			"many records are added as each would be",
			"the failure that is named first is told",
			"what failed is told to nobody",
		},
	},
	{
		name: "knows no unique keys",
		open: onRecords(func(r ports.Repositories) ports.Records { return keyless{r.Records()} }),
		caught: []string{
			"a failure that f passes over spoils nothing",
			"a record begins at revision 1",
			"a record is removed",
			"a record is replaced",
			"a record that is refused is not stored",
			"a refusal names the fields",
			"a removal that is refused",
			"a replacement that is refused",
			"a revision of a record is replaced once",
			"a store keeps everything",
			"a transaction is kept",
			"a transaction reads its own writes",
			"a unique key has one record",
			"an entry is no change",
			"many records are added as each would be",
			"nothing begins after its context has ended",
			"slices are copied",
			"what failed is told to nobody",
			"what is kept beside a record comes and goes with it",
			"what outlives an account",
		},
	},
	{
		name:   "adds of many those before the first that is refused",
		open:   onRecords(func(r ports.Repositories) ports.Records { return halter{r.Records()} }),
		caught: []string{"many records are added as each would be"},
	},
	{
		name:   "adds of many none where one is refused",
		open:   onRecords(func(r ports.Repositories) ports.Records { return allOrNone{r.Records()} }),
		caught: []string{"many records are added as each would be"},
	},
	{
		name:   "adds many though their collection has changed",
		open:   onRecords(func(r ports.Repositories) ports.Records { return laxThrong{r.Records(), r} }),
		caught: []string{"of many records none is added where that fails"},
	},
	{
		name: "names one field at fault",
		open: onRecords(func(r ports.Repositories) ports.Records { return terse{r.Records()} }),
		caught: []string{
			"a refusal names the fields",
			"a replacement that is refused",
			"many records are added as each would be",
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
			"a failure that f passes over spoils nothing",
			"a record is replaced",
			"a record that is refused is not stored",
			"a refusal names the fields",
			"a replacement that is refused",
			"a revision of a record is replaced once",
			"an entry is no change",
			"many records are added as each would be",
			"what failed is told to nobody",
			"what is kept beside a record comes and goes with it",
		},
	},
	{
		name: "keeps no keys of what is replaced",
		open: onRecords(func(r ports.Repositories) ports.Records { return keyLoser{r.Records()} }),
		caught: []string{
			"a failure that f passes over spoils nothing",
			"a record is replaced",
			"a replacement that is refused",
			"a revision of a record is replaced once",
			"a unique key is replaced into once",
			"what failed is told to nobody",
		},
	},
	{
		name: "writes a record wholly anew",
		open: onRecords(func(r ports.Repositories) ports.Records { return rewriter{r.Records()} }),
		caught: []string{
			"a change is told if it is to be",
			"an event has the data as they were and as they became",
			"it is told of which collection a record is",
			"times come back in UTC",
			"what a replacement of a record leaves",
			"what becomes of a record is told",
		},
	},
	{
		name: "replaces a record whatever the revision",
		open: onRecords(func(r ports.Repositories) ports.Records { return blindRecorder{r.Records()} }),
		caught: []string{
			"a change is told if it is to be",
			"a record is found by its last index key",
			"a replacement that is refused",
			"a revision of a record is replaced once",
			"the failure that is named first is told",
			"what failed is told to nobody",
		},
	},
	{
		name: "adds what it cannot replace",
		open: onRecords(func(r ports.Repositories) ports.Records { return upserter{r.Records()} }),
		caught: []string{
			"a replacement that is refused",
			"what failed is told to nobody",
		},
	},
	{
		name: "replaces into a taken key",
		open: onRecords(func(r ports.Repositories) ports.Records { return keyBreaker{r.Records()} }),
		caught: []string{
			"a failure that f passes over spoils nothing",
			"a replacement that is refused",
			"a unique key is replaced into once",
			"what failed is told to nobody",
		},
	},
	{
		name: "removes from every collection",
		open: onRecords(func(r ports.Repositories) ports.Records { return wideRemover{r.Records(), r} }),
		caught: []string{
			"a record is removed",
			"it is told of which collection a record is",
		},
	},
	{
		name: "removes a record whatever the revision",
		open: onRecords(func(r ports.Repositories) ports.Records { return blindEraser{r.Records()} }),
		caught: []string{
			"a removal is told if it is to be",
			"a removal that is refused",
			"what failed is told to nobody",
		},
	},
	{
		name: "tells of every change",
		open: filing(func(e *domain.Entries) {
			if e.Event.IsZero() {
				e.Event = noon
			}
		}),
		caught: []string{
			"a change is told if it is to be",
			"a removal is told if it is to be",
			"an entry is no change",
			"many records are added as each would be",
		},
	},
	{
		name: "tells of no change",
		open: filing(func(e *domain.Entries) { e.Event = time.Time{} }),
		caught: []string{
			"a change is told if it is to be",
			"an entry is no change",
			"an event has the data as they were and as they became",
			"an event whose transaction takes long is heard",
			"events that are of no interest any more are forgotten",
			"it is told of which collection a record is",
			"times come back in UTC",
			"what becomes of a record is told",
			"what failed is told to nobody",
			"who begins at the latest mark hears what comes later",
			"who begins hears the first event that is kept",
			"who goes on from a mark hears the rest",
		},
	},
	{
		name:   "tells of every removal",
		open:   onRecords(func(r ports.Repositories) ports.Records { return loudRemover{r.Records()} }),
		caught: []string{"a removal is told if it is to be"},
	},
	{
		name: "keeps the words of what is replaced",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{records: func(r ports.Repositories) ports.Records { return wordKeeper{r.Records(), memory} }}}
		},
		caught: []string{
			"entries fit one revision",
			"records are entered anew",
			"what is kept beside a record comes and goes with it",
		},
	},
	{
		name: "enters nothing",
		open: onRecords(func(r ports.Repositories) ports.Records { return idle{r.Records()} }),
		caught: []string{
			"entries fit one revision",
			"records are entered anew",
		},
	},
	{
		name:   "enters whatever the revision",
		open:   onRecords(func(r ports.Repositories) ports.Records { return blindEnterer{r.Records()} }),
		caught: []string{"entries fit one revision"},
	},
	{
		name:   "enters the first record alone",
		open:   onRecords(func(r ports.Repositories) ports.Records { return firstEnterer{r.Records()} }),
		caught: []string{"records are entered anew"},
	},
	{
		name:   "enters unique keys too",
		open:   onRecords(func(r ports.Repositories) ports.Records { return keyEnterer{r.Records()} }),
		caught: []string{"an entry is no change"},
	},
	{
		name:   "tells of what it enters",
		open:   onRecords(func(r ports.Repositories) ports.Records { return loudEnterer{r.Records()} }),
		caught: []string{"an entry is no change"},
	},
}

// serial asks for the keys before it asks for the id.
type serial struct{ ports.Records }

func (l serial) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	err := l.Records.Add(ctx, c, rec, e)
	if errors.Is(err, domain.ErrRecordExists) {
		rec.ID = recordID(1 << 20)
		switch other := l.Records.Add(ctx, c, rec, e); {
		case errors.Is(other, domain.ErrNotUnique):
			return other
		case other == nil:
			return errors.Join(err, l.Remove(ctx, c, rec.ID, 1, time.Time{}))
		}
	}
	return err
}

type mixer struct {
	ports.Records
	r ports.Repositories
}

func (l mixer) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	list, _ := l.r.Collections().List(ctx)
	for _, other := range list {
		if _, err := l.Get(ctx, other.Ref(), rec.ID); err == nil && other.Name != c.Name {
			return domain.ErrRecordExists
		}
	}
	return l.Records.Add(ctx, c, rec, e)
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

func (l laxWriter) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	return l.Records.Add(ctx, current(ctx, l.r, c), rec, e)
}

type recordFinder struct{ ports.Records }

func (l recordFinder) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error) {
	rec, err := l.Records.Get(ctx, c, id)
	return rec, quiet(err, domain.ErrRecordNotFound)
}

type believingRecorder struct{ ports.Records }

func (l believingRecorder) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	err := l.Records.Add(ctx, c, rec, e)
	for n := range rec.Revision - 1 {
		err = errors.Join(err, l.Replace(ctx, c, withRevision(rec, n+1), e))
	}
	return err
}

type quietRecorder struct{ ports.Records }

func (l quietRecorder) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	return quiet(l.Records.Add(ctx, c, rec, e), domain.ErrRecordExists)
}

type keyless struct{ ports.Records }

func (l keyless) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	e.Unique = nil
	return l.Records.Add(ctx, c, rec, e)
}

// halter adds no more after a refusal.
type halter struct{ ports.Records }

func (l halter) AddAll(ctx context.Context, c domain.CollectionRef, all []ports.Newcomer) ([]error, error) {
	refusals, err := l.Records.AddAll(ctx, c, nil)
	for i, n := range all {
		if refusals = append(refusals, l.Add(ctx, c, n.Record, n.Entries)); err != nil || refusals[i] != nil {
			return slices.Grow(refusals, len(all))[:len(all)], err
		}
	}
	return refusals, err
}

// allOrNone takes back what it has added beside a refusal.
type allOrNone struct{ ports.Records }

func (l allOrNone) AddAll(ctx context.Context, c domain.CollectionRef, all []ports.Newcomer) ([]error, error) {
	refusals, err := l.Records.AddAll(ctx, c, all)
	if slices.ContainsFunc(refusals, func(err error) bool { return err != nil }) {
		for i, n := range all {
			if refusals[i] == nil {
				err = errors.Join(err, l.Remove(ctx, c, n.Record.ID, 1, time.Time{}))
			}
		}
	}
	return refusals, err
}

// laxThrong fails as it should, and adds some.
type laxThrong struct {
	ports.Records
	r ports.Repositories
}

func (l laxThrong) AddAll(ctx context.Context, c domain.CollectionRef, all []ports.Newcomer) ([]error, error) {
	refusals, err := l.Records.AddAll(ctx, c, all)
	if errors.Is(err, domain.ErrCollectionChanged) && len(all) > 1 {
		_ = l.Add(ctx, current(ctx, l.r, c), all[0].Record, all[0].Entries)
	}
	return refusals, err
}

type terse struct{ ports.Records }

func (l terse) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	err := l.Records.Add(ctx, c, rec, e)
	if bad, ok := errors.AsType[*domain.Error](err); ok && len(bad.Fields) > 1 {
		short := *bad
		short.Fields = bad.Fields[:1]
		return &short
	}
	return err
}

type fieldless struct{ ports.Records }

func (l fieldless) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	e.Unique = slices.Clone(e.Unique)
	for i := range e.Unique {
		if e.Unique[i].Field == "name" {
			e.Unique[i].Field = "number"
		}
	}
	return l.Records.Add(ctx, c, rec, e)
}

type storingRefuser struct{ ports.Records }

func (l storingRefuser) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	err := l.Records.Add(ctx, c, rec, e)
	if errors.Is(err, domain.ErrNotUnique) {
		return errors.Join(err, l.Records.Add(ctx, c, rec, entries()))
	}
	return err
}

type keyLoser struct{ ports.Records }

func (l keyLoser) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	e.Unique = nil
	return l.Records.Replace(ctx, c, rec, e)
}

type rewriter struct{ ports.Records }

func (l rewriter) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	if err := l.Records.Replace(ctx, c, rec, e); err != nil {
		return err
	}
	err := errors.Join(l.Remove(ctx, c, rec.ID, rec.Revision+1, time.Time{}), l.Add(ctx, c, rec, e))
	for n := range rec.Revision {
		err = errors.Join(err, l.Records.Replace(ctx, c, withRevision(rec, n+1), e))
	}
	return err
}

type blindRecorder struct{ ports.Records }

func (l blindRecorder) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	if old, err := l.Get(ctx, c, rec.ID); err == nil {
		rec.Revision = old.Revision
	}
	return quiet(l.Records.Replace(ctx, c, rec, e), domain.ErrStale)
}

type upserter struct{ ports.Records }

func (l upserter) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	err := l.Records.Replace(ctx, c, rec, e)
	if errors.Is(err, domain.ErrRecordNotFound) {
		return l.Add(ctx, c, rec, e)
	}
	return err
}

type keyBreaker struct{ ports.Records }

func (l keyBreaker) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	err := l.Records.Replace(ctx, c, rec, e)
	if errors.Is(err, domain.ErrNotUnique) {
		e.Unique = nil
		return l.Records.Replace(ctx, c, rec, e)
	}
	return err
}

type wideRemover struct {
	ports.Records
	r ports.Repositories
}

func (l wideRemover) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision, event time.Time) error {
	err := l.Records.Remove(ctx, c, id, rev, event)
	if err != nil {
		return err
	}
	list, err := l.r.Collections().List(ctx)
	for _, other := range list {
		if other.Name != c.Name {
			err = errors.Join(err, quiet(l.Records.Remove(ctx, other.Ref(), id, rev, event), domain.ErrRecordNotFound))
		}
	}
	return err
}

type blindEraser struct{ ports.Records }

func (l blindEraser) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision, event time.Time) error {
	if old, err := l.Get(ctx, c, id); err == nil {
		rev = old.Revision
	}
	return l.Records.Remove(ctx, c, id, rev, event)
}

type loudRemover struct{ ports.Records }

func (l loudRemover) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision, event time.Time) error {
	if event.IsZero() {
		event = noon
	}
	return l.Records.Remove(ctx, c, id, rev, event)
}

// wordKeeper keeps the first words of a record.
type wordKeeper struct {
	ports.Records
	memory *sync.Map
}

func (l wordKeeper) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	err := l.Records.Add(ctx, c, rec, e)
	if err == nil {
		l.memory.Store(string(c.Name)+string(rec.ID), slices.Clone(e.Words))
	}
	return err
}

func (l wordKeeper) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	if first, ok := l.memory.Load(string(c.Name) + string(rec.ID)); ok {
		e.Words = first.([]string)
	}
	return l.Records.Replace(ctx, c, rec, e)
}

type idle struct{ ports.Records }

func (l idle) Enter(ctx context.Context, c domain.CollectionRef, _ []ports.Filing) error {
	return l.Records.Enter(ctx, c, nil)
}

type blindEnterer struct{ ports.Records }

func (l blindEnterer) Enter(ctx context.Context, c domain.CollectionRef, filings []ports.Filing) error {
	filings = slices.Clone(filings)
	for i, f := range filings {
		if old, err := l.Get(ctx, c, f.ID); err == nil {
			filings[i].Revision = old.Revision
		}
	}
	return l.Records.Enter(ctx, c, filings)
}

type firstEnterer struct{ ports.Records }

func (l firstEnterer) Enter(ctx context.Context, c domain.CollectionRef, filings []ports.Filing) error {
	return l.Records.Enter(ctx, c, filings[:min(len(filings), 1)])
}

// keyEnterer writes records anew that it is to enter, with all of their entries.
type keyEnterer struct{ ports.Records }

func (l keyEnterer) Enter(ctx context.Context, c domain.CollectionRef, filings []ports.Filing) error {
	err := l.Records.Enter(ctx, c, filings)
	for _, f := range filings {
		if old, bad := l.Get(ctx, c, f.ID); bad == nil && old.Revision == 1 && f.Revision == 1 {
			f.Entries.Event = time.Time{}
			err = errors.Join(err, l.Remove(ctx, c, f.ID, 1, time.Time{}), l.Add(ctx, c, old, f.Entries))
		}
	}
	return err
}

// loudEnterer tells of an entry that the record was removed.
type loudEnterer struct{ ports.Records }

func (l loudEnterer) Enter(ctx context.Context, c domain.CollectionRef, filings []ports.Filing) error {
	err := l.Records.Enter(ctx, c, filings)
	for _, f := range filings {
		if old, bad := l.Get(ctx, c, f.ID); bad == nil && !f.Entries.Event.IsZero() {
			f.Entries.Unique = []domain.UniqueKey{uniqueKey("number", 1)}
			err = errors.Join(err, l.Remove(ctx, c, f.ID, 1, f.Entries.Event), l.Add(ctx, c, old, entriesOf(f.Entries)))
		}
	}
	return err
}

// entriesOf returns entries of which nobody is told.
func entriesOf(e domain.Entries) domain.Entries {
	e.Event = time.Time{}
	return e
}
