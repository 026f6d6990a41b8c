package jose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Config is what a Keyring needs to know. Every field is required.
type Config struct {
	Keys     ports.Keys
	Master   Master
	Issuer   string // iss of access tokens: Keyport's public URL
	Audience string // aud of access tokens
	NewID    func() string
	Now      func() time.Time
}

// A Keyring holds Keyport's keys, opened.
type Keyring struct {
	tokens  *issuer
	refresh *refresher
	cursors *sealer
}

// Open takes the keys from c.Keys, and makes those that are not there yet. Any
// number of processes that open one store at once end up with the same keys. It
// fails with ErrMasterKey if a key that is there was sealed by another master.
func Open(ctx context.Context, c Config) (*Keyring, error) {
	switch {
	case c.Keys == nil || c.NewID == nil || c.Now == nil:
		return nil, errors.New("jose: a keyring needs keys, ids and a clock")
	case c.Master.IsZero():
		return nil, errors.New("jose: a keyring needs a master key")
	case c.Issuer == "" || c.Audience == "":
		return nil, errors.New("jose: a keyring needs an issuer and an audience")
	}
	sign, err := settle(ctx, c, signing)
	if err != nil {
		return nil, err
	}
	refresh, err := settle(ctx, c, refreshing)
	if err != nil {
		return nil, err
	}
	cursor, err := settle(ctx, c, paging)
	if err != nil {
		return nil, err
	}
	key, err := newES256(sign)
	if err != nil {
		return nil, err
	}
	tokens, err := newIssuer(c, key)
	if err != nil {
		return nil, err
	}
	return &Keyring{
		tokens:  tokens,
		refresh: newRefresher(refresh),
		cursors: &sealer{cursor.secret},
	}, nil
}

// Tokens makes and checks access tokens.
func (k *Keyring) Tokens() ports.TokenIssuer { return k.tokens }

// Refresh makes and checks refresh tokens.
func (k *Keyring) Refresh() ports.RefreshIssuer { return k.refresh }

// Cursors makes and checks cursors.
func (k *Keyring) Cursors() ports.CursorSealer { return k.cursors }

// Close stops what Open has started. Nothing of k is to be used after.
func (k *Keyring) Close() { k.tokens.memory.close() }

// Stats is what a Keyring tells of its work since it was opened.
type Stats struct {
	Signatures int64 // access tokens whose signature was checked
	Recalled   int64 // access tokens that were remembered, so that it was not
	Remembered int   // access tokens that are remembered at the moment, about
}

// Stats says how checking access tokens fares, for metrics.
func (k *Keyring) Stats() Stats {
	return Stats{
		Signatures: k.tokens.signatures.Load(),
		Recalled:   k.tokens.recalled.Load(),
		Remembered: k.tokens.memory.size(),
	}
}

// A purpose is a use that a key is for, and how such a key is made.
type purpose struct {
	use       string
	algorithm string
	generate  func() ([]byte, error)
}

var (
	signing    = purpose{"sign", "ES256", generateES256}
	refreshing = purpose{"refresh", "HS256", generateSecret}
	paging     = purpose{"cursor", "HS256", generateSecret}
)

// An opened key is one whose seal has been taken off.
type opened struct {
	id     string
	secret []byte
}

// settle returns the key for p, and makes it if there is none.
func settle(ctx context.Context, c Config, p purpose) (opened, error) {
	secret, err := p.generate()
	if err != nil {
		return opened{}, fmt.Errorf("jose: making the key for %q: %w", p.use, err)
	}
	fresh := domain.Key{ID: c.NewID(), Use: p.use, Algorithm: p.algorithm, Created: c.Now().UTC().Truncate(time.Microsecond)}
	fresh.Sealed = c.Master.seal(fresh, secret)
	stored, err := c.Keys.Settle(ctx, fresh)
	if err != nil {
		return opened{}, fmt.Errorf("jose: settling on the key for %q: %w", p.use, err)
	}
	if stored.ID == "" || stored.Use != p.use || stored.Algorithm != p.algorithm {
		return opened{}, fmt.Errorf("jose: the stored key %q is for %q by %q; want one for %q by %q",
			stored.ID, stored.Use, stored.Algorithm, p.use, p.algorithm)
	}
	if secret, err = c.Master.open(stored); err != nil {
		return opened{}, err
	}
	if len(secret) != secretSize {
		return opened{}, fmt.Errorf("jose: the stored key %q has %d bytes; want %d", stored.ID, len(secret), secretSize)
	}
	return opened{stored.ID, secret}, nil
}
