package password

import (
	"crypto/subtle"
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// The bounds of scrypt. Its memory is 128·N·r bytes, and its work that memory p
// times over.
const (
	maxScryptWork = 128 << 20 // 128·N·r·p, in bytes: about half a second of a CPU; Werkzeug's is 32 MiB
	scryptKeySize = 64        // in bytes
)

// A scryptHash is Werkzeug's scrypt:N:r:p$salt$key (RFC 7914).
type scryptHash struct {
	foreign
	n, r, p   int
	salt, key []byte
}

func readScrypt(text string) (hash, error) {
	method, _, _ := strings.Cut(text, "$")
	field := strings.Split(method, ":")
	if len(field) != 4 {
		return nil, malformed("scrypt: want scrypt:N:r:p")
	}
	var cost [3]int
	for i, what := range []string{"steps (N) of scrypt", "blocks (r) of scrypt", "lanes (p) of scrypt"} {
		n, err := readNumber(field[1+i], what, 1, maxScryptWork/128)
		if err != nil {
			return nil, err
		}
		cost[i] = int(n)
	}
	h := scryptHash{n: cost[0], r: cost[1], p: cost[2]}
	if h.n < 2 || h.n&(h.n-1) != 0 {
		return nil, malformed("scrypt: N is no power of 2")
	}
	if uint64(h.n)*uint64(h.r)*uint64(h.p) > maxScryptWork/128 {
		return nil, fmt.Errorf("%w: more than %d MiB (128·N·r·p) of scrypt", ErrTooCostly, maxScryptWork>>20)
	}
	var err error
	if h.salt, h.key, err = parseWerkzeug(text, scryptKeySize); err != nil {
		return nil, err
	}
	return h, nil
}

func (h scryptHash) matches(text []byte) bool {
	key, err := scrypt.Key(text, h.salt, h.n, h.r, h.p, len(h.key))
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1
}
