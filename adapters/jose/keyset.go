package jose

import "github.com/go-json-experiment/json"

// A jwk is a public key of P-256 (RFC 7517, section 4; RFC 7518, section 6.2.1).
// The type has no place for a private part.
type jwk struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	Y         string `json:"y"`
	KeyID     string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
}

// keySet returns the public part of key as a JWK Set (RFC 7517, section 5).
func keySet(key *es256) ([]byte, error) {
	point, err := key.private.PublicKey.Bytes() // 4, x, y (SEC 1, section 2.3.3)
	if err != nil {
		return nil, err
	}
	x, y := point[1:33], point[33:]
	return json.Marshal(struct {
		Keys []jwk `json:"keys"`
	}{[]jwk{{"EC", "P-256", b64.EncodeToString(x), b64.EncodeToString(y), key.kid, "sig", signing.algorithm}}})
}
