package v1

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

// An introspection is what a token is worth (RFC 7662, section 2.2). Of one that
// is worth nothing it says no more than that.
type introspection struct {
	Active    bool             `json:"active"`
	TokenType string           `json:"token_type,omitempty" enum:"Bearer,refresh_token,access_key"`
	Subject   domain.AccountID `json:"sub,omitempty" format:"uuid" doc:"The account."`
	Session   domain.SessionID `json:"sid,omitempty" format:"uuid" doc:"The session that the token belongs to."`
	Issuer    string           `json:"iss,omitempty"`
	Audience  string           `json:"aud,omitempty" doc:"Of access tokens alone, as jti."`
	TokenID   string           `json:"jti,omitempty"`
	IssuedAt  int64            `json:"iat,omitzero"`
	ExpiresAt int64            `json:"exp,omitzero" doc:"When the token ends; a refresh token's end moves on when it is traded."`
	SignedIn  int64            `json:"auth_time,omitzero" doc:"When the password was given."`
	Roles     []domain.Role    `json:"roles,omitzero"`
	Scope     string           `json:"scope,omitempty" doc:"What an access key may do, with spaces between."`
}

func (d dialect) viewIntrospection(i tokens.Introspection) introspection {
	if i.Kind == tokens.NoToken {
		return introspection{}
	}
	c := i.Claims
	v := introspection{
		Active: true, TokenType: "refresh_token", Subject: c.Subject, Session: c.Session, Issuer: d.issuer,
		ExpiresAt: seconds(c.Expires), SignedIn: seconds(c.SignedIn),
	}
	switch i.Kind {
	case tokens.AccessToken:
		v.TokenType, v.Audience, v.TokenID, v.IssuedAt = "Bearer", d.audience, c.TokenID, seconds(c.Issued)
		v.Roles = append([]domain.Role{}, c.Roles...)
	case tokens.AccessKey:
		v.TokenType, v.IssuedAt, v.Scope = "access_key", seconds(c.Issued), spaced(i.Scopes)
		v.Roles = append([]domain.Role{}, c.Roles...)
	case tokens.RefreshToken, tokens.LastingToken, tokens.NoToken:
	}
	return v
}

// seconds returns t as a NumericDate (RFC 7519, section 2); 0 where there is none.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// spaced writes scopes as OAuth does (RFC 6749, section 3.3).
func spaced(scopes []domain.Scope) string {
	var words []string
	for _, s := range scopes {
		words = append(words, string(s))
	}
	return strings.Join(words, " ")
}

// introspect serves POST /v1/token/introspect (RFC 7662).
func (d dialect) introspect(w http.ResponseWriter, r *http.Request, params url.Values) error {
	if params.Get("token") == "" {
		return domain.ErrInvalid.At("token", "required", "want a token")
	}
	who, err := d.asker(r.Context(), r.Header.Get("Authorization"))
	if err != nil {
		return callers(err)
	}
	i, err := d.Tokens.Introspect(r.Context(), who, params.Get("token"))
	if err != nil {
		return callers(err)
	}
	wire.Write(w, http.StatusOK, d.viewIntrospection(i))
	return nil
}

// callers names a fault of the caller's own credential: that there is none (RFC
// 6749, section 5.2), or what is wrong with it (RFC 6750, section 3.1).
func callers(err error) error {
	switch {
	case errors.Is(err, domain.ErrInvalidToken):
		return doorError{"invalid_token", http.StatusUnauthorized, err}
	case errors.Is(err, domain.Unauthenticated):
		return doorError{"invalid_client", http.StatusUnauthorized, err}
	case errors.Is(err, domain.Forbidden):
		return doorError{"insufficient_scope", http.StatusForbidden, err}
	}
	return err
}
