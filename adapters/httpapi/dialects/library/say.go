package library

import (
	"errors"
	"net/http"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// statuses are where the dialect differs from Keyport.
var statuses = map[int]int{
	http.StatusUnprocessableEntity:  http.StatusBadRequest,
	http.StatusUnsupportedMediaType: http.StatusBadRequest,
}

// say tells an error.
func say(w http.ResponseWriter, r *http.Request, err error) {
	p := wire.Translated(w, r, err, statuses)
	switch {
	case errors.Is(err, domain.ErrUnauthenticated):
		wire.RefuseToken(w, "a valid token is missing")
	case errors.Is(err, domain.ErrInvalidToken):
		wire.RefuseToken(w, "token is invalid")
	case errors.Is(err, domain.ErrInvalidCredentials), errors.Is(err, domain.ErrAccountSuspended):
		w.Header().Set("WWW-Authenticate", `Basic realm="login required"`)
		// What the service before sent in place of a challenge.
		w.Header().Set("WWW.Authentication", `Basic realm: "login required"`)
		wire.Text(w, http.StatusUnauthorized, "could not verify")
	case errors.Is(err, domain.ErrNumberNotFound), errors.Is(err, domain.ErrRecordNotFound):
		wire.Say(w, http.StatusOK, "author does not exist")
	case errors.Is(err, domain.Malformed):
		wire.StatusPage(w, p.Status)
	default:
		wire.Say(w, p.Status, p.Sentence())
	}
}
