package accounts

import (
	"context"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// An Applicant is an account that can be opened: judged, and with its password hashed.
type Applicant struct {
	account domain.Account
	hash    domain.PasswordHash
	series  domain.Series
}

// Apply does all of Register that needs no store: it takes as long as a hash takes. It
// fails with ErrInvalidLogin without a login, with ErrWeakPassword or ErrBusy.
func (s *Service) Apply(ctx context.Context, r Registration) (_ Applicant, err error) {
	ctx, end := s.c.Span.Begin(ctx, "accounts.Apply")
	defer func() { end(err) }()
	if len(r.Logins) == 0 {
		return Applicant{}, domain.ErrInvalidLogin.At("/username", "required", "want a user name or an e-mail address")
	}
	now := s.c.Now()
	a := domain.Account{
		ID: domain.AccountID(s.c.NewID()), Name: r.Name, Logins: r.Logins, Roles: r.Roles,
		Status: domain.Active, Authority: 1, Revision: 1, Created: now, Changed: now,
	}
	if err := s.password(r.Password, r.Least, a.Names()...); err != nil {
		return Applicant{}, err
	}
	hash, err := s.c.Hasher.Hash(ctx, r.Password)
	if err != nil {
		return Applicant{}, err
	}
	return Applicant{a, hash, r.Series}, nil
}

// Open opens an account for an applicant. It fails with ErrLoginTaken.
func (s *Service) Open(ctx context.Context, a Applicant) (_ domain.Account, err error) {
	ctx, end := s.c.Span.Begin(ctx, "accounts.Open")
	defer func() { end(err) }()
	add := func(in ports.Repositories) error { return in.Accounts().Add(ctx, a.account, a.hash) }
	if a.series == "" {
		err = add(s.c.Store)
	} else {
		err = s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
			if err := add(tx); err != nil {
				return err
			}
			_, err := tx.Numbers().Of(ctx, a.series, string(a.account.ID))
			return err
		})
	}
	if err != nil {
		return domain.Account{}, err
	}
	return a.account, nil
}

// On returns the service as it works on another store, such as one transaction of its
// own (ports.Within).
func (s *Service) On(store ports.Store) *Service {
	on := *s
	on.c.Store = store
	return &on
}
