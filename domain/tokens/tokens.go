// Package tokens opens sessions, refreshes and checks their tokens, and ends
// them.
package tokens

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Config is what a Service is made of. All of it is required, but what says
// otherwise.
type Config struct {
	Store     ports.Store
	Issuer    ports.TokenIssuer
	Refresher ports.RefreshIssuer
	Cursors   ports.CursorSealer
	AccessTTL time.Duration // life of an access token, whole seconds
	Sessions  domain.SessionPolicy
	Now       func() time.Time // UTC, microseconds
	NewID     func() string    // a new UUIDv7

	// RevocationMax is the longest that an access token may be taken after it was
	// revoked on another replica. What was heard longer ago is not relied upon. 0
	// stands for relying on nothing: each check asks the store.
	RevocationMax time.Duration
	Uptime        func() time.Duration // monotonic; not asked where RevocationMax is 0
}

// A Service grants, refreshes, checks and ends.
type Service struct {
	c       Config
	board   *board
	hearing sync.Mutex // one poll at a time
	mark    domain.Mark
}

// New returns a Service over c.
func New(c Config) *Service { return &Service{c: c, board: newBoard()} }

// Open opens a session for the account, whose credential was verified at the
// given revision. device is how its user may know the session again; at most
// domain.MaxDevice bytes of it are kept. It fails with ErrInvalidCredentials if
// the password has been changed since it was verified, or the account suspended
// or deleted.
func (s *Service) Open(ctx context.Context, account domain.AccountID, credential domain.Revision, device string) (domain.Grant, error) {
	now := s.c.Now()
	session := domain.Session{
		ID: domain.SessionID(s.c.NewID()), Account: account,
		Created: now, Used: now, Ends: now.Add(s.c.Sessions.Max), Device: clip(device, domain.MaxDevice),
	}
	authority, err := s.c.Store.Sessions().Open(ctx, session, credential)
	if errors.Is(err, domain.ErrCredentialChanged) {
		return domain.Grant{}, domain.ErrInvalidCredentials.Because(err)
	}
	if err != nil {
		return domain.Grant{}, err
	}
	return s.grant(ctx, session, authority)
}

// Refresh trades a refresh token for a new grant (RFC 6749, section 6), as
// domain.Session.Refresh judges it. It fails with ErrInvalidToken if the token
// is none of ours or its session is over, and with ErrTokenReused if it was
// used before: then the session has ended.
func (s *Service) Refresh(ctx context.Context, refresh string) (domain.Grant, error) {
	token, err := s.c.Refresher.Verify(refresh)
	if err != nil {
		return domain.Grant{}, err
	}
	r, err := s.c.Store.Sessions().Refresh(ctx, token, s.c.Now(), s.c.Sessions)
	if err != nil {
		return domain.Grant{}, err
	}
	switch r.Verdict {
	case domain.Rotated, domain.Repeated:
		return s.grant(ctx, r.Session, r.Authority)
	case domain.Reused:
		s.Learn(ended(token.Session, s.c.Now()))
		return domain.Grant{}, domain.ErrTokenReused
	case domain.Refused:
	}
	return domain.Grant{}, domain.ErrInvalidToken
}

// grant signs for a session that was just written. It cannot outlive it.
func (s *Service) grant(ctx context.Context, session domain.Session, authority domain.Authority) (domain.Grant, error) {
	now := s.c.Now().Truncate(time.Second)
	c := domain.Claims{
		Subject: session.Account, Session: session.ID, TokenID: s.c.NewID(),
		Authority: authority.Version, Roles: authority.Roles,
		SignedIn: session.Created.Truncate(time.Second), Issued: now, Expires: now.Add(s.c.AccessTTL),
	}
	if c.Expires.After(session.Ends) {
		c.Expires = session.Ends.Truncate(time.Second)
	}
	access, err := s.c.Issuer.Issue(ctx, c)
	if err != nil {
		return domain.Grant{}, err
	}
	return domain.Grant{
		Account: session.Account, Session: session.ID,
		Access: access, Refresh: s.c.Refresher.Issue(domain.RefreshToken{Session: session.ID, Counter: session.Counter}),
		Expires: c.Expires, Life: c.Expires.Sub(now), Ends: session.Ends,
	}, nil
}

// Check returns who bears a live access token. It fails with ErrInvalidToken if
// the token is none of ours, has expired, or its session has ended, or if what
// the account may do has changed since it was issued. It asks the bulletin as this
// replica has heard it, and the store where that is too long ago; where the store
// cannot answer then, it fails with ErrUnavailable.
func (s *Service) Check(ctx context.Context, access string) (domain.Asker, error) {
	claims, err := s.check(ctx, access)
	if err != nil {
		return domain.Asker{}, err
	}
	return claims.Asker(), nil
}

// check returns the claims of a live access token.
func (s *Service) check(ctx context.Context, access string) (domain.Claims, error) {
	claims, err := s.c.Issuer.Verify(ctx, access)
	if err != nil {
		return domain.Claims{}, err
	}
	now := s.c.Now()
	if !claims.Live(now) {
		return domain.Claims{}, domain.ErrInvalidToken
	}
	if s.c.RevocationMax > 0 {
		if recent, revoked := s.board.judge(claims, s.c.Uptime(), s.c.RevocationMax); revoked {
			return domain.Claims{}, domain.ErrInvalidToken
		} else if recent {
			return claims, nil
		}
	}
	authority, err := s.c.Store.Sessions().Authority(ctx, claims.Session, now)
	switch {
	case errors.Is(err, domain.NotFound):
		return domain.Claims{}, domain.ErrInvalidToken.Because(err)
	case err != nil:
		return domain.Claims{}, err
	case authority.Account != claims.Subject || claims.Authority < authority.Version:
		return domain.Claims{}, domain.ErrInvalidToken
	}
	return claims, nil
}

// List returns a page of the asker's sessions in the order in which they were
// opened. It fails with ErrUnauthenticated or ErrInvalidCursor.
func (s *Service) List(ctx context.Context, who domain.Asker, p domain.PageRequest) (domain.Page[domain.Session], error) {
	var page domain.Page[domain.Session]
	if who.Stranger() {
		return page, domain.ErrUnauthenticated
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
// are refused from then on. It fails with ErrUnauthenticated or
// ErrSessionNotFound.
func (s *Service) End(ctx context.Context, who domain.Asker, id domain.SessionID) error {
	if who.Stranger() {
		return domain.ErrUnauthenticated
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
// with ErrUnauthenticated.
func (s *Service) EndAll(ctx context.Context, who domain.Asker, except domain.SessionID) error {
	if who.Stranger() {
		return domain.ErrUnauthenticated
	}
	var changes []domain.Change
	err := s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
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
// (RFC 7009, section 2.1). A token that is none of ours, or whose session is
// over, is no error: its bearer has what was asked for (section 2.2).
func (s *Service) Revoke(ctx context.Context, token string) error {
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
	claims, err := s.c.Issuer.Verify(ctx, token)
	if !errors.Is(err, domain.Unauthenticated) {
		return claims.Subject, claims.Session, err
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

// KeySet returns the public keys that verify access tokens (RFC 7517).
func (s *Service) KeySet(ctx context.Context) ([]byte, error) { return s.c.Issuer.KeySet(ctx) }

// pruneBatch bounds one statement of Prune.
const pruneBatch = 1000

// Prune forgets the sessions that were due to end before now, and the changes
// that are of no interest any more, a batch at a time. It says how many.
func (s *Service) Prune(ctx context.Context) (int, error) {
	now := s.c.Now()
	s.board.forget(now.Add(-retention))
	sessions, err := batches(func() (int, error) { return s.c.Store.Sessions().Prune(ctx, now, pruneBatch) })
	if err != nil {
		return sessions, err
	}
	changes, err := batches(func() (int, error) { return s.c.Store.Bulletin().Forget(ctx, now.Add(-retention), pruneBatch) })
	return sessions + changes, err
}

// batches calls f until it finds less than a batch, and adds up what it found.
func batches(f func() (int, error)) (total int, err error) {
	for {
		n, err := f()
		total += n
		if err != nil || n < pruneBatch {
			return total, err
		}
	}
}

// clip returns at most most bytes of s, cut between characters. It takes the
// word of nobody that s is UTF-8: a header may hold anything, a store may not.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most]
}
