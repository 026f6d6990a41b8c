package jose

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/domain"
)

// The bounds of a JWK Set that is read.
const (
	maxKeySet = 64 << 10 // bytes
	maxKeys   = 100
	maxKeyID  = 128 // bytes
)

var (
	errJWK        = errors.New("it is no public key of that algorithm")
	errSetSize    = fmt.Errorf("jose: the JWK Set is longer than %d bytes", maxKeySet)
	errSetCount   = fmt.Errorf("jose: the JWK Set has more than %d keys", maxKeys)
	errSetText    = errors.New("jose: the text is not a JWK Set")
	errSetPrivate = errors.New("jose: the JWK Set holds a private or symmetric key")
	errSetTwice   = errors.New("jose: the JWK Set has a kid twice")
)

// A jwk is a public key (RFC 7517, section 4), with the members of all algorithms.
// The type has no place for a private part.
type jwk struct {
	Type      string           `json:"kty"`
	Curve     string           `json:"crv,omitzero"`
	X         string           `json:"x,omitzero"`
	Y         string           `json:"y,omitzero"`
	N         string           `json:"n,omitzero"`
	E         string           `json:"e,omitzero"`
	KeyID     string           `json:"kid"`
	Use       string           `json:"use,omitzero"`
	Algorithm domain.Algorithm `json:"alg"`
}

// privateMembers are those that no public key has (RFC 7518, sections 6.2.2, 6.3.2
// and 6.4.1; RFC 8037, section 2).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// A verifier is a public key under the name by which headers call it, and the one
// algorithm that it is for.
type verifier struct {
	kid       string
	algorithm domain.Algorithm
	public
}

func (v *verifier) jwk() jwk {
	k := v.public.jwk()
	k.KeyID, k.Use, k.Algorithm = v.kid, "sig", v.algorithm
	return k
}

// writeKeySet returns public keys as a JWK Set (RFC 7517, section 5).
func writeKeySet(keys []*verifier) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{make([]jwk, len(keys))}
	for i, k := range keys {
		set.Keys[i] = k.jwk()
	}
	return json.Marshal(set)
}

// readKeySet returns those keys of a JWK Set that are public ones of our
// algorithms, with kid and alg, for signatures. Others are left out, as RFC 7517
// wants (section 5). It fails for a set that is beyond our bounds, has a kid
// twice, or holds what should never have been published.
func readKeySet(text []byte) (map[string]*verifier, error) {
	if len(text) > maxKeySet {
		return nil, errSetSize
	}
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	switch err := json.Unmarshal(text, &set); {
	case err != nil || set.Keys == nil:
		return nil, errSetText
	case len(set.Keys) > maxKeys:
		return nil, errSetCount
	}
	seen := make(map[string]bool, len(set.Keys))
	keys := make(map[string]*verifier, len(set.Keys))
	for _, member := range set.Keys {
		var members map[string]jsontext.Value
		if json.Unmarshal(member, &members) != nil {
			return nil, errSetText
		}
		for _, name := range privateMembers {
			if _, there := members[name]; there {
				return nil, errSetPrivate
			}
		}
		var k jwk
		if json.Unmarshal(member, &k) != nil || k.KeyID == "" {
			continue
		}
		if seen[k.KeyID] {
			return nil, errSetTwice
		}
		seen[k.KeyID] = true
		if v, err := k.verifier(); err == nil {
			keys[v.kid] = v
		}
	}
	return keys, nil
}

func (k jwk) verifier() (*verifier, error) {
	a, ok := algorithms[k.Algorithm]
	if !ok || len(k.KeyID) > maxKeyID || k.Use != "" && k.Use != "sig" {
		return nil, errJWK
	}
	p, err := a.public(k)
	if err != nil {
		return nil, err
	}
	return &verifier{k.KeyID, k.Algorithm, p}, nil
}
