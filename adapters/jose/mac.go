package jose

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// secretSize is the length of a key for HMAC-SHA-256, in bytes.
const secretSize = 32

func generateSecret() ([]byte, error) {
	secret := make([]byte, secretSize)
	rand.Read(secret) // never fails
	return secret, nil
}

// mac authenticates parts, of which the first is a label that no other use has.
func mac(secret []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(frame(parts...))
	return h.Sum(nil)
}

// frame joins parts, each behind its length, so that no other parts give the
// same bytes.
func frame(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}
