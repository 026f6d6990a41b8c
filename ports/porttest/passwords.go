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

// TestHasher checks every promise of ports.PasswordHasher but those on time.
// open is called twice a clause, and returns hashers whose costs differ where
// cost does.
func TestHasher(t *testing.T, open func(t *testing.T, cost int) ports.PasswordHasher) {
	t.Helper()
	run(t, func(t *testing.T) pair[ports.PasswordHasher] {
		return pair[ports.PasswordHasher]{open(t, 1), open(t, 2)}
	}, hasher)
}

var hasher = []clause[pair[ports.PasswordHasher]]{
	{
		"a hash is safe to store",
		"A PasswordHasher makes passwords safe to store.",
		func(ctx context.Context, p pair[ports.PasswordHasher]) error {
			for _, text := range []string{"correct horse battery staple", "", " ", "Zoë’s pass\tphrase 漢字", "nul\x00inside", strings.Repeat("x", domain.MaxPassword)} {
				password := domain.NewPassword(text)
				h, err := p.own.Hash(ctx, password)
				if err != nil {
					return err
				}
				if err := errors.Join(
					matches(ctx, p.own, password, h, true, false),
					matches(ctx, p.own, domain.NewPassword(text+"x"), h, false, false),
				); err != nil {
					return fmt.Errorf("%q: %w", brief(text), err)
				}
			}
			return nil
		},
	},
	{
		"no two hashes agree",
		"Hash returns a fresh, salted hash. Two calls never agree.",
		func(ctx context.Context, p pair[ports.PasswordHasher]) error {
			password := domain.NewPassword("correct horse battery staple")
			seen := make(map[string]bool)
			for range 8 {
				h, err := p.own.Hash(ctx, password)
				if err != nil {
					return err
				}
				if err := matches(ctx, p.own, password, h, true, false); err != nil {
					return err
				}
				seen[h.Reveal()] = true
			}
			return same(len(seen), 8)
		},
	},
	{
		"many hash at once",
		"It fails with domain.ErrBusy, before it computes anything, when too many are waiting.",
		func(ctx context.Context, p pair[ports.PasswordHasher]) error {
			return errors.Join(race(func(i int) error {
				h, err := p.own.Hash(ctx, domain.NewPassword(fmt.Sprintf("password %d", i)))
				if err == nil && h.IsZero() {
					return errors.New("a hash is empty")
				}
				return unlessBusy(err)
			})...)
		},
	},
	{
		"a password matches its hash",
		"Matches reports whether p is the password behind h, and whether h should be made anew because the cost has changed since.",
		func(ctx context.Context, p pair[ports.PasswordHasher]) error {
			password := domain.NewPassword("correct horse battery staple")
			ours, err := p.own.Hash(ctx, password)
			theirs, err2 := p.foreign.Hash(ctx, password)
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			err = errors.Join(
				matches(ctx, p.own, password, ours, true, false),
				matches(ctx, p.own, password, theirs, true, true),
				matches(ctx, p.foreign, password, ours, true, true),
				matches(ctx, p.foreign, password, theirs, true, false),
			)
			for _, wrong := range []string{"", "correct horse battery stapl", "correct horse battery staple ", "Correct horse battery staple", ours.Reveal()} {
				err = errors.Join(err, matches(ctx, p.own, domain.NewPassword(wrong), ours, false, false))
			}
			return err
		},
	},
	{
		"no hash matches nothing",
		"A zero h matches nothing, and takes as long again, so that a missing account cannot be told by the clock.",
		func(ctx context.Context, p pair[ports.PasswordHasher]) error {
			return errors.Join(
				matches(ctx, p.own, domain.NewPassword("correct horse battery staple"), domain.PasswordHash{}, false, false),
				matches(ctx, p.own, domain.NewPassword(""), domain.PasswordHash{}, false, false),
			)
		},
	},
	{
		"what is no hash matches nothing",
		"A h that is not a hash matches nothing.",
		func(ctx context.Context, p pair[ports.PasswordHasher]) error {
			password := domain.NewPassword("correct horse battery staple")
			good, err := p.own.Hash(ctx, password)
			if err != nil {
				return err
			}
			for _, text := range []string{
				" ", "\x00", password.Reveal(), "$", "$$$$$", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$", "fake:", "fake::", good.Reveal()[:len(good.Reveal())/2],
				"$argon2id$v=19$m=4294967295,t=4294967295,p=255$c2FsdHNhbHQ$aGFzaGhhc2g", // a cost that nobody should pay
			} {
				if err := matches(ctx, p.own, password, domain.NewPasswordHash(text), false, false); err != nil {
					return fmt.Errorf("%q: %w", text, err)
				}
			}
			return nil
		},
	},
	{
		"many match at once",
		"It fails with domain.ErrBusy as Hash does.",
		func(ctx context.Context, p pair[ports.PasswordHasher]) error {
			password := domain.NewPassword("correct horse battery staple")
			h, err := p.own.Hash(ctx, password)
			if err != nil {
				return err
			}
			return errors.Join(race(func(i int) error {
				if i%2 == 0 {
					return unlessBusy(matches(ctx, p.own, password, h, true, false))
				}
				return unlessBusy(matches(ctx, p.own, domain.NewPassword("another"), h, false, false))
			})...)
		},
	},
	{
		"nothing is hashed after the context has ended",
		"Methods stop early when ctx ends",
		func(ctx context.Context, p pair[ports.PasswordHasher]) error {
			over, cancel := context.WithCancel(ctx)
			cancel()
			_, err := p.own.Hash(over, domain.NewPassword("correct horse battery staple"))
			_, _, err2 := p.own.Matches(over, domain.NewPassword("correct horse battery staple"), domain.PasswordHash{})
			return errors.Join(unlessBusy(stopped(over, err)), unlessBusy(stopped(over, err2)))
		},
	},
}

// matches fails unless the hasher says ok and, of what matches, stale.
func matches(ctx context.Context, h ports.PasswordHasher, p domain.Password, hash domain.PasswordHash, ok, stale bool) error {
	gotOK, gotStale, err := h.Matches(ctx, p, hash)
	if err != nil {
		return err
	}
	if gotOK != ok || ok && gotStale != stale {
		return fmt.Errorf("Matches says %t and stale %t, want %t and %t", gotOK, gotStale, ok, stale)
	}
	return nil
}

// unlessBusy drops the refusal of a hasher that has too much to do.
func unlessBusy(err error) error {
	if is(err, domain.ErrBusy) == nil {
		return nil
	}
	return err
}

// TestBlocklist checks the promise of ports.Blocklist. listed are passwords that
// are on the list.
func TestBlocklist(t *testing.T, open func(*testing.T) ports.Blocklist, listed ...string) {
	t.Helper()
	run(t, open, blocklist(listed))
}

func blocklist(listed []string) []clause[ports.Blocklist] {
	return []clause[ports.Blocklist]{
		{
			"what is on the list is known in every case",
			"Contains reports whether p is on the list, whatever the case of its letters.",
			func(_ context.Context, b ports.Blocklist) error {
				for _, text := range listed {
					for _, p := range []string{text, strings.ToUpper(text), strings.ToLower(text), alternate(text)} {
						if !b.Contains(domain.NewPassword(p)) {
							return fmt.Errorf("%q is not on the list", p)
						}
					}
				}
				return nil
			},
		},
		{
			"what is not on the list is not known",
			"A Blocklist knows passwords that are too common to be chosen.",
			func(_ context.Context, b ports.Blocklist) error {
				for _, p := range []string{"", "seven brass lanterns hum off-key", "Xq7!vN2#kR9$wZ4%", strings.Repeat("x", domain.MaxPassword), "\xff"} {
					if b.Contains(domain.NewPassword(p)) {
						return fmt.Errorf("%q is on the list", brief(p))
					}
				}
				return nil
			},
		},
	}
}

// alternate writes every other letter in the other case.
func alternate(s string) string {
	b := []byte(strings.ToLower(s))
	for i := 0; i < len(b); i += 2 {
		b[i] = strings.ToUpper(string(b[i : i+1]))[0]
	}
	return string(b)
}
