// Package httpapi serves Keyport over HTTP, with chi: its own dialect and its
// manual, behind one stack of middleware. It calls services; it holds no store
// and no key.
package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/rs/cors"

	"github.com/keyport-go/keyport/adapters/httpapi/manual"
	v1 "github.com/keyport-go/keyport/adapters/httpapi/v1"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

// Config is what the handler is made of.
type Config struct {
	Services wire.Services // required
	Ready    *Readiness    // required: whether requests can be served
	Log      *slog.Logger  // required
	NewID    func() string // required: a new UUID
	Observe  Observer      // nil: nobody watches
	Trace    Tracer        // nil: nothing is traced
	Version  string

	PublicURL      string         // where clients reach this, and issuer of tokens: a scheme and a host; required
	Audience       string         // of access tokens; required
	RevocationMax  time.Duration  // the longest that a revoked access token may be taken; 0: no longer than it takes to ask
	KeySetMaxAge   time.Duration  // how long others may keep the key set, whole seconds; required
	Origins        []string       // exact origins that browsers may call from, with the cookie too; none: the same origin alone
	TrustedProxies []netip.Prefix // peers whose X-Forwarded-For is believed
	HSTS           bool           // whether browsers are told to use TLS alone
	Timeout        time.Duration  // the longest that a request may take; required

	// Older are the older APIs that stand on a path of their own, such as "/fleet".
	Older map[string]http.Handler
}

// An Observer is told of each answer: the pattern of its route, or "" if there
// was none.
type Observer func(route, method string, status int, took time.Duration)

// A Tracer begins the trace of a request, whose id it is told. It returns the request's
// context from then on, and what ends the trace, which is told of the answer as an
// Observer is.
type Tracer func(r *http.Request, id string) (context.Context, func(route string, status int))

// New returns the handler for every route.
func New(c Config) http.Handler {
	r := chi.NewRouter()
	r.Use(c.tell, secure(c.HSTS), middleware.GetHead)
	if len(c.Origins) > 0 {
		r.Use(cors.New(cors.Options{
			AllowedOrigins: c.Origins,
			AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
			AllowedHeaders: []string{"Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID"},
			ExposedHeaders: []string{"ETag", "Location", "Link", "Retry-After", "WWW-Authenticate", "Idempotency-Replayed", requestIDHeader},
			MaxAge:         600,

			AllowCredentials: true, // the cookie, which has a rule of its own
		}).Handler)
	}
	r.NotFound(noRoute)
	r.MethodNotAllowed(c.wrongMethod)
	r.Get("/livez", live)
	r.Method(http.MethodGet, "/readyz", c.Ready)
	for path, h := range c.Older {
		r.Mount(path, h)
	}
	manual.Mount(r, v1.Mount(r, v1.Config{
		Services: c.Services, Version: c.Version, PublicURL: c.PublicURL, Audience: c.Audience,
		RevocationMax: c.RevocationMax, KeySetMaxAge: c.KeySetMaxAge, Origins: c.Origins,
	}))
	return r
}

// Apart returns the handler for an older API that stands at the root of a listener of
// its own: with the log, the bounds and the headers that all answers have.
func Apart(c Config, older http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(c.tell, secure(c.HSTS))
	r.Mount("/", older)
	r.MethodNotAllowed(older.ServeHTTP) // a method that chi has never heard of
	return r
}

func noRoute(w http.ResponseWriter, r *http.Request) { wire.NoRoute.For(r.Context()).Write(w) }

// wrongMethod lists the methods that the URL does answer (RFC 9110, section
// 15.5.6). Below the path of an older API the word is with that: chi asks no mount
// about a method of which it has never heard.
func (c Config) wrongMethod(w http.ResponseWriter, r *http.Request) {
	if path := c.olderAt(r.URL.Path); path != "" {
		chi.RouteContext(r.Context()).RoutePath = cmp.Or(r.URL.Path[len(path):], "/")
		c.Older[path].ServeHTTP(w, r)
		return
	}
	routes := chi.RouteContext(r.Context()).Routes
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		match := method
		if method == http.MethodHead {
			match = http.MethodGet
		}
		if routes.Match(chi.NewRouteContext(), match, r.URL.Path) {
			w.Header().Add("Allow", method)
		}
	}
	wire.WrongMethod.For(r.Context()).Write(w)
}

// olderAt returns the longest path of an older API at or above the given one, or "".
func (c Config) olderAt(path string) (longest string) {
	for mounted := range c.Older {
		if len(mounted) > len(longest) && strings.HasPrefix(path+"/", mounted+"/") {
			longest = mounted
		}
	}
	return longest
}
