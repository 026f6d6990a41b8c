package jose

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// An eddsa is EdDSA with Ed25519 (RFC 8037, section 3.1). A signature is R and S,
// each of 32 bytes. Were S not below the order of the group, then anybody could
// add the order to it and have another text of one token.
type eddsa struct{}

var (
	eddsaLibrary = newLibrary(jwa.EdDSA)

	// groupOrder is 2^252 + 27742317777372353535851937790883648493, big endian
	// (RFC 8032, section 5.1).
	groupOrder = []byte{
		0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
	}
)

// generate returns the seed, in 32 bytes.
func (eddsa) generate() ([]byte, error) {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails
	return seed, nil
}

func (eddsa) private(secret []byte) (private, error) {
	if len(secret) != ed25519.SeedSize {
		return nil, fmt.Errorf("it has %d bytes; want %d", len(secret), ed25519.SeedSize)
	}
	key := ed25519.NewKeyFromSeed(secret)
	return eddsaPrivate{eddsaPublic{key.Public().(ed25519.PublicKey)}, key}, nil
}

// public reads a point (RFC 8037, section 2).
func (eddsa) public(k jwk) (public, error) {
	x, ok := decode(k.X)
	if k.Type != "OKP" || k.Curve != "Ed25519" || !ok || len(x) != ed25519.PublicKeySize {
		return nil, errJWK
	}
	return eddsaPublic{x}, nil
}

type eddsaPublic struct{ key ed25519.PublicKey }

// shaped wants S below the order of the group (RFC 8032, section 5.1.7).
func (eddsaPublic) shaped(b []byte) bool {
	if len(b) != ed25519.SignatureSize {
		return false
	}
	s := [ed25519.SignatureSize / 2]byte(b[ed25519.SignatureSize/2:]) // little endian
	slices.Reverse(s[:])
	return bytes.Compare(s[:], groupOrder) < 0
}

func (p eddsaPublic) verify(text string, signature []byte) bool {
	return eddsaLibrary.verify(text, signature, p.key)
}

func (p eddsaPublic) jwk() jwk {
	return jwk{Type: "OKP", Curve: "Ed25519", X: b64.EncodeToString(p.key)}
}

type eddsaPrivate struct {
	eddsaPublic
	key ed25519.PrivateKey
}

func (p eddsaPrivate) sign(text string) ([]byte, error) { return eddsaLibrary.sign(text, p.key) }
