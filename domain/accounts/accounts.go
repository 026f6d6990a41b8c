// Package accounts registers people, lets them in, and keeps what is known of
// them.
package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Config is what a Service is made of. All of it is required, but Policy's zero
// parts, Readable where nothing is imported, Told, and Span.
type Config struct {
	Store   ports.Store
	Hasher  ports.PasswordHasher
	Cursors ports.CursorSealer
	Policy  domain.PasswordPolicy
	Now     func() time.Time // UTC, microseconds
	NewID   func() string    // a new UUIDv7

	// Readable says what is wrong with a hash that was made elsewhere and that no
	// password could be verified by, without computing anything; nil: nothing. Only
	// Import asks.
	Readable func(domain.PasswordHash) error

	// Told hears of changes that were posted on the bulletin, once they are
	// committed, so that on this replica they are in force at once; nil: nobody.
	Told func(...domain.Change)

	Span ports.Span // of each verb; nil: nothing is traced
}

// A Service registers, authenticates and administers accounts.
type Service struct{ c Config }

// New returns a Service over c.
func New(c Config) *Service {
	if c.Told == nil {
		c.Told = func(...domain.Change) {}
	}
	return &Service{c}
}

// A Registration is what a new account begins with.
type Registration struct {
	Logins   []domain.Login // one or two, of different kinds
	Name     string         // for display; may be ""
	Roles    []domain.Role
	Password domain.Password

	// Least is the least length of the password in characters, for an older API
	// whose documents show short ones; nothing else is asked of it then, but that it
	// is not longer than domain.MaxPassword. 0 stands for Config.Policy.
	Least int

	// Series is where an older API counts its users: the account gets its number in
	// the same step. "" stands for none.
	Series domain.Series
}

// password judges a new password.
func (s *Service) password(p domain.Password, least int, names ...string) error {
	policy := s.c.Policy
	if least > 0 {
		policy, names = domain.PasswordPolicy{Min: least, Common: func(domain.Password) bool { return false }}, nil
	}
	return policy.Check(p, names...)
}

// Register opens an account. It fails with ErrInvalidLogin without a login,
// with ErrWeakPassword, ErrLoginTaken or ErrBusy.
func (s *Service) Register(ctx context.Context, r Registration) (domain.Account, error) {
	a, err := s.Apply(ctx, r)
	if err != nil {
		return domain.Account{}, err
	}
	return s.Open(ctx, a)
}

// A Proof says that somebody gave the right password of an account, and which
// revision of the credential it was.
type Proof struct {
	Account    domain.AccountID
	Credential domain.Revision
}

// Authenticate verifies a login and its password. It fails with
// ErrInvalidCredentials, and takes as long whichever of the two is wrong; with
// ErrAccountSuspended only for whoever knows the password; and with ErrBusy.
func (s *Service) Authenticate(ctx context.Context, l domain.Login, p domain.Password) (Proof, error) {
	return s.authenticate(ctx, l, p, false)
}

// AuthenticateSpelled is Authenticate for older APIs, where a login that is not
// spelled as it was stored is another.
func (s *Service) AuthenticateSpelled(ctx context.Context, l domain.Login, p domain.Password) (Proof, error) {
	return s.authenticate(ctx, l, p, true)
}

func (s *Service) authenticate(ctx context.Context, l domain.Login, p domain.Password, spelled bool) (_ Proof, err error) {
	ctx, end := s.c.Span.Begin(ctx, "accounts.Authenticate")
	defer func() { end(err) }()
	a, credential, err := s.c.Store.Accounts().ByLogin(ctx, l)
	if err != nil && !errors.Is(err, domain.NotFound) {
		return Proof{}, err
	}
	if spelled && a.Login(l.Kind()).Value() != l.Value() {
		credential = domain.Credential{} // costs as much, and matches nothing
	}
	if err := s.verify(ctx, p, credential); err != nil {
		return Proof{}, err
	}
	if a.Status != domain.Active {
		return Proof{}, domain.ErrAccountSuspended
	}
	return Proof{a.ID, credential.Revision}, nil
}

// verify fails with ErrInvalidCredentials unless p is the password of c, and
// stores a new hash where the cost has changed.
func (s *Service) verify(ctx context.Context, p domain.Password, c domain.Credential) error {
	ok, stale, err := s.c.Hasher.Matches(ctx, p, c.Hash)
	switch {
	case err != nil:
		return err
	case !ok:
		return domain.ErrInvalidCredentials
	case !stale:
		return nil
	}
	c.Hash, err = s.c.Hasher.Hash(ctx, p)
	if errors.Is(err, domain.ErrBusy) {
		return nil // the old hash still serves; the next sign-in tries again
	}
	if err != nil {
		return err
	}
	return s.c.Store.Accounts().Rehash(ctx, c)
}
