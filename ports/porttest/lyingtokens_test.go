package porttest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A lying pair of adapters of one kind, and the clauses that catch it.
type lyingPair[P any] struct {
	name   string
	open   func(name string) P
	caught []string
}

// arePairsCaught tries each clause on two of each liar, and wants a liar for each
// clause.
func arePairsCaught[P any](t *testing.T, clauses []clause[pair[P]], liars []lyingPair[P]) {
	t.Helper()
	known := make(map[string]bool)
	for _, l := range liars {
		caught := catchers(t.Context(), clauses, func() pair[P] { return pair[P]{l.open("own"), l.open("foreign")} })
		if !slices.Equal(caught, sorted(l.caught)) {
			t.Errorf("who %s was caught by\n\t%q\nwant\n\t%q", l.name, caught, sorted(l.caught))
		}
		for _, name := range l.caught {
			known[name] = true
		}
	}
	for _, c := range clauses {
		if !known[c.name] {
			t.Errorf("no liar is caught by %q", c.name)
		}
	}
}

func TestLyingIssuersAreCaught(t *testing.T) {
	arePairsCaught(t, issuer, []lyingPair[ports.TokenIssuer]{
		{"is honest", func(name string) ports.TokenIssuer { return fake.Issuer{Name: name} }, nil},
		{"loses roles", func(name string) ports.TokenIssuer { return roleLoser{fake.Issuer{Name: name}} }, []string{
			"a token of another issuer is refused", "a token is verified whatever the time", "claims come back", "what is issued is accepted",
		}},
		{"reads numbers through floats", func(name string) ports.TokenIssuer { return floatIssuer{fake.Issuer{Name: name}} }, []string{"claims come back"}},
		{"takes what is written in capitals", func(name string) ports.TokenIssuer { return shouter{fake.Issuer{Name: name}} }, []string{
			"an altered token is refused",
		}},
		{"trusts everybody", func(string) ports.TokenIssuer { return fake.Issuer{} }, []string{"a token of another issuer is refused"}},
		{"looks at the clock", func(name string) ports.TokenIssuer { return clockwatcher{fake.Issuer{Name: name}} }, []string{"a token is verified whatever the time"}},
		{"fails with errors of its own", func(name string) ports.TokenIssuer { return vague{fake.Issuer{Name: name}} }, []string{
			"an altered token is refused", "a token of another issuer is refused", "what is no token is refused",
		}},
		{"publishes nothing", func(name string) ports.TokenIssuer { return publisher{fake.Issuer{Name: name}, `{}`} }, []string{
			"the keys are published", "no secret is published",
		}},
		{"publishes a private key", func(name string) ports.TokenIssuer {
			return publisher{fake.Issuer{Name: name}, `{"keys":[{"kty":"EC","x":"","y":"","d":"AQ"}]}`}
		}, []string{"no secret is published"}},
		{"publishes a symmetric key", func(name string) ports.TokenIssuer {
			return publisher{fake.Issuer{Name: name}, `{"keys":[{"kty":"oct"}]}`}
		}, []string{"no secret is published"}},
	})
}

type roleLoser struct{ ports.TokenIssuer }

func (l roleLoser) Issue(ctx context.Context, c domain.Claims) (domain.Secret, error) {
	c.Roles = nil
	return l.TokenIssuer.Issue(ctx, c)
}

type floatIssuer struct{ ports.TokenIssuer }

func (l floatIssuer) Verify(ctx context.Context, token string) (domain.Claims, error) {
	c, err := l.TokenIssuer.Verify(ctx, token)
	text, _ := json.Marshal(c.Authority)
	var f float64
	_ = json.Unmarshal(text, &f)
	c.Authority = int64(f)
	return c, err
}

type shouter struct{ ports.TokenIssuer }

func (l shouter) Verify(ctx context.Context, token string) (domain.Claims, error) {
	return l.TokenIssuer.Verify(ctx, strings.ToLower(token))
}

type clockwatcher struct{ ports.TokenIssuer }

func (l clockwatcher) Verify(ctx context.Context, token string) (domain.Claims, error) {
	c, err := l.TokenIssuer.Verify(ctx, token)
	if err == nil && !c.Live(noon.Add(-time.Minute)) {
		return domain.Claims{}, domain.ErrInvalidToken
	}
	return c, err
}

type vague struct{ ports.TokenIssuer }

func (l vague) Verify(ctx context.Context, token string) (domain.Claims, error) {
	c, err := l.TokenIssuer.Verify(ctx, token)
	if err != nil {
		err = domain.Unauthenticated
	}
	return c, err
}

type publisher struct {
	ports.TokenIssuer
	set string
}

func (l publisher) KeySet(context.Context) ([]byte, error) { return []byte(l.set), nil }

func TestLyingRefreshIssuersAreCaught(t *testing.T) {
	arePairsCaught(t, refreshIssuer, []lyingPair[ports.RefreshIssuer]{
		{"is honest", func(name string) ports.RefreshIssuer { return fake.RefreshIssuer{Name: name} }, nil},
		{"counts in 32 bits", func(name string) ports.RefreshIssuer { return narrowIssuer{fake.RefreshIssuer{Name: name}} }, []string{
			"refresh tokens come back",
		}},
		{"pads", func(name string) ports.RefreshIssuer { return padder{fake.RefreshIssuer{Name: name}} }, []string{
			"a refresh token has one short text", "an altered refresh token is refused",
		}},
		{"trusts everybody", func(string) ports.RefreshIssuer { return fake.RefreshIssuer{} }, []string{"a refresh token of another issuer is refused"}},
		{"trims", func(name string) ports.RefreshIssuer { return trimmer{fake.RefreshIssuer{Name: name}} }, []string{"an altered refresh token is refused"}},
		{"takes nothing for a token", func(name string) ports.RefreshIssuer { return easy{fake.RefreshIssuer{Name: name}} }, []string{
			"an altered refresh token is refused", "what is no refresh token is refused",
		}},
	})
}

type narrowIssuer struct{ ports.RefreshIssuer }

func (l narrowIssuer) Verify(text string) (domain.RefreshToken, error) {
	t, err := l.RefreshIssuer.Verify(text)
	t.Counter &= 1<<32 - 1
	return t, err
}

type padder struct{ ports.RefreshIssuer }

func (l padder) Issue(t domain.RefreshToken) domain.Secret {
	return domain.NewSecret(l.RefreshIssuer.Issue(t).Reveal() + "==")
}

func (l padder) Verify(text string) (domain.RefreshToken, error) {
	return l.RefreshIssuer.Verify(strings.TrimRight(text, "="))
}

func (l padder) IssueLasting(t domain.LastingToken) domain.Secret {
	return domain.NewSecret(l.RefreshIssuer.IssueLasting(t).Reveal() + "==")
}

func (l padder) VerifyLasting(text string) (domain.LastingToken, error) {
	return l.RefreshIssuer.VerifyLasting(strings.TrimRight(text, "="))
}

type trimmer struct{ ports.RefreshIssuer }

func (l trimmer) VerifyLasting(text string) (domain.LastingToken, error) {
	return l.RefreshIssuer.VerifyLasting(strings.TrimSpace(text))
}

func (l trimmer) Verify(text string) (domain.RefreshToken, error) {
	return l.RefreshIssuer.Verify(strings.TrimSpace(text))
}

type easy struct{ ports.RefreshIssuer }

func (l easy) VerifyLasting(text string) (domain.LastingToken, error) {
	if text == "" {
		return domain.LastingToken{}, nil
	}
	return l.RefreshIssuer.VerifyLasting(text)
}

func (l easy) Verify(text string) (domain.RefreshToken, error) {
	if text == "" {
		return domain.RefreshToken{}, nil
	}
	return l.RefreshIssuer.Verify(text)
}

func TestWhoLiesAboutLastingTokensIsCaught(t *testing.T) {
	arePairsCaught(t, lastingTokens, []lyingPair[ports.RefreshIssuer]{
		{"is honest", func(name string) ports.RefreshIssuer { return fake.RefreshIssuer{Name: name} }, nil},
		{"forgets the account", func(name string) ports.RefreshIssuer { return accountLoser{fake.RefreshIssuer{Name: name}} }, []string{
			"lasting tokens come back", "a lasting token of another issuer is refused",
		}},
		{"refuses what has expired", func(name string) ports.RefreshIssuer { return expirer{fake.RefreshIssuer{Name: name}} }, []string{
			"lasting tokens come back",
		}},
		{"pads", func(name string) ports.RefreshIssuer { return padder{fake.RefreshIssuer{Name: name}} }, []string{
			"a lasting token has one short text", "an altered lasting token is refused",
		}},
		{"trusts everybody", func(string) ports.RefreshIssuer { return fake.RefreshIssuer{} }, []string{"a lasting token of another issuer is refused"}},
		{"trims", func(name string) ports.RefreshIssuer { return trimmer{fake.RefreshIssuer{Name: name}} }, []string{"an altered lasting token is refused"}},
		{"takes nothing for a token", func(name string) ports.RefreshIssuer { return easy{fake.RefreshIssuer{Name: name}} }, []string{
			"an altered lasting token is refused", "what is no lasting token is refused",
		}},
		{"rotates lasting tokens", func(name string) ports.RefreshIssuer { return lastingRotator{fake.RefreshIssuer{Name: name}} }, []string{
			"a lasting token is none that rotates",
		}},
		{"lets rotating tokens last", func(name string) ports.RefreshIssuer { return rotatingLaster{fake.RefreshIssuer{Name: name}} }, []string{
			"a token that rotates is no lasting one",
		}},
	})
}

type accountLoser struct{ ports.RefreshIssuer }

func (l accountLoser) VerifyLasting(text string) (domain.LastingToken, error) {
	t, err := l.RefreshIssuer.VerifyLasting(text)
	t.Account = ""
	return t, err
}

type expirer struct{ ports.RefreshIssuer }

func (l expirer) VerifyLasting(text string) (domain.LastingToken, error) {
	t, err := l.RefreshIssuer.VerifyLasting(text)
	if err == nil && t.Ends.Before(noon.AddDate(-9, 0, 0)) {
		return domain.LastingToken{}, domain.ErrInvalidToken
	}
	return t, err
}

type lastingRotator struct{ ports.RefreshIssuer }

func (l lastingRotator) Verify(text string) (domain.RefreshToken, error) {
	if t, err := l.VerifyLasting(text); err == nil {
		return domain.RefreshToken{Session: t.Session}, nil
	}
	return l.RefreshIssuer.Verify(text)
}

type rotatingLaster struct{ ports.RefreshIssuer }

func (l rotatingLaster) VerifyLasting(text string) (domain.LastingToken, error) {
	if t, err := l.Verify(text); err == nil {
		return domain.LastingToken{Session: t.Session, Ends: noon}, nil
	}
	return l.RefreshIssuer.VerifyLasting(text)
}

func TestLyingCursorSealersAreCaught(t *testing.T) {
	arePairsCaught(t, cursorSealer, []lyingPair[ports.CursorSealer]{
		{"is honest", func(name string) ports.CursorSealer { return fake.Cursors{Name: name} }, nil},
		{"writes places out", func(string) ports.CursorSealer { return plainSealer{} }, []string{
			"a place comes back", "a cursor of elsewhere is refused", "an altered cursor is refused", "a cursor of another sealer is refused",
		}},
		{"takes any scope", func(name string) ports.CursorSealer { return scopeless{fake.Cursors{Name: name}} }, []string{"a cursor of elsewhere is refused"}},
		{"trusts everybody", func(string) ports.CursorSealer { return fake.Cursors{} }, []string{"a cursor of another sealer is refused"}},
		{"trims", func(name string) ports.CursorSealer { return cursorTrimmer{fake.Cursors{Name: name}} }, []string{"an altered cursor is refused"}},
	})
}

type plainSealer struct{}

func (plainSealer) Seal(_, place string) string         { return place }
func (plainSealer) Open(_, text string) (string, error) { return text, nil }

type scopeless struct{ ports.CursorSealer }

func (l scopeless) Seal(_, place string) string         { return l.CursorSealer.Seal("", place) }
func (l scopeless) Open(_, text string) (string, error) { return l.CursorSealer.Open("", text) }

type cursorTrimmer struct{ ports.CursorSealer }

func (l cursorTrimmer) Open(scope, text string) (string, error) {
	return l.CursorSealer.Open(scope, strings.TrimSpace(text))
}
