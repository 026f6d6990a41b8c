package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// The times of an outage.
const (
	before = time.Second     // that the crew writes first
	away   = 2 * time.Second // that the server is gone
	after  = time.Second     // that the crew writes on
)

// returnWithin is how long after the server's return somebody writes again.
const returnWithin = 5 * time.Second

// outage kills all processes of PostgreSQL in mid-write and starts the server
// again on the same data. Keyport goes on all the while.
func outage(ctx context.Context, g *ground.Ground, s size, r *report) error {
	return outages(ctx, g, r, s.outages, "kills of the server, each gone for 2 s", g.Postgres.Kill)
}

// restart stops PostgreSQL at once in mid-write, as an operator in a hurry does: no
// session is ended in order, and the next start recovers from the log.
func restart(ctx context.Context, g *ground.Ground, _ size, r *report) error {
	return outages(ctx, g, r, 1, "immediate stops of the server, each gone for 2 s", func() error {
		return g.Postgres.Stop(pgtest.Immediate)
	})
}

// outages ends the server n times, and starts it again each time.
func outages(ctx context.Context, g *ground.Ground, r *report, n int, what string, end func() error) (err error) {
	site, err := g.PostgreSQL()
	if err != nil {
		return err
	}
	k, err := site.ServeDemo(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	client := k.Client()
	defer client.Close()
	crew, err := newCrew(ctx, client, "outage-"+strings.ToLower(rand.Text()[:6]), writers, counters) // each round has its own
	if err != nil {
		return err
	}
	crew.patient = true
	var back time.Duration
	for range n {
		if err := crew.prepare(ctx, client); err != nil {
			return err
		}
		took, err := endServer(ctx, g, end, crew, client)
		if err != nil {
			return err
		}
		back = max(back, took)
		if err := crew.ledger.check(ctx, client); err != nil {
			return err
		}
	}
	if err := crew.prepare(ctx, client); err != nil { // the sessions after the last kill
		return err
	}
	crew.lives(k)
	r.add(site.Store, what, "%d", n)
	crew.figures(site, r)
	r.add(site.Store, "from the server's return to the first write, at most", "%v", back.Round(time.Millisecond))
	if back > returnWithin {
		crew.ledger.fault("a slow return", "the first write succeeded %v after the server's return", back)
	}
	return verdict(crew.ledger, site, r)
}

// figures tells what a crew saw of a bad day of the store, which some of it must
// have noticed.
func (c *crew) figures(site ground.Site, r *report) {
	t := c.ledger.tally
	r.add(site.Store, "writes acknowledged: creates, patches, refreshes, sign-outs", "%d, %d, %d, %d", t.creates, t.patches, t.refreshes, t.signOuts)
	r.add(site.Store, "answers 503 with Retry-After", "%d", c.refused)
	r.add(site.Store, "longest wait for an answer", "%v", c.longest.Round(time.Millisecond))
	if c.refused == 0 {
		c.ledger.fault("no outage", "nobody was refused: the drill has proved nothing")
	}
	if c.longest > answeredWithin {
		c.ledger.fault("a request that hangs", "an answer took %v", c.longest)
	}
}

// lives looks whether a Keyport is still the process that it was.
func (c *crew) lives(k *process.Keyport) {
	select {
	case <-k.Exited():
		c.ledger.fault("Keyport ended", "%s", k.Log())
	default:
	}
}

// endServer ends the server while the crew writes and starts it again, and
// returns how long after its return a write succeeded.
func endServer(ctx context.Context, g *ground.Ground, end func() error, crew *crew, client *process.Client) (back time.Duration, err error) {
	defer crew.writing(ctx, client)()
	if err := pause(ctx, before); err != nil {
		return 0, err
	}
	if err := end(); err != nil {
		return 0, err
	}
	if err := errors.Join(crew.health(ctx, client), pause(ctx, away)); err != nil {
		return 0, err
	}
	if err := g.Postgres.Start(ctx); err != nil {
		return 0, err
	}
	if back, err = crew.returns(ctx, time.Now()); err != nil {
		return 0, err
	}
	return back, pause(ctx, after)
}

// writing has the crew write until the returned function is called, which waits
// for its last answer.
func (c *crew) writing(ctx context.Context, clients ...*process.Client) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.write(ctx, clients...)
	}()
	return func() {
		cancel()
		<-done
	}
}

// returns waits for the crew's next write that succeeds, and says how long after
// start that is.
func (c *crew) returns(ctx context.Context, start time.Time) (time.Duration, error) {
	select {
	case <-c.success: // one from long ago may wait there
	default:
	}
	select {
	case <-c.success:
		return time.Since(start), nil
	case <-time.After(hangs):
		return 0, fmt.Errorf("no write has succeeded %v after the server's return", hangs)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// health looks whether a Keyport without its store says so, and that it lives.
func (c *crew) health(ctx context.Context, client *process.Client) error {
	for path, want := range map[string]int{"/livez": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		a, err := client.Send(ctx, process.Request{Method: http.MethodGet, Path: path})
		if err != nil {
			return err
		}
		if a.Status != want {
			c.ledger.fault("health", "%s says %s while the store is away", path, a)
		}
	}
	return nil
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
