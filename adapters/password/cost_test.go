package password_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/domain"
)

// The work of Argon2id is known by its memory: a call that did not take the
// whole of it has not hashed.
func TestRefusingTakesTheMemoryOfAHashWhateverTheReason(t *testing.T) {
	const memory = 4 << 20
	h := password.New(password.Config{Cost: password.Cost{Memory: memory >> 10, Time: 1, Lanes: 1}})
	stored := hashed(t, h, "open sesame")
	for name, c := range map[string]struct {
		text   string
		stored domain.PasswordHash
	}{
		"the right password":            {"open sesame", stored},
		"a wrong password":              {"open says me", stored},
		"no password":                   {"", stored},
		"a password beyond the bound":   {strings.Repeat("a", 1<<20), stored},
		"no account":                    {"open sesame", domain.PasswordHash{}},
		"no hash":                       {"open sesame", domain.NewPasswordHash("open sesame")},
		"a hash that asks for too much": {"open sesame", domain.NewPasswordHash(strings.Replace(stored.Reveal(), "m=4096", "m=4194304", 1))},
		"a cheap hash from elsewhere":   {"open sesame", domain.NewPasswordHash(sesame)},
		"one with a wrong password":     {"open says me", domain.NewPasswordHash(sesame)},
		"one with a password too long":  {strings.Repeat("a", 1<<20), domain.NewPasswordHash(sesame)},
		"one that asks for too much":    {"open sesame", domain.NewPasswordHash("scrypt:1073741824:8:1$salt$" + strings.Repeat("0", 128))},
		"neither password nor account":  {strings.Repeat("a", 1<<20), domain.PasswordHash{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := domain.NewPassword(c.text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, _, err := h.Matches(t.Context(), p, c.stored); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got < memory || got > memory+memory/4 {
				t.Errorf("got %d bytes, want those of one hash, %d", got, memory)
			}
		})
	}
}

func TestACallerWhoseTimeIsUpTakesNone(t *testing.T) {
	const memory = 4 << 20
	h := password.New(password.Config{Cost: password.Cost{Memory: memory >> 10, Time: 1, Lanes: 1}, Running: 1, Waiting: -1})
	stored := hashed(t, h, "open sesame")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := h.Matches(ctx, domain.NewPassword("open sesame"), stored); err == nil {
		t.Error("got no error")
	}
	if _, err := h.Hash(ctx, domain.NewPassword("open sesame")); err == nil {
		t.Error("got no error")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > memory/4 {
		t.Errorf("got %d bytes, want hardly any", got)
	}
}
