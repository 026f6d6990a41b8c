package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type sessions struct{ desk desk }

func (r sessions) Open(ctx context.Context, s domain.Session, credential domain.Revision) (au domain.Authority, err error) {
	err = r.desk.do(ctx, "sessions.open", func(t *tables) error {
		if _, twice := t.sessions[s.ID]; twice {
			return fmt.Errorf("session %s is there already", s.ID)
		}
		var ok bool
		if au, ok = t.authority(s.Account); !ok || t.credentials[s.Account].Revision != credential {
			au = domain.Authority{}
			return domain.ErrCredentialChanged
		}
		s.Created, s.Used, s.Ends, s.Seen = stamp(s.Created), stamp(s.Used), stamp(s.Ends), stamp(s.Seen)
		t.sessions[s.ID] = s
		return nil
	})
	return au, err
}

func (r sessions) StopRenewal(ctx context.Context, account domain.AccountID, id domain.SessionID, ends time.Time) error {
	return r.desk.do(ctx, "sessions.stopRenewal", func(t *tables) error {
		s, ok := t.sessions[id]
		if !ok || s.Account != account {
			return domain.ErrSessionNotFound
		}
		s.Renewal = domain.NoMore
		if ends = stamp(ends); ends.Before(s.Ends) {
			s.Ends = ends
		}
		t.sessions[id] = s
		return nil
	})
}

func (r sessions) Refresh(ctx context.Context, token domain.RefreshToken, now time.Time, p domain.SessionPolicy) (answer domain.Refreshed, err error) {
	err = r.desk.do(ctx, "sessions.refresh", func(t *tables) error {
		s, ok := t.sessions[token.Session]
		if !ok {
			return nil
		}
		au, ok := t.authority(s.Account)
		if !ok {
			return nil
		}
		s, verdict := s.Refresh(token.Counter, now, p)
		switch answer.Verdict = verdict; verdict {
		case domain.Rotated:
			s.Used = stamp(s.Used)
			t.sessions[s.ID] = s
			answer.Session, answer.Authority = s, au
		case domain.Repeated:
			answer.Session, answer.Authority = s, au
		case domain.Reused:
			delete(t.sessions, s.ID)
			t.post(domain.Change{Kind: domain.SessionEnded, Subject: string(s.ID), At: now})
		case domain.Refused:
		}
		return nil
	})
	return answer, err
}

func (r sessions) Authority(ctx context.Context, id domain.SessionID, now time.Time) (au domain.Authority, err error) {
	err = r.desk.do(ctx, "sessions.authority", func(t *tables) error {
		var ok bool
		if au, ok = t.acting(id, now); !ok {
			return domain.ErrSessionNotFound
		}
		return nil
	})
	return au, err
}

func (r sessions) ByID(ctx context.Context, id domain.SessionID, now time.Time) (s domain.Session, err error) {
	err = r.desk.do(ctx, "sessions.byID", func(t *tables) error {
		if _, ok := t.acting(id, now); !ok {
			return domain.ErrSessionNotFound
		}
		s = t.sessions[id]
		return nil
	})
	return s, err
}

func (r sessions) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.SessionID, limit int) (list []domain.Session, err error) {
	err = r.desk.do(ctx, "sessions.list", func(t *tables) error {
		for _, s := range t.sessions {
			if s.Account == account && now.Before(s.Ends) {
				list = append(list, s)
			}
		}
		list = page(list, func(s domain.Session) domain.SessionID { return s.ID }, after, limit)
		return nil
	})
	return list, err
}

func (r sessions) End(ctx context.Context, account domain.AccountID, id domain.SessionID) error {
	return r.desk.do(ctx, "sessions.end", func(t *tables) error {
		if s, ok := t.sessions[id]; !ok || s.Account != account {
			return domain.ErrSessionNotFound
		}
		delete(t.sessions, id)
		return nil
	})
}

func (r sessions) EndAll(ctx context.Context, account domain.AccountID, except domain.SessionID) (ended []domain.SessionID, err error) {
	err = r.desk.do(ctx, "sessions.endAll", func(t *tables) error {
		maps.DeleteFunc(t.sessions, func(id domain.SessionID, s domain.Session) bool {
			if s.Account != account || id == except {
				return false
			}
			ended = append(ended, id)
			return true
		})
		return nil
	})
	return ended, err
}

func (r sessions) Saw(ctx context.Context, sightings []domain.Sighting[domain.SessionID]) error {
	return r.desk.do(ctx, "sessions.saw", func(t *tables) error {
		for _, seen := range sightings {
			if s, ok := t.sessions[seen.ID]; ok && sightable(s.Seen, seen.At) {
				s.Seen, s.Address = stamp(seen.At), seen.Address
				t.sessions[s.ID] = s
			}
		}
		return nil
	})
}

func (r sessions) Prune(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = r.desk.do(ctx, "sessions.prune", func(t *tables) error {
		var due []domain.Session
		for _, s := range t.sessions {
			if s.Ends.Before(before) {
				due = append(due, s)
			}
		}
		due = page(due, func(s domain.Session) domain.SessionID { return s.ID }, "", limit)
		for _, s := range due {
			delete(t.sessions, s.ID)
		}
		n = len(due)
		return nil
	})
	return n, err
}

// acting returns what the account of a session may do; not for one that was due to
// end at now or before.
func (t *tables) acting(id domain.SessionID, now time.Time) (domain.Authority, bool) {
	s, ok := t.sessions[id]
	if !ok || !now.Before(s.Ends) {
		return domain.Authority{}, false
	}
	return t.authority(s.Account)
}

// authority returns what an active account may do.
func (t *tables) authority(id domain.AccountID) (domain.Authority, bool) {
	a, ok := t.accounts[id]
	if !ok || a.Status != domain.Active {
		return domain.Authority{}, false
	}
	return domain.Authority{Account: a.ID, Version: a.Authority, Roles: slices.Clone(a.Roles)}, true
}
