package porttest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingKeys = []liar{
	{
		name:   "keeps the first part of a key",
		open:   onKeys(func(r ports.Repositories) ports.Keys { return shortener{r.Keys()} }),
		caught: []string{"a key is read as it was stored"},
	},
	{
		name: "returns the key that it is given",
		open: onKeys(func(r ports.Repositories) ports.Keys { return echo{r.Keys()} }),
		caught: []string{
			"a key is read as it was stored",
			"a key is sealed anew",
			"a store keeps everything",
			"a transaction is kept",
			"a transaction reads its own writes",
			"all agree on a key",
			"nothing begins after its context has ended",
			"slices are copied",
			"the first key of a use and number stays",
			"times come back in UTC",
		},
	},
	{
		name: "keeps one key a use",
		open: onKeys(func(r ports.Repositories) ports.Keys { return numberless{r.Keys()} }),
		caught: []string{
			"a key is forgotten",
			"a key is read as it was stored",
			"a key is sealed anew",
			"keys are listed by use and number",
			"the first key of a use and number stays",
		},
		maybe: []string{"all agree on a key"},
	},
	{
		name:   "lets a key wait for ten minutes at most",
		open:   onKeys(func(r ports.Repositories) ports.Keys { return impatient{r.Keys()} }),
		caught: []string{"a key is read as it was stored"},
	},
	{
		name: "lists keys by id",
		open: onKeys(func(r ports.Repositories) ports.Keys { return byKeyID{r.Keys()} }),
		caught: []string{
			"keys are listed by use and number",
			"the first key of a use and number stays",
		},
		maybe: []string{"all agree on a key"},
	},
	{
		name:   "replaces more of a key than its seal",
		open:   onKeys(func(r ports.Repositories) ports.Keys { return replacer{r.Keys()} }),
		caught: []string{"a key is sealed anew"},
	},
	{
		name: "seals a key that is not there with success",
		open: onKeys(func(r ports.Repositories) ports.Keys { return quietSealer{r.Keys()} }),
		caught: []string{
			"a key is forgotten",
			"a key is sealed anew",
		},
	},
	{
		name:   "forgets a key that is not there with success",
		open:   onKeys(func(r ports.Repositories) ports.Keys { return quietDropper{r.Keys()} }),
		caught: []string{"a key is forgotten"},
	},
	{
		name: "keeps the seal that it was handed",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{keys: func(r ports.Repositories) ports.Keys { return sealSharer{r.Keys(), memory} }}}
		},
		caught: []string{"seals are copied"},
	},
}

type shortener struct{ ports.Keys }

func (l shortener) Settle(ctx context.Context, k domain.Key) (domain.Key, error) {
	k.Sealed = k.Sealed[:min(len(k.Sealed), domain.MaxSealed/2)]
	return l.Keys.Settle(ctx, k)
}

type echo struct{ ports.Keys }

func (l echo) Settle(ctx context.Context, k domain.Key) (domain.Key, error) {
	_, err := l.Keys.Settle(ctx, k)
	return k, err
}

type numberless struct{ ports.Keys }

func (l numberless) Settle(ctx context.Context, k domain.Key) (domain.Key, error) {
	list, err := l.List(ctx)
	for _, old := range list {
		if old.Use == k.Use {
			return old, err
		}
	}
	return l.Keys.Settle(ctx, k)
}

type impatient struct{ ports.Keys }

func (l impatient) Settle(ctx context.Context, k domain.Key) (domain.Key, error) {
	if most := k.Created.Add(10 * time.Minute); k.Signs.After(most) {
		k.Signs = most
	}
	return l.Keys.Settle(ctx, k)
}

type byKeyID struct{ ports.Keys }

func (l byKeyID) List(ctx context.Context) ([]domain.Key, error) {
	list, err := l.Keys.List(ctx)
	slices.SortFunc(list, func(a, b domain.Key) int { return cmp.Compare(a.ID, b.ID) })
	return list, err
}

type replacer struct{ ports.Keys }

func (l replacer) Reseal(ctx context.Context, k domain.Key) error {
	if err := l.Drop(ctx, k.ID); err != nil {
		return err
	}
	_, err := l.Settle(ctx, k)
	return err
}

type quietSealer struct{ ports.Keys }

func (l quietSealer) Reseal(ctx context.Context, k domain.Key) error {
	return quiet(l.Keys.Reseal(ctx, k), domain.ErrKeyNotFound)
}

type quietDropper struct{ ports.Keys }

func (l quietDropper) Drop(ctx context.Context, id string) error {
	return quiet(l.Keys.Drop(ctx, id), domain.ErrKeyNotFound)
}

type sealSharer struct {
	ports.Keys
	memory *sync.Map
}

func (l sealSharer) Reseal(ctx context.Context, k domain.Key) error {
	l.memory.Store(k.ID, k.Sealed)
	return l.Keys.Reseal(ctx, k)
}

func (l sealSharer) List(ctx context.Context) ([]domain.Key, error) {
	list, err := l.Keys.List(ctx)
	for i := range list {
		if sealed, ok := l.memory.Load(list[i].ID); ok {
			list[i].Sealed = sealed.([]byte)
		}
	}
	return list, err
}
