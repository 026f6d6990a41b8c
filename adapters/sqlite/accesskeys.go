package sqlite

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type accessKeys struct{ lines lines }

// accessKeyColumns are those of access keys k that readAccessKey reads.
const accessKeyColumns = `k.id, k.account, k.name, k.scopes, k.digest, k.created, k.expires, k.seen, k.address`

// Add implements ports.AccessKeys. Both conditions are judged by the statement that
// stores the key; which of them did not hold is asked afterwards, and is still true,
// for there is one writer.
func (r accessKeys) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`
			INSERT INTO access_keys (id, account, name, scopes, digest, created, expires, seen, address)
			SELECT ?1, a.id, ?3, ?4, ?5, ?6, ?7, ?8, ?9
			FROM sessions s JOIN accounts a ON a.id = s.account
			WHERE s.id = ?10 AND s.account = ?2 AND s.ends > ?6 AND a.status = 'active'
			  AND (SELECT count(*) FROM access_keys
			       WHERE account = ?2 AND (expires IS NULL OR expires > ?6)) < ?11`,
			k.ID, k.Account, k.Name, list(k.Scopes), k.Digest[:], micros(k.Created), moment(k.Expires), moment(k.Seen), k.Address,
			session, domain.MaxAccessKeys)
		if err != nil || n > 0 {
			return err
		}
		acting, err := l.one(`
			SELECT 1 FROM sessions s JOIN accounts a ON a.id = s.account
			WHERE s.id = ? AND s.account = ? AND s.ends > ? AND a.status = 'active'`, session, k.Account, micros(k.Created))
		switch {
		case err != nil:
			return err
		case acting == nil:
			return domain.ErrSessionNotFound
		}
		return domain.ErrTooManyAccessKeys
	})
}

func (r accessKeys) ByID(ctx context.Context, id domain.AccessKeyID, now time.Time) (domain.AccessKey, domain.Authority, error) {
	var (
		k domain.AccessKey
		a domain.Authority
	)
	err := r.lines.read(ctx, func(l *line) error {
		found, err := l.one(`
			SELECT a.id, a.authority, a.roles, `+accessKeyColumns+`
			FROM access_keys k JOIN accounts a ON a.id = k.account
			WHERE k.id = ? AND (k.expires IS NULL OR k.expires > ?) AND a.status = 'active'`, id, micros(now))
		if err != nil {
			return err
		}
		if found == nil {
			return domain.ErrAccessKeyNotFound
		}
		if a, err = readAuthority(found); err != nil {
			return err
		}
		k, err = readAccessKey(found[3:])
		return err
	})
	if err != nil {
		return domain.AccessKey{}, domain.Authority{}, err
	}
	return k, a, nil
}

func (r accessKeys) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.AccessKeyID, limit int) ([]domain.AccessKey, error) {
	var page []domain.AccessKey
	err := r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			k, err := readAccessKey(v)
			page = append(page, k)
			return err
		}, `
			SELECT `+accessKeyColumns+` FROM access_keys k
			WHERE k.account = ? AND k.id > ? AND (k.expires IS NULL OR k.expires > ?) ORDER BY k.id LIMIT ?`,
			account, after, micros(now), max(limit, 0))
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (r accessKeys) End(ctx context.Context, account domain.AccountID, id domain.AccessKeyID) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`DELETE FROM access_keys WHERE id = ? AND account = ?`, id, account)
		if err == nil && n == 0 {
			err = domain.ErrAccessKeyNotFound
		}
		return err
	})
}

func (r accessKeys) EndAll(ctx context.Context, account domain.AccountID) (ended int, err error) {
	err = r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`DELETE FROM access_keys WHERE account = ?`, account)
		ended = int(n)
		return err
	})
	if err != nil {
		return 0, err
	}
	return ended, nil
}

func (r accessKeys) Saw(ctx context.Context, sightings []domain.Sighting[domain.AccessKeyID]) error {
	return saw(ctx, r.lines, `
		UPDATE access_keys SET seen = ?2, address = ?3 WHERE id = ?1 AND (seen IS NULL OR seen <= ?4)`, sightings)
}

func (r accessKeys) Prune(ctx context.Context, t time.Time, limit int) (int, error) {
	return prune(ctx, r.lines, `
		DELETE FROM access_keys WHERE id IN (SELECT id FROM access_keys WHERE expires < ? ORDER BY expires LIMIT ?)`, t, limit)
}

// readAccessKey reads accessKeyColumns.
func readAccessKey(v row) (domain.AccessKey, error) {
	k := domain.AccessKey{
		ID:      domain.AccessKeyID(v.text(0)),
		Account: domain.AccountID(v.text(1)),
		Name:    v.text(2),
		Created: v.time(5),
		Expires: v.time(6),
		Seen:    v.time(7),
		Address: v.text(8),
	}
	copy(k.Digest[:], v.bytes(4))
	if err := v.list(3, &k.Scopes); err != nil {
		return domain.AccessKey{}, err
	}
	return k, nil
}
