package porttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"testing"
)

func TestPublishedKeysVerifyTokens(t *testing.T) {
	b64 := base64.RawURLEncoding.EncodeToString
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	public, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for alg, k := range map[string]struct {
		jwk  map[string]any
		sign func(signed []byte) ([]byte, error)
	}{
		"ES256": {map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}, func(signed []byte) ([]byte, error) {
			digest := sha256.Sum256(signed)
			r, s, err := ecdsa.Sign(rand.Reader, ec, digest[:])
			if err != nil {
				return nil, err
			}
			return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
		}},
		"EdDSA": {map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(public)}, func(signed []byte) ([]byte, error) {
			return ed25519.Sign(ed, signed), nil
		}},
		"RS256": {map[string]any{"kty": "RSA", "n": b64(rs.N.Bytes()), "e": b64(big.NewInt(int64(rs.E)).Bytes())}, func(signed []byte) ([]byte, error) {
			digest := sha256.Sum256(signed)
			return rsa.SignPKCS1v15(rand.Reader, rs, crypto.SHA256, digest[:])
		}},
	} {
		t.Run(alg, func(t *testing.T) {
			k.jwk["kid"] = "one"
			signed := b64([]byte(fmt.Sprintf(`{"alg":%q,"kid":"one"}`, alg))) + "." + b64([]byte(`{}`))
			signature, err := k.sign([]byte(signed))
			if err != nil {
				t.Fatal(err)
			}
			token := signed + "." + b64(signature)
			if err := published(token, []map[string]any{{"kid": "two"}, k.jwk}); err != nil {
				t.Error(err)
			}
			signature[0] ^= 1
			if published(signed+"."+b64(signature), []map[string]any{k.jwk}) == nil {
				t.Error("an altered signature is taken")
			}
			if published(token, []map[string]any{{"kid": "two"}}) == nil {
				t.Error("a token whose key is not published is taken")
			}
		})
	}
}
