package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type accounts struct{ desk desk }

func (r accounts) Add(ctx context.Context, a domain.Account, hash domain.PasswordHash) error {
	return r.desk.do(ctx, "accounts.add", func(t *tables) error {
		if _, twice := t.accounts[a.ID]; twice {
			return fmt.Errorf("account %s is there already", a.ID)
		}
		for _, l := range a.Logins {
			if _, taken := t.byLogin(l); taken {
				return domain.ErrLoginTaken
			}
		}
		a = ownAccount(a)
		a.Revision, a.Created, a.Changed = 1, stamp(a.Created), stamp(a.Changed)
		a.Logins = inOrder(a.Logins)
		t.accounts[a.ID] = a
		t.credentials[a.ID] = domain.Credential{Account: a.ID, Hash: hash, Revision: 1}
		return nil
	})
}

func (r accounts) ByID(ctx context.Context, id domain.AccountID) (a domain.Account, err error) {
	err = r.desk.do(ctx, "accounts.byID", func(t *tables) error {
		found, err := t.account(id)
		a = ownAccount(found)
		return err
	})
	return a, err
}

func (r accounts) ByLogin(ctx context.Context, l domain.Login) (a domain.Account, c domain.Credential, err error) {
	err = r.desk.do(ctx, "accounts.byLogin", func(t *tables) error {
		found, ok := t.byLogin(l)
		if !ok {
			return domain.ErrAccountNotFound
		}
		a, c = ownAccount(found), t.credentials[found.ID]
		return nil
	})
	return a, c, err
}

func (r accounts) Credential(ctx context.Context, id domain.AccountID) (c domain.Credential, err error) {
	err = r.desk.do(ctx, "accounts.credential", func(t *tables) error {
		if _, err := t.account(id); err != nil {
			return err
		}
		c = t.credentials[id]
		return nil
	})
	return c, err
}

func (r accounts) List(ctx context.Context, after domain.AccountID, limit int) (list []domain.Account, err error) {
	err = r.desk.do(ctx, "accounts.list", func(t *tables) error {
		all := slices.Collect(maps.Values(t.accounts))
		for _, a := range page(all, func(a domain.Account) domain.AccountID { return a.ID }, after, limit) {
			list = append(list, ownAccount(a))
		}
		return nil
	})
	return list, err
}

func (r accounts) ByIDs(ctx context.Context, ids []domain.AccountID) (list []domain.Account, err error) {
	err = r.desk.do(ctx, "accounts.byIDs", func(t *tables) error {
		for _, id := range ids {
			if a, ok := t.accounts[id]; ok {
				list = append(list, ownAccount(a))
			}
		}
		return nil
	})
	return list, err
}

func (r accounts) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	return r.desk.do(ctx, "accounts.setLogins", func(t *tables) error {
		for _, l := range logins {
			if other, taken := t.byLogin(l); taken && other.ID != id {
				return domain.ErrLoginTaken
			}
		}
		a, err := t.account(id)
		switch {
		case err != nil:
			return err
		case rev != 0 && rev != a.Revision:
			return domain.ErrStale
		}
		a.Logins, a.Changed = inOrder(logins), stamp(at)
		a.Revision++
		t.accounts[id] = a
		return nil
	})
}

func (r accounts) Update(ctx context.Context, a domain.Account) error {
	return r.desk.do(ctx, "accounts.update", func(t *tables) error {
		old, err := t.account(a.ID)
		switch {
		case err != nil:
			return err
		case old.Revision != a.Revision:
			return domain.ErrStale
		}
		old.Name, old.Roles, old.Status, old.Authority, old.Changed = a.Name, slices.Clone(a.Roles), a.Status, a.Authority, stamp(a.Changed)
		old.Revision++
		t.accounts[a.ID] = old
		return nil
	})
}

func (r accounts) SetCredential(ctx context.Context, c domain.Credential, at time.Time) error {
	return r.desk.do(ctx, "accounts.setCredential", func(t *tables) error {
		a, err := t.account(c.Account)
		switch {
		case err != nil:
			return err
		case t.credentials[a.ID].Revision != c.Revision:
			return domain.ErrCredentialChanged
		}
		c.Revision++
		a.Revision++
		a.Changed = stamp(at)
		t.credentials[a.ID], t.accounts[a.ID] = c, a
		return nil
	})
}

func (r accounts) Rehash(ctx context.Context, c domain.Credential) error {
	return r.desk.do(ctx, "accounts.rehash", func(t *tables) error {
		if old, ok := t.credentials[c.Account]; ok && old.Revision == c.Revision {
			t.credentials[c.Account] = c
		}
		return nil
	})
}

func (r accounts) Remove(ctx context.Context, id domain.AccountID, rev domain.Revision) error {
	return r.desk.do(ctx, "accounts.remove", func(t *tables) error {
		a, err := t.account(id)
		switch {
		case err != nil:
			return err
		case rev != 0 && rev != a.Revision:
			return domain.ErrStale
		}
		delete(t.accounts, id)
		delete(t.credentials, id)
		maps.DeleteFunc(t.sessions, func(_ domain.SessionID, s domain.Session) bool { return s.Account == id })
		t.endAccessKeys(id)
		for at, rec := range t.records {
			if rec.Owner == id {
				rec.Owner = ""
				t.records[at] = rec
			}
		}
		return nil
	})
}

func (t *tables) account(id domain.AccountID) (domain.Account, error) {
	a, ok := t.accounts[id]
	if !ok {
		return a, domain.ErrAccountNotFound
	}
	return a, nil
}

func (t *tables) byLogin(l domain.Login) (domain.Account, bool) {
	for _, a := range t.accounts {
		if slices.ContainsFunc(a.Logins, l.Same) {
			return a, true
		}
	}
	return domain.Account{}, false
}

// ownAccount returns a copy of a that shares no slice with it.
func ownAccount(a domain.Account) domain.Account {
	a.Logins, a.Roles = slices.Clone(a.Logins), slices.Clone(a.Roles)
	return a
}

// inOrder returns a copy of the logins, user name before e-mail address.
func inOrder(logins []domain.Login) []domain.Login {
	return slices.SortedStableFunc(slices.Values(logins), func(x, y domain.Login) int { return rank(x) - rank(y) })
}

// rank puts user names before e-mail addresses.
func rank(l domain.Login) int {
	return slices.Index([]domain.LoginKind{domain.Username, domain.Email}, l.Kind())
}
