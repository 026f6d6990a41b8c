package main

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// promotedWithin is how long after the promotion was asked for every replica
// writes again.
const promotedWithin = 10 * time.Second

// failover kills the primary in mid-write, promotes the standby that each commit
// has waited for, and tells nobody: two replicas have both hosts in their URL.
func failover(ctx context.Context, g *ground.Ground, _ size, r *report) (err error) {
	servers, err := g.Pair(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.Close()) }()
	site, err := servers.Site()
	if err != nil {
		return err
	}
	var replicas []*process.Keyport
	var clients []*process.Client
	defer func() {
		for i, k := range replicas {
			clients[i].Close()
			err = errors.Join(err, k.Kill())
		}
	}()
	for range 2 {
		k, err := site.ServeDemo(ctx)
		if err != nil {
			return err
		}
		replicas, clients = append(replicas, k), append(clients, k.Client())
	}
	crew, err := newCrew(ctx, clients[0], "failover", writers+len(replicas), counters)
	if err != nil {
		return err
	}
	crew.patient = true
	if err := crew.prepare(ctx, clients[0]); err != nil {
		return err
	}
	// One scout a replica looks when that one writes again, and does nothing before.
	scouts := crew.writers[writers:]
	crew.writers = crew.writers[:writers]
	back, err := promote(ctx, servers, crew, scouts, clients)
	if err != nil {
		return err
	}
	for i := range replicas {
		crew.lives(replicas[i])
		if err := crew.ledger.check(ctx, clients[i]); err != nil {
			return err
		}
	}
	crew.writers = append(crew.writers, scouts...)
	if err := crew.prepare(ctx, clients[1]); err != nil {
		return err
	}
	r.add(site.Store, "replicas, with both servers in their URL", "%d", len(replicas))
	crew.figures(site, r)
	r.add(site.Store, "from the order to promote to the first write at both replicas", "%v", back.Round(time.Millisecond))
	if back > promotedWithin {
		crew.ledger.fault("a slow return", "both replicas wrote again %v after the promotion", back)
	}
	return verdict(crew.ledger, site, r)
}

// promote ends the primary while the crew writes and promotes the standby, and
// returns how long after the order each replica has written again.
func promote(ctx context.Context, servers *ground.Pair, crew *crew, scouts []*writer, clients []*process.Client) (time.Duration, error) {
	defer crew.writing(ctx, clients...)()
	if err := pause(ctx, before); err != nil {
		return 0, err
	}
	if err := servers.Primary.Kill(); err != nil {
		return 0, err
	}
	for _, c := range clients {
		if err := crew.health(ctx, c); err != nil {
			return 0, err
		}
	}
	if err := pause(ctx, away); err != nil {
		return 0, err
	}
	order := time.Now()
	if err := servers.Standby.Promote(ctx); err != nil {
		return 0, err
	}
	// The new primary has no standby yet, and would wait for one for ever.
	if err := servers.Standby.Await(ctx, ""); err != nil {
		return 0, err
	}
	for i, s := range scouts {
		for !s.create(clients[i]) {
			if time.Since(order) > promotedWithin+hangs || ctx.Err() != nil {
				return 0, errors.Join(errors.New("a replica does not write again after the promotion"), ctx.Err())
			}
		}
	}
	return time.Since(order), pause(ctx, after)
}
