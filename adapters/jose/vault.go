package jose

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// What is concealed is vaultVersion (1 byte), the number of the key (4), a random
// nonce (24), and the text, sealed by XChaCha20-Poly1305: vaultOverhead bytes more
// than the text. Scope, version and number are its additional data.
//
// The keys are those of cursors, each by way of a label. They turn, and the last
// receipt that one of them has sealed is gone before the key is (keepPaging).
const (
	vaultVersion  = 1
	vaultHead     = 1 + 4
	vaultOverhead = vaultHead + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
	vaultLabel    = "keyport vault 1"
	vaultKeyLabel = "keyport vault key 1"
	digestLabel   = "keyport digest 1"
)

var (
	errVaultText = errors.New("the bytes are none that a vault makes")
	errVaultKey  = errors.New("the bytes were concealed for another scope or with another key, or they were altered")
)

// A vault implements ports.Vault.
type vault struct{ ring *Keyring }

var _ ports.Vault = vault{}

// Conceal implements ports.Vault. It returns other bytes at each call, so that equal
// texts do not show.
func (v vault) Conceal(scope string, text []byte) []byte {
	key := v.ring.snapshot.Load().cursor.signer(v.ring.c.Now())
	b := make([]byte, 0, len(text)+vaultOverhead)
	b = append(b, vaultVersion)
	b = append(b, key.number[:]...)
	b = b[:vaultHead+chacha20poly1305.NonceSizeX]
	nonce := b[vaultHead:]
	rand.Read(nonce) // never fails
	return key.vault().Seal(b, nonce, text, concealedFor(scope, b[:vaultHead]))
}

// Reveal implements ports.Vault.
func (v vault) Reveal(scope string, concealed []byte) ([]byte, error) {
	if len(concealed) < vaultOverhead || concealed[0] != vaultVersion {
		return nil, domain.ErrInvalidToken.Because(errVaultText)
	}
	head, rest := concealed[:vaultHead], concealed[vaultHead:]
	nonce, sealed := rest[:chacha20poly1305.NonceSizeX], rest[chacha20poly1305.NonceSizeX:]
	number := [4]byte(head[1:])
	for _, key := range v.ring.snapshot.Load().cursor.opened {
		if key.number != number { // which two keys may share
			continue
		}
		if text, err := key.vault().Open(nil, nonce, sealed, concealedFor(scope, head)); err == nil {
			return text, nil
		}
	}
	return nil, domain.ErrInvalidToken.Because(errVaultKey)
}

// Digest implements ports.Vault: the HMAC-SHA-256 of scope and text. Its key does not
// turn, and is the same under any master key: only when somebody retires it are the
// digests others, and whoever kept one does not know the text again.
func (v vault) Digest(scope string, text []byte) [sha256.Size]byte {
	key := v.ring.snapshot.Load().digest.signer(v.ring.c.Now())
	h := hmac.New(sha256.New, key.secret)
	h.Write(frame(digestLabel, scope)) // which says where it ends, so the text needs no frame
	h.Write(text)
	return [sha256.Size]byte(h.Sum(nil))
}

// vault returns the cipher of what is concealed by k. Nonces are random and of 192
// bits, so there is no bound on how often it is used.
func (k *secretKey) vault() cipher.AEAD {
	c, err := chacha20poly1305.NewX(mac(k.secret, vaultKeyLabel))
	if err != nil { // the key has another length, which mac rules out
		panic(err)
	}
	return c
}

// concealedFor returns the additional data of what is concealed.
func concealedFor(scope string, head []byte) []byte {
	return frame(vaultLabel, scope, string(head))
}
