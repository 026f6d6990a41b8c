package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// alone is how long the primary has lost its standby before somebody tells it so.
const alone = 5 * time.Second

// standbyLost kills the standby in mid-write. From then on no commit ends, for
// each waits for the standby, until the operator says that nobody is waited for.
// A write that was given up meanwhile is on the primary nonetheless.
func standbyLost(ctx context.Context, g *ground.Ground, _ size, r *report) (err error) {
	servers, err := g.Pair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.Close()) }()
	site, err := servers.Site()
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
	crew, err := newCrew(ctx, client, "standby", writers, counters)
	if err != nil {
		return err
	}
	crew.patient = true
	if err := crew.prepare(ctx, client); err != nil {
		return err
	}
	reader, back, err := lose(ctx, servers, crew, client)
	if err != nil {
		return err
	}
	if err := crew.ledger.check(ctx, client); err != nil {
		return err
	}
	if err := crew.prepare(ctx, client); err != nil {
		return err
	}
	crew.lives(k)
	crew.figures(site, r)
	r.add(site.Store, "reads while writes wait for the standby, all answered: how many", "%d", len(reader.took))
	r.add(site.Store, "such a read: median, 99th percentile, longest", "%v, %v, %v", reader.percentile(50), reader.percentile(99), reader.percentile(100))
	r.add(site.Store, "from the order to wait for nobody to the first write", "%v", back.Round(time.Millisecond))
	if reader.err != nil {
		crew.ledger.fault("no read", "%v", reader.err)
	}
	if longest := reader.percentile(100); longest > answeredWithin {
		crew.ledger.fault("a read that hangs", "it took %v", longest)
	}
	if back > returnWithin {
		crew.ledger.fault("a slow return", "the first write succeeded %v after nobody was waited for", back)
	}
	return verdict(crew.ledger, site, r)
}

// lose kills the standby while the crew writes, and after a while has the primary
// wait for nobody. It returns what a reader saw meanwhile, and how long after that
// order a write succeeded.
func lose(ctx context.Context, servers *ground.Pair, crew *crew, client *process.Client) (reader reads, back time.Duration, err error) {
	defer crew.writing(ctx, client)()
	if err := pause(ctx, before); err != nil {
		return reader, 0, err
	}
	if err := servers.Standby.Kill(); err != nil {
		return reader, 0, err
	}
	reading, stop := context.WithTimeout(ctx, alone)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		reader = read(reading, ctx, client, crew.ledger.counters[0].id)
	}()
	// What the standby had received before it died may be acknowledged for as long
	// as an answer takes.
	err = pause(ctx, answeredWithin)
	known := crew.ledger.acknowledged()
	<-done
	if more := crew.ledger.acknowledged() - known; more > 0 {
		crew.ledger.fault("an acknowledgement too early", "%d writes were acknowledged that the standby cannot have", more)
	}
	if err != nil {
		return reader, 0, err
	}
	order := time.Now()
	if err := servers.Primary.Await(ctx, ""); err != nil {
		return reader, 0, fmt.Errorf("wait for nobody: %w", err)
	}
	if back, err = crew.returns(ctx, order); err != nil {
		return reader, 0, err
	}
	return reader, back, pause(ctx, after)
}
