package password

import (
	"crypto"
	"crypto/subtle"
	"strings"

	"github.com/go-crypt/x/crypt"
)

// The bounds of sha-crypt, and what it takes where nothing is said.
const (
	minRounds     = 1_000
	defaultRounds = 5_000
	maxRounds     = 1_000_000 // passlib 1.7 makes 656,000
	maxRoundsSalt = 16        // in characters

	// maxRoundsWork bounds the rounds times the bytes of the password, which each
	// of them digests about twice: a second or two of a CPU. It leaves 204 bytes to
	// a password of 656,000 rounds.
	maxRoundsWork = 1 << 27

	cryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// A shaCrypt is a hash by Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512",
// version 0.6: $5$rounds=5000$salt$key and $6$rounds=5000$salt$key, the rounds
// left out where they are 5,000.
type shaCrypt struct {
	foreign
	digest crypto.Hash
	rounds int
	salt   string
	key    string // as it is spelled
}

// A key's last character holds what is left of the digest's bits: four of
// SHA-256's, two of SHA-512's.
func readSHA256Crypt(text string) (hash, error) {
	return readSHACrypt(text, shaCrypt{digest: crypto.SHA256}, 43, cryptAlphabet[:16])
}

func readSHA512Crypt(text string) (hash, error) {
	return readSHACrypt(text, shaCrypt{digest: crypto.SHA512}, 86, cryptAlphabet[:4])
}

// readSHACrypt fills in h. last are the characters that its key may end with.
func readSHACrypt(text string, h shaCrypt, size int, last string) (hash, error) {
	field := strings.Split(text, "$")[2:]
	h.rounds = defaultRounds
	if spelled, stated := strings.CutPrefix(field[0], "rounds="); stated {
		rounds, err := readNumber(spelled, "rounds of sha-crypt", minRounds, maxRounds)
		if err != nil {
			return nil, err
		}
		h.rounds, field = int(rounds), field[1:]
	}
	if len(field) != 2 {
		return nil, malformed("sha-crypt: want a salt and a key")
	}
	var err error
	if h.salt, err = readSalt(field[0], maxRoundsSalt); err != nil {
		return nil, err
	}
	h.key = field[1]
	if len(h.key) != size || strings.Trim(h.key, cryptAlphabet) != "" || !strings.Contains(last, h.key[size-1:]) {
		return nil, malformed("sha-crypt: want a key of %d characters in its own base64", size)
	}
	return h, nil
}

func (h shaCrypt) matches(text []byte) bool {
	bounded := h.rounds*len(text) <= maxRoundsWork
	if !bounded {
		text = []byte(standIn)
	}
	key := crypt.KeySHACrypt(h.digest.New, text, []byte(h.salt), h.rounds)
	return subtle.ConstantTimeCompare(key, []byte(h.key)) == 1 && bounded
}
