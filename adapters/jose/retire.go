package jose

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Retire drops a key that is not trusted any more, and tells the replicas: when it
// returns nil, nothing that the key signed is valid here, and other replicas
// follow when they have heard of it. It fails with domain.ErrKeyNotFound.
//
// A key that signs has a successor that signs at once, though nobody could know
// it before: what the old one signed is worth nothing anyhow. The successor takes
// the old one's number, so that a later key, which waits for its turn and is known
// to others already, still gets it at its time.
//
// What a retired key has concealed is not revealed any more, and where one of digests
// is retired, texts have others: who repeats a request of the day before is not known
// again.
func (k *Keyring) Retire(ctx context.Context, id string) error {
	list, err := k.c.list(ctx, k.c.Store.Keys())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(k domain.Key) bool { return k.ID == id })
	if i < 0 || !slices.Contains(uses, list[i].Use) {
		return domain.ErrKeyNotFound
	}
	old := list[i]
	// It may begin to sign before the transaction, so there is an heir in any case.
	heir, err := k.c.fresh(old.Use)
	if err != nil {
		return err
	}
	err = k.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		list, err := k.c.list(ctx, tx.Keys())
		if err != nil {
			return err
		}
		now := k.c.now()
		keys := keysFor(old.Use, list)
		signs := len(keys) > 0 && k.c.policy(old.Use).Signer(keys, now).ID == id
		switch err := tx.Keys().Drop(ctx, id); {
		case errors.Is(err, domain.ErrKeyNotFound):
			return err
		case err != nil:
			return fmt.Errorf("jose: dropping key %q: %w", id, err)
		}
		if signs {
			heir.Number, heir.Created, heir.Signs = old.Number, now, now
			if _, err := k.c.settle(ctx, tx.Keys(), heir); err != nil {
				return err
			}
		}
		return k.c.post(ctx, tx, domain.KeyRetired, id, now)
	})
	if err != nil {
		return err
	}
	return k.Reload(ctx)
}
