package jose

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Reseal seals by the master key all stored keys that the other one has sealed,
// in one transaction, and says how many. It ends no session and no token: what is
// under the seals is as it was. It fails with ErrMasterKey, and changes nothing,
// if neither opens a key.
//
// A master key changes in three steps, each of them on all replicas before the
// next begins: the coming one is given as the other; the two change places, and
// Reseal is called; the old one is taken away.
func (k *Keyring) Reseal(ctx context.Context) (int, error) {
	var resealed int
	err := k.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		resealed = 0
		list, err := k.c.list(ctx, tx.Keys())
		if err != nil {
			return err
		}
		for _, key := range list {
			if _, err := k.c.Master.open(key); err == nil {
				continue
			}
			secret, err := k.c.unseal(key)
			if err != nil {
				return err
			}
			key.Sealed = k.c.Master.seal(key, secret)
			switch err := tx.Keys().Reseal(ctx, key); {
			case errors.Is(err, domain.ErrKeyNotFound):
				continue // it was dropped meanwhile
			case err != nil:
				return fmt.Errorf("jose: sealing key %q: %w", key.ID, err)
			}
			resealed++
		}
		return nil
	})
	if err != nil || resealed == 0 {
		return 0, err
	}
	return resealed, k.Reload(ctx)
}
