// Package skeleton speaks the dialect of a small service whose clients sign in by
// HTTP Basic, buy tokens of ten minutes, and send those as the user name.
//
// It is frozen: what it says is fixed by docs/older-apis.md, where it is S1, and
// by the transcripts in testdata of the package app. It owns its routes and how it
// says things; what may be done is for the services to say.
package skeleton

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// Users counts the accounts that signed up here. Others have no number.
const Users domain.Series = "skeleton users"

// life is how long a token is good for.
const life = 600 * time.Second

// Config is what the dialect is made of.
type Config struct {
	Services wire.Services // required
	Base     string        // the path prefix under which it stands, for Location: "/skeleton"; "" at the root
}

type dialect struct {
	wire.Services
	base string
}

// New returns the handler of the dialect.
func New(c Config) http.Handler {
	d := dialect{c.Services, c.Base}
	return wire.Older(func(r chi.Router) {
		r.Post("/api/users", wire.Handle(d.register, say))
		r.Get("/api/users/{number:[0-9]+}", wire.Handle(d.user, say))
		r.Get("/api/resource", wire.Handle(d.resource, say))
		r.Get("/api/token", wire.Handle(d.token, say))
	})
}
