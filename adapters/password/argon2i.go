package password

import (
	"crypto/subtle"
	"strings"

	"golang.org/x/crypto/argon2"
)

// An argon2i is a hash by Argon2id's elder sibling, version 1.3, as PHP and early
// passlib made it. Its bounds are those of Cost.
type argon2i struct {
	foreign
	parts argon2id
}

// readArgon2i reads what readArgon2id does, under the other name.
func readArgon2i(text string) (hash, error) {
	parts, err := parseArgon2id("$argon2id$" + strings.TrimPrefix(text, "$argon2i$"))
	if err != nil {
		return nil, err
	}
	return argon2i{parts: parts}, nil
}

func (a argon2i) matches(text []byte) bool {
	p := a.parts
	key := argon2.Key(text, p.salt, p.cost.Time, p.cost.Memory, p.cost.Lanes, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1
}
