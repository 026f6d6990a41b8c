package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// The storm: replicas that want more connections than the server has.
const (
	stormReplicas = 4
	stormConns    = 25              // of the server, of which it keeps 3 for superusers
	stormTaken    = stormConns - 4  // that others hold while the replicas start: all but one
	stormHeld     = 2 * time.Second // for as long
	stormQuiet    = time.Second     // after the load, for things to settle
	stormLoose    = 2               // connections that may be between two owners whenever they are counted
)

// storm starts replicas together on a server that has too few connections for them,
// lets everybody ask for everything, and replaces one of them meanwhile.
func storm(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	server, err := pgtest.Start(ctx, pgtest.Options{Durable: true, Settings: map[string]string{"max_connections": fmt.Sprint(stormConns)}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	url, err := server.Tenant(ctx)
	if err != nil {
		return err
	}
	site, err := g.Elsewhere(url)
	if err != nil {
		return err
	}
	replicas, took, err := startCrowded(ctx, site, url)
	defer func() {
		for _, k := range replicas {
			err = errors.Join(err, k.Kill())
		}
	}()
	if err != nil {
		return err
	}
	r.add(site.Store, "replicas that start while one connection is free: all ready after", "%d, %v", len(replicas), took.Round(time.Millisecond))
	return stormOn(ctx, site, replicas, server, s, r)
}

// startCrowded starts the replicas while others hold all connections but one, and lets
// go of those a while later.
func startCrowded(ctx context.Context, site ground.Site, url string) (replicas []*process.Keyport, took time.Duration, err error) {
	release, err := crowd(ctx, url)
	if err != nil {
		return nil, 0, err
	}
	released := make(chan error, 1)
	go func() { released <- errors.Join(pause(ctx, stormHeld), release()) }()
	var mu sync.Mutex
	var starting sync.WaitGroup
	begun := time.Now()
	for range stormReplicas {
		starting.Go(func() {
			k, fault := site.Serve(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err = errors.Join(err, fault); fault == nil {
				replicas = append(replicas, k)
			}
		})
	}
	starting.Wait()
	return replicas, time.Since(begun), errors.Join(err, <-released)
}

// crowd takes connections, and returns what gives them back.
func crowd(ctx context.Context, url string) (release func() error, err error) {
	var conns []*pgx.Conn
	release = func() (err error) {
		for _, c := range conns {
			err = errors.Join(err, c.Close(context.WithoutCancel(ctx)))
		}
		return err
	}
	for range stormTaken {
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			return nil, errors.Join(err, release())
		}
		conns = append(conns, c)
	}
	return release, nil
}

// shipsOpen declares ships as simply as can be.
const shipsOpen = `{"name":"ships","schema":{"type":"object"},"rules":{"list":"true","read":"true",` +
	`"create":"account != null","update":"false","delete":"false"}}`

func stormOn(ctx context.Context, site ground.Site, replicas []*process.Keyport, server *pgtest.Cluster, s size, r *report) (err error) {
	clients := make([]*process.Client, len(replicas))
	for i, k := range replicas {
		clients[i] = k.Client()
		defer func() { clients[i].Close() }()
	}
	admin, err := signInAdministrator(ctx, site, clients[0], "storm")
	if err != nil {
		return err
	}
	if err := clients[0].Declare(ctx, admin.AccessToken, shipsOpen); err != nil {
		return err
	}
	people, err := newCast(ctx, clients[0], "storm")
	if err != nil {
		return err
	}
	watching, done := context.WithCancel(ctx)
	most := make(chan int, 1)
	go func() { most <- mostConnections(watching, server) }()
	working, stop := context.WithCancel(ctx)
	loads := make([]traffic, len(replicas)+1) // the last is that of who replaces the first
	leaving, leave := context.WithCancel(working)
	from := time.Now()
	for i, c := range clients {
		on := working
		if i == 0 {
			on = leaving
		}
		if err = people.press(on, &loads[i], c); err != nil {
			break
		}
	}
	err = errors.Join(err, pause(ctx, s.storm/2))
	leave()
	loads[0].group.Wait()
	var took time.Duration
	if err == nil {
		begun := time.Now()
		if err = replicas[0].Kill(); err == nil {
			var k *process.Keyport
			if k, err = site.Serve(ctx); err == nil {
				took = time.Since(begun)
				replicas[0], clients[0] = k, k.Client()
				err = people.press(working, &loads[len(replicas)], clients[0])
			}
		}
	}
	err = errors.Join(err, pause(ctx, s.storm/2))
	stop()
	to := time.Now()
	for i := range loads {
		err = errors.Join(err, loads[i].wait())
	}
	done()
	taken := <-most
	if err != nil {
		return err
	}
	r.add(site.Store, "one killed and started anew under load: ready after", "%v", took.Round(time.Millisecond))
	r.add(site.Store, "connections that were taken at once, of 22", "%d", taken)
	var errs []error
	if taken < stormConns-3-stormLoose {
		errs = append(errs, fmt.Errorf("%d connections were taken: there was no storm, and the drill has proved nothing", taken))
	}
	for i := range loads {
		all := loads[i].between(from, to)
		who := fmt.Sprintf("at replica %d in the storm", i+1)
		if i == len(replicas) {
			who = "at the one that was started anew"
		}
		r.add(site.Store, "all "+who+": answers; median, 99th percentile, at most", "%v", merged(all))
		errs = append(errs, prompt(who, all), alive(who, &loads[i], to))
	}
	errs = append(errs, pause(ctx, stormQuiet))
	for i, c := range clients {
		for _, q := range []process.Request{reading(people.record), {Method: http.MethodGet, Path: "/readyz"}} {
			if fault := c.Want(ctx, http.StatusOK, q, nil); fault != nil {
				errs = append(errs, fmt.Errorf("replica %d after the storm: %w", i+1, fault))
			}
		}
	}
	return errors.Join(errs...)
}

// press has as many clients ask a replica as it has connections to ask for, and none
// of them rests.
func (p *cast) press(ctx context.Context, t *traffic, c *process.Client) error {
	refreshing, err := p.refreshing(ctx, c)
	if err != nil {
		return err
	}
	for n, of := range map[int]func() errand{8: p.reading(), 4: p.listing(), 6: p.writing(false), 5: p.writing(true), 3: p.me()} {
		t.send(ctx, c, n, func() errand {
			e := of()
			e.pause = 0
			return e
		})
	}
	t.send(ctx, c, 1, refreshing)
	t.send(ctx, c, 1, probing(aReady))
	return nil
}

// alive fails where a replica did not serve on all hands until its load ended: one that
// is stuck has something that it only refuses.
func alive(who string, t *traffic, to time.Time) error {
	var errs []error
	end := to
	for _, a := range t.asked {
		end = a.at // the load of the one that was killed ended sooner
	}
	for what, h := range t.between(end.Add(-2*time.Second), end) {
		if h.refused() == len(h.times) {
			errs = append(errs, fmt.Errorf("%s %s: only refused at last: %v", what, who, h))
		}
	}
	return errors.Join(errs...)
}

// mostConnections counts the connections of others than superusers until ctx ends.
func mostConnections(ctx context.Context, server *pgtest.Cluster) (most int) {
	c, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return 0
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	for {
		var n int
		if c.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&n) == nil {
			most = max(most, n)
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			return most
		}
	}
}
