package password

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// The bounds of what a PHC string may hold, in bytes.
const (
	minSalt, maxSalt = 8, 64
	minKey, maxKey   = 16, 64
)

var b64 = base64.RawStdEncoding.Strict()

// String returns the hash as a PHC string, parameters in the order of the
// specification: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (a argon2id) String() string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s",
		a.cost.Memory, a.cost.Time, a.cost.Lanes, b64.EncodeToString(a.salt), b64.EncodeToString(a.key))
}

func readArgon2id(text string) (hash, error) {
	a, err := parseArgon2id(text)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// parseArgon2id reads what String writes, and no other spelling of it.
func parseArgon2id(text string) (argon2id, error) {
	field := strings.Split(text, "$")
	if len(field) != 6 {
		return argon2id{}, malformed("argon2: want $argon2id$version$cost$salt$key")
	}
	cost, err := parseCost(field[3])
	if err != nil {
		return argon2id{}, err
	}
	salt, saltErr := b64.DecodeString(field[4])
	key, keyErr := b64.DecodeString(field[5])
	if saltErr != nil || len(salt) < minSalt || len(salt) > maxSalt {
		return argon2id{}, malformed("argon2: want a salt of %d to %d bytes in base64", minSalt, maxSalt)
	}
	if keyErr != nil || len(key) < minKey || len(key) > maxKey {
		return argon2id{}, malformed("argon2: want a key of %d to %d bytes in base64", minKey, maxKey)
	}
	// Other versions and line breaks in the base64 have been let through so far.
	a := argon2id{cost, salt, key}
	if a.String() != text {
		return argon2id{}, malformed("argon2: want version 19 and nothing between its parts")
	}
	return a, nil
}

// parseCost reads m=..,t=..,p=.., and fails out of bounds.
func parseCost(text string) (Cost, error) {
	part := strings.Split(text, ",")
	if len(part) != 3 {
		return Cost{}, malformed("argon2: want m=..,t=..,p=..")
	}
	var n [3]uint64
	for i, want := range []struct {
		name, what string
		most       uint64
	}{
		{"m=", "KiB of Argon2", maxMemory},
		{"t=", "passes of Argon2", maxTime},
		{"p=", "lanes of Argon2", maxLanes},
	} {
		var err error
		if n[i], err = readNumber(strings.TrimPrefix(part[i], want.name), want.what, 1, want.most); err != nil {
			return Cost{}, err
		}
	}
	c := Cost{uint32(n[0]), uint32(n[1]), uint8(n[2])}
	switch {
	case c.Memory*c.Time > maxWork:
		return Cost{}, fmt.Errorf("%w: more than %d KiB times passes of Argon2", ErrTooCostly, maxWork)
	case !c.bounded():
		return Cost{}, malformed("argon2: want 8 KiB for each lane")
	}
	return c, nil
}
