package pgtest

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// quickSecret returns what a server may keep in place of a password: the keys that
// SCRAM-SHA-256 compares (RFC 5802, section 3), in PostgreSQL's spelling, of one round
// in place of 4096. Those rounds are for passwords that can be guessed, which ours
// cannot; and each connection pays for them: 19 ms under the race detector.
func quickSecret(password string) (string, error) {
	const rounds = 1
	salt := []byte(rand.Text())
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", err
	}
	of := func(key []byte, name string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(name))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(of(salted, "Client Key"))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, text(salt), text(stored[:]), text(of(salted, "Server Key"))), nil
}
