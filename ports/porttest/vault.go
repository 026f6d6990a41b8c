package porttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// TestVault checks every promise of ports.Vault, but that digests outlive the turns
// of keys. open is called twice a clause, and returns a vault with keys of its own
// each time.
func TestVault(t *testing.T, open func(*testing.T) ports.Vault) {
	t.Helper()
	run(t, twice(open), vault)
}

var vault = []clause[pair[ports.Vault]]{
	{
		"what was concealed is revealed",
		"Reveal returns what was concealed.",
		func(_ context.Context, p pair[ports.Vault]) error {
			for _, scope := range vaultScopes {
				for _, text := range vaultTexts {
					if err := revealed(text)(p.own.Reveal(scope, p.own.Conceal(scope, []byte(text)))); err != nil {
						return fmt.Errorf("%q concealed for %q: %w", brief(text), scope, err)
					}
				}
			}
			return nil
		},
	},
	{
		"what is concealed tells no more than its length",
		"Conceal returns text as bytes that Reveal with the same scope turns back, and that tell nobody else more of it than its length.",
		func(_ context.Context, p pair[ports.Vault]) error {
			for size := range 100 {
				plain, other := strings.Repeat("a", size), strings.Repeat("\x00\xffz\"", size)[:size]
				one, two := p.own.Conceal("scope", []byte(plain)), p.own.Conceal("another scope", []byte(other))
				if len(one) != len(two) {
					return fmt.Errorf("two texts of %d bytes become %d and %d bytes", size, len(one), len(two))
				}
				if size > 8 && (bytes.Contains(one, []byte(plain)[:8]) || bytes.Contains(two, []byte(other)[:8])) {
					return fmt.Errorf("%q shows in what is concealed", plain)
				}
			}
			return nil
		},
	},
	{
		"what was concealed for another scope is not revealed",
		"It fails with domain.ErrInvalidToken if the bytes were not made for this scope, have been altered, or were made with a key that is gone.",
		func(_ context.Context, p pair[ports.Vault]) error {
			concealed := p.own.Conceal("receipts", []byte("text"))
			var err error
			for _, scope := range []string{"", "receipt", "receipts ", "Receipts", "accounts", "receiptstext"} {
				err = errors.Join(err, notRevealed(p.own.Reveal(scope, concealed)))
			}
			return errors.Join(err,
				revealed("text")(p.own.Reveal("receipts", concealed)),
				notRevealed(p.own.Reveal("receiptst", concealed)),
				notRevealed(p.own.Reveal("a", p.own.Conceal("", []byte("a")))),
			)
		},
	},
	{
		"what was altered is not revealed",
		"It fails with domain.ErrInvalidToken if the bytes were not made for this scope, have been altered, or were made with a key that is gone.",
		func(_ context.Context, p pair[ports.Vault]) error {
			for _, text := range noTokens {
				if err := notRevealed(p.own.Reveal("", []byte(text))); err != nil {
					return fmt.Errorf("%q: %w", brief(text), err)
				}
			}
			digest := p.own.Digest("scope", []byte("text"))
			return errors.Join(
				notRevealed(p.own.Reveal("scope", nil)),
				notRevealed(p.own.Reveal("scope", digest[:])),
				refused(string(p.own.Conceal("scope", []byte("text"))), func(text string) error {
					return notRevealed(p.own.Reveal("scope", []byte(text)))
				}),
			)
		},
	},
	{
		"what another vault has concealed is not revealed",
		"It fails with domain.ErrInvalidToken if the bytes were not made for this scope, have been altered, or were made with a key that is gone.",
		func(_ context.Context, p pair[ports.Vault]) error {
			concealed := p.foreign.Conceal("scope", []byte("text"))
			return errors.Join(
				revealed("text")(p.foreign.Reveal("scope", concealed)),
				notRevealed(p.own.Reveal("scope", concealed)),
			)
		},
	},
	{
		"texts stay as they were",
		"implementations copy slices.",
		func(_ context.Context, p pair[ports.Vault]) error {
			text := []byte("a text to be concealed")
			concealed := p.own.Conceal("scope", text)
			before := slices.Clone(concealed)
			digest := p.own.Digest("scope", text)
			err := same(string(text), "a text to be concealed")
			clear(text)
			err = errors.Join(err, same(string(concealed), string(before)))
			out, err2 := p.own.Reveal("scope", concealed)
			err = errors.Join(err, revealed("a text to be concealed")(out, err2), same(string(concealed), string(before)))
			clear(out)
			return errors.Join(
				err,
				revealed("a text to be concealed")(p.own.Reveal("scope", concealed)),
				same(p.own.Digest("scope", []byte("a text to be concealed")), digest),
			)
		},
	},
	{
		"a text has one digest, and another text another",
		"Digest stands for a text: the same for the same scope and text for as long as a receipt is kept, and another for others.",
		func(_ context.Context, p pair[ports.Vault]) error {
			type source struct{ scope, text string }
			seen := make(map[[32]byte]source)
			for _, scope := range slices.Concat(vaultScopes, []string{"a", "ab", "\x00a"}) {
				for _, text := range slices.Concat(vaultTexts, []string{"c", "bc", "records ships"}) {
					of := source{scope, brief(text)}
					digest := p.own.Digest(scope, []byte(text))
					if again := p.own.Digest(scope, []byte(text)); again != digest {
						return fmt.Errorf("%q has two digests", of)
					}
					if other, taken := seen[digest]; taken {
						return fmt.Errorf("%q and %q have one digest", of, other)
					}
					seen[digest] = of
				}
			}
			return same(p.own.Digest("", nil), p.own.Digest("", []byte{}))
		},
	},
	{
		"a digest is nothing to guess by",
		"Without the key nobody can tell whether it is that of a text which they guess.",
		func(_ context.Context, p pair[ports.Vault]) error {
			for _, scope := range vaultScopes {
				digest := p.own.Digest(scope, []byte("text"))
				if digest == p.foreign.Digest(scope, []byte("text")) {
					return errors.New("two vaults have one digest of a text")
				}
				for _, guess := range []string{"text", scope + "text", scope + "\x00text", "text" + scope} {
					if digest == sha256.Sum256([]byte(guess)) {
						return fmt.Errorf("the digest of a text for %q is the SHA-256 of %q", scope, guess)
					}
				}
			}
			return nil
		},
	},
	{
		"a vault is its owner's",
		"A Vault seals what is kept for its owner alone, and stands for it by digests.",
		func(_ context.Context, p pair[ports.Vault]) error {
			// Many use it at once.
			return errors.Join(race(func(i int) error {
				scope, text := fmt.Sprintf("scope %d", i/2), fmt.Sprintf("text %d", i)
				v := []ports.Vault{p.own, p.foreign}
				concealed, digest := v[i%2].Conceal(scope, []byte(text)), v[i%2].Digest(scope, []byte(text))
				if digest == v[1-i%2].Digest(scope, []byte(text)) {
					return errors.New("two vaults have one digest of a text")
				}
				return errors.Join(
					revealed(text)(v[i%2].Reveal(scope, concealed)),
					notRevealed(v[1-i%2].Reveal(scope, concealed)),
					same(v[i%2].Digest(scope, []byte(text)), digest),
				)
			})...)
		},
	},
}

var (
	vaultScopes = []string{"", "receipts", "records ships", "\x00é漢"}
	vaultTexts  = []string{"", "a", "a\x00", "\x00", "\xff\xfe\x00", " text\r\n", "é漢", strings.Repeat("x", 64), strings.Repeat("\x00\xff", 1<<19)}
)

// revealed takes what Reveal returned and fails unless it is want.
func revealed(want string) func([]byte, error) error {
	return func(got []byte, err error) error { return reads(want)(string(got), err) }
}

var notRevealed = fails[[]byte](domain.ErrInvalidToken)
