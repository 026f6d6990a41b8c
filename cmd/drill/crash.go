package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// crash kills Keyport in mid-write, starts it again and looks for what was lost,
// time after time on the same data.
func crash(ctx context.Context, g *ground.Ground, s size, r *report) error {
	sites, err := g.Stores()
	if err != nil {
		return err
	}
	var broken []error
	for _, site := range sites {
		if err := crashOn(ctx, site, s.kills, r); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", site.Store, err))
		}
	}
	return errors.Join(broken...)
}

func crashOn(ctx context.Context, site ground.Site, kills int, r *report) (err error) {
	k, err := site.ServeDemo(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	client := k.Client()
	defer func() { client.Close() }()
	crew, err := newCrew(ctx, client, "crash", writers, counters)
	if err != nil {
		return err
	}
	var slowest time.Duration
	for range kills {
		if err := crew.prepare(ctx, client); err != nil {
			return err
		}
		if err := killWriting(ctx, crew, k, client); err != nil {
			return err
		}
		client.Close()
		start := time.Now()
		next, err := site.ServeDemo(ctx)
		if err != nil {
			return err
		}
		slowest = max(slowest, time.Since(start))
		k, client = next, next.Client()
		if err := crew.ledger.check(ctx, client); err != nil {
			return err
		}
	}
	if err := crew.prepare(ctx, client); err != nil { // the sessions after the last kill
		return err
	}
	t := crew.ledger.tally
	r.add(site.Store, "kills", "%d", kills)
	r.add(site.Store, "writes acknowledged: creates, patches, refreshes, sign-outs", "%d, %d, %d, %d", t.creates, t.patches, t.refreshes, t.signOuts)
	r.add(site.Store, "writes cut off by a kill", "%d", t.unsure)
	r.add(site.Store, "slowest start after a kill", "%v", slowest.Round(time.Millisecond))
	return verdict(crew.ledger, site, r)
}

// killWriting kills Keyport while the crew writes.
func killWriting(ctx context.Context, crew *crew, k *process.Keyport, client *process.Client) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		crew.write(ctx, client)
	}()
	moment := time.NewTimer(200*time.Millisecond + rand.N(800*time.Millisecond))
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-done: // somebody was refused, which is noted
	case <-ctx.Done():
	}
	crew.killed.Store(true)
	err := k.Kill()
	<-done
	crew.killed.Store(false)
	return err
}

// verdict tells what was lost.
func verdict(l *ledger, site ground.Site, r *report) error {
	err := l.err()
	if err == nil && l.tally.acknowledged() == 0 {
		err = errors.New("nothing was written: the drill has proved nothing")
	}
	if err == nil {
		r.add(site.Store, "acknowledged writes lost, or torn", "none")
	}
	return err
}
