// Package fleet speaks the dialect of python-flask-rest-jwt: users and ships by small
// numbers, access tokens of 15 minutes, and refresh tokens that are used again and
// again for 30 days.
//
// It is frozen. What it says is fixed by docs/older-apis.md, where it is S0, and held
// by the transcripts in app/testdata/fleet. It owns routes, shapes and texts; what
// users, tokens and records may do is the services' word.
package fleet

import (
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// Config is what the handler is made of.
type Config struct {
	Services wire.Services // required

	// Base is the path under which the handler stands, for Location: "" at the
	// root, or such as "/fleet".
	Base string
}

// The series that give this dialect's clients their ids.
const (
	Users domain.Series = "fleet users"
	Ships domain.Series = "fleet ships"
)

// The paths of the two lists.
const (
	users = "/api/users"
	ships = "/api/ships"
)

// New returns the handler for every route.
func New(c Config) http.Handler {
	d := dialect{c.Services, c.Base}
	return wire.Older(func(r chi.Router) {
		r.Method(http.MethodPost, "/auth/login", answered(d.login))
		r.Method(http.MethodPost, "/auth/refresh", answered(d.refresh))
		r.Method(http.MethodDelete, "/auth/logout", answered(d.logout))
		r.Method(http.MethodDelete, "/auth/logout2", answered(d.logout2))

		const oneUser, oneShip = users + "/{number:[0-9]+}", ships + "/{number:[0-9]+}"
		r.Method(http.MethodGet, users, answered(d.listUsers))
		r.Method(http.MethodPost, users, answered(d.createUser))
		r.Method(http.MethodGet, oneUser, answered(d.readUser))
		r.Method(http.MethodPut, oneUser, d.asked(d.replaceUser))
		r.Method(http.MethodDelete, oneUser, d.asked(d.deleteUser))

		r.Method(http.MethodGet, ships, answered(d.listShips))
		r.Method(http.MethodPost, ships, d.asked(d.createShip))
		r.Method(http.MethodGet, oneShip, answered(d.readShip))
		r.Method(http.MethodPut, oneShip, d.asked(d.replaceShip))
		r.Method(http.MethodDelete, oneShip, d.asked(d.deleteShip))
	})
}

type dialect struct {
	wire.Services
	base string
}

// answered returns a handler whose errors are said in this dialect.
func answered(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	return wire.Handle(f, say)
}

// asked is answered for whoever bears an access token.
func (d dialect) asked(f func(http.ResponseWriter, *http.Request, domain.Asker) error) http.Handler {
	return answered(func(w http.ResponseWriter, r *http.Request) error {
		who, err := d.asker(r)
		if err != nil {
			return err
		}
		return f(w, r, who)
	})
}

// number returns the number in the URL, as it was written there.
func number(r *http.Request) string { return chi.URLParam(r, "number") }

// created answers with v, which now has the number n in the list at the path.
func (d dialect) created(w http.ResponseWriter, list string, n int64, v any) {
	w.Header().Set("Location", d.base+list+"/"+strconv.FormatInt(n, 10))
	wire.Write(w, http.StatusCreated, v)
}

// gone answers that what was at the URL is there no more.
func gone(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNoContent)
}
