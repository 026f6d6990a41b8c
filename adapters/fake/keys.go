package fake

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/keyport-go/keyport/domain"
)

type keys struct{ desk desk }

func (r keys) Settle(ctx context.Context, k domain.Key) (settled domain.Key, err error) {
	err = r.desk.do(ctx, "keys.settle", func(t *tables) error {
		for _, old := range t.keys {
			if old.Use == k.Use && old.Number == k.Number {
				settled = ownKey(old)
				return nil
			}
		}
		if _, twice := t.keys[k.ID]; twice {
			return fmt.Errorf("key %s is there already", k.ID)
		}
		k = ownKey(k)
		k.Created, k.Signs = stamp(k.Created), stamp(k.Signs)
		t.keys[k.ID] = k
		settled = ownKey(k)
		return nil
	})
	return settled, err
}

func (r keys) List(ctx context.Context) (list []domain.Key, err error) {
	err = r.desk.do(ctx, "keys.list", func(t *tables) error {
		for _, k := range t.keys {
			list = append(list, ownKey(k))
		}
		slices.SortFunc(list, func(a, b domain.Key) int {
			return cmp.Or(cmp.Compare(a.Use, b.Use), cmp.Compare(a.Number, b.Number))
		})
		return nil
	})
	return list, err
}

func (r keys) Reseal(ctx context.Context, k domain.Key) error {
	return r.desk.do(ctx, "keys.reseal", func(t *tables) error {
		old, ok := t.keys[k.ID]
		if !ok {
			return domain.ErrKeyNotFound
		}
		old.Sealed = bytes.Clone(k.Sealed)
		t.keys[k.ID] = old
		return nil
	})
}

func (r keys) Drop(ctx context.Context, id string) error {
	return r.desk.do(ctx, "keys.drop", func(t *tables) error {
		if _, ok := t.keys[id]; !ok {
			return domain.ErrKeyNotFound
		}
		delete(t.keys, id)
		return nil
	})
}

// ownKey returns a copy of k that shares no slice with it.
func ownKey(k domain.Key) domain.Key {
	k.Sealed = bytes.Clone(k.Sealed)
	return k
}
