package jose

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain"
)

// maxToken is the longest access token that is looked at, in bytes.
const maxToken = 4 << 10

// tokenType marks a JWT as an access token (RFC 9068, section 2.1), so that no
// other JWT can be taken for one.
const tokenType = "at+jwt"

// A header is the protected header of an access token. It has these members and
// no others: no key is ever taken from a token (RFC 8725, section 3.10).
type header struct {
	Algorithm domain.Algorithm `json:"alg"`
	KeyID     string           `json:"kid"`
	Type      string           `json:"typ"`
}

var (
	errLength    = errors.New("it is longer than 4 KiB")
	errParts     = errors.New("it is not three parts of canonical base64url")
	errHeader    = errors.New("the header is not alg, kid and typ of an access token")
	errKey       = errors.New("the header names another key or algorithm")
	errShape     = errors.New("the signature is not one of its algorithm by its shape")
	errSignature = errors.New("the signature is another's")
)

// A checker reads access tokens, with the keys that it is given each time. It is
// the one parser of tokens, for a Keyring and a Reader alike.
type checker struct {
	issuer, audience string
	memory           *memory

	signatures, recalled atomic.Int64
}

func newChecker(issuer, audience string, now func() time.Time) *checker {
	return &checker{issuer: issuer, audience: audience, memory: newMemory(now)}
}

// verify returns the claims of a token that one of the keys has signed, found by
// its exact kid, or fails with domain.ErrInvalidToken. A token that was taken
// before is remembered by the digest of its text, and its signature not checked
// again while its key is among the keys. The claims are the caller's to keep,
// roles included.
func (c *checker) verify(ctx context.Context, keys map[string]*verifier, token string) (domain.Claims, error) {
	if len(token) > maxToken {
		return domain.Claims{}, domain.ErrInvalidToken.Because(errLength)
	}
	var text [maxToken]byte // on the stack: a conversion would allocate
	digest := sha256.Sum256(text[:copy(text[:], token)])
	if claims, ok := c.memory.recall(digest, keys); ok {
		c.recalled.Add(1)
		return claims, nil
	}
	if err := ctx.Err(); err != nil {
		return domain.Claims{}, err
	}
	claims, key, err := c.check(keys, token)
	if err != nil {
		return domain.Claims{}, domain.ErrInvalidToken.Because(err)
	}
	c.memory.remember(digest, claims, key)
	return claims, nil
}

// check reads a token. The signature comes last: all that can be refused without
// it costs a tenth of it.
func (c *checker) check(keys map[string]*verifier, token string) (domain.Claims, *verifier, error) {
	first, rest, _ := strings.Cut(token, ".")
	second, third, three := strings.Cut(rest, ".")
	protected, firstOK := decode(first)
	text, secondOK := decode(second)
	signature, thirdOK := decode(third)
	if !three || !firstOK || !secondOK || !thirdOK {
		return domain.Claims{}, nil, errParts
	}
	h, err := parseHeader(protected)
	if err != nil {
		return domain.Claims{}, nil, err
	}
	key, ok := keys[h.KeyID]
	if !ok || h.Algorithm != key.algorithm {
		return domain.Claims{}, nil, errKey
	}
	p, err := parsePayload(text)
	if err != nil {
		return domain.Claims{}, nil, err
	}
	claims, err := p.claims(c.issuer, c.audience)
	if err != nil {
		return domain.Claims{}, nil, err
	}
	if !key.shaped(signature) {
		return domain.Claims{}, nil, errShape
	}
	c.signatures.Add(1)
	if !key.verify(token[:len(first)+1+len(second)], signature) {
		return domain.Claims{}, nil, errSignature
	}
	return claims, key, nil
}

func parseHeader(protected []byte) (header, error) {
	var h header
	if json.Unmarshal(protected, &h, json.RejectUnknownMembers(true)) != nil || h.Type != tokenType {
		return header{}, errHeader
	}
	return h, nil
}
