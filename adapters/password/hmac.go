package password

import (
	"crypto/hmac"
	"crypto/sha256"
)

// An hmacHash is what Werkzeug before 3.0 made of method="sha256":
// sha256$salt$key, an HMAC-SHA256 of the password with the salt as its key. It is
// hardly a hash for passwords, and is replaced all the sooner.
//
// Werkzeug's sha1$salt$key is not read: Django wrote another thing in the same
// letters.
type hmacHash struct {
	foreign
	salt, key []byte
}

func readHMAC(text string) (hash, error) {
	salt, key, err := parseWerkzeug(text, sha256.Size)
	if err != nil {
		return nil, err
	}
	return hmacHash{salt: salt, key: key}, nil
}

func (h hmacHash) matches(text []byte) bool {
	mac := hmac.New(sha256.New, h.salt)
	mac.Write(text)
	return hmac.Equal(mac.Sum(nil), h.key)
}
