package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// The times of an outage.
const (
	before = time.Second     // that the crew writes first
	away   = 2 * time.Second // that the server is gone
	after  = time.Second     // that the crew writes on
)

// outage kills all processes of PostgreSQL in mid-write and starts the server
// again on the same data. Keyport goes on all the while.
func outage(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
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
	crew, err := newCrew(ctx, client, "outage", writers, counters)
	if err != nil {
		return err
	}
	crew.patient = true
	var back time.Duration
	for range s.outages {
		if err := crew.prepare(ctx, client); err != nil {
			return err
		}
		took, err := killServer(ctx, g, crew, client)
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
	select {
	case <-k.Exited():
		crew.ledger.fault("Keyport ended", "%s", k.Log())
	default:
	}
	t := crew.ledger.tally
	r.add(site.Store, "kills of the server, each gone for 2 s", "%d", s.outages)
	r.add(site.Store, "writes acknowledged: creates, patches, refreshes, sign-outs", "%d, %d, %d, %d", t.creates, t.patches, t.refreshes, t.signOuts)
	r.add(site.Store, "answers 503 with Retry-After", "%d", crew.refused)
	r.add(site.Store, "longest wait for an answer", "%v", crew.longest.Round(time.Millisecond))
	r.add(site.Store, "from the server's return to the first write, at most", "%v", back.Round(time.Millisecond))
	if crew.refused == 0 {
		crew.ledger.fault("no outage", "nobody was refused: the drill has proved nothing")
	}
	return verdict(crew.ledger, site, r)
}

// killServer kills the server while the crew writes and starts it again, and
// returns how long after its return a write succeeded.
func killServer(ctx context.Context, g *ground.Ground, crew *crew, client *process.Client) (back time.Duration, err error) {
	writing, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		crew.write(writing, client)
	}()
	defer func() {
		stop()
		<-done
	}()
	if err := pause(ctx, before); err != nil {
		return 0, err
	}
	if err := g.Postgres.Kill(); err != nil {
		return 0, err
	}
	if err := errors.Join(crew.health(ctx, client), pause(ctx, away)); err != nil {
		return 0, err
	}
	if err := g.Postgres.Start(ctx); err != nil {
		return 0, err
	}
	select {
	case <-crew.success: // one from before the kill may wait there
	default:
	}
	start := time.Now()
	select {
	case <-crew.success:
	case <-time.After(hangs):
		return 0, fmt.Errorf("no write has succeeded %v after the server's return", hangs)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return time.Since(start), pause(ctx, after)
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
