package jose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Config is what a Keyring needs to know. What does not say otherwise is required.
type Config struct {
	Store  ports.Store
	Master Master // seals keys, and opens them
	Other  Master // opens stored keys too: while the master key changes, the old one or the coming one; zero: none

	Issuer   string // iss of access tokens: Keyport's public URL
	Audience string // aud of access tokens

	Algorithm  domain.Algorithm // of new signing keys; "": ES256
	Turn       time.Duration    // how long a key signs, but no shorter than Ahead; 0: until Rotate
	Ahead      time.Duration    // how long a key is published before it signs
	SessionMax time.Duration    // how long a refresh key is kept after its successor signs: the longest life of a session

	NewID func() string // at most 128 bytes, never the same again
	Now   func() time.Time
}

// The uses of keys.
const (
	signing    = "sign"    // access tokens
	refreshing = "refresh" // refresh tokens
	paging     = "cursor"  // cursors, and what a vault conceals
	digesting  = "digest"  // digests of a vault
)

// turning are the uses whose keys follow one another. A key of digests stays until
// it is retired: what was digested a moment ago is to be known again.
var (
	turning = []string{signing, refreshing, paging}
	uses    = append(slices.Clip(turning), digesting)
)

// keepPaging is how long a key of cursors is kept after its successor signs: for as
// long as the last receipt that it has sealed, and an hour in which that is forgotten.
const keepPaging = domain.ReceiptRetention + time.Hour

func (c Config) check() error {
	switch {
	case c.Store == nil || c.NewID == nil || c.Now == nil:
		return errors.New("jose: a keyring needs a store, ids and a clock")
	case c.Master.IsZero():
		return errors.New("jose: a keyring needs a master key")
	case c.Issuer == "" || c.Audience == "":
		return errors.New("jose: a keyring needs an issuer and an audience")
	case !slices.Contains(domain.SigningAlgorithms(), c.Algorithm):
		return fmt.Errorf("jose: keys of %q sign no access tokens; %q do", c.Algorithm, domain.SigningAlgorithms())
	case c.Turn < 0 || c.Ahead <= 0 || c.SessionMax <= 0:
		return errors.New("jose: Ahead and SessionMax must be more than 0, and Turn not less")
	}
	return nil
}

// policy returns how the keys of a use follow one another.
func (c Config) policy(use string) domain.KeyPolicy {
	p := domain.KeyPolicy{Turn: c.Turn, Ahead: c.Ahead}
	switch use {
	case signing:
		p.Keep = domain.ChangeRetention // as long as a token that it signed may be of interest
	case refreshing:
		p.Keep = c.SessionMax
	case paging:
		p.Keep = keepPaging
	case digesting:
		p.Turn, p.Keep = 0, domain.ReceiptRetention
	}
	return p
}

// algorithm returns of which algorithm new keys of a use are.
func (c Config) algorithm(use string) domain.Algorithm {
	if use == signing {
		return c.Algorithm
	}
	return domain.HS256
}

// now is the time as stores keep it: rounded up, so that Ahead is not cut short.
func (c Config) now() time.Time {
	return c.Now().UTC().Add(time.Microsecond - time.Nanosecond).Truncate(time.Microsecond)
}

// A Keyring holds Keyport's keys, opened, as they were when it last read them.
type Keyring struct {
	c       Config
	checker *checker

	snapshot atomic.Pointer[snapshot]
	reading  reading
}

// Open takes the keys from the store, makes those of the uses that have none, and
// turns those whose time has come. Any number of processes that open one store at
// once end up with the same keys. It fails with ErrMasterKey if a key that is
// there was sealed by another master key than those given.
func Open(ctx context.Context, c Config) (*Keyring, error) {
	if c.Algorithm == "" {
		c.Algorithm = domain.ES256
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := found(ctx, c); err != nil {
		return nil, err
	}
	k := &Keyring{c: c, checker: newChecker(c.Issuer, c.Audience, c.Now), reading: newReading()}
	k.snapshot.Store(new(snapshot))
	err := k.Reload(ctx)
	if err == nil {
		_, err = k.Turn(ctx)
	}
	if err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// found makes the first key of each use that has none: all in one transaction, so
// that of two processes with different master keys one finds all keys its own,
// and the other none.
func found(ctx context.Context, c Config) error {
	list, err := c.list(ctx, c.Store.Keys())
	if err != nil {
		return err
	}
	var first []domain.Key
	for _, use := range uses {
		if len(keysFor(use, list)) > 0 {
			continue
		}
		k, err := c.fresh(use)
		if err != nil {
			return err
		}
		k.Number, k.Created = 1, c.now()
		k.Signs = k.Created
		first = append(first, k)
	}
	if first == nil {
		return nil
	}
	// Nothing is sealed by a master key that is not that of the others.
	for _, k := range list {
		if _, err := c.unseal(k); err != nil && slices.Contains(uses, k.Use) {
			return err
		}
	}
	return c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		for _, k := range first {
			if _, err := c.settle(ctx, tx.Keys(), k); err != nil {
				return err
			}
		}
		return nil
	})
}

// fresh makes a key for a use. Its number and times are still to be said.
func (c Config) fresh(use string) (domain.Key, error) {
	k := domain.Key{ID: c.NewID(), Use: use, Algorithm: c.algorithm(use)}
	generate := generateSecret
	if use == signing {
		generate = algorithms[k.Algorithm].generate
	}
	secret, err := generate()
	if err != nil {
		return domain.Key{}, fmt.Errorf("jose: making a key for %q: %w", use, err)
	}
	k.Sealed = c.Master.seal(k, secret)
	return k, nil
}

func (c Config) list(ctx context.Context, keys ports.Keys) ([]domain.Key, error) {
	list, err := keys.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("jose: listing the keys: %w", err)
	}
	return list, nil
}

func (c Config) settle(ctx context.Context, keys ports.Keys, k domain.Key) (domain.Key, error) {
	settled, err := keys.Settle(ctx, k)
	if err != nil {
		return domain.Key{}, fmt.Errorf("jose: settling on key %d for %q: %w", k.Number, k.Use, err)
	}
	return settled, nil
}

// Tokens makes and checks access tokens.
func (k *Keyring) Tokens() ports.TokenIssuer { return issuer{k} }

// Refresh makes and checks refresh tokens.
func (k *Keyring) Refresh() ports.RefreshIssuer { return refresher{k} }

// Cursors makes and checks cursors.
func (k *Keyring) Cursors() ports.CursorSealer { return sealer{k} }

// Vault conceals what is kept for its owner alone, and makes digests.
func (k *Keyring) Vault() ports.Vault { return vault{k} }

// Close stops what Open has started. Nothing of k is to be used after.
func (k *Keyring) Close() { k.checker.memory.close() }

// Stats says how checking access tokens fares, for metrics.
func (k *Keyring) Stats() Stats { return k.checker.stats() }
