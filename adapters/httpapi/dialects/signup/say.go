package signup

import (
	"errors"
	"net/http"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// statuses are where the dialect differs from Keyport.
var statuses = map[int]int{
	http.StatusForbidden:           http.StatusUnauthorized,
	http.StatusUnprocessableEntity: http.StatusBadRequest,
}

// say tells an error: of a token as JSON, of all else as a text.
func say(w http.ResponseWriter, r *http.Request, err error) {
	p := wire.Translated(w, r, err, statuses)
	switch {
	case errors.Is(err, domain.ErrUnauthenticated):
		wire.RefuseToken(w, "Token is missing !!")
	case errors.Is(err, domain.ErrInvalidToken):
		wire.RefuseToken(w, "Token is invalid !!")
	case p.Status == http.StatusUnauthorized:
		// The services before had a realm of its own for whom they did not know, and
		// another for a wrong password, which tells who has an account. This is the
		// third of their realms, for a sign-in that says too little: it tells nothing.
		w.Header().Set("WWW-Authenticate", `Basic realm ="Login required !!"`)
		wire.Text(w, p.Status, "Could not verify")
	case errors.Is(err, domain.ErrLoginTaken):
		wire.Text(w, http.StatusAccepted, "User already exists. Please Log in.")
	default:
		wire.Text(w, p.Status, p.Sentence())
	}
}
