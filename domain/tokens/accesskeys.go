package tokens

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A NewAccessKey is what an access key begins with.
type NewAccessKey struct {
	Name    string // as domain.ParseAccessKeyName returns it
	Scopes  []domain.Scope
	Expires *time.Time // nil: not by itself
}

// CreateAccessKey makes an access key for the asker's account. Its secret is told
// this once. It fails with ErrUnauthenticated, ErrNotByKey, ErrInvalidExpiry,
// ErrTooManyAccessKeys, and with ErrInvalidToken if the asker's session has ended
// meanwhile, whatever this replica has heard of that.
func (s *Service) CreateAccessKey(ctx context.Context, who domain.Asker, n NewAccessKey) (_ domain.AccessKey, _ domain.Secret, err error) {
	ctx, end := s.c.Span.Begin(ctx, "tokens.CreateAccessKey")
	defer func() { end(err) }()
	if err := who.InPerson(); err != nil {
		return domain.AccessKey{}, domain.Secret{}, err
	}
	k := domain.AccessKey{
		ID: domain.AccessKeyID(s.c.NewID()), Account: who.Account, Name: n.Name, Scopes: n.Scopes,
		Created: s.c.Now(),
	}
	if n.Expires != nil {
		k.Expires = n.Expires.UTC().Truncate(time.Microsecond)
		if !k.Expires.After(k.Created) {
			return domain.AccessKey{}, domain.Secret{}, domain.ErrInvalidExpiry.At("/expires_at", "past", "want a time to come")
		}
	}
	var secret domain.Secret
	secret, k.Digest = domain.NewAccessKeyText(k.ID, s.c.Random())
	err = s.c.Store.AccessKeys().Add(ctx, k, who.Session)
	if errors.Is(err, domain.ErrSessionNotFound) {
		err = domain.ErrInvalidToken.Because(err)
	}
	if err != nil {
		return domain.AccessKey{}, domain.Secret{}, err
	}
	return k, secret, nil
}

// AccessKeys returns a page of the asker's access keys in the order in which they
// were made. It fails with ErrUnauthenticated, ErrNotByKey or ErrInvalidCursor.
func (s *Service) AccessKeys(ctx context.Context, who domain.Asker, p domain.PageRequest) (domain.Page[domain.AccessKey], error) {
	var page domain.Page[domain.AccessKey]
	if err := who.InPerson(); err != nil {
		return page, err
	}
	scope := "access keys " + string(who.Account)
	var after string
	var err error
	if p.Cursor != "" {
		if after, err = s.c.Cursors.Open(scope, p.Cursor); err != nil {
			return page, err
		}
	}
	items, err := s.c.Store.AccessKeys().List(ctx, who.Account, s.c.Now(), domain.AccessKeyID(after), p.Size()+1)
	if err != nil {
		return page, err
	}
	return domain.PageOf(items, p.Size(), func(last domain.AccessKey) string {
		return s.c.Cursors.Seal(scope, string(last.ID))
	}), nil
}

// EndAccessKey ends one of the asker's access keys: it is refused from then on,
// everywhere and at once. It fails with ErrUnauthenticated, ErrNotByKey or
// ErrAccessKeyNotFound.
func (s *Service) EndAccessKey(ctx context.Context, who domain.Asker, id domain.AccessKeyID) error {
	if err := who.InPerson(); err != nil {
		return err
	}
	return s.c.Store.AccessKeys().End(ctx, who.Account, id)
}

// EndAccessKeys ends all of the asker's access keys. It fails with
// ErrUnauthenticated or ErrNotByKey.
func (s *Service) EndAccessKeys(ctx context.Context, who domain.Asker) error {
	if err := who.InPerson(); err != nil {
		return err
	}
	_, err := s.c.Store.AccessKeys().EndAll(ctx, who.Account)
	return err
}

// accessKey returns the live access key whose text it is, and what its account may
// do. It fails with ErrInvalidToken.
func (s *Service) accessKey(ctx context.Context, text string) (domain.AccessKey, domain.Authority, error) {
	id, digest, ok := domain.ParseAccessKey(text)
	if !ok {
		return domain.AccessKey{}, domain.Authority{}, domain.ErrInvalidToken
	}
	k, authority, err := s.c.Store.AccessKeys().ByID(ctx, id, s.c.Now())
	switch {
	case errors.Is(err, domain.NotFound):
		err = domain.ErrInvalidToken.Because(err)
	case err == nil && !k.Digest.Equal(digest):
		err = domain.ErrInvalidToken
	}
	if err != nil {
		return domain.AccessKey{}, domain.Authority{}, err
	}
	return k, authority, nil
}

// revokeAccessKey ends the access key whose text it is. One that is none is no
// error.
func (s *Service) revokeAccessKey(ctx context.Context, text string) error {
	k, _, err := s.accessKey(ctx, text)
	if err == nil {
		err = s.c.Store.AccessKeys().End(ctx, k.Account, k.ID)
	}
	if errors.Is(err, domain.Unauthenticated) || errors.Is(err, domain.NotFound) {
		return nil
	}
	return err
}
