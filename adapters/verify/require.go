package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain"
)

// Require lets requests through to next that carry a good access token as Bearer
// (RFC 6750, section 2.1), and has the token's claims in their context. Others get
// 401 with a challenge, or 503 with Retry-After where it cannot be known what the
// token is worth, and a problem document (RFC 9457) whose type is a page of
// Keyport's.
func (v *Verifier) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := bearer(r.Header.Values("Authorization"))
		if err == nil {
			var claims domain.Claims
			if claims, err = v.Verify(r.Context(), token); err == nil {
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
				return
			}
		}
		v.refuse(w, err)
	})
}

type claimsKey struct{}

// ClaimsOf returns the claims of the token that Require let a request through with.
func ClaimsOf(ctx context.Context) (domain.Claims, bool) {
	c, ok := ctx.Value(claimsKey{}).(domain.Claims)
	return c, ok
}

// bearer reads the Authorization headers of a request. It fails with
// domain.ErrUnauthenticated if there is none, and with domain.ErrInvalidToken unless
// there is one, and it carries one token.
func bearer(headers []string) (string, error) {
	if len(headers) == 0 {
		return "", domain.ErrUnauthenticated
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if len(headers) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " \t,") {
		return "", domain.ErrInvalidToken
	}
	return token, nil
}

// A problem is a refusal in the words of HTTP (RFC 9457, section 3.1).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func (v *Verifier) refuse(w http.ResponseWriter, err error) {
	challenge := fmt.Sprintf("Bearer realm=%q", v.c.Issuer)
	p := problem{Title: "Not authenticated", Status: http.StatusUnauthorized}
	var known *domain.Error
	switch h := w.Header(); {
	case errors.Is(err, domain.ErrUnauthenticated):
		known = domain.ErrUnauthenticated
		h.Set("WWW-Authenticate", challenge)
		p.Detail = known.Detail
	case errors.Is(err, domain.ErrInvalidToken):
		known = domain.ErrInvalidToken
		h.Set("WWW-Authenticate", challenge+`, error="invalid_token"`)
		p.Detail = known.Detail
	default:
		known = domain.ErrUnavailable
		h.Set("Retry-After", "1")
		p.Title, p.Status = "Unavailable", http.StatusServiceUnavailable
		p.Detail = "Whether the token is still valid cannot be told at the moment."
	}
	p.Type = v.c.Issuer + "/problems/" + known.Code
	body, err := json.Marshal(p)
	if err != nil {
		panic("verify: a problem of plain text cannot be written: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}
