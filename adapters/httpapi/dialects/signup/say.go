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

// A message is how GET /user says an error.
type message struct {
	Message string `json:"message"`
}

// say tells an error: of a token as JSON, of all else as a text.
func say(w http.ResponseWriter, r *http.Request, err error) {
	p := wire.Translated(w, r, err, statuses)
	switch {
	case errors.Is(err, domain.ErrUnauthenticated):
		refuse(w, "Token is missing !!")
	case errors.Is(err, domain.ErrInvalidToken):
		refuse(w, "Token is invalid !!")
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

// refuse answers a request without a living token. The scheme in the challenge is
// the nearest that has a name (RFC 6750): the token travels in a header of its own.
func refuse(w http.ResponseWriter, text string) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	wire.Write(w, http.StatusUnauthorized, message{text})
}
