package jose

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain"
)

// A snapshot is all keys as they were at one moment, ready for use. It is
// immutable.
type snapshot struct {
	sign    series[*signer]
	refresh series[*secretKey]
	cursor  series[*secretKey]
	digest  series[*secretKey]

	verifiers map[string]*verifier // of sign, by kid
	set       []byte               // of sign, as a JWK Set
}

// A signer is a key that signs access tokens.
type signer struct {
	*verifier
	private   private
	protected string // the header of its tokens, encoded
}

// A secretKey is a key for HMAC-SHA-256.
type secretKey struct {
	secret []byte
	number [4]byte // the beginning of the SHA-256 of the key's id
}

// read returns the snapshot of a list of all keys, ordered by use and number. Keys
// for uses that are not ours are left out: a later Keyport may have some.
func (s *snapshot) read(list []domain.Key, c Config) (*snapshot, error) {
	var next snapshot
	var err error
	if next.sign, err = s.sign.read(list, signing, c.openSigner); err != nil {
		return nil, err
	}
	if next.refresh, err = s.refresh.read(list, refreshing, c.openSecret); err != nil {
		return nil, err
	}
	if next.cursor, err = s.cursor.read(list, paging, c.openSecret); err != nil {
		return nil, err
	}
	if next.digest, err = s.digest.read(list, digesting, c.openSecret); err != nil {
		return nil, err
	}
	next.verifiers = make(map[string]*verifier, len(next.sign.opened))
	published := make([]*verifier, 0, len(next.sign.opened))
	for _, k := range slices.Backward(next.sign.opened) {
		next.verifiers[k.kid] = k.verifier
		published = append(published, k.verifier)
	}
	if next.set, err = writeKeySet(published); err != nil {
		return nil, fmt.Errorf("jose: writing the JWK Set: %w", err)
	}
	return &next, nil
}

func (c Config) openSigner(k domain.Key) (*signer, error) {
	a, ok := algorithms[k.Algorithm]
	if !ok {
		return nil, fmt.Errorf("jose: the stored key %q is of %q, which signs no access tokens here", k.ID, k.Algorithm)
	}
	secret, err := c.unseal(k)
	if err != nil {
		return nil, err
	}
	private, err := a.private(secret)
	if err != nil {
		return nil, fmt.Errorf("jose: the stored key %q is no key of %s: %w", k.ID, k.Algorithm, err)
	}
	protected, err := json.Marshal(header{k.Algorithm, k.ID, tokenType})
	if err != nil {
		return nil, fmt.Errorf("jose: writing the header of key %q: %w", k.ID, err)
	}
	return &signer{&verifier{k.ID, k.Algorithm, private}, private, b64.EncodeToString(protected)}, nil
}

func (c Config) openSecret(k domain.Key) (*secretKey, error) {
	if k.Algorithm != domain.HS256 {
		return nil, fmt.Errorf("jose: the stored key %q for %q is of %q; want %q", k.ID, k.Use, k.Algorithm, domain.HS256)
	}
	secret, err := c.unseal(k)
	if err != nil {
		return nil, err
	}
	if len(secret) != secretSize {
		return nil, fmt.Errorf("jose: the stored key %q has %d bytes; want %d", k.ID, len(secret), secretSize)
	}
	digest := sha256.Sum256([]byte(k.ID))
	return &secretKey{secret, [4]byte(digest[:4])}, nil
}

// unseal returns the secret of a stored key, or fails with ErrMasterKey.
func (c Config) unseal(k domain.Key) ([]byte, error) {
	if k.ID == "" || len(k.ID) > maxKeyID {
		return nil, fmt.Errorf("jose: the id of a stored key for %q has %d bytes; want 1 to %d", k.Use, len(k.ID), maxKeyID)
	}
	secret, err := c.Master.open(k)
	if err != nil && !c.Other.IsZero() {
		return c.Other.open(k)
	}
	return secret, err
}
