package porttest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingCollections = []liar{
	{
		name:   "reads the numbers of a schema",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return numeric{r.Collections()} }),
		caught: []string{"a collection is read as it was stored"},
	},
	{
		name: "finds every collection",
		open: onCollections(func(r ports.Repositories) ports.Collections { return finder{r.Collections()} }),
		caught: []string{
			"a collection is removed",
			"an absent collection",
		},
	},
	{
		name:   "sorts names as a dictionary does",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return dictionary{r.Collections()} }),
		caught: []string{"collections are listed by name"},
	},
	{
		name:   "lists a few collections",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return fewLister{r.Collections()} }),
		caught: []string{"not more than so many collections are listed"},
	},
	{
		name: "keeps quiet when a name is taken",
		open: onCollections(func(r ports.Repositories) ports.Collections { return quietDeclarer{r.Collections()} }),
		caught: []string{
			"a name has one collection",
			"a collection begins at revision 1",
			"a failure that f passes over spoils nothing",
		},
	},
	{
		name:   "takes the revision of a new collection from outside",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return believingDeclarer{r.Collections()} }),
		caught: []string{"a collection begins at revision 1"},
	},
	{
		name: "keeps the old rules",
		open: onCollections(func(r ports.Repositories) ports.Collections { return ruleKeeper{r.Collections()} }),
		caught: []string{
			"a collection in use keeps its unique fields",
			"a collection is declared anew",
		},
	},
	{
		name: "replaces whatever the revision",
		open: onCollections(func(r ports.Repositories) ports.Collections { return blindReplacer{r.Collections()} }),
		caught: []string{
			"a stale declaration",
			"a revision of a collection is replaced once",
			"the failure that is named first is told",
		},
	},
	{
		name: "makes way for other unique fields",
		open: onCollections(func(r ports.Repositories) ports.Collections { return sweeper{r.Collections(), r} }),
		caught: []string{
			"a collection in use keeps its unique fields",
			"a declaration waits for records",
		},
	},
	{
		name: "changes nothing that is in use",
		open: onCollections(func(r ports.Repositories) ports.Collections { return rigid{r.Collections(), r} }),
		caught: []string{
			"a collection in use keeps its unique fields",
			"a collection is held",
			"a collection is not held outside a transaction",
			"a collection that has changed",
			"a stale collection is not held",
			"a write judges the collection when it happens",
		},
	},
	{
		name: "keeps the old indexes",
		open: onCollections(func(r ports.Repositories) ports.Collections { return indexKeeper{r.Collections()} }),
		caught: []string{
			"a collection in use keeps its unique fields",
			"a collection is declared anew",
		},
	},
	{
		name:   "keeps unique fields however few there are to be",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return unyielding{r.Collections(), r} }),
		caught: []string{"a collection in use keeps its unique fields"},
	},
	{
		name: "lets others in while it holds",
		open: func() ports.Store {
			reads := new(atomic.Int64)
			return lying{new(fake.Store), lie{
				collections: func(r ports.Repositories) ports.Collections { return holder{r.Collections(), r, reads} },
				records:     func(r ports.Repositories) ports.Records { return visitor{r.Records(), reads} },
			}}
		},
		caught: []string{"a collection is held"},
	},
	{
		name: "holds what was there before",
		open: func() ports.Store {
			reads := new(atomic.Int64)
			return lying{new(fake.Store), lie{
				collections: func(r ports.Repositories) ports.Collections { return holder{r.Collections(), r, reads} },
				records:     func(r ports.Repositories) ports.Records { return looker{r.Records(), reads} },
			}}
		},
		caught: []string{"who holds a collection has waited for what was under way"},
	},
	{
		name:   "holds whatever the revision",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return blindHolder{r.Collections()} }),
		caught: []string{"a stale collection is not held"},
	},
	{
		name:   "holds what is not there",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return emptyHolder{r.Collections()} }),
		caught: []string{"a stale collection is not held"},
	},
	{
		name: "holds for ever",
		open: func() ports.Store {
			held := new(atomic.Bool)
			return lying{new(fake.Store), lie{
				collections: func(r ports.Repositories) ports.Collections { return grasping{r.Collections(), r, held} },
				records:     func(r ports.Repositories) ports.Records { return locked{r.Records(), held} },
			}}
		},
		caught: []string{
			"a collection is not held outside a transaction",
			"a stale collection is not held",
		},
	},
	{
		name: "says that a collection is gone",
		open: onCollections(func(r ports.Repositories) ports.Collections { return pretender{r.Collections()} }),
		caught: []string{
			"a collection is removed",
			"a collection that is not removed",
			"what is kept beside a record comes and goes with it",
		},
	},
	{
		name:   "removes a collection whatever the revision",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return blindDropper{r.Collections()} }),
		caught: []string{"a collection that is not removed"},
	},
	{
		name:   "removes a collection with its records",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return clearer{r.Collections(), r} }),
		caught: []string{"a collection that is not removed"},
	},
}

type numeric struct{ ports.Collections }

func (l numeric) Add(ctx context.Context, c domain.Collection) error {
	c.Schema = domain.RestoreDocument(strings.ReplaceAll(c.Schema.Text(), "1.0", "1"))
	return l.Collections.Add(ctx, c)
}

type finder struct{ ports.Collections }

func (l finder) ByName(ctx context.Context, name domain.CollectionName) (domain.Collection, error) {
	c, err := l.Collections.ByName(ctx, name)
	return c, quiet(err, domain.ErrCollectionNotFound)
}

type dictionary struct{ ports.Collections }

func (l dictionary) List(ctx context.Context) ([]domain.Collection, error) {
	letters := func(c domain.Collection) string {
		return strings.NewReplacer("-", "", "_", "").Replace(string(c.Name))
	}
	list, err := l.Collections.List(ctx)
	slices.SortFunc(list, func(a, b domain.Collection) int { return cmp.Compare(letters(a), letters(b)) })
	return list, err
}

type fewLister struct{ ports.Collections }

func (l fewLister) List(ctx context.Context) ([]domain.Collection, error) {
	list, err := l.Collections.List(ctx)
	return list[:min(len(list), 100)], err
}

type quietDeclarer struct{ ports.Collections }

func (l quietDeclarer) Add(ctx context.Context, c domain.Collection) error {
	return quiet(l.Collections.Add(ctx, c), domain.ErrCollectionExists)
}

type believingDeclarer struct{ ports.Collections }

func (l believingDeclarer) Add(ctx context.Context, c domain.Collection) error {
	rev := c.Revision
	err := l.Collections.Add(ctx, c)
	for n := range rev - 1 {
		c.Revision = n + 1
		err = errors.Join(err, l.Replace(ctx, c))
	}
	return err
}

type ruleKeeper struct{ ports.Collections }

func (l ruleKeeper) Replace(ctx context.Context, c domain.Collection) error {
	if old, err := l.ByName(ctx, c.Name); err == nil {
		c.Rules = old.Rules
	}
	return l.Collections.Replace(ctx, c)
}

type blindReplacer struct{ ports.Collections }

func (l blindReplacer) Replace(ctx context.Context, c domain.Collection) error {
	if old, err := l.ByName(ctx, c.Name); err == nil {
		c.Revision = old.Revision
	}
	return quiet(l.Collections.Replace(ctx, c), domain.ErrStale)
}

type sweeper struct {
	ports.Collections
	r ports.Repositories
}

func (l sweeper) Replace(ctx context.Context, c domain.Collection) error {
	err := l.Collections.Replace(ctx, c)
	if !errors.Is(err, domain.ErrCollectionInUse) {
		return err
	}
	list, err := l.r.Records().List(ctx, c.Ref(), byID(domain.Everything{}, "", 99))
	for _, rec := range list {
		err = errors.Join(err, l.r.Records().Remove(ctx, c.Ref(), rec.ID, rec.Revision, time.Time{}))
	}
	return errors.Join(err, l.Collections.Replace(ctx, c))
}

type rigid struct {
	ports.Collections
	r ports.Repositories
}

func (l rigid) Replace(ctx context.Context, c domain.Collection) error {
	if list, err := l.r.Records().List(ctx, c.Ref(), byID(domain.Everything{}, "", 1)); err == nil && len(list) > 0 {
		return domain.ErrCollectionInUse
	}
	return l.Collections.Replace(ctx, c)
}

type indexKeeper struct{ ports.Collections }

func (l indexKeeper) Replace(ctx context.Context, c domain.Collection) error {
	if old, err := l.ByName(ctx, c.Name); err == nil {
		c.Indexes = old.Indexes
	}
	return l.Collections.Replace(ctx, c)
}

type unyielding struct {
	ports.Collections
	r ports.Repositories
}

func (l unyielding) Replace(ctx context.Context, c domain.Collection) error {
	old, err := l.ByName(ctx, c.Name)
	list, err2 := l.r.Records().List(ctx, c.Ref(), byID(domain.Everything{}, "", 1))
	if err == nil && err2 == nil && len(list) > 0 && !slices.Equal(old.Unique, c.Unique) {
		return domain.ErrCollectionInUse
	}
	return l.Collections.Replace(ctx, c)
}

// holder counts the readings since it holds a collection in a transaction.
type holder struct {
	ports.Collections
	r     ports.Repositories
	reads *atomic.Int64
}

func (l holder) Hold(ctx context.Context, c domain.CollectionRef) error {
	err := l.Collections.Hold(ctx, c)
	if _, outside := l.r.(ports.Store); !outside && err == nil {
		l.reads.Store(1)
	}
	return err
}

// visitor shows a record from the second reading on that somebody else has written.
type visitor struct {
	ports.Records
	reads *atomic.Int64
}

func (l visitor) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	list, err := l.Records.List(ctx, c, q)
	if n := l.reads.Load(); n > 0 && err == nil {
		l.reads.Add(1)
		if n > 1 {
			list = append(list, record(99, ""))
		}
	}
	return list, err
}

// looker does not show the last record of what is held.
type looker struct {
	ports.Records
	reads *atomic.Int64
}

func (l looker) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	list, err := l.Records.List(ctx, c, q)
	if l.reads.Load() > 0 {
		list = list[:max(0, len(list)-1)]
	}
	return list, err
}

type blindHolder struct{ ports.Collections }

func (l blindHolder) Hold(ctx context.Context, c domain.CollectionRef) error {
	return quiet(l.Collections.Hold(ctx, c), domain.ErrStale)
}

type emptyHolder struct{ ports.Collections }

func (l emptyHolder) Hold(ctx context.Context, c domain.CollectionRef) error {
	return quiet(l.Collections.Hold(ctx, c), domain.ErrCollectionNotFound)
}

// grasping does not let go of what is held outside a transaction.
type grasping struct {
	ports.Collections
	r    ports.Repositories
	held *atomic.Bool
}

func (l grasping) Hold(ctx context.Context, c domain.CollectionRef) error {
	err := l.Collections.Hold(ctx, c)
	if _, outside := l.r.(ports.Store); outside && err == nil {
		l.held.Store(true)
	}
	return err
}

type locked struct {
	ports.Records
	held *atomic.Bool
}

func (l locked) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	if l.held.Load() {
		return domain.ErrUnavailable
	}
	return l.Records.Add(ctx, c, rec, e)
}

type pretender struct{ ports.Collections }

func (l pretender) Remove(ctx context.Context, c domain.CollectionRef) error { return l.Hold(ctx, c) }

type blindDropper struct{ ports.Collections }

func (l blindDropper) Remove(ctx context.Context, c domain.CollectionRef) error {
	if old, err := l.ByName(ctx, c.Name); err == nil {
		c = old.Ref()
	}
	return l.Collections.Remove(ctx, c)
}

type clearer struct {
	ports.Collections
	r ports.Repositories
}

func (l clearer) Remove(ctx context.Context, c domain.CollectionRef) error {
	list, err := l.r.Records().List(ctx, c, byID(domain.Everything{}, "", 99))
	if err == nil {
		for _, rec := range list {
			_ = l.r.Records().Remove(ctx, c, rec.ID, rec.Revision, time.Time{})
		}
	}
	return l.Collections.Remove(ctx, c)
}
