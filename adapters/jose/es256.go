package jose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// An es256 is ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4). A signature is
// r and s, each of 32 bytes. If (r, s) is one then so is (r, n-s), which anybody
// can compute; of the two only the one with the lesser s is made here, and taken,
// so that a token has one text. Verifiers elsewhere take it as they take any.
type es256 struct{}

// scalarSize is the length of r, s, a coordinate and a private key, in bytes.
const scalarSize = 32

var (
	es256Library = newLibrary(jwa.ES256)

	order     = elliptic.P256().Params().N
	halfOrder = new(big.Int).Rsh(order, 1)
	greatestR = new(big.Int).Sub(order, big.NewInt(1)).FillBytes(make([]byte, scalarSize))
	greatestS = halfOrder.FillBytes(make([]byte, scalarSize))
	none      = make([]byte, scalarSize)
)

// generate returns the scalar, in 32 bytes.
func (es256) generate() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return key.Bytes()
}

func (es256) private(secret []byte) (private, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil {
		return nil, err
	}
	return es256Private{es256Public{&key.PublicKey}, key}, nil
}

// public reads a point by its coordinates (RFC 7518, section 6.2.1).
func (es256) public(k jwk) (public, error) {
	x, xOK := decode(k.X)
	y, yOK := decode(k.Y)
	if k.Type != "EC" || k.Curve != "P-256" || !xOK || !yOK || len(x) != scalarSize || len(y) != scalarSize {
		return nil, errJWK
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return nil, errJWK
	}
	return es256Public{key}, nil
}

type es256Public struct{ key *ecdsa.PublicKey }

// shaped wants r from 1 to n-1, and s from 1 to n/2 (FIPS 186-5, section 6.4.2,
// and the lesser s).
func (es256Public) shaped(b []byte) bool {
	if len(b) != 2*scalarSize {
		return false
	}
	r, s := b[:scalarSize], b[scalarSize:]
	return bytes.Compare(r, none) > 0 && bytes.Compare(r, greatestR) <= 0 &&
		bytes.Compare(s, none) > 0 && bytes.Compare(s, greatestS) <= 0
}

func (p es256Public) verify(text string, signature []byte) bool {
	return es256Library.verify(text, signature, p.key)
}

func (p es256Public) jwk() jwk {
	point, err := p.key.Bytes() // 4, x, y (SEC 1, section 2.3.3)
	if err != nil {             // the point is not on the curve, which both ways to one rule out
		panic(err)
	}
	x, y := point[1:1+scalarSize], point[1+scalarSize:]
	return jwk{Type: "EC", Curve: "P-256", X: b64.EncodeToString(x), Y: b64.EncodeToString(y)}
}

type es256Private struct {
	es256Public
	key *ecdsa.PrivateKey
}

func (p es256Private) sign(text string) ([]byte, error) {
	signature, err := es256Library.sign(text, p.key)
	if err != nil {
		return nil, err
	}
	if s := new(big.Int).SetBytes(signature[scalarSize:]); s.Cmp(halfOrder) > 0 {
		s.Sub(order, s).FillBytes(signature[scalarSize:])
	}
	return signature, nil
}
