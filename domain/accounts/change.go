package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Me returns the asker's own account. It fails with ErrUnauthenticated or
// ErrOutOfScope.
func (s *Service) Me(ctx context.Context, who domain.Asker) (domain.Account, error) {
	if who.Stranger() {
		return domain.Account{}, domain.ErrUnauthenticated
	}
	if err := who.May(domain.ReadAccount); err != nil {
		return domain.Account{}, err
	}
	return s.c.Store.Accounts().ByID(ctx, who.Account)
}

// Account returns any account, for administrators. It fails with
// ErrUnauthenticated, ErrOutOfScope, ErrNotAllowed or ErrAccountNotFound.
func (s *Service) Account(ctx context.Context, who domain.Asker, id domain.AccountID) (domain.Account, error) {
	if err := who.MustBe(domain.Administer, domain.Administrator); err != nil {
		return domain.Account{}, err
	}
	return s.c.Store.Accounts().ByID(ctx, id)
}

// List returns a page of all accounts in the order in which they were opened,
// for administrators. It fails with ErrUnauthenticated, ErrOutOfScope,
// ErrNotAllowed or ErrInvalidCursor.
func (s *Service) List(ctx context.Context, who domain.Asker, p domain.PageRequest) (_ domain.Page[domain.Account], err error) {
	ctx, end := s.c.Span.Begin(ctx, "accounts.List")
	defer func() { end(err) }()
	var page domain.Page[domain.Account]
	if err := who.MustBe(domain.Administer, domain.Administrator); err != nil {
		return page, err
	}
	const scope = "accounts"
	var after string
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
// changed; 0 stands for whatever is there. It fails with ErrUnauthenticated,
// ErrNotByKey or ErrStale.
func (s *Service) Rename(ctx context.Context, who domain.Asker, match domain.Revision, name string) (domain.Account, error) {
	if err := who.InPerson(); err != nil {
		return domain.Account{}, err
	}
	return s.change(ctx, who.Account, match, domain.AccountChange{Name: &name})
}

// Change changes any account, for administrators: its name, its roles, or
// whether it is suspended. New roles or a suspension are in force when it
// returns: access tokens that were issued before are refused, and a suspended
// account has no session and no access key left. match is as for Rename. It fails
// with ErrUnauthenticated, ErrOutOfScope, ErrNotAllowed, ErrAccountNotFound or
// ErrStale.
func (s *Service) Change(ctx context.Context, who domain.Asker, id domain.AccountID, match domain.Revision, c domain.AccountChange) (domain.Account, error) {
	if err := who.MustBe(domain.Administer, domain.Administrator); err != nil {
		return domain.Account{}, err
	}
	return s.change(ctx, id, match, c)
}

// attempts bounds how often an unconditional change that lost a race is tried.
const attempts = 5

func (s *Service) change(ctx context.Context, id domain.AccountID, match domain.Revision, c domain.AccountChange) (changed domain.Account, err error) {
	ctx, end := s.c.Span.Begin(ctx, "accounts.Change")
	defer func() { end(err) }()
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
			// The account first, then what it has: a sign-in waits for the account.
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
				if err == nil {
					_, err = tx.AccessKeys().EndAll(ctx, id)
				}
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

// Close deletes the asker's own account, with its logins, sessions and access
// keys. Its records stay, and belong to nobody. match is as for Rename. It fails
// with ErrUnauthenticated, ErrNotByKey or ErrStale.
func (s *Service) Close(ctx context.Context, who domain.Asker, match domain.Revision) error {
	if err := who.InPerson(); err != nil {
		return err
	}
	return s.remove(ctx, who.Account, match)
}

// Delete deletes any account as Close does, for administrators. It fails with
// ErrUnauthenticated, ErrOutOfScope, ErrNotAllowed, ErrAccountNotFound or
// ErrStale.
func (s *Service) Delete(ctx context.Context, who domain.Asker, id domain.AccountID, match domain.Revision) error {
	if err := who.MustBe(domain.Administer, domain.Administrator); err != nil {
		return err
	}
	return s.remove(ctx, id, match)
}

func (s *Service) remove(ctx context.Context, id domain.AccountID, match domain.Revision) (err error) {
	ctx, end := s.c.Span.Begin(ctx, "accounts.Delete")
	defer func() { end(err) }()
	posted := raised(id, domain.MaxAuthority, s.c.Now())
	err = s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
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
