package fake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A Hasher hashes by writing "fake:", its cost and a salt in front:
// "fake:0:7:correct horse". It costs nothing. The zero Hasher is ready.
type Hasher struct {
	Cost int  // hashes of another cost are stale
	Full bool // fail with domain.ErrBusy, as if too many were waiting
}

var _ ports.PasswordHasher = Hasher{}

// salts counts up, so that no two hashes of this process agree.
var salts atomic.Int64

// Hash implements ports.PasswordHasher.
func (h Hasher) Hash(ctx context.Context, p domain.Password) (domain.PasswordHash, error) {
	if err := h.ready(ctx); err != nil {
		return domain.PasswordHash{}, err
	}
	return domain.NewPasswordHash(fmt.Sprintf("fake:%d:%d:%s", h.Cost, salts.Add(1), p.Reveal())), nil
}

// Matches implements ports.PasswordHasher.
func (h Hasher) Matches(ctx context.Context, p domain.Password, hash domain.PasswordHash) (ok, stale bool, err error) {
	if err := h.ready(ctx); err != nil {
		return false, false, err
	}
	f := strings.SplitN(hash.Reveal(), ":", 4)
	if len(f) != 4 || f[0] != "fake" || f[3] != p.Reveal() {
		return false, false, nil
	}
	return true, f[1] != fmt.Sprint(h.Cost), nil
}

func (h Hasher) ready(ctx context.Context) error {
	if h.Full {
		return domain.ErrBusy
	}
	return ctx.Err()
}

// A Blocklist is the passwords that are on it.
type Blocklist []string

var _ ports.Blocklist = Blocklist(nil)

// Common is a Blocklist of a few passwords that are long and yet common.
var Common = Blocklist{"password", "passwordpassword", "123456789012345", "qwertyuiopasdfghjkl"}

// Contains implements ports.Blocklist.
func (b Blocklist) Contains(p domain.Password) bool {
	return slices.ContainsFunc(b, func(s string) bool { return strings.EqualFold(s, p.Reveal()) })
}
