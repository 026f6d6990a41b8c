package accounts

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// ChangePassword replaces the asker's password and ends the other sessions of
// the account; the one that asks goes on, and so do access keys. It fails with
// ErrUnauthenticated, ErrNotByKey, with ErrWrongPassword if current is wrong, with
// ErrWeakPassword, with ErrCredentialChanged if another change was faster, and with
// ErrBusy.
func (s *Service) ChangePassword(ctx context.Context, who domain.Asker, current, next domain.Password) (err error) {
	ctx, end := s.c.Span.Begin(ctx, "accounts.ChangePassword")
	defer func() { end(err) }()
	if err := who.InPerson(); err != nil {
		return err
	}
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
	return s.replacePassword(ctx, a, credential, next, func(tx ports.Repositories) ([]domain.SessionID, error) {
		return tx.Sessions().EndAll(ctx, a.ID, who.Session)
	})
}

// SetPassword gives the account of a login a new password and ends all its
// sessions and access keys: somebody else may have had the old one. It is for the operator, who has the machine; no route leads here. It
// fails with ErrAccountNotFound or ErrWeakPassword.
func (s *Service) SetPassword(ctx context.Context, l domain.Login, next domain.Password) error {
	a, credential, err := s.c.Store.Accounts().ByLogin(ctx, l)
	if err != nil {
		return err
	}
	return s.replacePassword(ctx, a, credential, next, func(tx ports.Repositories) ([]domain.SessionID, error) {
		if _, err := tx.AccessKeys().EndAll(ctx, a.ID); err != nil {
			return nil, err
		}
		return tx.Sessions().EndAll(ctx, a.ID, "")
	})
}

// replacePassword stores the password and ends in the same step what end ends,
// which says which sessions those were.
func (s *Service) replacePassword(ctx context.Context, a domain.Account, c domain.Credential, next domain.Password, end func(ports.Repositories) ([]domain.SessionID, error)) error {
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
		ended, err := end(tx)
		if err != nil {
			return err
		}
		posted = sessionsEnded(ended, now)
		return tx.Bulletin().Post(ctx, posted...)
	})
	if err == nil {
		s.c.Told(posted...)
	}
	return err
}

func sessionsEnded(ids []domain.SessionID, at time.Time) []domain.Change {
	var changes []domain.Change
	for _, id := range ids {
		changes = append(changes, domain.Change{Kind: domain.SessionEnded, Subject: string(id), At: at})
	}
	return changes
}
