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
// parts and Told.
type Config struct {
	Store   ports.Store
	Hasher  ports.PasswordHasher
	Cursors ports.CursorSealer
	Policy  domain.PasswordPolicy
	Now     func() time.Time // UTC, microseconds
	NewID   func() string    // a new UUIDv7

	// Told hears of changes that were posted on the bulletin, once they are
	// committed, so that on this replica they are in force at once; nil: nobody.
	Told func(...domain.Change)
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
}

// Register opens an account. It fails with ErrInvalidLogin without a login,
// with ErrWeakPassword, ErrLoginTaken or ErrBusy.
func (s *Service) Register(ctx context.Context, r Registration) (domain.Account, error) {
	if len(r.Logins) == 0 {
		return domain.Account{}, domain.ErrInvalidLogin.At("/username", "required", "want a user name or an e-mail address")
	}
	now := s.c.Now()
	a := domain.Account{
		ID: domain.AccountID(s.c.NewID()), Name: r.Name, Logins: r.Logins, Roles: r.Roles,
		Status: domain.Active, Authority: 1, Revision: 1, Created: now, Changed: now,
	}
	if err := s.c.Policy.Check(r.Password, a.Names()...); err != nil {
		return domain.Account{}, err
	}
	hash, err := s.c.Hasher.Hash(ctx, r.Password)
	if err != nil {
		return domain.Account{}, err
	}
	if err := s.c.Store.Accounts().Add(ctx, a, hash); err != nil {
		return domain.Account{}, err
	}
	return a, nil
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
	a, credential, err := s.c.Store.Accounts().ByLogin(ctx, l)
	if err != nil && !errors.Is(err, domain.NotFound) {
		return Proof{}, err
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

// Me returns the asker's own account. It fails with ErrUnauthenticated.
func (s *Service) Me(ctx context.Context, who domain.Asker) (domain.Account, error) {
	if who.Stranger() {
		return domain.Account{}, domain.ErrUnauthenticated
	}
	return s.c.Store.Accounts().ByID(ctx, who.Account)
}

// Account returns any account, for administrators. It fails with
// ErrUnauthenticated, ErrNotAllowed or ErrAccountNotFound.
func (s *Service) Account(ctx context.Context, who domain.Asker, id domain.AccountID) (domain.Account, error) {
	if err := who.MustBe(domain.Administrator); err != nil {
		return domain.Account{}, err
	}
	return s.c.Store.Accounts().ByID(ctx, id)
}

// List returns a page of all accounts in the order in which they were opened,
// for administrators. It fails with ErrUnauthenticated, ErrNotAllowed or
// ErrInvalidCursor.
func (s *Service) List(ctx context.Context, who domain.Asker, p domain.PageRequest) (domain.Page[domain.Account], error) {
	var page domain.Page[domain.Account]
	if err := who.MustBe(domain.Administrator); err != nil {
		return page, err
	}
	const scope = "accounts"
	var after string
	var err error
	if p.Cursor != "" {
		if after, err = s.c.Cursors.Open(scope, p.Cursor); err != nil {
			return page, err
		}
	}
	items, err := s.c.Store.Accounts().List(ctx, domain.AccountID(after), p.Size()+1)
	if err != nil {
		return page, err
	}
	return domain.PageOf(items, p.Size(), func(last domain.Account) string {
		return s.c.Cursors.Seal(scope, string(last.ID))
	}), nil
}

// Rename changes the asker's display name. match is the revision that is to be
// changed; 0 stands for whatever is there. It fails with ErrUnauthenticated or
// ErrStale.
func (s *Service) Rename(ctx context.Context, who domain.Asker, match domain.Revision, name string) (domain.Account, error) {
	if who.Stranger() {
		return domain.Account{}, domain.ErrUnauthenticated
	}
	return s.change(ctx, who.Account, match, domain.AccountChange{Name: &name})
}

// Change changes any account, for administrators: its name, its roles, or
// whether it is suspended. New roles or a suspension are in force when it
// returns: access tokens that were issued before are refused, and a suspended
// account has no session left. match is as for Rename. It fails with
// ErrUnauthenticated, ErrNotAllowed, ErrAccountNotFound or ErrStale.
func (s *Service) Change(ctx context.Context, who domain.Asker, id domain.AccountID, match domain.Revision, c domain.AccountChange) (domain.Account, error) {
	if err := who.MustBe(domain.Administrator); err != nil {
		return domain.Account{}, err
	}
	return s.change(ctx, id, match, c)
}

// attempts bounds how often an unconditional change that lost a race is tried.
const attempts = 5

func (s *Service) change(ctx context.Context, id domain.AccountID, match domain.Revision, c domain.AccountChange) (changed domain.Account, err error) {
	var posted []domain.Change
	for range attempts {
		err = s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
			a, err := tx.Accounts().ByID(ctx, id)
			if err != nil {
				return err
			}
			if match != 0 && match != a.Revision {
				return domain.ErrStale
			}
			next, differs := c.Apply(a, s.c.Now())
			changed, posted = a, nil
			if !differs {
				return nil
			}
			// The account first, then its sessions: a sign-in waits for the account.
			if err := tx.Accounts().Update(ctx, next); err != nil {
				return err
			}
			next.Revision++
			changed = next
			if next.Authority > a.Authority {
				posted = []domain.Change{raised(id, next.Authority, next.Changed)}
				if err := tx.Bulletin().Post(ctx, posted...); err != nil {
					return err
				}
			}
			if a.Status == domain.Active && next.Status == domain.Suspended {
				_, err = tx.Sessions().EndAll(ctx, id, "")
			}
			return err
		})
		if match != 0 || !errors.Is(err, domain.ErrStale) {
			break
		}
	}
	if err != nil {
		return domain.Account{}, err
	}
	s.c.Told(posted...)
	return changed, nil
}

func raised(id domain.AccountID, authority int64, at time.Time) domain.Change {
	return domain.Change{Kind: domain.AuthorityRaised, Subject: string(id), Value: authority, At: at}
}

// ChangePassword replaces the asker's password and ends the other sessions of
// the account; the one that asks goes on. It fails with ErrUnauthenticated, with
// ErrWrongPassword if current is wrong, with ErrWeakPassword, with
// ErrCredentialChanged if another change was faster, and with ErrBusy.
func (s *Service) ChangePassword(ctx context.Context, who domain.Asker, current, next domain.Password) error {
	a, err := s.Me(ctx, who)
	if err != nil {
		return err
	}
	credential, err := s.c.Store.Accounts().Credential(ctx, a.ID)
	if err != nil {
		return err
	}
	ok, _, err := s.c.Hasher.Matches(ctx, current, credential.Hash)
	if err != nil {
		return err
	}
	if !ok {
		return domain.ErrWrongPassword
	}
	return s.replacePassword(ctx, a, credential, next, who.Session)
}

// SetPassword gives the account of a login a new password and ends all its
// sessions. It is for the operator, who has the machine; no route leads here. It
// fails with ErrAccountNotFound or ErrWeakPassword.
func (s *Service) SetPassword(ctx context.Context, l domain.Login, next domain.Password) error {
	a, credential, err := s.c.Store.Accounts().ByLogin(ctx, l)
	if err != nil {
		return err
	}
	return s.replacePassword(ctx, a, credential, next, "")
}

func (s *Service) replacePassword(ctx context.Context, a domain.Account, c domain.Credential, next domain.Password, keep domain.SessionID) error {
	if err := s.c.Policy.Check(next, a.Names()...); err != nil {
		return err
	}
	hash, err := s.c.Hasher.Hash(ctx, next)
	if err != nil {
		return err
	}
	c.Hash = hash
	var posted []domain.Change
	err = s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		now := s.c.Now()
		if err := tx.Accounts().SetCredential(ctx, c, now); err != nil {
			return err
		}
		ended, err := tx.Sessions().EndAll(ctx, a.ID, keep)
		if err != nil {
			return err
		}
		posted = nil
		for _, id := range ended {
			posted = append(posted, domain.Change{Kind: domain.SessionEnded, Subject: string(id), At: now})
		}
		return tx.Bulletin().Post(ctx, posted...)
	})
	if err == nil {
		s.c.Told(posted...)
	}
	return err
}

// Close deletes the asker's own account, with its logins and sessions. Its
// records stay, and belong to nobody. match is as for Rename. It fails with
// ErrUnauthenticated or ErrStale.
func (s *Service) Close(ctx context.Context, who domain.Asker, match domain.Revision) error {
	if who.Stranger() {
		return domain.ErrUnauthenticated
	}
	return s.remove(ctx, who.Account, match)
}

// Delete deletes any account as Close does, for administrators. It fails with
// ErrUnauthenticated, ErrNotAllowed, ErrAccountNotFound or ErrStale.
func (s *Service) Delete(ctx context.Context, who domain.Asker, id domain.AccountID, match domain.Revision) error {
	if err := who.MustBe(domain.Administrator); err != nil {
		return err
	}
	return s.remove(ctx, id, match)
}

func (s *Service) remove(ctx context.Context, id domain.AccountID, match domain.Revision) error {
	posted := raised(id, domain.MaxAuthority, s.c.Now())
	err := s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		if err := tx.Accounts().Remove(ctx, id, match); err != nil {
			return err
		}
		return tx.Bulletin().Post(ctx, posted)
	})
	if err == nil {
		s.c.Told(posted)
	}
	return err
}
