package ports

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// Accounts keeps the accounts, their logins and their credentials.
type Accounts interface {
	// Add stores a new account with its logins and the hash of its password.
	// Account and credential begin at revision 1, whatever a says. Of any number
	// of calls for one login exactly one succeeds; the others fail with
	// domain.ErrLoginTaken and store nothing.
	Add(ctx context.Context, a domain.Account, hash domain.PasswordHash) error

	// ByID returns the account with its logins in the order user name, e-mail
	// address, or domain.ErrAccountNotFound.
	ByID(ctx context.Context, id domain.AccountID) (domain.Account, error)

	// ByLogin returns the account that has a login of the same kind and normal
	// form, and its credential, or domain.ErrAccountNotFound.
	ByLogin(ctx context.Context, l domain.Login) (domain.Account, domain.Credential, error)

	// Credential returns the account's credential, or domain.ErrAccountNotFound.
	Credential(ctx context.Context, id domain.AccountID) (domain.Credential, error)

	// List returns at most limit accounts ordered by id, beginning after the
	// given one; "" is before the first.
	List(ctx context.Context, after domain.AccountID, limit int) ([]domain.Account, error)

	// ByIDs returns those of the accounts that there are, as ByID does, in any
	// order. ids are different.
	ByIDs(ctx context.Context, ids []domain.AccountID) ([]domain.Account, error)

	// SetLogins replaces the account's logins, if the stored revision is rev; 0
	// stands for any. It makes that revision the next one, and sets the account's
	// time of change. It fails with domain.ErrLoginTaken if one of them is another
	// account's, with domain.ErrStale or with domain.ErrAccountNotFound, and writes
	// nothing then.
	SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error

	// Update writes name, roles, status, authority and time of change if the
	// stored revision is a.Revision, and makes it the next one. Logins,
	// credential and time of creation stay. Otherwise it fails with
	// domain.ErrStale, or with domain.ErrAccountNotFound, and writes nothing.
	Update(ctx context.Context, a domain.Account) error

	// SetCredential replaces the password's hash if the stored revision of the
	// credential is c.Revision. It makes that revision and the account's the
	// next ones, and sets the account's time of change. Otherwise it fails with
	// domain.ErrCredentialChanged, or with domain.ErrAccountNotFound.
	SetCredential(ctx context.Context, c domain.Credential, at time.Time) error

	// Rehash replaces the hash of a password by another hash of the same
	// password, if the stored revision of the credential is c.Revision. No
	// revision rises. Otherwise nothing happens, and that is no error.
	Rehash(ctx context.Context, c domain.Credential) error

	// Remove deletes the account with its logins, credential, sessions and access
	// keys, if the stored revision is rev; 0 stands for any. It fails with
	// domain.ErrStale or domain.ErrAccountNotFound. The logins are free again;
	// the account's records stay, and belong to nobody.
	Remove(ctx context.Context, id domain.AccountID, rev domain.Revision) error
}
