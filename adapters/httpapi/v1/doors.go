package v1

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// doors adds the routes whose shape an OAuth document fixes: forms in, and
// errors as RFC 6749 names them.
func (d dialect) doors(r chi.Router) {
	r.Post("/v1/token", d.door(d.token))
	r.Post("/v1/token/revoke", d.door(d.revoke))
	r.Post("/v1/token/introspect", d.door(d.introspect))
	r.Get("/.well-known/jwks.json", d.keySet)
}

// An oauthError is an error answer (RFC 6749, section 5.2), with the members of
// the problem that say the same in our own words.
type oauthError struct {
	Error       string `json:"error" enum:"invalid_request,invalid_grant,unauthorized_client,unsupported_grant_type,invalid_client,invalid_token,insufficient_scope,temporarily_unavailable,server_error"`
	Description string `json:"error_description"`
	Type        string `json:"type"`
	Instance    string `json:"instance,omitempty"`
}

// A doorError is a failure with the name and the status that OAuth has for it.
type doorError struct {
	name   string
	status int
	error
}

func (e doorError) Unwrap() error { return e.error }

// door makes f a handler that reads parameters and tells its errors as OAuth
// does.
func (d dialect) door(f func(w http.ResponseWriter, r *http.Request, params url.Values) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		params, err := parameters(w, r)
		if err == nil {
			err = f(w, r, params)
		}
		if err != nil {
			refuse(w, r, err)
		}
	}
}

func refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := wire.ProblemOf(r.Context(), err)
	name, status := "invalid_request", http.StatusBadRequest
	named, _ := errors.AsType[doorError](err)
	switch {
	case named.name != "":
		name, status = named.name, named.status
	case p.Status == http.StatusForbidden: // a page that may not have the cookie
		name, status = "unauthorized_client", p.Status
	case p.Status == http.StatusUnauthorized: // the grant is at fault, not a credential of the client's
		name = "invalid_grant"
	case p.Status == http.StatusServiceUnavailable, p.Status == http.StatusTooManyRequests:
		name, status = "temporarily_unavailable", p.Status
		w.Header().Set("Retry-After", p.Header().Get("Retry-After"))
	case p.Status >= http.StatusInternalServerError:
		name, status = "server_error", p.Status
	case p.Status == http.StatusRequestEntityTooLarge, p.Status == http.StatusUnsupportedMediaType:
		status = p.Status
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", p.Header().Get("WWW-Authenticate"))
	}
	for _, fault := range p.Errors {
		p.Detail += " " + fault.Pointer + ": " + fault.Detail + "."
	}
	wire.Write(w, status, oauthError{name, p.Detail, p.Type, p.Instance})
}

// parameters reads a form, or a JSON object whose members are texts. Unknown
// parameters are let through, repeated ones are not (RFC 6749, section 3.2).
func parameters(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	media := wire.MediaType(r)
	if media != "application/json" && media != "application/x-www-form-urlencoded" {
		return nil, wire.WrongType
	}
	body, err := wire.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	if media == "application/json" {
		return members(body)
	}
	params, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, domain.ErrMalformed.Because(err)
	}
	return params, once(params)
}

func members(body []byte) (url.Values, error) {
	if err := wire.CheckJSON(body); err != nil {
		return nil, err
	}
	var object map[string]any
	if err := wire.Unmarshal(body, &object); err != nil {
		return nil, domain.ErrInvalid.At("", "wrong-type", "want a JSON object").Because(err)
	}
	params := make(url.Values)
	for name, v := range object {
		if text, ok := v.(string); ok {
			params.Set(name, text)
		}
	}
	return params, nil
}

// token serves POST /v1/token: the refresh_token grant (RFC 6749, section 6). What
// comes by the cookie goes by the cookie, and a token that is dead is cleared.
func (d dialect) token(w http.ResponseWriter, r *http.Request, params url.Values) error {
	switch kind := params.Get("grant_type"); {
	case kind == "":
		return domain.ErrInvalid.At("grant_type", "required", "want refresh_token")
	case kind != "refresh_token":
		return doorError{"unsupported_grant_type", http.StatusBadRequest, domain.ErrInvalid.At("grant_type", "unsupported", "want refresh_token")}
	}
	token, kept, err := d.presented(r, params, "refresh_token", "want a refresh token")
	if err != nil {
		return err
	}
	g, err := d.Tokens.Refresh(r.Context(), token)
	if kept && errors.Is(err, domain.Unauthenticated) {
		w.Header().Set("Set-Cookie", clearing)
	}
	if err != nil {
		return err
	}
	answer := viewGrant(g)
	if kept {
		w.Header().Set("Set-Cookie", setting(g))
		answer.RefreshToken = ""
	}
	wire.Write(w, http.StatusOK, answer)
	return nil
}

// presented returns the token that a request to a door is about: the parameter of
// that name, or what the cookie holds. Then kept is true.
func (d dialect) presented(r *http.Request, params url.Values, name, wanted string) (token string, kept bool, err error) {
	if token = params.Get(name); token != "" {
		return token, false, nil
	}
	if token, err = d.cookies.held(r); err == nil && token == "" {
		err = domain.ErrInvalid.At(name, "required", wanted)
	}
	return token, true, err
}

// revoke serves POST /v1/token/revoke (RFC 7009): 200 whether or not the token
// was one. Without one it ends what the cookie holds, and clears it.
func (d dialect) revoke(w http.ResponseWriter, r *http.Request, params url.Values) error {
	token, kept, err := d.presented(r, params, "token", "want a token")
	if err != nil {
		return err
	}
	if err := d.Tokens.Revoke(r.Context(), token); err != nil {
		return err
	}
	if kept {
		w.Header().Set("Set-Cookie", clearing)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// keySet serves the public keys (RFC 7517, section 5).
func (d dialect) keySet(w http.ResponseWriter, r *http.Request) {
	set, err := d.Tokens.KeySet(r.Context())
	if err != nil {
		wire.ProblemOf(r.Context(), err).Write(w)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", d.keySetCaching)
	_, _ = w.Write(set)
}
