// Package app wires Keyport together: it reads the configuration, opens the
// adapters, builds the services on them, and runs what the command line asks
// for. It is the one package that knows which adapter stands behind which port,
// and it decides nothing else.
package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/keyport-go/keyport/adapters/cel"
	"github.com/keyport-go/keyport/adapters/httpapi"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/adapters/schema"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/numbers"
	"github.com/keyport-go/keyport/domain/receipts"
	"github.com/keyport-go/keyport/domain/resources"
	"github.com/keyport-go/keyport/domain/tokens"
	"github.com/keyport-go/keyport/ports"
)

// Parts are the adapters that the services stand on, and the two things of the
// world that change by themselves.
type Parts struct {
	Store     ports.Store
	Issuer    ports.TokenIssuer
	Refresher ports.RefreshIssuer
	Cursors   ports.CursorSealer
	Vault     ports.Vault
	Hasher    ports.PasswordHasher
	Blocklist ports.Blocklist
	Readable  func(domain.PasswordHash) error // what is wrong with a hash that was made elsewhere; nil where none is imported
	Now       func() time.Time
	NewID     func() string
	Uptime    func() time.Duration        // monotonic
	Random    func() [32]byte             // of secrets
	Reload    func(context.Context) error // reads the keys of Issuer and Refresher anew; nil: they never change
	Log       *slog.Logger
	Observe   httpapi.Observer // nil: nobody watches
	Trace     httpapi.Tracer   // of requests; nil: nothing is traced
	Span      ports.Span       // of what the services do; nil: nothing is traced

	Schema   func(context.Context) (found, wanted int64, err error) // steps of the schema; nil: the store has none
	Stopping func() bool                                            // whether this replica is about to stop; nil: it never is
}

// Now is the clock that the services are given: UTC, to the microsecond, which
// is what every store keeps.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Random returns 32 bytes that nobody can guess.
func Random() (b [32]byte) {
	rand.Read(b[:]) // never fails
	return b
}

// NewID returns a new UUIDv7 (RFC 9562, section 5.7).
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Services builds the services on p.
func Services(c Config, p Parts) wire.Services {
	sessions := tokens.New(tokens.Config{
		Store: p.Store, Issuer: p.Issuer, Refresher: p.Refresher, Cursors: p.Cursors, Now: p.Now, NewID: p.NewID,
		AccessTTL:     c.AccessTTL,
		Sessions:      domain.SessionPolicy{Idle: c.SessionIdle, Max: c.SessionMax, Grace: c.RefreshGrace},
		RevocationMax: c.RevocationMax, Uptime: p.Uptime, Random: p.Random, Reload: p.Reload,
		Span: p.Span,
	})
	return wire.Services{
		Tokens: sessions,
		Accounts: accounts.New(accounts.Config{
			Store: p.Store, Hasher: p.Hasher, Cursors: p.Cursors, Now: p.Now, NewID: p.NewID,
			Policy: domain.PasswordPolicy{Min: c.PasswordMin, Common: p.Blocklist.Contains},
			Told:   sessions.Learn, Readable: p.Readable, Span: p.Span,
		}),
		Numbers:  numbers.New(p.Store),
		Receipts: receipts.New(receipts.Config{Store: p.Store, Vault: p.Vault, Now: p.Now}),
		Resources: resources.New(resources.Config{
			Store: p.Store, Rules: cel.Compiler{}, Schemas: schema.New(), Cursors: p.Cursors, Now: p.Now, NewID: p.NewID, Span: p.Span,
		}),
	}
}

// Handler serves s, which Services has built on p. c must be one that Load would
// return, with a PublicURL.
func Handler(c Config, p Parts, s wire.Services) http.Handler { return httpapi.New(stack(c, p, s)) }

// Apart serves one older API at the root of a listener of its own; otherwise it is as
// Handler.
func Apart(c Config, p Parts, s wire.Services, dialect string) http.Handler {
	return httpapi.Apart(stack(c, p, s), dialects[dialect](s, ""))
}

func stack(c Config, p Parts, s wire.Services) httpapi.Config {
	trusted, err := c.proxies()
	if err != nil {
		panic("app: a configuration that was not checked: " + err.Error())
	}
	mounts, err := c.mounts()
	if err != nil {
		panic("app: a configuration that was not checked: " + err.Error())
	}
	return httpapi.Config{
		Services: s, Ready: readiness(c, p, s.Tokens.News),
		Log: p.Log, NewID: p.NewID, Observe: p.Observe, Trace: p.Trace, Version: Version(),
		PublicURL: c.PublicURL, Audience: cmp.Or(c.Audience, c.PublicURL), RevocationMax: c.RevocationMax, KeySetMaxAge: c.KeySetMaxAge,
		Origins: c.CORSOrigins, TrustedProxies: trusted, HSTS: c.HSTS, Timeout: c.RequestTimeout,
		Older: paths(mounts, s),
	}
}
