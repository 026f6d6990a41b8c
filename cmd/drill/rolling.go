package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// How replicas are replaced.
const (
	stationed = 2
	customers = 8
	drainFor  = 3 * time.Second // KEYPORT_DRAIN_DELAY: longer than it takes a balancer to learn of it
	drainMost = 5 * time.Second // KEYPORT_DRAIN_GRACE
)

// An edition is Keyport of one commit.
type edition struct {
	name   string
	site   ground.Site
	env    []string
	delays bool // whether it knows of a delay
}

func newEdition(ctx context.Context, name string, site ground.Site) (e edition, err error) {
	delay := fmt.Sprintf("KEYPORT_DRAIN_DELAY=%v", drainFor)
	e = edition{name: name, site: site}
	e.env, err = site.Knows(ctx, delay, fmt.Sprintf("KEYPORT_DRAIN_GRACE=%v", drainMost))
	for _, setting := range e.env {
		e.delays = e.delays || setting == delay
	}
	return e, err
}

// A fleet is the replicas behind a balancer, the longest there first.
type fleet struct {
	*balancer
	ships []berth
	most  time.Duration // that a replica took to end
	stay  int           // connections, at most, that a replica had left shortly before the end of its delay
	calls atomic.Int64  // for all customers to come back on another connection
}

type berth struct {
	edition
	*process.Keyport
	*stand
}

// launch starts a replica, and returns when the balancer knows that it is ready.
func (f *fleet) launch(ctx context.Context, e edition, serve func(ctx context.Context, env ...string) (*process.Keyport, error)) error {
	k, err := serve(ctx, e.env...)
	if err != nil {
		return fmt.Errorf("the replica of %s: %w", e.name, err)
	}
	s := f.add(k)
	f.ships = append(f.ships, berth{e, k, s})
	select {
	case <-s.first:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("a replica of %s does not get ready", e.name)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// scrap ends the replica that is there for the longest. One that does not know of a
// delay is taken from the balancer first, as a preStop hook that sleeps does; and since
// such a one does not ask its clients to come back elsewhere, the drill does.
func (f *fleet) scrap(ctx context.Context) error {
	b := f.ships[0]
	f.ships = f.ships[1:]
	if !b.delays {
		f.remove(b.stand)
		f.calls.Add(1)
		if err := pause(ctx, drainFor); err != nil {
			return err
		}
	}
	began, look := time.Now(), make(chan int, 1)
	timer := time.AfterFunc(drainFor*4/5, func() { look <- f.opened(b.stand) })
	code, err := b.Stop()
	if !timer.Stop() && b.delays {
		f.stay = max(f.stay, <-look)
	}
	f.most = max(f.most, time.Since(began))
	f.remove(b.stand)
	if err == nil && code != 0 {
		err = errors.New("it ended with another code than 0")
	}
	if err != nil {
		return fmt.Errorf("a replica of %s that is replaced: %w: %d\n%s", b.name, err, code, b.Log())
	}
	return nil
}

// replace replaces all replicas, one after the other: there are never fewer.
func (f *fleet) replace(ctx context.Context, e edition) error {
	for range stationed {
		if err := errors.Join(f.launch(ctx, e, e.site.Serve), f.scrap(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// sink ends what is there.
func (f *fleet) sink() error {
	var errs []error
	for _, b := range f.ships {
		errs = append(errs, b.Kill())
	}
	return errors.Join(append(errs, f.balancer.close())...)
}

// rolling replaces the replicas of the previous commit by those of this one, and the
// other way round, while customers do what people do: none of their requests may fail.
// Between the two a later release, which there is not yet, adds to the schema, and
// afterwards takes it away.
func rolling(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	binary, commit, err := g.Build(ctx, r.root, s.previous)
	if err != nil {
		return err
	}
	site, url, err := g.Empty(ctx, fmt.Sprintf("rolling_%d", time.Now().UnixMicro()))
	if err != nil {
		return err
	}
	old, err := newEdition(ctx, commit, site.By(binary))
	if err != nil {
		return err
	}
	now, err := newEdition(ctx, r.commit, site)
	if err != nil {
		return err
	}
	b, err := newBalancer(ctx)
	if err != nil {
		return err
	}
	f := &fleet{balancer: b}
	defer func() { err = errors.Join(err, f.sink()) }()
	if err := errors.Join(f.launch(ctx, old, old.site.ServeDemo), f.launch(ctx, old, old.site.Serve)); err != nil {
		return err
	}
	m, err := newMarket(ctx, f)
	if err != nil {
		return err
	}
	defer m.leave()
	began := time.Now()
	err = errors.Join(
		f.replace(ctx, now),
		later(ctx, url, expands),
		pause(ctx, probeEach),
		f.replace(ctx, old),
		later(ctx, url, contracts),
		pause(ctx, probeEach),
	)
	if err != nil {
		return errors.Join(err, m.crew.ledger.err())
	}
	took := time.Since(began)
	if err := m.close(ctx); err != nil {
		return err
	}
	last := process.NewClient(b.url)
	defer last.Close()
	if err := m.crew.ledger.check(ctx, last); err != nil {
		return err
	}
	r.add(site.Store, "the previous commit, and whether it knows of a delay", "%s, %t", commit, old.delays)
	r.add(site.Store, "replicas replaced, to this commit and back, and how long it took", "%d, %v", 2*stationed, took.Round(100*time.Millisecond))
	r.add(site.Store, "slowest end of a replica, with a delay of 3 s", "%v", f.most.Round(time.Millisecond))
	if now.delays {
		// The witness has one: a stream ends with the delay.
		r.add(site.Store, "connections left at 4/5 of the delay, the watcher's included, at most", "%d", f.stay)
		// Whoever waits for an answer has not been asked yet.
		if f.stay > 1 && m.crew.longest+thinks < drainFor*4/5 {
			m.crew.ledger.fault("connections that nobody asked to move", "%d", f.stay)
		}
	}
	carried, dropped := b.figures()
	r.add(site.Store, "connections that came, and that no replica took", "%d, %d", carried, dropped)
	if dropped > 0 {
		m.crew.ledger.fault("a connection that no replica took", "%d of %d", dropped, carried)
	}
	return m.tell(site, r)
}

// A market is the customers, and a witness.
type market struct {
	crew      *crew
	customers []*customer
	witness   *witness
	stop      context.CancelFunc
	busy      sync.WaitGroup
}

// newMarket has customers begin. The caller has all leave.
func newMarket(ctx context.Context, f *fleet) (*market, error) {
	first := process.NewClient(f.url)
	defer first.Close()
	crew, err := newCrew(ctx, first, "rolling", customers, customers/2)
	if err != nil {
		return nil, err
	}
	m := &market{crew: crew}
	if m.witness, err = newWitness(ctx, f.url); err != nil {
		return nil, err
	}
	ctx, m.stop = context.WithCancel(ctx)
	for _, w := range crew.writers {
		c := &customer{writer: w, client: process.NewClient(f.url)}
		m.customers = append(m.customers, c)
		m.busy.Go(func() { c.shop(ctx, &f.calls) })
	}
	return m, nil
}

// leave has all leave, whatever they have seen.
func (m *market) leave() {
	m.stop()
	m.busy.Wait()
	_ = m.witness.end() // close tells what was wrong
	for _, c := range m.customers {
		c.client.Close()
	}
}

// close has the customers leave, waits until the witness has heard of all that they
// did, and compares.
func (m *market) close(ctx context.Context) error {
	m.stop()
	m.busy.Wait()
	l := m.crew.ledger
	due := int64(l.tally.creates + l.tally.patches)
	for began := time.Now(); m.witness.count.Load() < due && time.Since(began) < patience; {
		if err := pause(ctx, glance); err != nil {
			return err
		}
	}
	if err := m.witness.end(); err != nil {
		l.fault("a stream", "%v", err)
	}
	m.witness.check(l)
	return nil
}

// tell tells what the market has seen.
func (m *market) tell(site ground.Site, r *report) error {
	var did, failed int
	var most time.Duration
	for _, c := range m.customers {
		did, failed, most = did+c.did, failed+c.failed, max(most, c.most)
	}
	t := m.crew.ledger.tally
	r.add(site.Store, "customers, what they did, and what of it failed", "%d, %d, %d", len(m.customers), did, failed)
	r.add(site.Store, "longest wait for it", "%v", most.Round(time.Millisecond))
	r.add(site.Store, "writes acknowledged: creates, patches, refreshes, sign-outs", "%d, %d, %d, %d", t.creates, t.patches, t.refreshes, t.signOuts)
	r.add(site.Store, "streams of a watcher, and events that it heard, none missed", "%d, %d", m.witness.streams, len(m.witness.heard))
	if m.witness.streams < 2 {
		m.crew.ledger.fault("a quiet day", "the watcher had no stream end: the drill has proved nothing")
	}
	return verdict(m.crew.ledger, site, r)
}

// What a later release does to the schema: it adds what nobody else knows of, and takes
// away what nobody needs any more (see docs/upgrades.md).
var (
	expands = []string{
		`ALTER TABLE accounts ADD COLUMN later text`,
		`ALTER TABLE sessions ADD COLUMN later bigint NOT NULL DEFAULT 0`,
		`ALTER TABLE records ADD COLUMN later text`,
		`ALTER TABLE record_events ADD COLUMN later text`,
		`CREATE TABLE later (id uuid PRIMARY KEY)`,
		`INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, true FROM goose_db_version`,
	}
	contracts = []string{
		`ALTER TABLE accounts DROP COLUMN later`,
		`ALTER TABLE sessions DROP COLUMN later`,
		`ALTER TABLE records DROP COLUMN later`,
		`ALTER TABLE record_events DROP COLUMN later`,
		`DROP TABLE later`,
	}
)

// later takes steps in one transaction each, as migrations are.
func later(ctx context.Context, url string, steps []string) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	for _, step := range steps {
		_, fault := c.Exec(ctx, step)
		err = errors.Join(err, fault)
	}
	return errors.Join(err, c.Close(context.WithoutCancel(ctx)))
}
