package password

import (
	"crypto/subtle"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is how hard a hash is to make (RFC 9106, section 3.1).
type Cost struct {
	Memory uint32 // KiB; 8 for each lane at least, 256 MiB at most
	Time   uint32 // passes over the memory; 1 to 16
	Lanes  uint8  // 1 to 16
}

// Recommended takes 19 MiB and two passes: the least that OWASP's cheat sheet on
// password storage asks for with one lane, and about 30 ms of a CPU.
var Recommended = Cost{Memory: 19 << 10, Time: 2, Lanes: 1}

// The bounds of a cost that is obeyed. A hash that was brought in from elsewhere
// names its own, so without a bound whoever wrote it could take all the memory.
const (
	maxMemory = 256 << 10 // KiB
	maxTime   = 16
	maxLanes  = 16
	maxWork   = 1 << 20 // KiB times passes: about a second of a CPU
)

func (c Cost) bounded() bool {
	return c.Lanes >= 1 && c.Lanes <= maxLanes &&
		c.Time >= 1 && c.Time <= maxTime &&
		c.Memory >= 8*uint32(c.Lanes) && c.Memory <= maxMemory &&
		c.Memory*c.Time <= maxWork
}

// An argon2id is a hash that was made by Argon2id, version 1.3.
type argon2id struct {
	cost Cost
	salt []byte // 8 to 64 bytes
	key  []byte // 16 to 64 bytes
}

func (a argon2id) derive(text []byte, size int) []byte {
	return argon2.IDKey(text, a.salt, a.cost.Time, a.cost.Memory, a.cost.Lanes, uint32(size))
}

// matches takes text in its NFC form, so that a password typed on another keyboard
// is the same one (NIST SP 800-63B-4, section 3.1.1.2).
func (a argon2id) matches(text []byte) bool { return a.isOf(norm.NFC.Bytes(text)) }

// isOf reports whether a was made of these very bytes.
func (a argon2id) isOf(text []byte) bool {
	return subtle.ConstantTimeCompare(a.derive(text, len(a.key)), a.key) == 1
}

func (a argon2id) stale(c Cost) bool {
	return a.cost != c || len(a.salt) != saltSize || len(a.key) != keySize
}
