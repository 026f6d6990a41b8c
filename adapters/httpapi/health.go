package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

type health struct {
	Status string `json:"status"`
}

// live says that the process answers. It asks nothing of the store.
func live(w http.ResponseWriter, _ *http.Request) { wire.Write(w, http.StatusOK, health{"live"}) }

// The bounds of what probes may cost.
const (
	probeFresh = 500 * time.Millisecond  // for which what was found is told again
	probeMost  = 1500 * time.Millisecond // that all checks together may take
)

// A Check is one thing that must hold for requests to be served.
type Check struct {
	Name string

	// Ask fails where it does not hold. The detail is for operators, and safe to show;
	// "" leaves it to the error, of which no more is shown than callers may see.
	Ask func(ctx context.Context) (detail string, err error)
}

// Readiness says whether requests can be served, and why not: 200 or 503, and each
// check by its name. However many ask, the checks run one after the other, and all of
// them twice a second at most. Its zero value is ready.
type Readiness struct {
	Checks   []Check
	Stopping func() bool // whether this replica is about to stop; nil: it never is

	mu     sync.Mutex
	found  verdict
	until  time.Time     // for which found is told again
	asking chan struct{} // closed when who asks has found something; nil: nobody does
}

// A verdict is what was found.
type verdict struct {
	Status string    `json:"status"`
	Checks []finding `json:"checks"`

	cause error // of the first check that failed, for the log
}

type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// ServeHTTP implements http.Handler.
func (a *Readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := a.verdict(r.Context())
	status := http.StatusOK
	if v.Status != ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
		wire.RequestOf(r.Context()).Cause = v.cause
	}
	wire.Write(w, status, v)
}

// What a verdict's status says.
const (
	ready    = "ready"
	notReady = "not ready"
)

// verdict is asked for the moment: that this replica is about to stop is told at once,
// and then nothing is asked.
func (a *Readiness) verdict(ctx context.Context) verdict {
	if a.Stopping != nil && a.Stopping() {
		return verdict{Status: notReady, Checks: []finding{{Name: "serving", Detail: "this replica is about to stop"}}}
	}
	for {
		a.mu.Lock()
		found, fresh, asking := a.found, time.Now().Before(a.until), a.asking
		if !fresh && asking == nil {
			a.asking = make(chan struct{})
		}
		a.mu.Unlock()
		switch {
		case fresh:
			return found
		case asking == nil:
			return a.find(ctx)
		}
		<-asking
	}
}

// find asks, for all that wait.
func (a *Readiness) find(ctx context.Context) (v verdict) {
	// Whoever asked may go before.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeMost)
	defer cancel()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.found, a.until = v, time.Now().Add(probeFresh)
		close(a.asking)
		a.asking = nil
	}()
	return a.ask(ctx)
}

func (a *Readiness) ask(ctx context.Context) verdict {
	v := verdict{Status: ready, Checks: []finding{{Name: "serving", OK: true}}}
	for _, c := range a.Checks {
		detail, err := c.Ask(ctx)
		if err != nil {
			v.Status = notReady
			if v.cause == nil {
				v.cause = err
			}
			if detail == "" {
				detail = wire.ProblemOf(ctx, err).Detail
			}
		}
		v.Checks = append(v.Checks, finding{c.Name, err == nil, detail})
	}
	return v
}
