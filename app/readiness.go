package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi"
	"github.com/keyport-go/keyport/domain/tokens"
)

// errBehind says that the database's schema is not what this program needs.
var errBehind = errors.New("the schema is behind")

// readiness is what must hold for requests to be served. That this replica has not
// heard for long what was revoked is told, and is no reason: it asks the store then.
func readiness(c Config, p Parts, news func() tokens.News) *httpapi.Readiness {
	checks := []httpapi.Check{{Name: "store", Ask: func(ctx context.Context) (string, error) { return "", p.Store.Ping(ctx) }}}
	if p.Schema != nil {
		checks = append(checks, httpapi.Check{Name: "schema", Ask: func(ctx context.Context) (string, error) {
			found, wanted, err := p.Schema(ctx)
			if err == nil && found < wanted {
				return fmt.Sprintf("it has come to step %d, and step %d is needed: run keyport migrate", found, wanted), errBehind
			}
			return "", err
		}})
	}
	checks = append(checks, httpapi.Check{Name: "bulletin", Ask: func(context.Context) (string, error) {
		age := news().Age
		detail := fmt.Sprintf("heard %v ago", age.Round(time.Millisecond))
		switch {
		case age == 0:
			detail = "nothing was heard yet"
		case age > c.RevocationMax:
			detail += ": the store is asked on each request"
		}
		return detail, nil
	}})
	return &httpapi.Readiness{Checks: checks, Stopping: p.Stopping}
}
