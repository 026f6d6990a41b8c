package jose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"math/big"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// signatureSize is the length of an ES256 signature in bytes: r and s, each of
// 32 (RFC 7518, section 3.4).
const signatureSize = 64

// An es256 signs with ECDSA on P-256 and SHA-256. If (r, s) is a signature then
// so is (r, n-s), which anybody can compute; of the two only the one with the
// lesser s is made here, and taken, so that a token has one text. Verifiers
// elsewhere take it as they take any.
type es256 struct {
	kid      string
	private  *ecdsa.PrivateKey
	signer   jws.Signer
	verifier jws.Verifier
}

var (
	order     = elliptic.P256().Params().N
	halfOrder = new(big.Int).Rsh(order, 1)
	greatestR = new(big.Int).Sub(order, big.NewInt(1)).FillBytes(make([]byte, signatureSize/2))
	greatestS = halfOrder.FillBytes(make([]byte, signatureSize/2))
	none      = make([]byte, signatureSize/2)
)

func generateES256() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return key.Bytes()
}

// newES256 reads a private key: the scalar, in 32 bytes.
func newES256(k opened) (*es256, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), k.secret)
	if err != nil {
		return nil, fmt.Errorf("jose: the stored key %q is no key of ES256: %w", k.id, err)
	}
	signer, err := jws.NewSigner(jwa.ES256)
	if err != nil {
		return nil, fmt.Errorf("jose: signing by ES256: %w", err)
	}
	verifier, err := jws.NewVerifier(jwa.ES256)
	if err != nil {
		return nil, fmt.Errorf("jose: verifying by ES256: %w", err)
	}
	return &es256{k.id, private, signer, verifier}, nil
}

func (k *es256) sign(text string) ([]byte, error) {
	signature, err := k.signer.Sign([]byte(text), k.private)
	if err != nil {
		return nil, fmt.Errorf("jose: signing: %w", err)
	}
	if s := new(big.Int).SetBytes(signature[signatureSize/2:]); s.Cmp(halfOrder) > 0 {
		s.Sub(order, s).FillBytes(signature[signatureSize/2:])
	}
	return signature, nil
}

// verify reports whether signature, which has the shape of one, is that of text.
func (k *es256) verify(text string, signature []byte) bool {
	return k.verifier.Verify([]byte(text), signature, &k.private.PublicKey) == nil
}

// shaped reports whether b could be a signature by its shape: r from 1 to n-1, s
// from 1 to n/2 (FIPS 186-5, section 6.4.2, and the lesser s).
func shaped(b []byte) bool {
	if len(b) != signatureSize {
		return false
	}
	r, s := b[:signatureSize/2], b[signatureSize/2:]
	return bytes.Compare(r, none) > 0 && bytes.Compare(r, greatestR) <= 0 &&
		bytes.Compare(s, none) > 0 && bytes.Compare(s, greatestS) <= 0
}
