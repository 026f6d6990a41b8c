package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type sessions struct{ lines lines }

// sessionColumns are those that readSession reads. They name their table in full: a
// RETURNING clause knows no other name for it.
const sessionColumns = `
	sessions.id, sessions.account, sessions.counter, sessions.created, sessions.used, sessions.ends, sessions.device,
	sessions.renewal, sessions.seen, sessions.address `

func (r sessions) Open(ctx context.Context, s domain.Session, credential domain.Revision) (domain.Authority, error) {
	var a domain.Authority
	err := r.lines.write(ctx, func(l *line) error {
		found, err := l.one(`
			INSERT INTO sessions (id, account, counter, created, used, ends, device, renewal, seen, address)
			SELECT ?, a.id, ?, ?, ?, ?, ?, ?, ?, ?
			FROM accounts a JOIN credentials c ON c.account = a.id
			WHERE a.id = ? AND a.status = 'active' AND c.revision = ?
			RETURNING account,
			          (SELECT authority FROM accounts WHERE id = account),
			          (SELECT roles FROM accounts WHERE id = account)`,
			s.ID, s.Counter, micros(s.Created), micros(s.Used), micros(s.Ends), s.Device, s.Renewal, micros(s.Seen), s.Address,
			s.Account, credential)
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

func (r sessions) StopRenewal(ctx context.Context, account domain.AccountID, id domain.SessionID, ends time.Time) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`UPDATE sessions SET renewal = ?3, ends = min(ends, ?4) WHERE id = ?1 AND account = ?2`,
			id, account, domain.NoMore, micros(ends))
		if err == nil && n == 0 {
			err = domain.ErrSessionNotFound
		}
		return err
	})
}

// Refresh implements ports.Sessions. A current token of a live session is by far
// the most frequent, and is judged and rotated by one statement. What that leaves
// alone is read, and judged by the domain; nothing comes between, for there is one
// writer.
func (r sessions) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	var answer domain.Refreshed
	now = time.UnixMicro(micros(now)).UTC()
	err := r.lines.write(ctx, func(l *line) error {
		var err error
		if answer, err = rotate(l, t, now, p); err == nil && answer.Verdict != domain.Rotated {
			answer, err = judge(l, t, now, p)
		}
		return err
	})
	if err != nil {
		return domain.Refreshed{}, err
	}
	return answer, nil
}

// rotate writes what domain.Session.Refresh calls Rotated, and nothing else.
func rotate(l *line, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	// used + idle > now is used > now - idle; rounding the other side down is exact.
	found, err := l.one(`
		UPDATE sessions SET counter = counter + 1, used = ?3
		WHERE id = ?1 AND counter = ?2 AND ends > ?3 AND used > ?4 AND renewal = 'rotating'
		  AND EXISTS (SELECT 1 FROM accounts WHERE id = account AND status = 'active')
		RETURNING account,
		          (SELECT authority FROM accounts WHERE id = account),
		          (SELECT roles FROM accounts WHERE id = account),
		`+sessionColumns,
		t.Session, t.Counter, micros(now), micros(now.Add(-p.Idle)))
	if err != nil || found == nil {
		return domain.Refreshed{}, err
	}
	a, err := readAuthority(found)
	if err != nil {
		return domain.Refreshed{}, err
	}
	return domain.Refreshed{Verdict: domain.Rotated, Session: readSession(found[3:]), Authority: a}, nil
}

// judge writes what else a token may come to.
func judge(l *line, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	found, err := l.one(`
		SELECT a.id, a.authority, a.roles, `+sessionColumns+`
		FROM sessions JOIN accounts a ON a.id = sessions.account
		WHERE sessions.id = ? AND a.status = 'active'`, t.Session)
	if err != nil || found == nil {
		return domain.Refreshed{}, err
	}
	a, err := readAuthority(found)
	if err != nil {
		return domain.Refreshed{}, err
	}
	s, verdict := readSession(found[3:]).Refresh(t.Counter, now, p)
	switch verdict {
	case domain.Refused:
		return domain.Refreshed{}, nil
	case domain.Repeated:
		return domain.Refreshed{Verdict: verdict, Session: s, Authority: a}, nil
	case domain.Reused:
		if _, err := l.exec(`DELETE FROM sessions WHERE id = ?`, s.ID); err != nil {
			return domain.Refreshed{}, err
		}
		return domain.Refreshed{Verdict: verdict}, post(l, domain.Change{Kind: domain.SessionEnded, Subject: string(s.ID), At: now})
	default: // Rotated, which rotate has seen to
		return domain.Refreshed{}, fmt.Errorf("sqlite: session %s could be rotated and was not", s.ID)
	}
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

func (r sessions) ByID(ctx context.Context, id domain.SessionID, now time.Time) (domain.Session, error) {
	var s domain.Session
	err := r.lines.read(ctx, func(l *line) error {
		found, err := l.one(`
			SELECT `+sessionColumns+`
			FROM sessions JOIN accounts a ON a.id = sessions.account
			WHERE sessions.id = ? AND sessions.ends > ? AND a.status = 'active'`, id, micros(now))
		if err != nil {
			return err
		}
		if found == nil {
			return domain.ErrSessionNotFound
		}
		s = readSession(found)
		return nil
	})
	return s, err
}

func (r sessions) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.SessionID, limit int) ([]domain.Session, error) {
	var page []domain.Session
	err := r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			page = append(page, readSession(v))
			return nil
		}, `
			SELECT `+sessionColumns+`
			FROM sessions WHERE account = ? AND id > ? AND ends > ? ORDER BY id LIMIT ?`,
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

func (r sessions) EndAll(ctx context.Context, account domain.AccountID, except domain.SessionID) ([]domain.SessionID, error) {
	var ended []domain.SessionID
	err := r.lines.write(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			ended = append(ended, domain.SessionID(v.text(0)))
			return nil
		}, `DELETE FROM sessions WHERE account = ? AND id <> ? RETURNING id`, account, except)
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

func (r sessions) Saw(ctx context.Context, sightings []domain.Sighting[domain.SessionID]) error {
	return saw(ctx, r.lines, `UPDATE sessions SET seen = ?2, address = ?3 WHERE id = ?1 AND seen <= ?4`, sightings)
}

func (r sessions) Prune(ctx context.Context, t time.Time, limit int) (int, error) {
	return prune(ctx, r.lines, `
		DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ends < ? ORDER BY ends LIMIT ?)`, t, limit)
}

// readSession reads sessionColumns.
func readSession(v row) domain.Session {
	return domain.Session{
		ID:      domain.SessionID(v.text(0)),
		Account: domain.AccountID(v.text(1)),
		Counter: domain.Counter(v.number(2)),
		Created: v.time(3),
		Used:    v.time(4),
		Ends:    v.time(5),
		Device:  v.text(6),
		Renewal: domain.Renewal(v.text(7)),
		Seen:    v.time(8),
		Address: v.text(9),
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
