// Package signup speaks the dialect of two small services that are one: sign-up
// and sign-in by form, and a token of half an hour in the header x-access-token.
//
// It is frozen: what it says is fixed by docs/older-apis.md, where it is S2 and
// S4, and by the transcripts in testdata of the package app. It owns its routes
// and how it says things; what may be done is for the services to say.
package signup

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// Users counts the accounts that signed up here. Others have no number, and are on
// no list.
const Users domain.Series = "signup users"

// life is how long a token is good for, and with it the session.
const life = 30 * time.Minute

// Config is what the dialect is made of.
type Config struct {
	Services wire.Services // required
	Base     string        // the path prefix under which it stands; no answer here tells of it
}

type dialect struct{ wire.Services }

// New returns the handler of the dialect.
func New(c Config) http.Handler {
	d := dialect{c.Services}
	return wire.Older(func(r chi.Router) {
		r.Post("/signup", wire.Handle(d.signUp, say))
		r.Post("/login", wire.Handle(d.logIn, say))
		r.Get("/user", wire.Handle(d.user, say))
	})
}
