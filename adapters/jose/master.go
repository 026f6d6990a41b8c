package jose

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/keyport-go/keyport/domain"
)

// ErrMasterKey says that a stored key was sealed by another master key.
var ErrMasterKey = errors.New("the master key does not open the stored key; give the one that sealed it")

var errMasterText = errors.New("a master key is 32 random bytes: write them as 64 hexadecimal digits, or as 43 characters of base64url without padding")

// A Master seals keys at rest: XChaCha20-Poly1305, with the key's id, use and
// algorithm as additional data, so that no sealed key can stand in for another.
// It prints as "[secret]". The zero Master is none.
type Master struct {
	// A function, because fmt looks into everything else where it does not find
	// Format, as in a struct that hides a Master in a field of its own.
	key func() [chacha20poly1305.KeySize]byte
}

// NewMaster returns a fresh master key.
func NewMaster() Master {
	var key [chacha20poly1305.KeySize]byte
	rand.Read(key[:]) // never fails
	return newMaster(key)
}

func newMaster(key [chacha20poly1305.KeySize]byte) Master {
	return Master{func() [chacha20poly1305.KeySize]byte { return key }}
}

// ParseMaster reads a master key as 64 hexadecimal digits, or as base64url
// without padding. White space around it, such as a file ends with, is left out.
func ParseMaster(text domain.Secret) (Master, error) {
	s := strings.TrimSpace(text.Reveal())
	b, ok := decode(s)
	if len(s) == hex.EncodedLen(chacha20poly1305.KeySize) {
		var err error
		b, err = hex.DecodeString(s)
		ok = err == nil
	}
	if !ok || len(b) != chacha20poly1305.KeySize {
		return Master{}, errMasterText
	}
	return newMaster([chacha20poly1305.KeySize]byte(b)), nil
}

// Text returns the master key as ParseMaster reads it: base64url. m must not be
// zero.
func (m Master) Text() domain.Secret {
	key := m.key()
	return domain.NewSecret(b64.EncodeToString(key[:]))
}

// IsZero reports whether there is no key in it.
func (m Master) IsZero() bool { return m.key == nil }

// Format writes "[secret]", whatever the verb.
func (Master) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "[secret]") }

// LogValue returns "[secret]".
func (Master) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText returns "[secret]".
func (Master) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// seal returns a random nonce of 24 bytes and the secret, sealed for k.
func (m Master) seal(k domain.Key, secret []byte) []byte {
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(secret)+chacha20poly1305.Overhead)
	rand.Read(nonce) // never fails
	return m.cipher().Seal(nonce, nonce, secret, sealedFor(k))
}

// open returns the secret in k.Sealed, or fails with ErrMasterKey.
func (m Master) open(k domain.Key) ([]byte, error) {
	if len(k.Sealed) >= chacha20poly1305.NonceSizeX {
		nonce, sealed := k.Sealed[:chacha20poly1305.NonceSizeX], k.Sealed[chacha20poly1305.NonceSizeX:]
		if secret, err := m.cipher().Open(nil, nonce, sealed, sealedFor(k)); err == nil {
			return secret, nil
		}
	}
	return nil, fmt.Errorf("jose: key %q for %q: %w", k.ID, k.Use, ErrMasterKey)
}

func (m Master) cipher() cipher.AEAD {
	key := m.key()
	c, err := chacha20poly1305.NewX(key[:])
	if err != nil { // the key has another length, which its type rules out
		panic(err)
	}
	return c
}

// sealedFor returns the additional data of a sealed key.
func sealedFor(k domain.Key) []byte {
	return frame("keyport sealed key 1", k.ID, k.Use, string(k.Algorithm))
}
