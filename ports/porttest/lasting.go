package porttest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lastingTokens = []clause[pair[ports.RefreshIssuer]]{
	{
		"lasting tokens come back",
		"VerifyLasting returns the token whose text it is, as Verify does, whatever the time: whether it has expired is the caller's question.",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			for _, t := range lasting {
				if err := reads(t)(p.own.VerifyLasting(p.own.IssueLasting(t).Reveal())); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		"a lasting token has one short text",
		"IssueLasting returns the text of a token that is used again and again, as Issue does.",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			seen := make(map[string]domain.LastingToken)
			for _, t := range lasting {
				text := p.own.IssueLasting(t).Reveal()
				other, twice := seen[text]
				switch {
				case p.own.IssueLasting(t).Reveal() != text:
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
		"an altered lasting token is refused",
		"VerifyLasting returns the token whose text it is, as Verify does",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			for _, t := range lasting {
				err := refused(p.own.IssueLasting(t).Reveal(), func(text string) error {
					return fails[domain.LastingToken](domain.ErrInvalidToken)(p.own.VerifyLasting(text))
				})
				if err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		"a lasting token of another issuer is refused",
		"VerifyLasting returns the token whose text it is, as Verify does",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			text := p.foreign.IssueLasting(lasting[0]).Reveal()
			return errors.Join(
				reads(lasting[0])(p.foreign.VerifyLasting(text)),
				fails[domain.LastingToken](domain.ErrInvalidToken)(p.own.VerifyLasting(text)),
			)
		},
	},
	{
		"what is no lasting token is refused",
		"VerifyLasting returns the token whose text it is, as Verify does",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			for _, text := range append([]string{"kpl_"}, noTokens...) {
				if err := fails[domain.LastingToken](domain.ErrInvalidToken)(p.own.VerifyLasting(text)); err != nil {
					return fmt.Errorf("%q: %w", brief(text), err)
				}
			}
			return nil
		},
	},
	{
		"a lasting token is none that rotates",
		"Neither of Verify and VerifyLasting takes a text of the other's.",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			for _, t := range lasting {
				if err := fails[domain.RefreshToken](domain.ErrInvalidToken)(p.own.Verify(p.own.IssueLasting(t).Reveal())); err != nil {
					return fmt.Errorf("%+v: %w", t, err)
				}
			}
			return nil
		},
	},
	{
		"a token that rotates is no lasting one",
		"Neither of Verify and VerifyLasting takes a text of the other's.",
		func(_ context.Context, p pair[ports.RefreshIssuer]) error {
			for _, t := range refreshTokens {
				if err := fails[domain.LastingToken](domain.ErrInvalidToken)(p.own.VerifyLasting(p.own.Issue(t).Reveal())); err != nil {
					return fmt.Errorf("%+v: %w", t, err)
				}
			}
			return nil
		},
	},
}

// lasting are tokens that differ in one thing from the first; some expired long ago.
var lasting = []domain.LastingToken{
	{Account: accountID(1), Session: sessionID(1), Ends: noon.Truncate(time.Second)},
	{Account: accountID(2), Session: sessionID(1), Ends: noon.Truncate(time.Second)},
	{Account: accountID(1), Session: sessionID(2), Ends: noon.Truncate(time.Second)},
	{Account: accountID(1), Session: sessionID(1), Ends: noon.Truncate(time.Second).Add(time.Second)},
	{Account: accountID(1), Session: sessionID(1), Ends: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)},
	{Account: accountID(1), Session: sessionID(1), Ends: time.Date(2199, 12, 31, 23, 59, 59, 0, time.UTC)},
	{
		Account: "ffffffff-ffff-ffff-ffff-ffffffffffff", Session: "ffffffff-ffff-ffff-ffff-ffffffffffff",
		Ends: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	},
}
