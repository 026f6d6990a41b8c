package skeleton

import (
	"net/http"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

// statuses are where the dialect differs from Keyport: to it a name that is taken
// and a user that there is not are bad requests, and who is suspended is not let in.
var statuses = map[int]int{
	http.StatusForbidden:           http.StatusUnauthorized,
	http.StatusNotFound:            http.StatusBadRequest,
	http.StatusConflict:            http.StatusBadRequest,
	http.StatusUnprocessableEntity: http.StatusBadRequest,
}

// say tells an error: as a challenge, or as a page that says the status.
func say(w http.ResponseWriter, r *http.Request, err error) {
	p := wire.Translated(w, r, err, statuses)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Authentication Required"`)
		wire.Text(w, p.Status, "Unauthorized Access")
		return
	}
	wire.StatusPage(w, p.Status)
}
