package porttest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// TestRefreshIssuer checks every promise of ports.RefreshIssuer. open is called
// twice a clause, and returns an issuer with a key of its own each time.
func TestRefreshIssuer(t *testing.T, open func(*testing.T) ports.RefreshIssuer) {
	t.Helper()
	run(t, twice(open), slices.Concat(refreshIssuer, lastingTokens))
}

var refreshIssuer = []clause[pair[ports.RefreshIssuer]]{
	{
		"refresh tokens come back",
		"A RefreshIssuer turns refresh tokens into text and back.",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			for _, t := range refreshTokens {
				if err := reads(t)(p.own.Verify(p.own.Issue(t).Reveal())); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		"a refresh token has one short text",
		"Issue returns the token's text: the same for the same token while the same key signs, and at most 256 bytes of the letters, digits, hyphen and underscore of base64url.",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			seen := make(map[string]domain.RefreshToken)
			for _, t := range refreshTokens {
				text := p.own.Issue(t).Reveal()
				other, twice := seen[text]
				switch {
				case p.own.Issue(t).Reveal() != text:
					return fmt.Errorf("%+v has two texts", t)
				case twice:
					return fmt.Errorf("%+v and %+v have one text", t, other)
				case len(text) > 256 || !base64url(text):
					return fmt.Errorf("%+v has the text %q", t, text)
				}
				seen[text] = t
			}
			return nil
		},
	},
	{
		"an altered refresh token is refused",
		"Verify returns the token whose text it is, if this issuer made it and nobody has altered it.",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			for _, t := range refreshTokens {
				err := refused(p.own.Issue(t).Reveal(), func(text string) error {
					return fails[domain.RefreshToken](domain.ErrInvalidToken)(p.own.Verify(text))
				})
				if err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		"a refresh token of another issuer is refused",
		"Verify returns the token whose text it is, if this issuer made it",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			text := p.foreign.Issue(refreshTokens[0]).Reveal()
			return errors.Join(
				reads(refreshTokens[0])(p.foreign.Verify(text)),
				fails[domain.RefreshToken](domain.ErrInvalidToken)(p.own.Verify(text)),
			)
		},
	},
	{
		"what is no refresh token is refused",
		"It fails with domain.ErrInvalidToken.",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			for _, text := range noTokens {
				if err := fails[domain.RefreshToken](domain.ErrInvalidToken)(p.own.Verify(text)); err != nil {
					return fmt.Errorf("%q: %w", brief(text), err)
				}
			}
			return nil
		},
	},
}

var refreshTokens = []domain.RefreshToken{
	{Session: sessionID(1)},
	{Session: sessionID(1), Counter: 1},
	{Session: sessionID(2), Counter: 1},
	{Session: sessionID(1), Counter: 256},
	{Session: sessionID(1), Counter: math.MaxInt64},
	{Session: "ffffffff-ffff-ffff-ffff-ffffffffffff", Counter: 1 << 40},
}

// base64url reports whether s is of the letters of base64url alone (RFC 4648,
// section 5).
func base64url(s string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return strings.Trim(s, alphabet) == "" && s != ""
}
