// Package tokens opens sessions, refreshes and checks their tokens, ends them, and
// tells others what was ended. Access keys, by which programs do without a session,
// are made and checked here too.
package tokens

import (
	"cmp"
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
	Uptime        func() time.Duration // monotonic; where RevocationMax is 0 only Revocations asks

	// Reload reads the keys of Issuer and Refresher anew: when it returns, one that
	// was retired verifies nothing. nil: they never change.
	Reload func(context.Context) error

	Random func() [32]byte // of secrets; only CreateAccessKey asks

	Span ports.Span // of each verb; nil: nothing is traced
}

// A Service grants, refreshes, checks and ends.
type Service struct {
	c       Config
	board   *domain.Board
	hearing sync.Mutex // one poll at a time
	mark    domain.Mark

	waiting  chan struct{} // holds an item for each call of Revocations that waits
	hushed   chan struct{} // closed when none is to wait any more
	hush     sync.Once
	sessions sightings[domain.SessionID]
	keys     sightings[domain.AccessKeyID]
	tally    tally
}

// New returns a Service over c.
func New(c Config) *Service {
	return &Service{c: c, board: domain.NewBoard(), waiting: make(chan struct{}, maxWaiting), hushed: make(chan struct{})}
}

// Open opens a session for the account, whose credential was verified at the
// given revision. from is how its user may know the session again; at most
// domain.MaxDevice and domain.MaxAddress bytes of it are kept. It fails with ErrInvalidCredentials if
// the password has been changed since it was verified, or the account suspended
// or deleted.
func (s *Service) Open(ctx context.Context, account domain.AccountID, credential domain.Revision, from domain.Client) (domain.Grant, error) {
	return s.OpenOn(ctx, account, credential, from, Terms{})
}

// Terms are what a session is opened on. The zero Terms are those of the
// configuration.
type Terms struct {
	Access  time.Duration  // life of an access token, whole seconds, 1 h at most; 0 stands for Config.AccessTTL
	Max     time.Duration  // life of the session; 0 stands for that of the policy
	Renewal domain.Renewal // "" stands for domain.Rotating
}

// OpenOn is Open on other terms. A session that is Reusable gives a LastingToken for
// as long as it lasts, one that is NoMore gives no refresh token.
func (s *Service) OpenOn(ctx context.Context, account domain.AccountID, credential domain.Revision, from domain.Client, terms Terms) (_ domain.Grant, err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.Open")
	defer func() { end(err) }()
	now := s.c.Now()
	session := domain.Session{
		ID: domain.SessionID(s.c.NewID()), Account: account, Renewal: cmp.Or(terms.Renewal, domain.Rotating),
		Created: now, Used: now, Ends: now.Add(cmp.Or(terms.Max, s.c.Sessions.Max)),
		Device: clip(from.Device, domain.MaxDevice), Seen: now, Address: clip(from.Address, domain.MaxAddress),
	}
	authority, err := s.c.Store.Sessions().Open(ctx, session, credential)
	if errors.Is(err, domain.ErrCredentialChanged) {
		return domain.Grant{}, domain.ErrInvalidCredentials.Because(err)
	}
	if err != nil {
		return domain.Grant{}, err
	}
	s.tally.opened.Add(1)
	g, err := s.grant(ctx, session, authority, cmp.Or(terms.Access, s.c.AccessTTL))
	if err != nil {
		return domain.Grant{}, err
	}
	switch session.Renewal {
	case domain.Rotating:
		g.Refresh = s.c.Refresher.Issue(domain.RefreshToken{Session: session.ID, Counter: session.Counter})
	case domain.Reusable:
		g.Refresh = s.c.Refresher.IssueLasting(domain.LastingToken{Account: account, Session: session.ID, Ends: session.Ends.Truncate(time.Second)})
	case domain.NoMore:
	}
	return g, nil
}

// Refresh trades a refresh token for a new grant (RFC 6749, section 6), as
// domain.Session.Refresh judges it. It fails with ErrInvalidToken if the token
// is none of ours or its session is over, and with ErrTokenReused if it was
// used before: then the session has ended.
func (s *Service) Refresh(ctx context.Context, refresh string) (_ domain.Grant, err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.Refresh")
	defer func() { end(err) }()
	if err := s.readKeys(ctx, s.recent()); err != nil {
		return domain.Grant{}, err
	}
	token, err := s.c.Refresher.Verify(refresh)
	if err != nil {
		return domain.Grant{}, err
	}
	r, err := s.c.Store.Sessions().Refresh(ctx, token, s.c.Now(), s.c.Sessions)
	if err != nil {
		return domain.Grant{}, err
	}
	s.tally.refreshed(r.Verdict)
	switch r.Verdict {
	case domain.Rotated, domain.Repeated:
		g, err := s.grant(ctx, r.Session, r.Authority, s.c.AccessTTL)
		if err != nil {
			return domain.Grant{}, err
		}
		g.Refresh = s.c.Refresher.Issue(domain.RefreshToken{Session: r.Session.ID, Counter: r.Session.Counter})
		return g, nil
	case domain.Reused:
		s.Learn(ended(token.Session, s.c.Now()))
		return domain.Grant{}, domain.ErrTokenReused
	case domain.Refused:
	}
	return domain.Grant{}, domain.ErrInvalidToken
}

// grant signs an access token for a session that was just written or read. It cannot
// outlive it.
func (s *Service) grant(ctx context.Context, session domain.Session, authority domain.Authority, life time.Duration) (domain.Grant, error) {
	now := s.c.Now().Truncate(time.Second)
	c := domain.Claims{
		Subject: session.Account, Session: session.ID, TokenID: s.c.NewID(),
		Authority: authority.Version, Roles: authority.Roles,
		SignedIn: session.Created.Truncate(time.Second), Issued: now, Expires: now.Add(life),
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
		Access: access, Expires: c.Expires, Life: c.Expires.Sub(now), Ends: session.Ends,
	}, nil
}

// Check returns who bears a live access token, or an access key, and notes that it
// was used from the address, of which at most domain.MaxAddress bytes are kept. It
// fails with ErrInvalidToken if the token is none of ours, has expired, or its
// session has ended, or if what the account may do has changed since it was issued.
// It asks the bulletin as this replica has heard it, and the store where that is
// too long ago; where the store cannot answer then, it fails with ErrUnavailable.
// Of an access key the store is asked each time.
func (s *Service) Check(ctx context.Context, token, address string) (_ domain.Asker, err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.Check")
	defer func() { end(err) }()
	if domain.IsAccessKey(token) {
		k, authority, err := s.accessKey(ctx, token)
		if err != nil {
			return domain.Asker{}, err
		}
		s.keys.note(k.ID, s.c.Now(), address)
		return domain.Asker{Account: k.Account, Roles: authority.Roles, Key: k.ID, Scopes: k.Scopes}, nil
	}
	claims, err := s.check(ctx, token)
	if err != nil {
		return domain.Asker{}, err
	}
	s.sessions.note(claims.Session, s.c.Now(), address)
	return claims.Asker(), nil
}

// check returns the claims of a live access token.
func (s *Service) check(ctx context.Context, access string) (domain.Claims, error) {
	recent := s.recent()
	if err := s.readKeys(ctx, recent); err != nil {
		return domain.Claims{}, err
	}
	claims, err := s.c.Issuer.Verify(ctx, access)
	if err != nil {
		return domain.Claims{}, err
	}
	now := s.c.Now()
	if !claims.Live(now) || s.board.Revokes(claims) {
		return domain.Claims{}, domain.ErrInvalidToken
	}
	if recent {
		return claims, nil
	}
	if err := s.ask(ctx, claims, now); err != nil {
		return domain.Claims{}, err
	}
	return claims, nil
}

// ask asks the store whether it has anything against the claims. It fails with
// ErrInvalidToken.
func (s *Service) ask(ctx context.Context, c domain.Claims, now time.Time) error {
	authority, err := s.c.Store.Sessions().Authority(ctx, c.Session, now)
	switch {
	case errors.Is(err, domain.NotFound):
		return domain.ErrInvalidToken.Because(err)
	case err != nil:
		return err
	case authority.Account != c.Subject || c.Authority < authority.Version:
		return domain.ErrInvalidToken
	}
	refused, err := s.c.Store.Bulletin().Posted(ctx, domain.TokenRefused, c.TokenID)
	if err == nil && refused {
		err = domain.ErrInvalidToken
	}
	return err
}

// KeySet returns the public keys that verify access tokens (RFC 7517). It fails with
// ErrUnavailable where it cannot know whether they are still the right ones: who
// keeps them for a while relies on them.
func (s *Service) KeySet(ctx context.Context) ([]byte, error) {
	if err := s.readKeys(ctx, s.recent()); err != nil {
		return nil, err
	}
	return s.c.Issuer.KeySet(ctx)
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
