package accounts

import (
	"context"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Lookup returns those of the accounts that there are, in any order, for older APIs
// whose lists are open to all. ids are different.
func (s *Service) Lookup(ctx context.Context, ids ...domain.AccountID) ([]domain.Account, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.c.Store.Accounts().ByIDs(ctx, ids)
}

// Resign gives the asker another user name and another password in one step, as an
// older API does, which asks for no password before. least is as in Registration.
// The asker's other sessions end, and the one that asks goes on. It fails with
// ErrUnauthenticated, ErrNotByKey, ErrAccountNotFound, ErrInvalidLogin unless it is a
// user name, ErrWeakPassword, ErrLoginTaken, ErrBusy, and with ErrCredentialChanged if
// another change was faster.
func (s *Service) Resign(ctx context.Context, who domain.Asker, username domain.Login, next domain.Password, least int) (_ domain.Account, err error) {
	ctx, end := s.c.Span.Begin(ctx, "accounts.Resign")
	defer func() { end(err) }()
	if err := who.InPerson(); err != nil {
		return domain.Account{}, err
	}
	a, err := s.c.Store.Accounts().ByID(ctx, who.Account)
	if err != nil {
		return domain.Account{}, err
	}
	credential, err := s.c.Store.Accounts().Credential(ctx, a.ID)
	if err != nil {
		return domain.Account{}, err
	}
	if username.Kind() != domain.Username {
		return domain.Account{}, domain.ErrInvalidLogin
	}
	logins := []domain.Login{username}
	if email := a.Login(domain.Email); !email.IsZero() {
		logins = append(logins, email)
	}
	a.Logins = logins
	if err := s.password(next, least, a.Names()...); err != nil {
		return domain.Account{}, err
	}
	if credential.Hash, err = s.c.Hasher.Hash(ctx, next); err != nil {
		return domain.Account{}, err
	}
	var posted []domain.Change
	err = s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		now := s.c.Now()
		if err := tx.Accounts().SetCredential(ctx, credential, now); err != nil {
			return err
		}
		if err := tx.Accounts().SetLogins(ctx, a.ID, 0, logins, now); err != nil {
			return err
		}
		ended, err := tx.Sessions().EndAll(ctx, a.ID, who.Session)
		if err != nil {
			return err
		}
		posted = sessionsEnded(ended, now)
		if err := tx.Bulletin().Post(ctx, posted...); err != nil {
			return err
		}
		a, err = tx.Accounts().ByID(ctx, a.ID)
		return err
	})
	if err != nil {
		return domain.Account{}, err
	}
	s.c.Told(posted...)
	return a, nil
}
