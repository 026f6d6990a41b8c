package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A Transfer is an account that moves house: in from another service, or out of
// Keyport.
type Transfer struct {
	Logins  []domain.Login // one or two, of different kinds
	Name    string
	Roles   []domain.Role // sorted, each once
	Status  domain.Status // "" stands for active
	Hash    domain.PasswordHash
	Created time.Time // UTC, microseconds; zero: now
}

// ErrUnreadableHash is what Import fails with for a hash that no password would ever
// match.
var ErrUnreadableHash = errors.New("the hash is of no format that is known here, or costs too much to verify")

// Import opens an account that was opened elsewhere, and returns its id. Where one of
// its logins is taken already it opens none, and returns the id of the account that has
// it, so that the same may be imported again; made is false then. It fails with
// ErrInvalidLogin without a login, and with ErrUnreadableHash. It is for the operator;
// no route leads here.
func (s *Service) Import(ctx context.Context, t Transfer) (id domain.AccountID, made bool, err error) {
	if len(t.Logins) == 0 {
		return "", false, domain.ErrInvalidLogin.At("/username", "required", "want a user name or an e-mail address")
	}
	if err := s.Readable(t.Hash); err != nil {
		return "", false, err
	}
	now := s.c.Now()
	a := domain.Account{
		ID: domain.AccountID(s.c.NewID()), Name: t.Name, Logins: t.Logins, Roles: t.Roles,
		Status: t.Status, Authority: 1, Revision: 1, Created: t.Created, Changed: now,
	}
	if a.Status == "" {
		a.Status = domain.Active
	}
	if a.Created.IsZero() {
		a.Created = now
	}
	err = s.c.Store.Accounts().Add(ctx, a, t.Hash)
	if errors.Is(err, domain.ErrLoginTaken) {
		id, err = s.Known(ctx, t.Logins)
		return id, false, err
	}
	if err != nil {
		return "", false, err
	}
	return a.ID, true, nil
}

// Readable fails with ErrUnreadableHash, and says why, for a hash that Import does not
// take.
func (s *Service) Readable(h domain.PasswordHash) error {
	if err := s.c.Readable(h); err != nil {
		return errors.Join(ErrUnreadableHash, err)
	}
	return nil
}

// Known returns the account that has one of the logins, the first that is found; "" if
// there is none.
func (s *Service) Known(ctx context.Context, logins []domain.Login) (domain.AccountID, error) {
	for _, l := range logins {
		a, _, err := s.c.Store.Accounts().ByLogin(ctx, l)
		if err == nil {
			return a.ID, nil
		}
		if !errors.Is(err, domain.NotFound) {
			return "", err
		}
	}
	return "", nil
}

// Hash makes the hash of a password that is imported as it is. It fails with ErrBusy.
func (s *Service) Hash(ctx context.Context, p domain.Password) (domain.PasswordHash, error) {
	if len(p.Reveal()) > domain.MaxPassword {
		return domain.PasswordHash{}, domain.ErrWeakPassword.At("/password", "too-long", "want 1024 bytes at most")
	}
	return s.c.Hasher.Hash(ctx, p)
}

// exported is how many accounts are read at once to be exported.
const exported = 1000

// Export tells yield all accounts, with their hashes, in the order in which they were
// opened. One that is opened or changed meanwhile may be left out or told as it was.
func (s *Service) Export(ctx context.Context, yield func(Transfer) error) error {
	var after domain.AccountID
	for {
		page, err := s.c.Store.Accounts().List(ctx, after, exported)
		if err != nil {
			return err
		}
		for _, a := range page {
			after = a.ID
			c, err := s.c.Store.Accounts().Credential(ctx, a.ID)
			if errors.Is(err, domain.NotFound) {
				continue // it was deleted meanwhile
			}
			if err != nil {
				return err
			}
			if err := yield(Transfer{a.Logins, a.Name, a.Roles, a.Status, c.Hash, a.Created}); err != nil {
				return err
			}
		}
		if len(page) < exported {
			return nil
		}
	}
}
