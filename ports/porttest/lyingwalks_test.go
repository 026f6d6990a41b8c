package porttest

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingWalks = []liar{
	{
		name: "walks backward within a page",
		open: onRecords(func(r ports.Repositories) ports.Records { return turner{r.Records()} }),
		caught: []string{
			"a search is answered however far along the walk it finds something",
			"a walk by time of an account that has many records passes those of all",
			"a walk can be of one owner's records",
			"a walk that looks at too many records is refused",
			"an index is walked between bounds",
			"pages join to the whole",
			"records are walked by id",
			"records are walked by index",
			"records are walked by the time at which they were made",
			"records are walked by the time of their last change",
			"words are few up to a bound",
			"words, conditions and bounds join on any walk",
		},
	},
	{
		name: "begins with the place itself",
		open: asking(func(q *domain.Query) {
			if last := len(q.After.ID) - 1; q.Order == domain.ByID && !q.Backward && last > 0 {
				q.After.ID = q.After.ID[:last] + domain.RecordID(q.After.ID[last]-1) + "~"
			}
		}),
		caught: []string{
			"a count that looks at too many records is refused",
			"a search is answered however far along the walk it finds something",
			"a walk can be of one owner's records",
			"a walk that looks at too many records is refused",
			"as many records are found as were asked for",
			"pages join to the whole",
			"records are counted as they are listed",
			"records are walked by id",
			"words are few up to a bound",
		},
	},
	{
		name: "looks for one account's records however many it has",
		open: asking(func(q *domain.Query) {
			if q.Gathers() {
				q.Scan = 0
			}
		}),
		caught: []string{"a walk by time of an account that has many records passes those of all"},
	},
	{
		name: "looks at many records of others for one account's few",
		open: asking(func(q *domain.Query) {
			if q.Gathers() && q.Scan > 0 {
				*q = q.Widened()
			}
		}),
		caught: []string{"a walk by time of an account that has many records passes those of all"},
	},
	{
		name: "goes on from the time alone",
		open: asking(func(q *domain.Query) {
			if q.Order == domain.ByCreated && q.After.Key != "" {
				q.After.ID = ""
			}
		}),
		caught: []string{
			"a count that looks at too many records is refused",
			"a search is answered however far along the walk it finds something",
			"a walk can be of one owner's records",
			"a walk that looks at too many records is refused",
			"pages join to the whole",
			"records are walked by the time at which they were made",
		},
	},
	{
		name: "takes the time of creation for that of the last change",
		open: asking(func(q *domain.Query) {
			if q.Order == domain.ByChanged {
				q.Order = domain.ByCreated
			}
		}),
		caught: []string{
			"a walk by time of an account that has many records passes those of all",
			"a walk can be of one owner's records",
			"pages join to the whole",
			"records are walked by the time of their last change",
		},
	},
	{
		name: "keeps index keys up to a NUL",
		open: filing(func(e *domain.Entries) {
			for i := range e.Index {
				e.Index[i].Key, _, _ = strings.Cut(e.Index[i].Key, "\x00")
			}
		}),
		caught: []string{
			"a walk can be of one owner's records",
			"an index is walked between bounds",
			"many records are added as each would be",
			"pages join to the whole",
			"records are walked by index",
		},
	},
	{
		name: "keeps the first index key alone",
		open: filing(func(e *domain.Entries) { e.Index = e.Index[:min(len(e.Index), 1)] }),
		caught: []string{
			"pages join to the whole",
			"records are walked by index",
		},
	},
	{
		name: "takes the upper bound in",
		open: asking(func(q *domain.Query) {
			if q.High != "" {
				q.High += "\x00"
			}
		}),
		caught: []string{
			"a count that looks at too many records is refused",
			"a search is answered however far along the walk it finds something",
			"a walk that looks at too many records is refused",
			"an index is walked between bounds",
			"records are counted as they are listed",
		},
	},
	{
		name: "leaves the lower bound out",
		open: asking(func(q *domain.Query) {
			if q.Low != "" {
				q.Low += "\x00"
			}
		}),
		caught: []string{
			"a count that looks at too many records is refused",
			"a record is found by its last index key",
			"a search is answered however far along the walk it finds something",
			"a walk that looks at too many records is refused",
			"an index is walked between bounds",
			"entries fit one revision",
			"records are counted as they are listed",
			"records are entered anew",
			"slices are copied",
			"what is kept beside a record comes and goes with it",
		},
	},
	{
		name: "forgets whose records it walks by index",
		open: asking(func(q *domain.Query) {
			if q.Order == domain.ByIndex {
				q.Owner = ""
			}
		}),
		caught: []string{"a walk can be of one owner's records"},
	},
	{
		name: "forgets whose records it walks by time",
		open: asking(func(q *domain.Query) {
			if q.Order == domain.ByCreated || q.Order == domain.ByChanged {
				q.Owner = ""
			}
		}),
		caught: []string{
			"a walk by time of an account that has many records passes those of all",
			"a walk can be of one owner's records",
		},
	},
	{
		name: "passes the rest of a key by",
		open: asking(func(q *domain.Query) {
			if q.Order == domain.ByIndex && !q.Backward && q.After != (domain.Place{}) {
				q.After.ID = "~"
			}
		}),
		caught: []string{
			"pages join to the whole",
			"records are walked by index",
		},
	},
	{
		name:   "finds what may be",
		open:   onRecords(func(r ports.Repositories) ports.Records { return hopeful{r.Records()} }),
		caught: []string{"records are found for which the condition is true"},
	},
	{
		name: "filters after the limit",
		open: onRecords(func(r ports.Repositories) ports.Records { return lateFilter{r.Records()} }),
		caught: []string{
			"a search is answered however far along the walk it finds something",
			"a walk that looks at too many records is refused",
			"as many records are found as were asked for",
			"words are few up to a bound",
			"words, conditions and bounds join on any walk",
		},
	},
	{
		name: "gives a stranger what nobody owns",
		open: asking(func(q *domain.Query) {
			if q.Where == (domain.OwnedBy{}) {
				q.Where = domain.Everything{}
			}
		}),
		caught: []string{"records are found for which the condition is true"},
	},
	{
		name: "wants every word whole",
		open: asking(func(q *domain.Query) {
			if n := len(q.Words); n > 0 {
				q.Words = append(slices.Clone(q.Words), q.Words[n-1])
			}
		}),
		caught: []string{
			"a search is answered however far along the walk it finds something",
			"records are found by their words",
			"what is kept beside a record comes and goes with it",
			"words are few up to a bound",
			"words, conditions and bounds join on any walk",
		},
	},
	{
		name: "is content with the last word",
		open: asking(func(q *domain.Query) { q.Words = q.Words[max(0, len(q.Words)-1):] }),
		caught: []string{
			"a search is answered however far along the walk it finds something",
			"records are found by their words",
			"words are few up to a bound",
		},
	},
	{
		name:   "keeps few words",
		open:   filing(func(e *domain.Entries) { e.Words = e.Words[:min(len(e.Words), 100)] }),
		caught: []string{"records are found by their words"},
	},
	{
		name: "keeps no words",
		open: filing(func(e *domain.Entries) { e.Words = nil }),
		caught: []string{
			"a count that looks at too many records is refused",
			"a search is answered however far along the walk it finds something",
			"entries fit one revision",
			"many records are added as each would be",
			"records are counted as they are listed",
			"records are entered anew",
			"records are found by their words",
			"slices are copied",
			"what is kept beside a record comes and goes with it",
			"words are few up to a bound",
			"words, conditions and bounds join on any walk",
		},
	},
	{
		name: "searches beyond the bounds of an index",
		open: asking(func(q *domain.Query) {
			if len(q.Words) > 0 {
				q.Low, q.High = "", ""
			}
		}),
		caught: []string{
			"a count that looks at too many records is refused",
			"a search is answered however far along the walk it finds something",
			"words, conditions and bounds join on any walk",
		},
	},
	{
		name: "leaves a record where it stood",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{records: func(r ports.Repositories) ports.Records { return stuck{r.Records(), memory} }}}
		},
		caught: []string{
			"a record is found by its last index key",
			"entries fit one revision",
			"records are entered anew",
			"what has moved on a walk is looked at once",
			"what is kept beside a record comes and goes with it",
		},
	},
	{
		name: "looks at however many records",
		open: listing(func(q *domain.Query) { q.Scan = 0 }),
		caught: []string{
			"a walk by time of an account that has many records passes those of all",
			"a walk that looks at too many records is refused",
		},
	},
	{
		name:   "looks at a record wherever it stood",
		open:   onRecords(func(r ports.Repositories) ports.Records { return retracer{r.Records()} }),
		caught: []string{"what has moved on a walk is looked at once"},
	},
	{
		name:   "counts however many records it looks at",
		open:   tallying(func(q *domain.Query) { q.Scan = 0 }),
		caught: []string{"a count that looks at too many records is refused"},
	},
	{
		name: "looks at however few records for a word that few have",
		open: onRecords(func(r ports.Repositories) ports.Records { return stickler{r.Records(), 0} }),
		caught: []string{
			"a search is answered however far along the walk it finds something",
			"words are few up to a bound",
		},
	},
	{
		name:   "takes half as many for too many",
		open:   onRecords(func(r ports.Repositories) ports.Records { return stickler{r.Records(), domain.RareWord / 2} }),
		caught: []string{"words are few up to a bound"},
	},
	{
		name: "counts whatever the words are",
		open: tallying(func(q *domain.Query) { q.Words = nil }),
		caught: []string{
			"a count that looks at too many records is refused",
			"records are counted as they are listed",
			"words are few up to a bound",
		},
	},
	{
		name: "counts beyond the limit",
		open: tallying(func(q *domain.Query) { q.Limit = 1 << 20 }),
		caught: []string{
			"a count that looks at too many records is refused",
			"records are counted as they are listed",
		},
	},
}

// asker bends what it is asked.
type asker struct {
	ports.Records
	list, count func(*domain.Query) // nil: not at all
}

func (l asker) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	if l.list != nil {
		l.list(&q)
	}
	return l.Records.List(ctx, c, q)
}

func (l asker) Count(ctx context.Context, c domain.CollectionRef, q domain.Query) (int, error) {
	if l.count != nil {
		l.count(&q)
	}
	return l.Records.Count(ctx, c, q)
}

func asking(f func(*domain.Query)) func() ports.Store {
	return onRecords(func(r ports.Repositories) ports.Records { return asker{r.Records(), f, f} })
}

func listing(f func(*domain.Query)) func() ports.Store {
	return onRecords(func(r ports.Repositories) ports.Records { return asker{r.Records(), f, nil} })
}

func tallying(f func(*domain.Query)) func() ports.Store {
	return onRecords(func(r ports.Repositories) ports.Records { return asker{r.Records(), nil, f} })
}

// filer bends what is kept of a record.
type filer struct {
	ports.Records
	bend func(*domain.Entries)
}

func filing(f func(*domain.Entries)) func() ports.Store {
	return onRecords(func(r ports.Repositories) ports.Records { return filer{r.Records(), f} })
}

func (l filer) bent(e domain.Entries) domain.Entries {
	e.Index = slices.Clone(e.Index)
	l.bend(&e)
	return e
}

func (l filer) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	return l.Records.Add(ctx, c, rec, l.bent(e))
}

func (l filer) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	return l.Records.Replace(ctx, c, rec, l.bent(e))
}

func (l filer) Enter(ctx context.Context, c domain.CollectionRef, filings []ports.Filing) error {
	filings = slices.Clone(filings)
	for i := range filings {
		filings[i].Entries = l.bent(filings[i].Entries)
	}
	return l.Records.Enter(ctx, c, filings)
}

// turner reads a page forward and turns it around.
type turner struct{ ports.Records }

func (l turner) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	backward := q.Backward
	q.Backward = false
	list, err := l.Records.List(ctx, c, q)
	if backward {
		slices.Reverse(list)
	}
	return list, err
}

// hopeful finds what is not certainly wrong.
type hopeful struct{ ports.Records }

func (l hopeful) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	if q.Where == nil || q.Scan > 0 {
		return l.Records.List(ctx, c, q)
	}
	where, limit := q.Where, max(0, q.Limit)
	q.Where, q.Limit = domain.Everything{}, 1<<20
	list, err := l.Records.List(ctx, c, q)
	list = slices.DeleteFunc(list, func(r domain.Record) bool { return domain.Evaluate(where, r) == domain.False })
	return list[:min(limit, len(list))], err
}

type lateFilter struct{ ports.Records }

func (l lateFilter) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	where := q.Where
	q.Where = domain.Everything{}
	list, err := l.Records.List(ctx, c, q)
	return slices.DeleteFunc(list, func(r domain.Record) bool { return !domain.Holds(where, r) }), err
}

// stuck leaves a record at its first index keys.
type stuck struct {
	ports.Records
	memory *sync.Map
}

func (l stuck) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	err := l.Records.Add(ctx, c, rec, e)
	if err == nil {
		l.memory.Store(string(c.Name)+string(rec.ID), slices.Clone(e.Index))
	}
	return err
}

func (l stuck) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	if first, ok := l.memory.Load(string(c.Name) + string(rec.ID)); ok {
		e.Index = first.([]domain.IndexKey)
	}
	return l.Records.Replace(ctx, c, rec, e)
}

// retracer looks at a record once more where it stood before it was changed.
type retracer struct{ ports.Records }

func (l retracer) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	if q.Scan > 0 {
		all, err := l.Records.List(ctx, c, byID(domain.Everything{}, "", 1<<20))
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			if r.Revision > 1 {
				q.Scan = max(1, q.Scan-1)
			}
		}
	}
	return l.Records.List(ctx, c, q)
}

// stickler looks at so many records of the walk and no more, unless very few have the
// words.
type stickler struct {
	ports.Records
	few int
}

func (l stickler) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	list, err := l.Records.List(ctx, c, q)
	if err != nil || len(q.Words) == 0 || q.Scan <= 0 || q.Limit <= 0 {
		return list, err
	}
	have, err := l.Records.Count(ctx, c, domain.Query{Words: q.Words, Where: domain.Everything{}, Limit: l.few})
	if err != nil || have < l.few {
		return list, err
	}
	all := domain.Query{Walk: q.Walk, Where: domain.Everything{}, After: q.After, Limit: q.Scan + 1}
	passed, err := l.Records.List(ctx, c, all)
	if err != nil || len(passed) <= q.Scan {
		return list, err
	}
	found := slices.DeleteFunc(passed[:q.Scan], func(r domain.Record) bool {
		return !slices.ContainsFunc(list, func(f domain.Record) bool { return f.ID == r.ID })
	})
	if len(found) < q.Limit {
		return nil, domain.ErrTooBroad
	}
	return list, nil
}
