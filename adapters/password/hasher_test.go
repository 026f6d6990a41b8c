package password_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/domain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cheap makes a hash in a few microseconds.
var cheap = password.Cost{Memory: 64, Time: 1, Lanes: 1}

func hashed(t *testing.T, h *password.Hasher, text string) domain.PasswordHash {
	t.Helper()
	hash, err := h.Hash(t.Context(), domain.NewPassword(text))
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func matches(t *testing.T, h *password.Hasher, text string, hash domain.PasswordHash) (ok, stale bool) {
	t.Helper()
	ok, stale, err := h.Matches(t.Context(), domain.NewPassword(text), hash)
	if err != nil {
		t.Fatal(err)
	}
	return ok, stale
}

func TestAHashIsAPHCStringOfTheRecommendedCost(t *testing.T) {
	h := password.New(password.Config{})
	got := hashed(t, h, "correct horse battery staple").Reveal()
	if !strings.HasPrefix(got, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s", got)
	}
	part := strings.Split(got, "$")
	if len(part) != 6 || len(part[4]) != 22 || len(part[5]) != 43 {
		t.Errorf("got %s, want a salt of 16 bytes and a key of 32", got)
	}
}

func TestAPasswordIsTheSameHoweverItsAccentsWereTyped(t *testing.T) {
	h := password.New(password.Config{Cost: cheap})
	hash := hashed(t, h, "caf\u00e9 au lait")
	if ok, _ := matches(t, h, "cafe\u0301 au lait", hash); !ok {
		t.Error("the decomposed form does not match the composed one")
	}
	if ok, _ := matches(t, h, "cafe au lait", hash); ok {
		t.Error("the accent makes no difference")
	}
	if ok, _ := matches(t, h, "CAF\u00c9 AU LAIT", hash); ok {
		t.Error("the case makes no difference")
	}
}

func TestEveryByteOfAPasswordCounts(t *testing.T) {
	h := password.New(password.Config{Cost: cheap})
	long := strings.Repeat("a", domain.MaxPassword)
	for _, text := range []string{"", "\x00", "nul\x00after", "bad \xff\xfe bytes", strings.Repeat("b", 73), long} {
		hash := hashed(t, h, text)
		if ok, stale := matches(t, h, text, hash); !ok || stale {
			t.Errorf("%.20q: got ok %v, stale %v", text, ok, stale)
		}
		if ok, _ := matches(t, h, text+"x", hash); ok {
			t.Errorf("%.20q: one byte more matches too", text)
		}
	}
}

func TestAPasswordBeyondTheBoundIsNotHashedAndMatchesNothing(t *testing.T) {
	h := password.New(password.Config{Cost: cheap})
	long := strings.Repeat("a", domain.MaxPassword+1)
	if hash, err := h.Hash(t.Context(), domain.NewPassword(long)); !errors.Is(err, domain.ErrWeakPassword) || !hash.IsZero() {
		t.Errorf("got %v, want ErrWeakPassword", err)
	}
	for _, stored := range []domain.PasswordHash{
		hashed(t, h, "a"),
		hashed(t, h, long[1:]),
		hashed(t, h, "a password of more than domain.MaxPassword bytes"), // what is hashed in its place
		{},
	} {
		if ok, _ := matches(t, h, long, stored); ok {
			t.Error("it matches")
		}
	}
}

func TestAHashOfAnotherCostIsReadAndStale(t *testing.T) {
	old := hashed(t, password.New(password.Config{Cost: cheap}), "open sesame")
	for _, c := range []password.Cost{{Memory: 128, Time: 1, Lanes: 1}, {Memory: 64, Time: 2, Lanes: 1}, {Memory: 64, Time: 1, Lanes: 2}} {
		h := password.New(password.Config{Cost: c})
		if ok, stale := matches(t, h, "open sesame", old); !ok || !stale {
			t.Errorf("at %+v: got ok %v, stale %v, want true, true", c, ok, stale)
		}
		if ok, _ := matches(t, h, "open says me", old); ok {
			t.Errorf("at %+v: a wrong password matches", c)
		}
		if ok, stale := matches(t, h, "open sesame", hashed(t, h, "open sesame")); !ok || stale {
			t.Errorf("at %+v, a new one: got ok %v, stale %v, want true, false", c, ok, stale)
		}
	}
}

func TestAHashWithAShortKeyOrSaltIsStale(t *testing.T) {
	h := password.New(password.Config{Cost: password.Cost{Memory: 256, Time: 2, Lanes: 1}})
	// A vector of the reference implementation, whose salt has 8 bytes.
	stored := domain.NewPasswordHash("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	if ok, stale := matches(t, h, "password", stored); !ok || !stale {
		t.Errorf("got ok %v, stale %v, want true, true", ok, stale)
	}
}

func TestAnythingElseMatchesNothing(t *testing.T) {
	h := password.New(password.Config{Cost: cheap})
	for _, stored := range []string{
		"", "open sesame", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv",
		"$argon2id$v=19$m=4194304,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=4294967295,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	} {
		for _, text := range []string{"", "open sesame", stored} {
			if ok, stale := matches(t, h, text, domain.NewPasswordHash(stored)); ok || stale {
				t.Errorf("%q with %q: got ok %v, stale %v", stored, text, ok, stale)
			}
		}
	}
}

func TestAThousandSignInsAtOnceNeverRunMoreHashesThanTheGateHasSlots(t *testing.T) {
	h := password.New(password.Config{Cost: cheap, Running: 2, Waiting: 4})
	stored := hashed(t, h, "open sesame")
	start := make(chan struct{})
	var let, refused, other atomic.Int64
	var callers sync.WaitGroup
	for range 1000 {
		callers.Go(func() {
			<-start
			switch ok, _, err := h.Matches(t.Context(), domain.NewPassword("open sesame"), stored); {
			case err == nil && ok:
				let.Add(1)
			case errors.Is(err, domain.ErrBusy) && !ok:
				refused.Add(1)
			default:
				other.Add(1)
			}
		})
	}
	close(start)
	callers.Wait()
	s := h.Stats()
	if s.Highest > 2 || s.Highest < 1 {
		t.Errorf("got %d hashes at once, want 1 or 2", s.Highest)
	}
	if s.Running != 0 || s.Waiting != 0 || s.Refused != refused.Load() {
		t.Errorf("got %+v after %d refusals", s, refused.Load())
	}
	if let.Load() < 6 || let.Load()+refused.Load() != 1000 || other.Load() != 0 {
		t.Errorf("got %d served, %d refused, %d otherwise", let.Load(), refused.Load(), other.Load())
	}
}

func TestACostBeyondTheBoundsIsAMistakeOfTheProgrammer(t *testing.T) {
	for _, c := range []password.Cost{{Memory: 4, Time: 1, Lanes: 1}, {Memory: 64, Lanes: 1}, {Memory: 64, Time: 1}, {Memory: 1 << 30, Time: 1, Lanes: 1}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got no panic")
				}
			}()
			password.New(password.Config{Cost: c})
		})
	}
}

func BenchmarkHash(b *testing.B) {
	h := password.New(password.Config{})
	p := domain.NewPassword("correct horse battery staple")
	for b.Loop() {
		if _, err := h.Hash(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}
