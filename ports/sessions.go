package ports

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// Sessions keeps the sessions that have not ended. An ended one is as if it had
// never been.
type Sessions interface {
	// Open stores a new session if its account is active and the revision of
	// the account's credential is the given one, and returns the account's
	// authority. Otherwise it fails with domain.ErrCredentialChanged and stores
	// nothing. It waits for a change of the account that is under way, so that a
	// sign-in that verified an old password does not survive the change.
	Open(ctx context.Context, s domain.Session, credential domain.Revision) (domain.Authority, error)

	// StopRenewal makes the renewal of a session of the account NoMore, and its end
	// no later than ends, or fails with domain.ErrSessionNotFound. The session goes
	// on until then.
	StopRenewal(ctx context.Context, account domain.AccountID, id domain.SessionID, ends time.Time) error

	// Refresh judges the token as Session.Refresh does and writes what follows,
	// in one step: Rotated raises the counter and sets the time of use, Reused
	// ends the session, the others change nothing. An ending is posted on the
	// bulletin in the same step. A session that has ended, or whose account is
	// suspended, is Refused. Of any number of calls that present the current
	// counter exactly one is Rotated. A verdict is no error, so that what it wrote
	// stays.
	Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error)

	// Authority returns what the account of a session may do at the moment. It
	// fails with domain.ErrSessionNotFound if the session has ended, was due to
	// end at now or before, or its account is suspended.
	Authority(ctx context.Context, id domain.SessionID, now time.Time) (domain.Authority, error)

	// ByID returns a session that Authority knows, and fails with
	// domain.ErrSessionNotFound for any other.
	ByID(ctx context.Context, id domain.SessionID, now time.Time) (domain.Session, error)

	// List returns at most limit sessions of an account ordered by id, beginning
	// after the given one; "" is before the first. Those that were due to end at
	// now or before are left out.
	List(ctx context.Context, account domain.AccountID, now time.Time, after domain.SessionID, limit int) ([]domain.Session, error)

	// End ends a session of the account, or fails with
	// domain.ErrSessionNotFound.
	End(ctx context.Context, account domain.AccountID, id domain.SessionID) error

	// EndAll ends the account's sessions but one, and says which; except may be
	// "".
	EndAll(ctx context.Context, account domain.AccountID, except domain.SessionID) ([]domain.SessionID, error)

	// Saw notes when sessions were used, and from where. One that has ended is
	// passed over, and so is a sighting that is less than
	// domain.SightingInterval after the one that is stored.
	Saw(ctx context.Context, sightings []domain.Sighting[domain.SessionID]) error

	// Prune forgets at most limit sessions that were due to end before t, and
	// says how many.
	Prune(ctx context.Context, t time.Time, limit int) (int, error)
}
