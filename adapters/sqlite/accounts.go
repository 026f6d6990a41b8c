package sqlite

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type accounts struct{ lines lines }

// selectAccount reads accounts with their logins, credential beside them. The
// caller adds the condition.
const selectAccount = `
	SELECT a.id, a.name, a.roles, a.status, a.authority, a.revision, a.created, a.changed,
	       (SELECT json_group_array(json_array(l.kind, l.value, l.normal)) FROM logins l WHERE l.account = a.id),
	       c.hash, c.revision
	FROM accounts a JOIN credentials c ON c.account = a.id `

func (r accounts) Add(ctx context.Context, a domain.Account, hash domain.PasswordHash) error {
	return r.lines.write(ctx, func(l *line) error {
		_, err := l.exec(`
			INSERT INTO accounts (id, name, roles, status, authority, revision, created, changed)
			VALUES (?, ?, ?, ?, ?, 1, ?, ?)`,
			a.ID, a.Name, list(a.Roles), a.Status, a.Authority, micros(a.Created), micros(a.Changed))
		if err != nil {
			return err
		}
		if err := addLogins(l, a.ID, a.Logins); err != nil {
			return err
		}
		_, err = l.exec(`INSERT INTO credentials (account, hash, revision) VALUES (?, ?, 1)`, a.ID, hash.Reveal())
		return err
	})
}

func addLogins(l *line, id domain.AccountID, logins []domain.Login) error {
	for _, login := range logins {
		_, err := l.exec(`INSERT INTO logins (kind, normal, value, account) VALUES (?, ?, ?, ?)`,
			login.Kind(), login.Normal(), login.Value(), id)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r accounts) ByID(ctx context.Context, id domain.AccountID) (domain.Account, error) {
	a, _, err := r.one(ctx, selectAccount+`WHERE a.id = ?`, id)
	return a, err
}

func (r accounts) ByLogin(ctx context.Context, login domain.Login) (domain.Account, domain.Credential, error) {
	return r.one(ctx, selectAccount+`WHERE a.id = (SELECT account FROM logins WHERE kind = ? AND normal = ?)`,
		login.Kind(), login.Normal())
}

func (r accounts) Credential(ctx context.Context, id domain.AccountID) (domain.Credential, error) {
	var c domain.Credential
	err := r.lines.read(ctx, func(l *line) error {
		found, err := l.one(`SELECT hash, revision FROM credentials WHERE account = ?`, id)
		if err != nil {
			return err
		}
		if found == nil {
			return domain.ErrAccountNotFound
		}
		c = domain.Credential{Account: id, Hash: domain.NewPasswordHash(found.text(0)), Revision: domain.Revision(found.number(1))}
		return nil
	})
	return c, err
}

func (r accounts) List(ctx context.Context, after domain.AccountID, limit int) ([]domain.Account, error) {
	var page []domain.Account
	err := r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			a, _, err := readAccount(v)
			page = append(page, a)
			return err
		}, selectAccount+`WHERE a.id > ? ORDER BY a.id LIMIT ?`, after, max(limit, 0))
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (r accounts) ByIDs(ctx context.Context, ids []domain.AccountID) ([]domain.Account, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var all []domain.Account
	err := r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			a, _, err := readAccount(v)
			all = append(all, a)
			return err
		}, selectAccount+`WHERE a.id IN (SELECT value FROM json_each(?))`, list(ids))
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (r accounts) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`UPDATE accounts SET changed = ?3, revision = revision + 1 WHERE id = ?1 AND ?2 IN (0, revision)`,
			id, rev, micros(at))
		if err != nil {
			return err
		}
		if n == 0 {
			return whyNoLogins(l, id, logins)
		}
		if _, err := l.exec(`DELETE FROM logins WHERE account = ?`, id); err != nil {
			return err
		}
		return addLogins(l, id, logins)
	})
}

// whyNoLogins is whyNot for new logins: that one of them is another account's comes
// before what is wrong with the account itself.
func whyNoLogins(l *line, id domain.AccountID, logins []domain.Login) error {
	for _, login := range logins {
		taken, err := l.one(`SELECT 1 FROM logins WHERE kind = ? AND normal = ? AND account <> ?`, login.Kind(), login.Normal(), id)
		switch {
		case err != nil:
			return err
		case taken != nil:
			return domain.ErrLoginTaken
		}
	}
	return whyNot(l, id, domain.ErrStale)
}

func (r accounts) Update(ctx context.Context, a domain.Account) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`
			UPDATE accounts SET name = ?, roles = ?, status = ?, authority = ?, changed = ?, revision = revision + 1
			WHERE id = ? AND revision = ?`,
			a.Name, list(a.Roles), a.Status, a.Authority, micros(a.Changed), a.ID, a.Revision)
		if err == nil && n == 0 {
			err = whyNot(l, a.ID, domain.ErrStale)
		}
		return err
	})
}

func (r accounts) SetCredential(ctx context.Context, c domain.Credential, now time.Time) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`UPDATE credentials SET hash = ?, revision = revision + 1 WHERE account = ? AND revision = ?`,
			c.Hash.Reveal(), c.Account, c.Revision)
		if err == nil && n == 0 {
			err = whyNot(l, c.Account, domain.ErrCredentialChanged)
		}
		if err != nil {
			return err
		}
		_, err = l.exec(`UPDATE accounts SET changed = ?, revision = revision + 1 WHERE id = ?`, micros(now), c.Account)
		return err
	})
}

func (r accounts) Rehash(ctx context.Context, c domain.Credential) error {
	return r.lines.write(ctx, func(l *line) error {
		_, err := l.exec(`UPDATE credentials SET hash = ? WHERE account = ? AND revision = ?`,
			c.Hash.Reveal(), c.Account, c.Revision)
		return err
	})
}

func (r accounts) Remove(ctx context.Context, id domain.AccountID, rev domain.Revision) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`DELETE FROM accounts WHERE id = ?1 AND ?2 IN (0, revision)`, id, rev)
		if err == nil && n == 0 {
			err = whyNot(l, id, domain.ErrStale)
		}
		return err
	})
}

// whyNot says why a write that had a condition found no account: there is none,
// or the condition does not hold.
func whyNot(l *line, id domain.AccountID, unmet error) error {
	found, err := l.one(`SELECT 1 FROM accounts WHERE id = ?`, id)
	switch {
	case err != nil:
		return err
	case found == nil:
		return domain.ErrAccountNotFound
	}
	return unmet
}

func (r accounts) one(ctx context.Context, query string, args ...any) (a domain.Account, c domain.Credential, err error) {
	err = r.lines.read(ctx, func(l *line) error {
		found, err := l.one(query, args...)
		if err != nil {
			return err
		}
		if found == nil {
			return domain.ErrAccountNotFound
		}
		a, c, err = readAccount(found)
		return err
	})
	return a, c, err
}

// readAccount reads a row of selectAccount.
func readAccount(v row) (domain.Account, domain.Credential, error) {
	a := domain.Account{
		ID:        domain.AccountID(v.text(0)),
		Name:      v.text(1),
		Status:    domain.Status(v.text(3)),
		Authority: v.number(4),
		Revision:  domain.Revision(v.number(5)),
		Created:   v.time(6),
		Changed:   v.time(7),
	}
	c := domain.Credential{Account: a.ID, Hash: domain.NewPasswordHash(v.text(9)), Revision: domain.Revision(v.number(10))}
	var logins [][3]string
	if err := errors.Join(v.list(2, &a.Roles), v.list(8, &logins)); err != nil {
		return domain.Account{}, domain.Credential{}, err
	}
	a.Logins = readLogins(logins)
	return a, c, nil
}

// readLogins reads the kinds, values and normal forms of an account's logins, and
// returns them with the user name first.
func readLogins(stored [][3]string) []domain.Login {
	logins := make([]domain.Login, len(stored))
	for i, l := range stored {
		logins[i] = domain.RestoreLogin(domain.LoginKind(l[0]), l[1], l[2])
	}
	order := []domain.LoginKind{domain.Username, domain.Email}
	slices.SortFunc(logins, func(a, b domain.Login) int {
		return cmp.Compare(slices.Index(order, a.Kind()), slices.Index(order, b.Kind()))
	})
	return logins
}
