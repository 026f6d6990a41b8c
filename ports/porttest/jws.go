package porttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

// verified checks a signature by a public JWK, with the standard library alone,
// so that an issuer is not its own witness (RFC 7518, sections 3 and 6; RFC 8037).
func verified(jwk map[string]any, alg string, signed, signature []byte) error {
	digest := sha256.Sum256(signed)
	wrong := errors.New("the published key does not verify the token")
	switch alg {
	case "ES256":
		x, y := member(jwk, "x"), member(jwk, "y")
		if len(x) != 32 || len(y) != 32 || len(signature) != 64 {
			return wrong
		}
		point := append(append([]byte{4}, x...), y...)
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return err
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		if !ecdsa.Verify(key, digest[:], r, s) {
			return wrong
		}
	case "EdDSA":
		if x := member(jwk, "x"); len(x) != ed25519.PublicKeySize || !ed25519.Verify(x, signed, signature) {
			return wrong
		}
	case "RS256":
		e := new(big.Int).SetBytes(member(jwk, "e"))
		key := &rsa.PublicKey{N: new(big.Int).SetBytes(member(jwk, "n")), E: int(e.Int64())}
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature); err != nil {
			return wrong
		}
	default:
		return fmt.Errorf("the token is signed with %q, which this suite cannot verify", alg)
	}
	return nil
}

// member returns a member of a JWK that is base64url; what is none is empty.
func member(jwk map[string]any, name string) []byte {
	text, _ := jwk[name].(string)
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}
