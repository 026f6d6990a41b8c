package jose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Turn does what time asks for: it makes a successor for the keys of each use that
// are due, which signs Ahead from now, and drops the keys that nothing wants
// verified any more. It reports whether anything was to be done, and if so has
// read the keys again. Any number of replicas may call it at once, as often as
// they like: they make one successor between them.
func (k *Keyring) Turn(ctx context.Context) (bool, error) {
	return k.advance(ctx, func(use string, keys []domain.Key, now time.Time) bool {
		return k.c.policy(use).Due(keys, k.c.algorithm(use), now)
	})
}

// Rotate makes a successor now for the keys of each use that is named, or of all
// that turn if none is, which signs Ahead from now. Where a key waits for its turn
// already, that is the one. It reads the keys again in any case, and returns the
// newest of each of those uses, without its seal. A key of digests does not turn.
func (k *Keyring) Rotate(ctx context.Context, of ...string) ([]domain.Key, error) {
	for _, use := range of {
		if !slices.Contains(turning, use) {
			return nil, fmt.Errorf("no keys for %q turn; those for %q do", use, turning)
		}
	}
	if len(of) == 0 {
		of = turning
	}
	changed, err := k.advance(ctx, func(use string, keys []domain.Key, now time.Time) bool {
		return slices.Contains(of, use) && (len(keys) == 0 || !now.Before(keys[len(keys)-1].Signs))
	})
	if err == nil && !changed {
		err = k.Reload(ctx)
	}
	if err != nil {
		return nil, err
	}
	s := k.snapshot.Load()
	var newest []domain.Key
	for i, stored := range [][]domain.Key{s.sign.stored, s.refresh.stored, s.cursor.stored} {
		if slices.Contains(of, turning[i]) {
			last := stored[len(stored)-1]
			last.Sealed = nil
			newest = append(newest, last)
		}
	}
	return newest, nil
}

// advance makes a successor for the keys of each use that want one, and drops
// those that are spent. It reports whether there were such, and then reads the
// keys again.
func (k *Keyring) advance(ctx context.Context, wanted func(use string, keys []domain.Key, now time.Time) bool) (bool, error) {
	list, err := k.c.list(ctx, k.c.Store.Keys())
	if err != nil {
		return false, err
	}
	// Making a key may take a second, so it is not done in the transaction.
	now := k.c.now()
	fresh := make(map[string]domain.Key)
	var spent bool
	for _, use := range uses {
		keys := keysFor(use, list)
		if wanted(use, keys, now) {
			if fresh[use], err = k.c.fresh(use); err != nil {
				return false, err
			}
		}
		spent = spent || len(k.c.policy(use).Spent(keys, now)) > 0
	}
	if len(fresh) == 0 && !spent {
		return false, nil
	}
	err = k.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		// Somebody else may have been here meanwhile.
		list, err := k.c.list(ctx, tx.Keys())
		if err != nil {
			return err
		}
		now := k.c.now()
		for _, use := range uses {
			keys := keysFor(use, list)
			if heir, ok := fresh[use]; ok && wanted(use, keys, now) {
				if err := k.c.succeed(ctx, tx, heir, keys, now); err != nil {
					return err
				}
			}
			for _, old := range k.c.policy(use).Spent(keys, now) {
				if err := tx.Keys().Drop(ctx, old.ID); err != nil && !errors.Is(err, domain.ErrKeyNotFound) {
					return fmt.Errorf("jose: dropping key %q: %w", old.ID, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	return true, k.Reload(ctx)
}

// succeed stores heir as the successor of keys, unless there is another by now,
// and tells the replicas of it.
func (c Config) succeed(ctx context.Context, tx ports.Repositories, heir domain.Key, keys []domain.Key, now time.Time) error {
	heir.Number, heir.Created, heir.Signs = 1, now, now
	if len(keys) > 0 {
		heir.Number, heir.Signs = keys[len(keys)-1].Number+1, now.Add(c.Ahead)
	}
	settled, err := c.settle(ctx, tx.Keys(), heir)
	if err != nil || settled.ID != heir.ID {
		return err
	}
	return c.post(ctx, tx, domain.KeyAdded, heir.ID, now)
}

func (c Config) post(ctx context.Context, tx ports.Repositories, kind domain.ChangeKind, id string, now time.Time) error {
	if err := tx.Bulletin().Post(ctx, domain.Change{Kind: kind, Subject: id, At: now}); err != nil {
		return fmt.Errorf("jose: telling of key %q: %w", id, err)
	}
	return nil
}
