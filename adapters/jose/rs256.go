package jose

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// An rs256 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3). A signature
// is a number below the modulus, as long as it.
type rs256 struct{}

// The sizes of a modulus, in bits. Our own keys have the least that RFC 7518 and
// NIST SP 800-131A allow.
const (
	leastModulus    = 2048
	greatestModulus = 4096
)

// The one public exponent that is made, and taken.
const (
	exponent     = 65537
	exponentText = "AQAB"
)

var rs256Library = newLibrary(jwa.RS256)

// generate returns a PKCS #1 private key in DER (RFC 8017, appendix A.1.2): about
// 1,190 bytes.
func (rs256) generate() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, leastModulus)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS1PrivateKey(key), nil
}

func (rs256) private(secret []byte) (private, error) {
	key, err := x509.ParsePKCS1PrivateKey(secret)
	if err != nil {
		return nil, err
	}
	if key.N.BitLen() != leastModulus || key.E != exponent {
		return nil, fmt.Errorf("its modulus has %d bits and its exponent is %d; want %d and %d",
			key.N.BitLen(), key.E, leastModulus, exponent)
	}
	return rs256Private{newRS256Public(&key.PublicKey), key}, nil
}

// public reads a modulus and an exponent (RFC 7518, section 6.3.1).
func (rs256) public(k jwk) (public, error) {
	n, ok := decode(k.N)
	if k.Type != "RSA" || k.E != exponentText || !ok || len(n) == 0 || len(n) > greatestModulus/8 {
		return nil, errJWK
	}
	// The modulus has no zeros before it, and is odd, as the product of two odd
	// primes is.
	modulus := new(big.Int).SetBytes(n)
	if n[0] == 0 || modulus.Bit(0) == 0 || modulus.BitLen() < leastModulus {
		return nil, errJWK
	}
	return newRS256Public(&rsa.PublicKey{N: modulus, E: exponent}), nil
}

type rs256Public struct {
	key     *rsa.PublicKey
	modulus []byte
}

func newRS256Public(key *rsa.PublicKey) rs256Public { return rs256Public{key, key.N.Bytes()} }

// shaped wants a number below the modulus (RFC 8017, section 8.2.2): one with the
// modulus added, or with zeros before it, would be another text of one token.
func (p rs256Public) shaped(b []byte) bool {
	return len(b) == len(p.modulus) && bytes.Compare(b, p.modulus) < 0
}

func (p rs256Public) verify(text string, signature []byte) bool {
	return rs256Library.verify(text, signature, p.key)
}

func (p rs256Public) jwk() jwk {
	return jwk{Type: "RSA", N: b64.EncodeToString(p.modulus), E: exponentText}
}

type rs256Private struct {
	rs256Public
	key *rsa.PrivateKey
}

func (p rs256Private) sign(text string) ([]byte, error) { return rs256Library.sign(text, p.key) }
