package jose

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// maxToken is the longest access token that is looked at, in bytes.
const maxToken = 4 << 10

// tokenType marks a JWT as an access token (RFC 9068, section 2.1), so that no
// other JWT can be taken for one.
const tokenType = "at+jwt"

// A header is the protected header of an access token. It has these members and
// no others: no key is ever taken from a token (RFC 8725, section 3.10).
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

var (
	errLength    = errors.New("it is longer than 4 KiB")
	errParts     = errors.New("it is not three parts of canonical base64url")
	errHeader    = errors.New("the header is not alg, kid and typ of an access token")
	errKey       = errors.New("the header names another key or algorithm")
	errShape     = errors.New("the signature is not one of ES256 by its shape")
	errSignature = errors.New("the signature is another's")
)

// An issuer implements ports.TokenIssuer. Each key has one algorithm, and is
// found by its exact id.
type issuer struct {
	name, audience string
	current        *es256 // what Issue signs with
	protected      string // current's header, encoded
	keys           map[string]*es256
	set            []byte // the JWK Set
	memory         *memory

	signatures, recalled atomic.Int64
}

var _ ports.TokenIssuer = (*issuer)(nil)

func newIssuer(c Config, key *es256) (*issuer, error) {
	protected, err := json.Marshal(header{signing.algorithm, key.kid, tokenType})
	if err != nil {
		return nil, fmt.Errorf("jose: writing the header of key %q: %w", key.kid, err)
	}
	set, err := keySet(key)
	if err != nil {
		return nil, fmt.Errorf("jose: writing the JWK Set: %w", err)
	}
	return &issuer{
		name:      c.Issuer,
		audience:  c.Audience,
		current:   key,
		protected: b64.EncodeToString(protected),
		keys:      map[string]*es256{key.kid: key},
		set:       set,
		memory:    newMemory(c.Now),
	}, nil
}

// Issue implements ports.TokenIssuer. Claims that Verify would not take, by an
// id or a date that is none, are an accident.
func (i *issuer) Issue(ctx context.Context, c domain.Claims) (domain.Secret, error) {
	if err := ctx.Err(); err != nil {
		return domain.Secret{}, err
	}
	p := newPayload(i.name, i.audience, c)
	if _, err := p.claims(i.name, i.audience); err != nil {
		return domain.Secret{}, fmt.Errorf("jose: issuing an access token: %w", err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return domain.Secret{}, fmt.Errorf("jose: writing the claims: %w", err)
	}
	signed := i.protected + "." + b64.EncodeToString(text)
	signature, err := i.current.sign(signed)
	if err != nil {
		return domain.Secret{}, err
	}
	token := signed + "." + b64.EncodeToString(signature)
	if len(token) > maxToken {
		return domain.Secret{}, fmt.Errorf("jose: issuing an access token: %w", errLength)
	}
	return domain.NewSecret(token), nil
}

// Verify implements ports.TokenIssuer. A token that it has taken before is
// remembered by the digest of its text, and its signature not checked again. The
// claims are the caller's to keep, roles included.
func (i *issuer) Verify(ctx context.Context, token string) (domain.Claims, error) {
	if len(token) > maxToken {
		return domain.Claims{}, domain.ErrInvalidToken.Because(errLength)
	}
	var text [maxToken]byte // on the stack: a conversion would allocate
	digest := sha256.Sum256(text[:copy(text[:], token)])
	if c, ok := i.memory.recall(digest); ok {
		i.recalled.Add(1)
		return c, nil
	}
	if err := ctx.Err(); err != nil {
		return domain.Claims{}, err
	}
	c, err := i.check(token)
	if err != nil {
		return domain.Claims{}, domain.ErrInvalidToken.Because(err)
	}
	i.memory.remember(digest, c)
	return c, nil
}

// KeySet implements ports.TokenIssuer.
func (i *issuer) KeySet(context.Context) ([]byte, error) { return bytes.Clone(i.set), nil }

// check reads a token. The signature comes last: all that can be refused without
// it costs a tenth of it.
func (i *issuer) check(token string) (domain.Claims, error) {
	first, rest, _ := strings.Cut(token, ".")
	second, third, three := strings.Cut(rest, ".")
	protected, firstOK := decode(first)
	text, secondOK := decode(second)
	signature, thirdOK := decode(third)
	if !three || !firstOK || !secondOK || !thirdOK {
		return domain.Claims{}, errParts
	}
	key, err := i.key(protected)
	if err != nil {
		return domain.Claims{}, err
	}
	p, err := parsePayload(text)
	if err != nil {
		return domain.Claims{}, err
	}
	c, err := p.claims(i.name, i.audience)
	if err != nil {
		return domain.Claims{}, err
	}
	if !shaped(signature) {
		return domain.Claims{}, errShape
	}
	i.signatures.Add(1)
	if !key.verify(token[:len(first)+1+len(second)], signature) {
		return domain.Claims{}, errSignature
	}
	return c, nil
}

// key returns the key that a protected header names.
func (i *issuer) key(protected []byte) (*es256, error) {
	var h header
	if json.Unmarshal(protected, &h, json.RejectUnknownMembers(true)) != nil || h.Type != tokenType {
		return nil, errHeader
	}
	key, ok := i.keys[h.KeyID]
	if !ok || h.Algorithm != signing.algorithm {
		return nil, errKey
	}
	return key, nil
}
