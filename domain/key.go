package domain

import (
	"slices"
	"time"
)

// A Key is a private key as it rests: sealed, so that whoever reads the store
// alone has nothing. The keys of one use follow one another: each verifies from
// the time it is stored, signs from Signs until its successor does, and verifies
// for a while longer.
type Key struct {
	ID        string // kid; opaque, unique for ever
	Use       string // what it is for: "sign", "refresh", "cursor" or "digest"
	Number    int    // 1 for the first key of its use
	Algorithm Algorithm
	Sealed    []byte    // at most MaxSealed bytes
	Created   time.Time // UTC, microseconds: from then on it is published
	Signs     time.Time // from then on it is the one that signs, unless a later one does
}

// MaxSealed bounds a sealed key, in bytes.
const MaxSealed = 8 << 10

// An Algorithm is how a key signs (RFC 7518, section 3.1; RFC 8037, section 3.1).
type Algorithm string

// The algorithms of signing keys; HS256 is for keys that stay within Keyport.
const (
	ES256 Algorithm = "ES256"
	EdDSA Algorithm = "EdDSA"
	RS256 Algorithm = "RS256"
	HS256 Algorithm = "HS256"
)

// SigningAlgorithms returns the algorithms by which access tokens may be signed.
func SigningAlgorithms() []Algorithm { return []Algorithm{ES256, EdDSA, RS256} }

// A KeyPolicy says how the keys of one use follow one another.
type KeyPolicy struct {
	Turn  time.Duration // how long a key signs; 0: until somebody turns it
	Ahead time.Duration // how long a key is known everywhere before it signs
	Keep  time.Duration // how long a key verifies after its successor has begun to sign
}

// Signer returns which of the keys of one use, in the order of their numbers,
// signs at now: the last of those that sign already, or the first where none does.
// There must be one key.
func (KeyPolicy) Signer(keys []Key, now time.Time) Key {
	for _, k := range slices.Backward(keys) {
		if !now.Before(k.Signs) {
			return k
		}
	}
	return keys[0]
}

// Due reports whether the keys of one use, in the order of their numbers, want a
// successor at now: there is none that waits for its turn, and the last one has
// signed for long enough that the successor would sign when its time is up, or is
// of another algorithm. Where there is no key, one is due.
func (p KeyPolicy) Due(keys []Key, a Algorithm, now time.Time) bool {
	if len(keys) == 0 {
		return true
	}
	last := keys[len(keys)-1]
	switch {
	case now.Before(last.Signs):
		return false
	case last.Algorithm != a:
		return true
	}
	return p.Turn > 0 && !now.Before(last.Signs.Add(p.Turn-p.Ahead))
}

// Spent returns those of the keys of one use, in the order of their numbers, that
// nothing can want verified any more at now: all that they signed has ended.
func (p KeyPolicy) Spent(keys []Key, now time.Time) []Key {
	for i, successor := range slices.Backward(keys) {
		if !now.Before(successor.Signs.Add(p.Keep)) {
			return keys[:i]
		}
	}
	return nil
}
