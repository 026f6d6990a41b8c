// Package v1 is Keyport's own HTTP dialect, under /v1: typed operations, which
// validate what comes in and describe themselves as OpenAPI 3.1. It holds no
// rule: it reads, calls one service, and writes.
package v1

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// Config is what the dialect is made of.
type Config struct {
	Services  wire.Services // required
	Version   string        // of Keyport, for the document
	PublicURL string        // issuer of tokens, base of the metadata's URLs: a scheme and a host; required
	Audience  string        // of access tokens; required
	Origins   []string      // exact origins, beside the public URL's, whose pages may use the cookie

	// RevocationMax is the longest that a revoked access token may be taken; 0:
	// no longer than it takes to ask.
	RevocationMax time.Duration

	// KeySetMaxAge is how long others may keep the key set (RFC 9111, section
	// 5.2.2.1), whole seconds; required. A key is in the set for longer than that
	// before it signs.
	KeySetMaxAge time.Duration
}

// Mount adds the dialect's routes to r, and returns its OpenAPI document.
func Mount(r chi.Router, c Config) *huma.OpenAPI {
	d := dialect{
		Services: c.Services, issuer: c.PublicURL, audience: c.Audience,
		cookies:       newCookies(c.PublicURL, c.Origins),
		keySetCaching: fmt.Sprintf("public, max-age=%d", int(c.KeySetMaxAge/time.Second)),
	}
	r.Group(func(r chi.Router) {
		r.Use(strict)
		d.api = humachi.New(r, describe(c.Version))
		d.accounts()
		d.sessions()
		d.accessKeys()
		d.revocations()
		d.collections()
		d.records()
		d.authorize()
		d.batches()
		d.exports()
		d.watching()
		d.imports()
	})
	r.Group(func(r chi.Router) {
		r.Use(strictParameters)
		d.importing(r)
	})
	d.doors(r)
	d.metadata(r, c.RevocationMax)
	d.describeDoors()
	d.describeRetries()
	return d.api.OpenAPI()
}

type dialect struct {
	wire.Services
	issuer, audience string // of access tokens
	cookies          cookies
	keySetCaching    string // Cache-Control of the key set

	api huma.API
}

// A Caller is embedded in the input of each operation that asks who is asking. It
// is exported, as all that is embedded in inputs, because huma looks no further
// where it is not.
type Caller struct {
	Authorization string `header:"Authorization" doc:"Bearer and an access token or an access key (RFC 6750)."`
}

func (c Caller) credentials() string { return c.Authorization }

// asker returns who sends an Authorization header: a stranger without one.
func (d dialect) asker(ctx context.Context, authorization string) (domain.Asker, error) {
	token, err := wire.Bearer(authorization)
	if err != nil || token == "" {
		return domain.Asker{}, err
	}
	return d.Tokens.Check(ctx, token, wire.RequestOf(ctx).Client)
}

// public adds an operation that does not ask who is asking.
func public[I, O any](d dialect, op huma.Operation, f func(ctx context.Context, in *I) (*O, error)) {
	huma.Register(d.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, problem{wire.ProblemOf(ctx, err)}
		}
		return out, nil
	})
}

// asked adds an operation that does.
func asked[I any, O any, P interface {
	*I
	credentials() string
}](d dialect, op huma.Operation, f func(ctx context.Context, who domain.Asker, in *I) (*O, error),
) {
	op.Security = []map[string][]string{{"bearer": {}}}
	public(d, op, func(ctx context.Context, in *I) (*O, error) {
		who, err := d.asker(ctx, P(in).credentials())
		if err != nil {
			return nil, err
		}
		return f(ctx, who, in)
	})
}

// nothing is the answer of what has nothing to say.
type nothing struct{}

// operation describes an operation. errors are the statuses that it may refuse
// with, beside those that every operation may.
func operation(id, method, path, summary string, status int, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status,
		Errors:       append(errors, http.StatusTooManyRequests, http.StatusServiceUnavailable),
		MaxBodyBytes: -1, // strict has the bound
		Tags:         []string{tag(path)},
	}
}
