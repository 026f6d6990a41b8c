package password

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// Why a text is not read as a hash. What wraps them says more, and nothing of the
// text: it may be a password that stands in the wrong column.
var (
	ErrUnknownFormat = errors.New("password: not a hash of a format that is read")
	ErrMalformed     = errors.New("password: malformed hash")
	ErrTooCostly     = errors.New("password: hash beyond the bounds of what is computed")
)

// maxText is the longest text that is looked at, in bytes. No hash within the
// bounds of its format is longer.
const maxText = 256

// formats are the hashes that can be read, by what they begin with. A reader
// fails for what is not a hash of its format, or costs more to compare than its
// bounds allow. It computes nothing.
var formats = []struct {
	prefix string
	read   func(text string) (hash, error)
}{
	{"$argon2id$", readArgon2id},
	{"$argon2i$", readArgon2i},
	{"$2a$", readBcrypt},
	{"$2b$", readBcrypt},
	{"$2y$", readBcrypt},
	{"$5$", readSHA256Crypt},
	{"$6$", readSHA512Crypt},
	{"pbkdf2:", readPBKDF2},
	{"scrypt:", readScrypt},
	{"sha256$", readHMAC},
}

// Check fails with ErrUnknownFormat, ErrMalformed or ErrTooCostly unless h is a
// hash that a Hasher compares passwords with; it says why, and nothing of h. It
// computes no hash, so it is the thing to ask before h is stored. A zero h is of
// no format.
func Check(h domain.PasswordHash) error {
	_, err := read(h.Reveal())
	return err
}

// read returns the hash that text spells.
func read(text string) (hash, error) {
	for _, f := range formats {
		switch {
		case !strings.HasPrefix(text, f.prefix):
		case len(text) > maxText:
			return nil, malformed("want %d bytes at most", maxText)
		default:
			return f.read(text)
		}
	}
	return nil, ErrUnknownFormat
}

// A foreign hash was brought along from another service. It is made anew when its
// owner signs in.
type foreign struct{}

func (foreign) stale(Cost) bool { return true }

func malformed(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, a...)...)
}

// readNumber reads a decimal number as a format's maker writes it, without a sign
// or leading zeros. It fails with ErrTooCostly above most. what names it in the
// plural.
func readNumber(text, what string, least, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && n > most:
		return 0, fmt.Errorf("%w: more than %d %s", ErrTooCostly, most, what)
	case err != nil, n < least, strconv.FormatUint(n, 10) != text:
		return 0, malformed("%s: want a number of %d to %d", what, least, most)
	}
	return n, nil
}

// readSalt reads a salt that is used as it is spelled: 1 to most printable
// characters of ASCII. Without a salt, equal passwords have equal hashes.
func readSalt(text string, most int) (string, error) {
	if text == "" {
		return "", malformed("no salt")
	}
	if len(text) > most || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", malformed("salt: want %d printable characters of ASCII at most", most)
	}
	return text, nil
}

// readHex reads size bytes in lower case, the one case that Python writes.
func readHex(text string, size int) ([]byte, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != size || hex.EncodeToString(b) != text {
		return nil, malformed("key: want %d hexadecimal digits in lower case", 2*size)
	}
	return b, nil
}
