package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
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

// An Arrival is what became of a Transfer.
type Arrival struct {
	Made    bool  // whether an account was opened for it
	Refusal error // why there is none; nil where one was opened, or was there already
}

// ErrUnreadableHash is why a transfer is refused whose hash no password would ever
// match. What it is wrapped with says more, and nothing of the hash.
var ErrUnreadableHash = errors.New("accounts: unreadable hash")

// Import opens accounts that were opened elsewhere, all in one transaction and in
// their order, and says what became of each. An account that has all logins of a
// transfer is the one that is meant: it stays as it is, so the same may be imported
// again. Where somebody has one login of two, or each is somebody else's, nobody can
// tell who is meant, and the transfer is refused with ErrLoginTaken. It is refused with
// ErrInvalidLogin without a login, and with ErrUnreadableHash; one without a hash only
// where nobody has its logins.
//
// Those that were opened or were there get numbers in the series, in their order; "" is
// none. Where Import fails, nothing was written of any, or, if the store did not answer,
// perhaps all. It is for the operator; no route leads here.
func (s *Service) Import(ctx context.Context, users domain.Series, all []Transfer) ([]Arrival, error) {
	fresh, refused := make([]domain.Account, len(all)), make([]error, len(all))
	for i, t := range all {
		fresh[i], refused[i] = s.fresh(t), s.usable(t)
	}
	var arrived []Arrival
	err := s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		arrived = make([]Arrival, len(all))
		var ids []string
		for i, a := range fresh {
			if arrived[i].Refusal = refused[i]; refused[i] != nil {
				continue
			}
			id, err := enter(ctx, tx.Accounts(), a, all[i].Hash)
			switch {
			case errors.Is(err, domain.ErrLoginTaken) || errors.Is(err, ErrUnreadableHash):
				arrived[i].Refusal = err
				continue
			case err != nil:
				return err
			}
			arrived[i].Made = id == a.ID
			if !slices.Contains(ids, string(id)) {
				ids = append(ids, string(id))
			}
		}
		if users == "" || len(ids) == 0 {
			return nil
		}
		_, err := tx.Numbers().Of(ctx, users, ids...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return arrived, nil
}

// fresh returns the account that a transfer would become.
func (s *Service) fresh(t Transfer) domain.Account {
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
	return a
}

// usable fails where a transfer is refused whatever is stored. A zero hash passes.
func (s *Service) usable(t Transfer) error {
	if len(t.Logins) == 0 {
		return domain.ErrInvalidLogin.At("/username", "required", "want a user name or an e-mail address")
	}
	if t.Hash.IsZero() || s.c.Readable == nil {
		return nil
	}
	if err := s.c.Readable(t.Hash); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadableHash, err)
	}
	return nil
}

// enter opens a, or returns the id of the account that is there already. Most are not,
// so it writes first and looks afterwards.
func enter(ctx context.Context, on ports.Accounts, a domain.Account, hash domain.PasswordHash) (domain.AccountID, error) {
	none := ErrUnreadableHash
	if !hash.IsZero() {
		err := on.Add(ctx, a, hash)
		if err == nil {
			return a.ID, nil
		}
		if !errors.Is(err, domain.ErrLoginTaken) {
			return "", err
		}
		none = err // if it is free again by now
	}
	id, err := holder(a.Logins, having(ctx, on))
	if err == nil && id == "" {
		err = none
	}
	return id, err
}

// holder returns who has all of the logins; "" where nobody has one. It fails with
// ErrLoginTaken where somebody has one and not the other.
func holder(logins []domain.Login, of func(domain.Login) (domain.AccountID, error)) (domain.AccountID, error) {
	holders := make([]domain.AccountID, len(logins))
	for i, l := range logins {
		var err error
		if holders[i], err = of(l); err != nil {
			return "", err
		}
	}
	for i, id := range holders {
		if id != holders[0] {
			taken := logins[0]
			if holders[0] == "" {
				taken = logins[i]
			}
			return "", domain.ErrLoginTaken.At("/"+string(taken.Kind()), "taken", "it is taken by an account that does not have the other login")
		}
	}
	return holders[0], nil
}

// having looks up who has a login.
func having(ctx context.Context, on ports.Accounts) func(domain.Login) (domain.AccountID, error) {
	return func(l domain.Login) (domain.AccountID, error) {
		a, _, err := on.ByLogin(ctx, l)
		if errors.Is(err, domain.NotFound) {
			return "", nil
		}
		return a.ID, err
	}
}

// Taken reports whether somebody has one of the logins, so that a password need not be
// hashed in vain.
func (s *Service) Taken(ctx context.Context, logins []domain.Login) (bool, error) {
	id, err := holder(logins, having(ctx, s.c.Store.Accounts()))
	if errors.Is(err, domain.ErrLoginTaken) {
		return true, nil
	}
	return id != "", err
}

// Hash makes the hash of a password that is imported as it is. It fails with
// ErrWeakPassword where that is longer than domain.MaxPassword, and with ErrBusy.
func (s *Service) Hash(ctx context.Context, p domain.Password) (domain.PasswordHash, error) {
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
