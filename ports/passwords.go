package ports

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

// A PasswordHasher makes passwords safe to store.
type PasswordHasher interface {
	// Hash returns a fresh, salted hash. Two calls never agree. It fails with
	// domain.ErrBusy, before it computes anything, when too many are waiting.
	Hash(ctx context.Context, p domain.Password) (domain.PasswordHash, error)

	// Matches reports whether p is the password behind h, and whether h should
	// be made anew because the cost has changed since. It takes as long for a
	// wrong password as for a right one. A zero h matches nothing, and takes as
	// long again, so that a missing account cannot be told by the clock. A h that
	// is not a hash matches nothing. It fails with domain.ErrBusy as Hash does.
	Matches(ctx context.Context, p domain.Password, h domain.PasswordHash) (ok, stale bool, err error)
}

// A Blocklist knows passwords that are too common to be chosen.
type Blocklist interface {
	// Contains reports whether p is on the list, whatever the case of its
	// letters.
	Contains(p domain.Password) bool
}
