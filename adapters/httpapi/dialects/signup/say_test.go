package signup

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestErrorsAreSaidAsAMessageOrAText(t *testing.T) {
	const challenge = `Basic realm ="Login required !!"`
	for _, c := range []struct {
		name             string
		err              error
		status           int
		challenge, retry string
		body             string
	}{
		{"no token", domain.ErrUnauthenticated, 401, "Bearer", "", `{"message":"Token is missing !!"}` + "\n"},
		{"a dead token", domain.ErrInvalidToken, 401, "Bearer", "", `{"message":"Token is invalid !!"}` + "\n"},
		{"wrong credentials", domain.ErrInvalidCredentials, 401, challenge, "", "Could not verify"},
		{"a suspension", domain.ErrAccountSuspended, 401, challenge, "", "Could not verify"},
		{"a login that is taken", domain.ErrLoginTaken, 202, "", "", "User already exists. Please Log in."},
		{"a password that cannot be", domain.ErrWeakPassword.At("/password", "too-short", "want 1 characters or more"), 400, "", "", "That password is not strong enough: password: want 1 characters or more."},
		{"no form", domain.ErrMalformed, 400, "", "", "The request cannot be read."},
		{"too much", domain.ErrTooLarge, 413, "", "", "That is larger than Keyport takes."},
		{"too many at once", domain.ErrBusy, 503, "", "1", "Too many sign-ins at once."},
		{"a store that is away", domain.ErrUnavailable, 503, "", "1", "The store cannot be reached at the moment."},
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
