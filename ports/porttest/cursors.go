package porttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// TestCursorSealer checks every promise of ports.CursorSealer. open is called
// twice a clause, and returns a sealer with a key of its own each time.
func TestCursorSealer(t *testing.T, open func(*testing.T) ports.CursorSealer) {
	t.Helper()
	run(t, twice(open), cursorSealer)
}

var cursorSealer = []clause[pair[ports.CursorSealer]]{
	{
		"a place comes back",
		"Seal returns place as text that Open accepts with the same scope: letters, digits, hyphen and underscore.",
		func(_ context.Context, p pair[ports.CursorSealer]) error {
			for _, scope := range []string{"", "accounts", "records ships", "\x00é漢"} {
				for _, place := range []string{"", uuid(3, 1), "a_b-c~d.e=f", "_5f", "\x00é漢\xff", strings.Repeat("x", 256)} {
					text := p.own.Seal(scope, place)
					if !base64url(text) {
						return fmt.Errorf("%q sealed for %q is %q", place, scope, text)
					}
					if err := reads(place)(p.own.Open(scope, text)); err != nil {
						return fmt.Errorf("%q sealed for %q: %w", place, scope, err)
					}
				}
			}
			return nil
		},
	},
	{
		"a cursor of elsewhere is refused",
		"Open returns the place, or domain.ErrInvalidCursor if the text was not made for this scope or has been altered.",
		func(_ context.Context, p pair[ports.CursorSealer]) error {
			text := p.own.Seal("records", "place")
			var err error
			for _, scope := range []string{"", "record", "records ", "Records", "accounts", "recordsplace"} {
				err = errors.Join(err, notOpened(p.own.Open(scope, text)))
			}
			return errors.Join(err,
				reads("place")(p.own.Open("records", text)),
				notOpened(p.own.Open("recordsp", p.own.Seal("records", "place"))),
			)
		},
	},
	{
		"an altered cursor is refused",
		"Open returns the place, or domain.ErrInvalidCursor if the text was not made for this scope or has been altered.",
		func(_ context.Context, p pair[ports.CursorSealer]) error {
			for _, text := range noTokens {
				if err := notOpened(p.own.Open("", text)); err != nil {
					return fmt.Errorf("%q: %w", brief(text), err)
				}
			}
			return refused(p.own.Seal("records", uuid(3, 1)), func(text string) error {
				return notOpened(p.own.Open("records", text))
			})
		},
	},
	{
		"a cursor of another sealer is refused",
		"A CursorSealer makes places in a listing opaque, and knows its own again.",
		func(_ context.Context, p pair[ports.CursorSealer]) error {
			text := p.foreign.Seal("records", "place")
			return errors.Join(reads("place")(p.foreign.Open("records", text)), notOpened(p.own.Open("records", text)))
		},
	},
}

var notOpened = fails[string](domain.ErrInvalidCursor)
