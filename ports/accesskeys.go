package ports

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// AccessKeys keeps the access keys that have not been ended. An ended one is as if
// it had never been.
type AccessKeys interface {
	// Add stores a new key for the account of a session that is live at
	// k.Created: one that Sessions.Authority knows. Otherwise it fails with
	// domain.ErrSessionNotFound. It waits for a change of the account or an end of
	// the session that is under way, so that whoever holds a revoked access token
	// cannot make a key with it. It fails with domain.ErrTooManyAccessKeys if the
	// account has domain.MaxAccessKeys keys already that are live at k.Created,
	// however many calls come at once. A call that fails stores nothing.
	Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error

	// ByID returns a key that is live at now and whose account is active, and what
	// that account may do. Otherwise it fails with domain.ErrAccessKeyNotFound.
	ByID(ctx context.Context, id domain.AccessKeyID, now time.Time) (domain.AccessKey, domain.Authority, error)

	// List returns at most limit keys of an account ordered by id, beginning after
	// the given one; "" is before the first. Those that have expired at now are
	// left out.
	List(ctx context.Context, account domain.AccountID, now time.Time, after domain.AccessKeyID, limit int) ([]domain.AccessKey, error)

	// End ends a key of the account, or fails with domain.ErrAccessKeyNotFound.
	End(ctx context.Context, account domain.AccountID, id domain.AccessKeyID) error

	// EndAll ends all keys of the account, and says how many.
	EndAll(ctx context.Context, account domain.AccountID) (int, error)

	// Saw notes when keys were used, and from where. A key that has been ended is
	// passed over, and so is a sighting that is less than
	// domain.SightingInterval after the one that is stored.
	Saw(ctx context.Context, sightings []domain.Sighting[domain.AccessKeyID]) error

	// Prune forgets at most limit keys that expired before t, and says how many.
	Prune(ctx context.Context, t time.Time, limit int) (int, error)
}
