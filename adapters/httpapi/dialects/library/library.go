// Package library speaks the dialect of a small service that keeps authors: sign-up
// by JSON, sign-in by HTTP Basic, and a token of half an hour in the header
// x-access-tokens.
//
// It is frozen: what it says is fixed by docs/older-apis.md, where it is S3, and by
// the transcripts in testdata of the package app. It owns its routes and how it
// says things; what may be done is for the services to say, and what an author is
// for the declaration of the collection.
package library

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// collection is where the authors are. It must be declared.
const collection domain.CollectionName = "authors"

// What the dialect counts.
const (
	Users   domain.Series = "library users"   // the accounts that signed up here; others are on no list
	Authors domain.Series = "library authors" // those that were made or shown here
)

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
		r.Post("/register", wire.Handle(d.register, say))
		r.Get("/login", wire.Handle(d.logIn, say))
		r.Post("/login", wire.Handle(d.logIn, say))
		r.Get("/users", wire.Handle(d.asked(d.users), say))
		r.Post("/author", wire.Handle(d.asked(d.create), say))
		r.Get("/authors", wire.Handle(d.asked(d.list), say))
		r.Post("/authors", wire.Handle(d.asked(d.list), say))
		r.Delete("/authors/{number}", wire.Handle(d.asked(d.remove), say))
	})
}

// asked lets f hear only who bears a living token.
func (d dialect) asked(f func(http.ResponseWriter, *http.Request, domain.Asker) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := d.Asker(r, r.Header.Get("x-access-tokens"))
		if err != nil {
			return err
		}
		return f(w, r, who)
	}
}
