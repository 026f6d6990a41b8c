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

// KeySet returns the public keys that verify access tokens (RFC 7517).
func (s *Service) KeySet(ctx context.Context) ([]byte, error) { return s.c.Issuer.KeySet(ctx) }

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
