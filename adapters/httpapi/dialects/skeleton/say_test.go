package skeleton

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

func TestErrorsAreSaidAsAChallengeOrAPage(t *testing.T) {
	page := func(text string) string {
		return "<!doctype html>\n<html lang=en>\n<title>" + text + "</title>\n<h1>" + text[4:] + "</h1>\n"
	}
	const challenge = `Basic realm="Authentication Required"`
	for _, c := range []struct {
		name             string
		err              error
		status           int
		challenge, retry string
		body             string
	}{
		{"no credentials", domain.ErrUnauthenticated, 401, challenge, "", "Unauthorized Access"},
		{"wrong ones", domain.ErrInvalidCredentials, 401, challenge, "", "Unauthorized Access"},
		{"a dead token", domain.ErrInvalidToken, 401, challenge, "", "Unauthorized Access"},
		{"a suspension", domain.ErrAccountSuspended, 401, challenge, "", "Unauthorized Access"},
		{"a user that there is not", domain.ErrNumberNotFound, 400, "", "", page("400 Bad Request")},
		{"a user that is gone", domain.ErrAccountNotFound, 400, "", "", page("400 Bad Request")},
		{"a name that is taken", domain.ErrLoginTaken, 400, "", "", page("400 Bad Request")},
		{"a name that cannot be", domain.ErrInvalidLogin, 400, "", "", page("400 Bad Request")},
		{"no JSON", domain.ErrMalformed, 400, "", "", page("400 Bad Request")},
		{"another type", wire.WrongType, 415, "", "", page("415 Unsupported Media Type")},
		{"too much", domain.ErrTooLarge, 413, "", "", page("413 Request Entity Too Large")},
		{"too many at once", domain.ErrBusy, 503, "", "1", page("503 Service Unavailable")},
		{"a store that is away", domain.ErrUnavailable, 503, "", "1", page("503 Service Unavailable")},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			say(w, httptest.NewRequest(http.MethodGet, "/", nil), c.err)
			if h := w.Header(); w.Code != c.status || w.Body.String() != c.body || h.Get("WWW-Authenticate") != c.challenge || h.Get("Retry-After") != c.retry {
				t.Errorf("%d %q %v", w.Code, w.Body, h)
			}
		})
	}
}
