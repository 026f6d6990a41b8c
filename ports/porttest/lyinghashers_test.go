package porttest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func TestLyingHashersAreCaught(t *testing.T) {
	cost := map[string]int{"own": 1, "foreign": 2}
	honest := func(name string) ports.PasswordHasher { return fake.Hasher{Cost: cost[name]} }
	arePairsCaught(t, hasher, []lyingPair[ports.PasswordHasher]{
		{"is honest", honest, nil},
		{"cuts passwords short", func(name string) ports.PasswordHasher { return short{honest(name)} }, []string{"a hash is safe to store"}},
		{"uses no salt", func(string) ports.PasswordHasher { return unsalted{} }, []string{
			"no two hashes agree", "a password matches its hash", "nothing is hashed after the context has ended",
		}},
		{"never finds a hash stale", func(name string) ports.PasswordHasher { return content{honest(name)} }, []string{"a password matches its hash"}},
		{"forgets to say that it is busy", func(name string) ports.PasswordHasher { return overwhelmed{honest(name)} }, []string{
			"a hash is safe to store", "a password matches its hash", "many hash at once", "many match at once", "no two hashes agree", "nothing is hashed after the context has ended", "what is no hash matches nothing",
		}},
		{"opens to everybody where there is no hash", func(name string) ports.PasswordHasher { return doorless{honest(name)} }, []string{"no hash matches nothing", "nothing is hashed after the context has ended"}},
		{"fails where there is no good hash", func(name string) ports.PasswordHasher { return demanding{honest(name)} }, []string{
			"no hash matches nothing", "what is no hash matches nothing",
		}},
	})
}

// short looks at 72 bytes, as bcrypt does.
type short struct{ ports.PasswordHasher }

func (l short) Hash(ctx context.Context, p domain.Password) (domain.PasswordHash, error) {
	return l.PasswordHasher.Hash(ctx, cut(p))
}

func (l short) Matches(ctx context.Context, p domain.Password, h domain.PasswordHash) (bool, bool, error) {
	return l.PasswordHasher.Matches(ctx, cut(p), h)
}

func cut(p domain.Password) domain.Password {
	return domain.NewPassword(p.Reveal()[:min(len(p.Reveal()), 72)])
}

type unsalted struct{}

func (unsalted) Hash(_ context.Context, p domain.Password) (domain.PasswordHash, error) {
	sum := sha256.Sum256([]byte(p.Reveal()))
	return domain.NewPasswordHash(hex.EncodeToString(sum[:])), nil
}

func (l unsalted) Matches(ctx context.Context, p domain.Password, h domain.PasswordHash) (bool, bool, error) {
	own, err := l.Hash(ctx, p)
	return own == h, false, err
}

type content struct{ ports.PasswordHasher }

func (l content) Matches(ctx context.Context, p domain.Password, h domain.PasswordHash) (bool, bool, error) {
	ok, _, err := l.PasswordHasher.Matches(ctx, p, h)
	return ok, false, err
}

type overwhelmed struct{ ports.PasswordHasher }

func (overwhelmed) Hash(context.Context, domain.Password) (domain.PasswordHash, error) {
	return domain.PasswordHash{}, context.DeadlineExceeded
}

type doorless struct{ ports.PasswordHasher }

func (l doorless) Matches(ctx context.Context, p domain.Password, h domain.PasswordHash) (bool, bool, error) {
	if h.IsZero() {
		return true, false, nil
	}
	return l.PasswordHasher.Matches(ctx, p, h)
}

type demanding struct{ ports.PasswordHasher }

func (l demanding) Matches(ctx context.Context, p domain.Password, h domain.PasswordHash) (bool, bool, error) {
	if strings.Count(h.Reveal(), ":") < 3 && ctx.Err() == nil {
		return false, false, domain.ErrInvalidCredentials
	}
	return l.PasswordHasher.Matches(ctx, p, h)
}

func TestLyingBlocklistsAreCaught(t *testing.T) {
	clauses := blocklist(fake.Common)
	for name, l := range map[string]struct {
		list   ports.Blocklist
		caught []string
	}{
		"is honest":            {fake.Common, nil},
		"looks at the case":    {exact(fake.Common), []string{"what is on the list is known in every case"}},
		"knows every password": {allKnowing{}, []string{"what is not on the list is not known"}},
		"knows none":           {fake.Blocklist(nil), []string{"what is on the list is known in every case"}},
	} {
		if caught := catchers(t.Context(), clauses, func() ports.Blocklist { return l.list }); !slices.Equal(caught, l.caught) {
			t.Errorf("who %s was caught by %q, want %q", name, caught, l.caught)
		}
	}
}

type exact []string

func (l exact) Contains(p domain.Password) bool { return slices.Contains(l, p.Reveal()) }

type allKnowing struct{}

func (allKnowing) Contains(domain.Password) bool { return true }
