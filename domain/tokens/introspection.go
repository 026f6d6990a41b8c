package tokens

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A Kind says what a token is for. The zero Kind is of what is no live token of
// ours.
type Kind uint8

// The kinds of token.
const (
	NoToken Kind = iota
	AccessToken
	RefreshToken
	LastingToken // the refresh token of an older API
	AccessKey
	kinds // how many there are
)

// Kinds returns every kind of token but NoToken, for tables that must leave none
// out.
func Kinds() []Kind {
	var all []Kind
	for k := NoToken + 1; k < kinds; k++ {
		all = append(all, k)
	}
	return all
}

// An Introspection is what a token is worth at the moment. The zero Introspection
// is worth nothing.
type Introspection struct {
	Kind Kind

	// Claims are all that an AccessToken says. Of a RefreshToken they have the
	// Subject, the Session, when it was signed in, and when the token ends unless
	// it is traded before. Of an AccessKey they have the Subject, its Roles, when it
	// was issued, and when it expires; zero: not by itself.
	Claims domain.Claims

	Scopes []domain.Scope // of an AccessKey
}

// Introspect says what a token of any kind is worth (RFC 7662, section 2): an
// access token or an access key as much as Check finds in it, a refresh token
// something where Refresh would rotate it. Nothing is rotated, or written at all. A
// token that is worth nothing is no error. Introspect fails with
// ErrUnauthenticated, ErrOutOfScope, or ErrNotAllowed unless the asker is an
// Introspector or an Administrator.
func (s *Service) Introspect(ctx context.Context, who domain.Asker, token string) (_ Introspection, err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.Introspect")
	defer func() { end(err) }()
	if err := who.MustInspect(); err != nil {
		return Introspection{}, err
	}
	i, err := s.introspect(ctx, token)
	if errors.Is(err, domain.Unauthenticated) {
		return Introspection{}, nil
	}
	return i, err
}

func (s *Service) introspect(ctx context.Context, token string) (Introspection, error) {
	if domain.IsAccessKey(token) {
		k, authority, err := s.accessKey(ctx, token)
		if err != nil {
			return Introspection{}, err
		}
		return Introspection{AccessKey, domain.Claims{
			Subject: k.Account, Roles: authority.Roles, Issued: k.Created.Truncate(time.Second), Expires: k.Expires.Truncate(time.Second),
		}, k.Scopes}, nil
	}
	claims, err := s.check(ctx, token)
	if err == nil {
		return Introspection{Kind: AccessToken, Claims: claims}, nil
	}
	if errors.Is(err, domain.Unauthenticated) {
		claims, err = s.current(ctx, token)
	}
	if err != nil {
		return Introspection{}, err
	}
	return Introspection{Kind: RefreshToken, Claims: claims}, nil
}

// current returns what is known of the bearer of a refresh token that Refresh
// would rotate, and fails with ErrInvalidToken for any other.
func (s *Service) current(ctx context.Context, refresh string) (domain.Claims, error) {
	token, err := s.c.Refresher.Verify(refresh)
	if err != nil {
		return domain.Claims{}, err
	}
	now := s.c.Now()
	session, err := s.c.Store.Sessions().ByID(ctx, token.Session, now)
	if errors.Is(err, domain.NotFound) {
		return domain.Claims{}, domain.ErrInvalidToken.Because(err)
	}
	if err != nil {
		return domain.Claims{}, err
	}
	if _, verdict := session.Refresh(token.Counter, now, s.c.Sessions); verdict != domain.Rotated {
		return domain.Claims{}, domain.ErrInvalidToken
	}
	ends := session.Used.Add(s.c.Sessions.Idle)
	if session.Ends.Before(ends) {
		ends = session.Ends
	}
	return domain.Claims{
		Subject: session.Account, Session: session.ID,
		SignedIn: session.Created.Truncate(time.Second), Expires: ends.Truncate(time.Second),
	}, nil
}
