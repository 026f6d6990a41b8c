package domain

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
)

// An AccessKey lets a program act in an account's name, without a password and
// without a session. Whoever bears its secret may do what its scopes name, as far
// as the account may at that moment.
type AccessKey struct {
	ID      AccessKeyID
	Account AccountID
	Name    string          // how its account knows it again; 1 to MaxName characters
	Scopes  []Scope         // sorted, each once; one at least
	Digest  AccessKeyDigest // of its secret, which is kept nowhere
	Created time.Time       // UTC, microseconds
	Expires time.Time       // the key is dead at this instant; zero: it does not expire by itself
	Seen    time.Time       // when it was last used, to a minute; zero: never
	Address string          // from which it was last used; "": not known
}

// MaxAccessKeys bounds the access keys of one account.
const MaxAccessKeys = 100

// Live reports whether the key can be used at now.
func (k AccessKey) Live(now time.Time) bool { return k.Expires.IsZero() || now.Before(k.Expires) }

// An AccessKeyDigest is the SHA-256 of an access key's text. The text holds 256
// random bits, so that a slow hash would add nothing.
type AccessKeyDigest [sha256.Size]byte

// Equal reports whether d and e are the same, in a time that does not depend on
// where they differ.
func (d AccessKeyDigest) Equal(e AccessKeyDigest) bool {
	return subtle.ConstantTimeCompare(d[:], e[:]) == 1
}

// accessKeyPrefix begins the text of every access key, so that scanners for leaked
// secrets can find one, and so that it is taken for no token of another kind.
const accessKeyPrefix = "kpk_"

// accessKeySize is what the text says behind its prefix, in bytes: the key's id and
// its random part.
const accessKeySize = 16 + 32

// NewAccessKeyText returns the text of the access key with the id, which must be one
// that ParseAccessKeyID takes, and its digest: the prefix, and in base64url the id
// and the random part.
func NewAccessKeyText(id AccessKeyID, random [32]byte) (Secret, AccessKeyDigest) {
	b, _ := hex.DecodeString(strings.ReplaceAll(string(id), "-", ""))
	text := accessKeyPrefix + base64.RawURLEncoding.EncodeToString(append(b, random[:]...))
	return NewSecret(text), sha256.Sum256([]byte(text))
}

// ParseAccessKey reads the text of an access key: which key it claims to be, and
// what its digest must be then. ok is false for what is none by its shape.
func ParseAccessKey(text string) (id AccessKeyID, digest AccessKeyDigest, ok bool) {
	rest, ok := strings.CutPrefix(text, accessKeyPrefix)
	if !ok || len(rest) != base64.RawURLEncoding.EncodedLen(accessKeySize) || strings.ContainsAny(rest, "\r\n") {
		return "", AccessKeyDigest{}, false
	}
	b, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil || len(b) != accessKeySize {
		return "", AccessKeyDigest{}, false
	}
	h := hex.EncodeToString(b[:16])
	id = AccessKeyID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
	return id, sha256.Sum256([]byte(text)), true
}

// IsAccessKey reports whether text looks like an access key, and so is to be judged
// as one and as nothing else.
func IsAccessKey(text string) bool { return strings.HasPrefix(text, accessKeyPrefix) }

// ParseAccessKeyName reads the name of an access key. It fails with ErrInvalidName.
func ParseAccessKeyName(s string) (string, error) {
	if !visible(s, 1, MaxName) {
		return "", ErrInvalidName.At("/name", "invalid-name", "want 1 to 200 visible characters, and no space at either end")
	}
	return s, nil
}
