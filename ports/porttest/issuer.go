package porttest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// TestIssuer checks every promise of ports.TokenIssuer. open is called twice a
// clause, and returns an issuer with keys of its own each time.
func TestIssuer(t *testing.T, open func(*testing.T) ports.TokenIssuer) {
	t.Helper()
	run(t, twice(open), issuer)
}

// A pair is two of a kind that do not trust one another.
type pair[P any] struct{ own, foreign P }

func twice[P any](open func(*testing.T) P) func(*testing.T) pair[P] {
	return func(t *testing.T) pair[P] { return pair[P]{open(t), open(t)} }
}

var issuer = []clause[pair[ports.TokenIssuer]]{
	{
		"claims come back",
		"A TokenIssuer turns claims into access tokens and back.",
		func(ctx context.Context, p pair[ports.TokenIssuer]) error {
			several := claims()
			several.Roles = []domain.Role{"admin", "a-b_c", "editor"}
			none := claims()
			none.Roles, none.Authority = nil, 0
			large := claims()
			large.Authority = 1<<53 + 1 // which no float has
			for _, c := range []domain.Claims{claims(), several, none, large} {
				if err := comesBack(ctx, p.own, c); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		"what is issued is accepted",
		"Issue returns claims as a token that Verify accepts.",
		func(ctx context.Context, p pair[ports.TokenIssuer]) error {
			return errors.Join(race(func(i int) error {
				c := claims()
				c.TokenID = uuid(4, i)
				return comesBack(ctx, p.own, c)
			})...)
		},
	},
	{
		"an altered token is refused",
		"Verify returns the claims of a token that this issuer made and that nobody has altered.",
		func(ctx context.Context, p pair[ports.TokenIssuer]) error {
			token, err := p.own.Issue(ctx, claims())
			if err != nil {
				return err
			}
			return refused(token.Reveal(), func(text string) error {
				return fails[domain.Claims](domain.ErrInvalidToken)(p.own.Verify(ctx, text))
			})
		},
	},
	{
		"a token of another issuer is refused",
		"Verify returns the claims of a token that this issuer made",
		func(ctx context.Context, p pair[ports.TokenIssuer]) error {
			token, err := p.foreign.Issue(ctx, claims())
			if err != nil {
				return err
			}
			return errors.Join(
				reads(claims())(p.foreign.Verify(ctx, token.Reveal())),
				fails[domain.Claims](domain.ErrInvalidToken)(p.own.Verify(ctx, token.Reveal())),
			)
		},
	},
	{
		"a token is verified whatever the time",
		"It does not look at the clock: whether the claims are still live is the caller's question.",
		func(ctx context.Context, p pair[ports.TokenIssuer]) error {
			for _, years := range []int{-50, 50} {
				c := claims()
				c.SignedIn, c.Issued, c.Expires = c.SignedIn.AddDate(years, 0, 0), c.Issued.AddDate(years, 0, 0), c.Expires.AddDate(years, 0, 0)
				if err := comesBack(ctx, p.own, c); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		"what is no token is refused",
		"It fails with domain.ErrInvalidToken.",
		func(ctx context.Context, p pair[ports.TokenIssuer]) error {
			for _, text := range noTokens {
				if err := fails[domain.Claims](domain.ErrInvalidToken)(p.own.Verify(ctx, text)); err != nil {
					return fmt.Errorf("%q: %w", brief(text), err)
				}
			}
			return nil
		},
	},
	{
		"the keys are published",
		"KeySet returns the public keys that verify what Issue makes, as a JWK Set (RFC 7517, section 5).",
		func(ctx context.Context, p pair[ports.TokenIssuer]) error {
			set, err := keySet(ctx, p.own)
			if err != nil {
				return err
			}
			token, err := p.own.Issue(ctx, claims())
			if err != nil {
				return err
			}
			return published(token.Reveal(), set)
		},
	},
	{
		"no secret is published",
		"No private or symmetric key is in it.",
		func(ctx context.Context, p pair[ports.TokenIssuer]) error {
			set, err := keySet(ctx, p.own)
			if err != nil {
				return err
			}
			for _, k := range set {
				if k["kty"] == "oct" {
					return errors.New("there is a symmetric key in the set")
				}
				for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
					if _, there := k[secret]; there {
						return fmt.Errorf("there is a private member %q in the set", secret)
					}
				}
			}
			return nil
		},
	},
}

// claims returns what a token says, to the second.
func claims() domain.Claims {
	at := noon.Truncate(time.Second)
	return domain.Claims{
		Subject: accountID(1), Session: sessionID(1), TokenID: uuid(4, 1), Authority: 7, Roles: []domain.Role{"admin"},
		SignedIn: at.Add(-time.Hour), Issued: at, Expires: at.Add(10 * time.Minute),
	}
}

func comesBack(ctx context.Context, i ports.TokenIssuer, c domain.Claims) error {
	token, err := i.Issue(ctx, c)
	if err != nil {
		return err
	}
	return reads(c)(i.Verify(ctx, token.Reveal()))
}

// noTokens is what nobody issued.
var noTokens = []string{
	"", ".", "..", "...", "null", "{}", "\x00", "\xff.\xff.\xff", "a.b.c", "....", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.",
	"kpr_", "_", "__", "-", "漢字", strings.Repeat("a", 1<<16), strings.Repeat("A.", 1<<12),
}

// refused fails unless verify refuses every text that is one small step from a
// good one: each bit of each character flipped, cut at either end, made longer.
// verify returns nil for what it refused.
func refused(good string, verify func(text string) error) error {
	var texts []string
	for i := range len(good) {
		for bit := range 8 {
			b := []byte(good)
			b[i] ^= 1 << bit
			texts = append(texts, string(b))
		}
		texts = append(texts, good[:i], good[i+1:], good[:i]+good[i+1:])
	}
	for _, more := range []string{"=", "==", ".", "A", "_", "-", "0", " ", "\n", "\x00"} {
		texts = append(texts, good+more, more+good, good[:len(good)/2]+more+good[len(good)/2:])
	}
	texts = append(texts, good+good, strings.ToUpper(good)+"A")
	for _, text := range texts {
		if text == good {
			continue
		}
		if err := verify(text); err != nil {
			return fmt.Errorf("%q, altered from %q: %w", text, good, err)
		}
	}
	return nil
}

// keySet reads a JWK Set.
func keySet(ctx context.Context, i ports.TokenIssuer) ([]map[string]any, error) {
	text, err := i.KeySet(ctx)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&set); err != nil || set.Keys == nil {
		return nil, errors.Join(err, fmt.Errorf("%s is no JWK Set", text))
	}
	for _, k := range set.Keys {
		if kty, _ := k["kty"].(string); kty == "" {
			return nil, fmt.Errorf("%v is no JWK", k)
		}
	}
	return set.Keys, nil
}

// published fails unless one key of the set verifies the token. A token that is
// not signed for others to verify (it is no JWS) needs no key.
func published(token string, set []map[string]any) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	var header struct{ Alg, Kid string }
	text, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &header); err != nil {
		return err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	for _, k := range set {
		if k["kid"] == header.Kid {
			return verified(k, header.Alg, []byte(parts[0]+"."+parts[1]), signature)
		}
	}
	return fmt.Errorf("there is no key %q in the set", header.Kid)
}
