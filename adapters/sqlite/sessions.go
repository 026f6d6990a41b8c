package sqlite

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type sessions struct{ lines lines }

func (r sessions) Open(ctx context.Context, s domain.Session, credential domain.Revision) (domain.Authority, error) {
	var a domain.Authority
	err := r.lines.write(ctx, func(l *line) error {
		found, err := l.one(`
			INSERT INTO sessions (id, account, counter, created, used, ends, device)
			SELECT ?, a.id, ?, ?, ?, ?, ?
			FROM accounts a JOIN credentials c ON c.account = a.id
			WHERE a.id = ? AND a.status = 'active' AND c.revision = ?
			RETURNING account,
			          (SELECT authority FROM accounts WHERE id = account),
			          (SELECT roles FROM accounts WHERE id = account)`,
			s.ID, s.Counter, micros(s.Created), micros(s.Used), micros(s.Ends), s.Device, s.Account, credential)
		if err != nil {
			return err
		}
		if found == nil {
			return domain.ErrCredentialChanged
		}
		a, err = readAuthority(found)
		return err
	})
	return a, err
}

// Refresh implements ports.Sessions. The judgement is the domain's; nothing comes
// between reading and writing, for there is one writer.
func (r sessions) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	var answer domain.Refreshed
	now = time.UnixMicro(micros(now)).UTC()
	err := r.lines.write(ctx, func(l *line) error {
		found, err := l.one(`
			SELECT a.id, a.authority, a.roles, s.id, s.counter, s.created, s.used, s.ends, s.device
			FROM sessions s JOIN accounts a ON a.id = s.account
			WHERE s.id = ? AND a.status = 'active'`, t.Session)
		if err != nil || found == nil {
			return err
		}
		authority, err := readAuthority(found)
		if err != nil {
			return err
		}
		s, verdict := readSession(found[3:], authority.Account).Refresh(t.Counter, now, p)
		answer.Verdict = verdict
		switch verdict {
		case domain.Rotated:
			answer.Session, answer.Authority = s, authority
			_, err = l.exec(`UPDATE sessions SET counter = ?, used = ? WHERE id = ?`, s.Counter, micros(s.Used), s.ID)
		case domain.Repeated:
			answer.Session, answer.Authority = s, authority
		case domain.Reused:
			_, err = l.exec(`DELETE FROM sessions WHERE id = ?`, s.ID)
		case domain.Refused:
		}
		return err
	})
	if err != nil {
		return domain.Refreshed{}, err
	}
	return answer, nil
}

func (r sessions) Authority(ctx context.Context, id domain.SessionID, now time.Time) (domain.Authority, error) {
	var a domain.Authority
	err := r.lines.read(ctx, func(l *line) error {
		found, err := l.one(`
			SELECT a.id, a.authority, a.roles
			FROM sessions s JOIN accounts a ON a.id = s.account
			WHERE s.id = ? AND s.ends > ? AND a.status = 'active'`, id, micros(now))
		if err != nil {
			return err
		}
		if found == nil {
			return domain.ErrSessionNotFound
		}
		a, err = readAuthority(found)
		return err
	})
	return a, err
}

func (r sessions) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.SessionID, limit int) ([]domain.Session, error) {
	var page []domain.Session
	err := r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			page = append(page, readSession(v, account))
			return nil
		}, `
			SELECT id, counter, created, used, ends, device FROM sessions
			WHERE account = ? AND id > ? AND ends > ? ORDER BY id LIMIT ?`,
			account, after, micros(now), max(limit, 0))
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (r sessions) End(ctx context.Context, account domain.AccountID, id domain.SessionID) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`DELETE FROM sessions WHERE id = ? AND account = ?`, id, account)
		if err == nil && n == 0 {
			err = domain.ErrSessionNotFound
		}
		return err
	})
}

func (r sessions) EndAll(ctx context.Context, account domain.AccountID, except domain.SessionID) (int, error) {
	return r.remove(ctx, `DELETE FROM sessions WHERE account = ? AND id <> ?`, account, except)
}

func (r sessions) Prune(ctx context.Context, t time.Time, limit int) (int, error) {
	return r.remove(ctx, `
		DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ends < ? ORDER BY ends LIMIT ?)`,
		micros(t), max(limit, 0))
}

func (r sessions) remove(ctx context.Context, statement string, args ...any) (removed int, err error) {
	err = r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(statement, args...)
		removed = int(n)
		return err
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// readSession reads id, counter, created, used, ends and device.
func readSession(v row, account domain.AccountID) domain.Session {
	return domain.Session{
		ID:      domain.SessionID(v.text(0)),
		Account: account,
		Counter: domain.Counter(v.number(1)),
		Created: v.time(2),
		Used:    v.time(3),
		Ends:    v.time(4),
		Device:  v.text(5),
	}
}

// readAuthority reads account, authority and roles.
func readAuthority(v row) (domain.Authority, error) {
	a := domain.Authority{Account: domain.AccountID(v.text(0)), Version: v.number(1)}
	if err := v.list(2, &a.Roles); err != nil {
		return domain.Authority{}, err
	}
	return a, nil
}
