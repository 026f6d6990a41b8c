package password

import (
	"crypto"
	"crypto/pbkdf2"
	_ "crypto/sha1"   // for pbkdf2:sha1
	_ "crypto/sha256" // for pbkdf2:sha256
	_ "crypto/sha512" // for pbkdf2:sha512
	"crypto/subtle"
	"strings"
)

// maxIterations is the most that are obeyed: half a second of a CPU, two seconds
// with SHA-512. Werkzeug 3.1 makes 1,000,000.
const maxIterations = 2_000_000

// A pbkdf2Hash is Werkzeug's pbkdf2:digest:iterations$salt$key (RFC 8018, section
// 5.2). Every release wrote out its iterations; without them the hash could mean
// any of six defaults, and is not read.
type pbkdf2Hash struct {
	foreign
	digest     crypto.Hash
	iterations int
	salt, key  []byte // the key as long as the digest
}

func readPBKDF2(text string) (hash, error) {
	method, _, _ := strings.Cut(text, "$")
	field := strings.Split(method, ":")
	if len(field) != 3 {
		return nil, malformed("pbkdf2: want pbkdf2:digest:iterations")
	}
	var h pbkdf2Hash
	switch field[1] {
	case "sha1":
		h.digest = crypto.SHA1
	case "sha256":
		h.digest = crypto.SHA256
	case "sha512":
		h.digest = crypto.SHA512
	default:
		return nil, malformed("pbkdf2: want the digest sha1, sha256 or sha512")
	}
	iterations, err := readNumber(field[2], "pbkdf2 iterations", 1, maxIterations)
	if err != nil {
		return nil, err
	}
	h.iterations = int(iterations)
	if h.salt, h.key, err = parseWerkzeug(text, h.digest.Size()); err != nil {
		return nil, err
	}
	return h, nil
}

func (h pbkdf2Hash) matches(text []byte) bool {
	key, err := pbkdf2.Key(h.digest.New, string(text), h.salt, h.iterations, len(h.key))
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1
}
