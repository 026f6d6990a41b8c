package password

import (
	"cmp"
	"context"
	"crypto/rand"
	"runtime"

	"golang.org/x/text/unicode/norm"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Config is what a Hasher needs to know. Every field may be zero.
type Config struct {
	Cost    Cost // of new hashes; zero: Recommended
	Running int  // how many hashes may be made at once; 0: GOMAXPROCS
	Waiting int  // how many callers may wait beyond these; 0: 8 for each of Running; negative: none

	Span ports.Span // of the wait, and of the hash; nil: nothing is traced
}

// The shape of a new hash, in bytes.
const (
	saltSize = 16
	keySize  = 32
)

// standIn is hashed in place of a password that is longer than any may be, so
// that refusing it takes as long as refusing another.
const standIn = "a password of more than domain.MaxPassword bytes"

// A Hasher makes hashes at one cost, and reads hashes of any cost that is within
// the bounds of Cost, and those of other formats within theirs.
type Hasher struct {
	cost  Cost
	gate  *gate
	span  ports.Span
	dummy argon2id // what a password is compared with where there is no hash
}

var _ ports.PasswordHasher = (*Hasher)(nil)

// New returns a Hasher. It panics if c.Cost is beyond what the Hasher itself
// would read again.
func New(c Config) *Hasher {
	if c.Cost == (Cost{}) {
		c.Cost = Recommended
	}
	if !c.Cost.bounded() {
		panic("password: the cost is out of bounds")
	}
	running := cmp.Or(max(c.Running, 0), runtime.GOMAXPROCS(0))
	waiting := max(cmp.Or(c.Waiting, 8*running), 0)
	return &Hasher{
		cost:  c.Cost,
		gate:  newGate(running, waiting),
		span:  c.Span,
		dummy: argon2id{c.Cost, make([]byte, saltSize), make([]byte, keySize)},
	}
}

// Hash implements ports.PasswordHasher. A password of more than
// domain.MaxPassword bytes fails with domain.ErrWeakPassword: a hash of it would
// match nothing.
func (h *Hasher) Hash(ctx context.Context, p domain.Password) (domain.PasswordHash, error) {
	text, ok := typed(p)
	if !ok {
		return domain.PasswordHash{}, domain.ErrWeakPassword.At("/password", "too-long", "want 1024 bytes at most")
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return domain.PasswordHash{}, err
	}
	defer leave()
	fresh := argon2id{cost: h.cost, salt: make([]byte, saltSize)}
	rand.Read(fresh.salt) // never fails
	fresh.key = fresh.derive(norm.NFC.Bytes(text), keySize)
	return domain.NewPasswordHash(fresh.String()), nil
}

// Matches implements ports.PasswordHasher. A password of more than
// domain.MaxPassword bytes matches nothing, and takes as long.
//
// A hash of another format is compared with the bytes that were typed, and always
// stale. It takes its own time, and that of a hash of the Hasher's cost before it.
func (h *Hasher) Matches(ctx context.Context, p domain.Password, stored domain.PasswordHash) (ok, stale bool, err error) {
	text, usable := typed(p)
	leave, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	known, err := read(stored.Reveal())
	if err != nil {
		h.dummy.matches(text)
		return false, false, nil
	}
	stale = known.stale(h.cost)
	if a, is := known.(argon2id); !is {
		h.dummy.matches(text) // so that a cheap one answers no sooner than an unknown login
		ok = known.matches(text)
	} else {
		ok = a.matches(text)
		// One of another cost may come from elsewhere, where NFC meant nothing.
		if stale && !norm.NFC.IsNormal(text) {
			ok = a.isOf(text) || ok
		}
	}
	return ok && usable, stale, nil
}

// enter waits for a turn at the gate. The wait is traced apart from the work, which
// lasts until leave is called.
func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	_, waited := h.span.Begin(ctx, "password.wait")
	err = h.gate.enter(ctx)
	waited(err)
	if err != nil {
		return nil, err
	}
	_, hashed := h.span.Begin(ctx, "password.hash")
	return func() {
		h.gate.leave()
		hashed(nil)
	}, nil
}

// Stats says how the gate fares, for metrics.
func (h *Hasher) Stats() Stats { return h.gate.stats() }

// typed returns the bytes of p as they were typed, or the stand-in and false if p
// is too long.
func typed(p domain.Password) (text []byte, ok bool) {
	if len(p.Reveal()) > domain.MaxPassword {
		return []byte(standIn), false
	}
	return []byte(p.Reveal()), true
}

// A hash is a password as it rests, in one of the formats that can be read.
type hash interface {
	// matches takes as long whether or not text, as it was typed, is the password.
	matches(text []byte) bool

	// stale reports whether a hash made at cost c would be another.
	stale(c Cost) bool
}
