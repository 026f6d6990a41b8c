package jose

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A Reader checks access tokens with public keys alone, as a service does that has
// neither a store nor a master key. It fetches nothing: whoever has it tells it
// the keys. A new Reader knows none, and so takes no token.
type Reader struct {
	checker *checker

	learning sync.Mutex // held by Learn and Retire
	retired  []string   // the oldest first
	keys     atomic.Pointer[map[string]*verifier]
}

// maxRetired is how many retired keys a Reader keeps in mind. A key is retired by
// hand, and a copy of the JWK Set that still has it is old within minutes.
const maxRetired = 1000

// NewReader returns a Reader of the tokens that the issuer has made for the
// audience. now tells how long a token may be remembered.
func NewReader(issuer, audience string, now func() time.Time) *Reader {
	r := &Reader{checker: newChecker(issuer, audience, now)}
	r.keys.Store(new(map[string]*verifier))
	return r
}

// Learn replaces the keys by those of a JWK Set (RFC 7517, section 5): the public
// keys of ES256, EdDSA and RS256 that have kid and alg. Keys of other kinds are
// left out, and so are those that were retired, because a set may be an old copy.
// A set of more than 64 KiB or 100 keys is refused, and one that has a kid twice
// or holds a private or symmetric key; the keys then stay as they were.
func (r *Reader) Learn(jwks []byte) error {
	keys, err := readKeySet(jwks)
	if err != nil {
		return err
	}
	r.learning.Lock()
	defer r.learning.Unlock()
	for _, kid := range r.retired {
		delete(keys, kid)
	}
	// What is as it was stays the same key, so that its tokens are remembered.
	for kid, had := range *r.keys.Load() {
		if has, ok := keys[kid]; ok && had.jwk() == has.jwk() {
			keys[kid] = had
		}
	}
	r.keys.Store(&keys)
	return nil
}

// Retire forgets a key for good: when it returns, nothing that the key signed is
// valid, and Learn does not bring it back. The last 1,000 are kept in mind.
func (r *Reader) Retire(kid string) {
	if len(kid) > maxKeyID { // Learn takes none of that length
		return
	}
	r.learning.Lock()
	defer r.learning.Unlock()
	if !slices.Contains(r.retired, kid) {
		r.retired = append(r.retired, strings.Clone(kid))
		r.retired = r.retired[max(len(r.retired)-maxRetired, 0):]
	}
	keys := maps.Clone(*r.keys.Load())
	delete(keys, kid)
	r.keys.Store(&keys)
}

// Verify returns the claims of a token that the issuer made for the audience and
// that nobody has altered, or fails with domain.ErrInvalidToken. It does not look
// at the clock: whether the claims are still live, or were revoked, is the
// caller's question.
func (r *Reader) Verify(ctx context.Context, token string) (domain.Claims, error) {
	return r.checker.verify(ctx, *r.keys.Load(), token)
}

// Knows reports whether the key that the token's header names is known, so that
// to fetch the JWK Set again would be no help. A text without the header of an
// access token names none, and needs no other keys to be refused: of that it says
// true. So it does of a key that was retired. It checks nothing else.
func (r *Reader) Knows(token string) bool {
	kid, ok := keyID(token)
	if !ok {
		return true
	}
	if _, known := (*r.keys.Load())[kid]; known {
		return true
	}
	r.learning.Lock()
	defer r.learning.Unlock()
	return slices.Contains(r.retired, kid)
}

// keyID returns the kid in the header of an access token, if the text has one.
func keyID(token string) (string, bool) {
	first, _, ok := strings.Cut(token[:min(len(token), maxToken)], ".")
	protected, decoded := decode(first)
	if !ok || !decoded {
		return "", false
	}
	h, err := parseHeader(protected)
	_, ours := algorithms[h.Algorithm]
	return h.KeyID, err == nil && ours && h.KeyID != "" && len(h.KeyID) <= maxKeyID
}

// Stats says how checking access tokens fares, for metrics.
func (r *Reader) Stats() Stats { return r.checker.stats() }

// Close stops what NewReader has started. Nothing of r is to be used after.
func (r *Reader) Close() { r.checker.memory.close() }
