package tokens

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A Condition is how a token stands, for older APIs, which tell more of it than that
// it is not valid.
type Condition uint8

// The conditions. The zero Condition is Unknown.
const (
	Unknown Condition = iota // none of ours, or altered
	Valid
	Expired
	Revoked  // its session or the token itself was ended, or what its account may do has changed
	Orphaned // the account of a lasting token is gone
)

// An Inspection is what there is to tell of a token. Who is set where it is Valid.
type Inspection struct {
	Kind      Kind // NoToken where the condition is Unknown
	Condition Condition
	Who       domain.Asker
}

// Inspect says how an access token or a lasting token stands, and notes that it was
// used from the address. It fails with ErrUnavailable alone. An access key, or a
// refresh token that rotates, is Unknown here.
func (s *Service) Inspect(ctx context.Context, token, address string) (_ Inspection, err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.Inspect")
	defer func() { end(err) }()
	recent := s.recent()
	if err := s.readKeys(ctx, recent); err != nil {
		return Inspection{}, err
	}
	claims, err := s.c.Issuer.Verify(ctx, token)
	if errors.Is(err, domain.Unauthenticated) {
		return s.inspectLasting(ctx, token)
	}
	if err != nil {
		return Inspection{}, err
	}
	i := Inspection{Kind: AccessToken}
	now := s.c.Now()
	switch {
	case !claims.Live(now):
		i.Condition = Expired
		return i, nil
	case s.board.Revokes(claims):
		err = domain.ErrInvalidToken
	case !recent:
		err = s.ask(ctx, claims, now)
	}
	switch {
	case errors.Is(err, domain.Unauthenticated):
		i.Condition = Revoked
	case err != nil:
		return Inspection{}, err
	default:
		i.Condition, i.Who = Valid, claims.Asker()
		s.sessions.note(claims.Session, now, address)
	}
	return i, nil
}

func (s *Service) inspectLasting(ctx context.Context, token string) (Inspection, error) {
	t, err := s.c.Refresher.VerifyLasting(token)
	if errors.Is(err, domain.Unauthenticated) {
		return Inspection{}, nil
	}
	if err != nil {
		return Inspection{}, err
	}
	i := Inspection{Kind: LastingToken}
	if !s.c.Now().Before(t.Ends) {
		i.Condition = Expired
		return i, nil
	}
	_, authority, err := s.lasting(ctx, t)
	switch {
	case err == nil:
		i.Condition, i.Who = Valid, domain.Asker{Account: t.Account, Session: t.Session, Roles: authority.Roles}
		return i, nil
	case !errors.Is(err, domain.Unauthenticated):
		return Inspection{}, err
	}
	i.Condition = Revoked
	_, err = s.c.Store.Accounts().ByID(ctx, t.Account)
	if errors.Is(err, domain.NotFound) {
		i.Condition, err = Orphaned, nil
	}
	return i, err
}

// lasting returns the session of a lasting token that has not been ended, and what
// its account may do. It fails with ErrInvalidToken.
func (s *Service) lasting(ctx context.Context, t domain.LastingToken) (domain.Session, domain.Authority, error) {
	now := s.c.Now()
	session, err := s.c.Store.Sessions().ByID(ctx, t.Session, now)
	var authority domain.Authority
	if err == nil {
		authority, err = s.c.Store.Sessions().Authority(ctx, t.Session, now)
	}
	switch {
	case errors.Is(err, domain.NotFound):
		err = domain.ErrInvalidToken.Because(err)
	case err == nil && (session.Renewal != domain.Reusable || session.Account != t.Account || !now.Before(t.Ends)):
		err = domain.ErrInvalidToken
	}
	return session, authority, err
}

// Reuse gives a new access token, of the given life, for a lasting token, which stays
// as it is. It fails with ErrInvalidToken.
func (s *Service) Reuse(ctx context.Context, token string, life time.Duration) (_ domain.Grant, err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.Reuse")
	defer func() { end(err) }()
	if err := s.readKeys(ctx, s.recent()); err != nil {
		return domain.Grant{}, err
	}
	t, err := s.c.Refresher.VerifyLasting(token)
	if err != nil {
		return domain.Grant{}, err
	}
	session, authority, err := s.lasting(ctx, t)
	if err != nil {
		return domain.Grant{}, err
	}
	return s.grant(ctx, session, authority, life)
}

// EndLasting ends a lasting token, and no more: access tokens of its session go on,
// until they expire, after which the session ends. life is the longest that one of
// them has. It fails with ErrInvalidToken.
func (s *Service) EndLasting(ctx context.Context, token string, life time.Duration) error {
	if err := s.readKeys(ctx, s.recent()); err != nil {
		return err
	}
	t, err := s.c.Refresher.VerifyLasting(token)
	if err != nil {
		return err
	}
	if _, _, err := s.lasting(ctx, t); err != nil {
		return err
	}
	err = s.c.Store.Sessions().StopRenewal(ctx, t.Account, t.Session, s.c.Now().Add(life))
	if errors.Is(err, domain.NotFound) {
		err = domain.ErrInvalidToken.Because(err)
	}
	return err
}

// RefuseToken ends one access token, and no more: its session goes on, and other
// tokens of it. It fails with ErrInvalidToken.
func (s *Service) RefuseToken(ctx context.Context, access string) error {
	claims, err := s.check(ctx, access)
	if err != nil {
		return err
	}
	change := domain.Change{Kind: domain.TokenRefused, Subject: claims.TokenID, At: s.c.Now()}
	if err := s.c.Store.Atomically(ctx, func(tx ports.Repositories) error { return tx.Bulletin().Post(ctx, change) }); err != nil {
		return err
	}
	s.Learn(change)
	return nil
}

// Reissue gives a new access token, of the given life, for one that is valid: of the
// same session, which it does not prolong. It fails with ErrUnauthenticated,
// ErrNotByKey, or with ErrInvalidToken if the session has ended.
func (s *Service) Reissue(ctx context.Context, who domain.Asker, life time.Duration) (_ domain.Grant, err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.Reissue")
	defer func() { end(err) }()
	if err := who.InPerson(); err != nil {
		return domain.Grant{}, err
	}
	now := s.c.Now()
	session, err := s.c.Store.Sessions().ByID(ctx, who.Session, now)
	var authority domain.Authority
	if err == nil {
		authority, err = s.c.Store.Sessions().Authority(ctx, who.Session, now)
	}
	if errors.Is(err, domain.NotFound) {
		err = domain.ErrInvalidToken.Because(err)
	}
	if err != nil {
		return domain.Grant{}, err
	}
	return s.grant(ctx, session, authority, life)
}
