package tokens

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// List returns a page of the asker's sessions in the order in which they were
// opened. It fails with ErrUnauthenticated, ErrNotByKey or ErrInvalidCursor.
func (s *Service) List(ctx context.Context, who domain.Asker, p domain.PageRequest) (domain.Page[domain.Session], error) {
	var page domain.Page[domain.Session]
	if err := who.InPerson(); err != nil {
		return page, err
	}
	scope := "sessions " + string(who.Account)
	var after string
	var err error
	if p.Cursor != "" {
		if after, err = s.c.Cursors.Open(scope, p.Cursor); err != nil {
			return page, err
		}
	}
	items, err := s.c.Store.Sessions().List(ctx, who.Account, s.c.Now(), domain.SessionID(after), p.Size()+1)
	if err != nil {
		return page, err
	}
	return domain.PageOf(items, p.Size(), func(last domain.Session) string {
		return s.c.Cursors.Seal(scope, string(last.ID))
	}), nil
}

// End ends one of the asker's sessions: its access tokens and its refresh token
// are refused from then on. It fails with ErrUnauthenticated, ErrNotByKey or
// ErrSessionNotFound.
func (s *Service) End(ctx context.Context, who domain.Asker, id domain.SessionID) (err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.End")
	defer func() { end(err) }()
	if err := who.InPerson(); err != nil {
		return err
	}
	return s.end(ctx, who.Account, id)
}

// end ends a session on every replica.
func (s *Service) end(ctx context.Context, account domain.AccountID, id domain.SessionID) error {
	change := ended(id, s.c.Now())
	err := s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		if err := tx.Sessions().End(ctx, account, id); err != nil {
			return err
		}
		return tx.Bulletin().Post(ctx, change)
	})
	if err == nil {
		s.Learn(change)
	}
	return err
}

func ended(id domain.SessionID, at time.Time) domain.Change {
	return domain.Change{Kind: domain.SessionEnded, Subject: string(id), At: at}
}

// EndAll ends all of the asker's sessions but one; except may be "". It fails
// with ErrUnauthenticated or ErrNotByKey.
func (s *Service) EndAll(ctx context.Context, who domain.Asker, except domain.SessionID) (err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.EndAll")
	defer func() { end(err) }()
	if err := who.InPerson(); err != nil {
		return err
	}
	var changes []domain.Change
	err = s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		ids, err := tx.Sessions().EndAll(ctx, who.Account, except)
		if err != nil {
			return err
		}
		changes = nil
		for _, id := range ids {
			changes = append(changes, ended(id, s.c.Now()))
		}
		return tx.Bulletin().Post(ctx, changes...)
	})
	if err == nil {
		s.Learn(changes...)
	}
	return err
}

// Revoke ends the session that a refresh token or an access token belongs to
// (RFC 7009, section 2.1), or an access key. A token that is none of ours, or whose
// session is over, is no error: its bearer has what was asked for (section 2.2).
func (s *Service) Revoke(ctx context.Context, token string) (err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.Revoke")
	defer func() { end(err) }()
	if domain.IsAccessKey(token) {
		return s.revokeAccessKey(ctx, token)
	}
	account, session, err := s.owner(ctx, token)
	if errors.Is(err, domain.Unauthenticated) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.end(ctx, account, session); !errors.Is(err, domain.NotFound) {
		return err
	}
	return nil
}

// owner says whose a token is: the word of the token alone, which is ours.
func (s *Service) owner(ctx context.Context, token string) (domain.AccountID, domain.SessionID, error) {
	if err := s.readKeys(ctx, s.recent()); err != nil {
		return "", "", err
	}
	claims, err := s.c.Issuer.Verify(ctx, token)
	if !errors.Is(err, domain.Unauthenticated) {
		return claims.Subject, claims.Session, err
	}
	if lasting, err := s.c.Refresher.VerifyLasting(token); err == nil {
		return lasting.Account, lasting.Session, nil
	}
	refresh, err := s.c.Refresher.Verify(token)
	if err != nil {
		return "", "", err
	}
	now := s.c.Now()
	authority, err := s.c.Store.Sessions().Authority(ctx, refresh.Session, now)
	if errors.Is(err, domain.NotFound) {
		err = domain.ErrInvalidToken.Because(err)
	}
	return authority.Account, refresh.Session, err
}

// batch bounds what one statement forgets or writes.
const batch = 1000

// Prune forgets the sessions that were due to end before now, the access keys that
// expired, and the changes that are of no interest any more, a batch at a time. It
// says how many.
func (s *Service) Prune(ctx context.Context) (total int, err error) {
	now := s.c.Now()
	s.board.Forget(now.Add(-domain.ChangeRetention))
	for _, forget := range []func() (int, error){
		func() (int, error) { return s.c.Store.Sessions().Prune(ctx, now, batch) },
		func() (int, error) { return s.c.Store.AccessKeys().Prune(ctx, now, batch) },
		func() (int, error) { return s.c.Store.Bulletin().Forget(ctx, now.Add(-domain.ChangeRetention), batch) },
	} {
		n, err := batches(forget)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// batches calls f until it finds less than a batch, and adds up what it found.
func batches(f func() (int, error)) (total int, err error) {
	for {
		n, err := f()
		total += n
		if err != nil || n < batch {
			return total, err
		}
	}
}
