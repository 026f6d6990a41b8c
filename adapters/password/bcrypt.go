package password

import (
	"bytes"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// The shape of a bcrypt hash, in characters: $2b$12$, a salt of 22 and a key of
// 31 in an alphabet of its own.
const (
	bcryptSize     = 60
	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// maxBcryptCost is the highest cost that is obeyed: about a second of a CPU. Each
// further one doubles it; those that makers choose are 10 to 13.
const maxBcryptCost = 14

// A bcryptHash is a hash by bcrypt: $2b$, or $2a$ and $2y$, which sound makers
// mean the same by.
//
// bcrypt knows the first 72 bytes of a password alone. Nearly all makers cut
// longer ones there without a word, so that is how they are compared: what
// follows byte 72 makes no difference until Argon2id replaces the hash with one of
// all that was typed. It ends at a NUL, too, so a password with one matches
// nothing.
type bcryptHash struct {
	foreign
	text string
}

func readBcrypt(text string) (hash, error) {
	if len(text) != bcryptSize || text[6] != '$' {
		return nil, malformed("bcrypt: want %d characters", bcryptSize)
	}
	cost := text[4:6]
	if cost < "04" || cost > "31" || cost[1] < '0' || cost[1] > '9' {
		return nil, malformed("bcrypt: want a cost of 04 to %d", maxBcryptCost)
	}
	if _, err := readNumber(strings.TrimPrefix(cost, "0"), "bcrypt doublings", 4, maxBcryptCost); err != nil {
		return nil, err
	}
	if strings.Trim(text[7:], bcryptAlphabet) != "" {
		return nil, malformed("bcrypt: want its own base64")
	}
	// The last character of the key holds four bits, and comes before two spare
	// ones. (Some makers left bits in the spare ones of the salt.)
	if strings.IndexByte(bcryptAlphabet, text[bcryptSize-1])%4 != 0 {
		return nil, malformed("bcrypt: spare bits in the key")
	}
	return bcryptHash{text: text}, nil
}

func (b bcryptHash) matches(text []byte) bool {
	return bcrypt.CompareHashAndPassword([]byte(b.text), text) == nil && bytes.IndexByte(text, 0) < 0
}
