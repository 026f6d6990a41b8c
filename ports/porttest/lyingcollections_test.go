package porttest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

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
		name:   "finds every collection",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return finder{r.Collections()} }),
		caught: []string{"an absent collection"},
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
		name:   "keeps the old rules",
		open:   onCollections(func(r ports.Repositories) ports.Collections { return ruleKeeper{r.Collections()} }),
		caught: []string{"a collection is declared anew"},
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
		name: "makes way for a new schema",
		open: onCollections(func(r ports.Repositories) ports.Collections { return sweeper{r.Collections(), r} }),
		caught: []string{
			"a collection in use keeps its schema",
			"a declaration waits for records",
		},
	},
	{
		name: "changes nothing that is in use",
		open: onCollections(func(r ports.Repositories) ports.Collections { return rigid{r.Collections(), r} }),
		caught: []string{
			"a collection in use keeps its schema",
			"a collection that has changed",
			"a write judges the collection when it happens",
		},
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
	list, err := l.r.Records().List(ctx, c.Ref(), domain.Everything{}, "", 99)
	for _, rec := range list {
		err = errors.Join(err, l.r.Records().Remove(ctx, c.Ref(), rec.ID, rec.Revision))
	}
	return errors.Join(err, l.Collections.Replace(ctx, c))
}

type rigid struct {
	ports.Collections
	r ports.Repositories
}

func (l rigid) Replace(ctx context.Context, c domain.Collection) error {
	if list, err := l.r.Records().List(ctx, c.Ref(), domain.Everything{}, "", 1); err == nil && len(list) > 0 {
		return domain.ErrCollectionInUse
	}
	return l.Collections.Replace(ctx, c)
}
