package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The bounds of what a PHC string may hold, in bytes.
const (
	minSalt, maxSalt = 8, 64
	minKey, maxKey   = 16, 64
	maxPHC           = 256 // of the whole; nothing within the other bounds is longer
)

var errNotPHC = errors.New("password: not a PHC string of Argon2id within the bounds")

var b64 = base64.RawStdEncoding.Strict()

// String returns the hash as a PHC string, parameters in the order of the
// specification: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (a argon2id) String() string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s",
		a.cost.Memory, a.cost.Time, a.cost.Lanes, b64.EncodeToString(a.salt), b64.EncodeToString(a.key))
}

// parseArgon2id reads what String writes, and no other spelling of it.
func parseArgon2id(text string) (argon2id, error) {
	field := strings.Split(text, "$")
	if len(text) > maxPHC || len(field) != 6 {
		return argon2id{}, errNotPHC
	}
	salt, saltErr := b64.DecodeString(field[4])
	key, keyErr := b64.DecodeString(field[5])
	a := argon2id{parseCost(field[3]), salt, key}
	if saltErr != nil || keyErr != nil || !a.cost.bounded() ||
		len(salt) < minSalt || len(salt) > maxSalt || len(key) < minKey || len(key) > maxKey {
		return argon2id{}, errNotPHC
	}
	// Signs, leading zeros, line breaks in the base64 and other versions have all
	// been let through so far.
	if a.String() != text {
		return argon2id{}, errNotPHC
	}
	return a, nil
}

// parseCost reads m=..,t=..,p=.., or returns the zero Cost, which is out of
// bounds.
func parseCost(text string) Cost {
	part := strings.Split(text, ",")
	if len(part) != 3 {
		return Cost{}
	}
	m, mErr := strconv.ParseUint(strings.TrimPrefix(part[0], "m="), 10, 32)
	t, tErr := strconv.ParseUint(strings.TrimPrefix(part[1], "t="), 10, 32)
	p, pErr := strconv.ParseUint(strings.TrimPrefix(part[2], "p="), 10, 8)
	if mErr != nil || tErr != nil || pErr != nil {
		return Cost{}
	}
	return Cost{uint32(m), uint32(t), uint8(p)}
}
