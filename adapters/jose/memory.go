package jose

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/keyport-go/keyport/domain"
)

// maxRemembered is how many access tokens are remembered at most. Each takes about
// 470 bytes of the heap (BenchmarkRemembered), so all of them 23 MiB.
const maxRemembered = 50_000

// maxRecall is how long a token is remembered at most. After it, its signature
// is checked once more.
const maxRecall = time.Hour

// A memory knows the access tokens that were genuine when they were checked, by
// the SHA-256 of their text. Only genuine tokens come into it, so strangers
// cannot push out what it knows. It forgets a token when it expires, and those
// that are used least when it is full.
type memory struct {
	now   func() time.Time
	cache *otter.Cache[[sha256.Size]byte, remembered]
}

// A remembered token is its claims, and the very key that verified it: a token
// is genuine no longer than its key is trusted.
type remembered struct {
	claims domain.Claims
	key    *verifier
}

func newMemory(now func() time.Time) *memory {
	return &memory{now, otter.Must(&otter.Options[[sha256.Size]byte, remembered]{
		MaximumSize: maxRemembered,
		ExpiryCalculator: otter.ExpiryCreatingFunc(func(e otter.Entry[[sha256.Size]byte, remembered]) time.Duration {
			return min(e.Value.claims.Expires.Sub(now()), maxRecall)
		}),
		Clock: clock(now),
	})}
}

// recall returns a copy of the claims that are remembered, if the key that
// verified them is still one of the keys.
func (m *memory) recall(digest [sha256.Size]byte, keys map[string]*verifier) (domain.Claims, bool) {
	r, ok := m.cache.GetIfPresent(digest)
	if !ok || keys[r.key.kid] != r.key {
		return domain.Claims{}, false
	}
	r.claims.Roles = slices.Clone(r.claims.Roles)
	return r.claims, true
}

// remember keeps a copy of the claims, unless they have expired.
func (m *memory) remember(digest [sha256.Size]byte, c domain.Claims, key *verifier) {
	if !c.Live(m.now()) {
		return
	}
	c.Roles = slices.Clone(c.Roles)
	m.cache.Set(digest, remembered{c, key})
}

func (m *memory) size() int { return m.cache.EstimatedSize() }

func (m *memory) close() { m.cache.StopAllGoroutines() }

// A clock tells the cache the time. It does not tick, so the cache starts no
// goroutine to sweep: what has expired is swept when others come.
type clock func() time.Time

func (c clock) NowNano() int64                      { return c().UnixNano() }
func (c clock) Tick(time.Duration) <-chan time.Time { return nil }
