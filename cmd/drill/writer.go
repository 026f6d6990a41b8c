package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// ships is where the demo keeps its ships.
const ships = "/v1/collections/ships/records"

func reading(id string) process.Request {
	return process.Request{Method: http.MethodGet, Path: ships + "/" + id}
}

// The crew that writes.
const (
	writers  = 16
	counters = 4 // shared by the writers
	spares   = 2 // sessions that each writer opens and ends between two kills
)

// A crew is the writers that work on one ledger.
type crew struct {
	ledger  *ledger
	writers []*writer

	// patient has the crew go on where it is told 503. Without it, a writer stops
	// at the first answer that it does not get.
	patient bool

	killed atomic.Bool // broken connections are no news from here on

	mu      sync.Mutex
	longest time.Duration // that anybody waited for an answer
	refused int           // answers 503
	success chan struct{} // gets one soon after an acknowledged write, once asked for
}

// A writer is one client: an account, a session, and what it does next.
type writer struct {
	crew    *crew
	number  int
	name    string
	login   string
	grant   process.Grant // the last that was acknowledged
	spares  []process.Grant
	counter *counter
}

// A login's password, new for each run.
var password = rand.Text()

// newCrew opens the accounts of n writers and makes the counters that they share.
func newCrew(ctx context.Context, c *process.Client, name string, n, counters int) (*crew, error) {
	crew := &crew{ledger: newLedger(name), success: make(chan struct{}, 1)}
	for i := range n {
		crew.writers = append(crew.writers, &writer{crew: crew, number: i, name: fmt.Sprintf("writer %d", i), login: fmt.Sprintf("%s-%d", name, i)})
	}
	err := crew.each(func(w *writer) (err error) {
		if err = c.SignUp(ctx, w.login, password); err == nil {
			w.grant, err = c.SignIn(ctx, w.login, password)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range counters {
		owner := crew.writers[i]
		model := fmt.Sprintf("counter %d of %s", i, name)
		var made record
		err := c.Want(ctx, http.StatusCreated, process.Request{
			Method: http.MethodPost, Path: ships, Token: owner.grant.AccessToken,
			Body: map[string]any{"data": shipOf(model, owner.name, 1)},
		}, &made)
		if err != nil {
			return nil, err
		}
		crew.ledger.counters = append(crew.ledger.counters, &counter{
			id: made.ID, model: model, made: map[int]string{1: owner.name}, unsure: make(map[int]map[string]struct{}),
		})
	}
	for i, w := range crew.writers {
		w.counter = crew.ledger.counters[i%counters]
	}
	return crew, nil
}

// each runs f for every writer at once.
func (c *crew) each(f func(*writer) error) error {
	errs := make([]error, len(c.writers))
	var group sync.WaitGroup
	for i, w := range c.writers {
		group.Go(func() { errs[i] = f(w) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// prepare has each writer look whether its session still works, and open those
// that it will end. A session that does not is a fault.
func (c *crew) prepare(ctx context.Context, client *process.Client) error {
	return c.each(func(w *writer) error {
		me, err := client.Send(ctx, process.Request{Method: http.MethodGet, Path: "/v1/me", Token: w.grant.AccessToken})
		if err != nil {
			return err
		}
		next, err := client.Send(ctx, process.Refreshing(w.grant.RefreshToken))
		if err != nil {
			return err
		}
		if me.Status != http.StatusOK || next.Status != http.StatusOK {
			c.ledger.fault("a lost session", "%s: its access token gets %d, its refresh token %s", w.login, me.Status, next)
			return nil
		}
		if err := next.Into(&w.grant); err != nil {
			return err
		}
		for len(w.spares) < spares {
			g, err := client.SignIn(ctx, w.login, password)
			if err != nil {
				return err
			}
			w.spares = append(w.spares, g)
		}
		return nil
	})
}

// write has all writers write until ctx ends or, unless they are patient, until
// Keyport no longer answers. Of several replicas each has as many of the writers.
func (c *crew) write(ctx context.Context, replicas ...*process.Client) {
	_ = c.each(func(w *writer) error {
		client := replicas[w.number%len(replicas)]
		for turn := 0; ctx.Err() == nil; turn++ {
			if !w.step(turn, client) && !c.patient {
				break
			}
		}
		return nil
	})
}

// step does the next thing, and reports whether it got an answer.
func (w *writer) step(turn int, client *process.Client) bool {
	switch turn % 4 {
	case 0, 2:
		return w.create(client)
	case 1:
		return w.patch(client)
	}
	if len(w.spares) > 0 && turn%40 == 3 {
		return w.signOut(client)
	}
	return w.refresh(client)
}

// hangs is more than Keyport may take for any answer: its request timeout, 10 s
// as it is set, and what a busy machine adds.
const hangs = 12 * time.Second

// send sends r, and returns whether a whole answer came. An answer that is neither
// among those hoped for nor a proper 503 is a fault.
func (w *writer) send(client *process.Client, r process.Request, hoped ...int) (process.Answer, bool) {
	// The end of the drill breaks no request off: each answer counts.
	ctx, cancel := context.WithTimeout(context.Background(), hangs)
	defer cancel()
	start := time.Now()
	a, err := client.Send(ctx, r)
	took := time.Since(start)
	w.crew.waited(took)
	l := w.crew.ledger
	switch {
	case err != nil && ctx.Err() != nil:
		l.fault("a request that hangs", "%s %s had no answer after %v", r.Method, r.Path, took)
		return a, false
	case err != nil:
		if !w.crew.killed.Load() {
			l.fault("a broken answer", "%s %s: %v", r.Method, r.Path, err)
		}
		return a, false
	case a.Status == http.StatusServiceUnavailable && w.crew.patient:
		if _, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil {
			l.fault("a 503 without Retry-After", "%s %s", r.Method, r.Path)
		}
		w.crew.refusal()
		time.Sleep(20 * time.Millisecond)
		return a, false
	}
	for _, status := range hoped {
		if a.Status == status {
			return a, true
		}
	}
	l.fault(fmt.Sprintf("a %d", a.Status), "%s %s: %s", r.Method, r.Path, a)
	return a, false
}

func (w *writer) create(client *process.Client) bool {
	l := w.crew.ledger
	serial := l.serial()
	a, ok := w.send(client, process.Request{
		Method: http.MethodPost, Path: ships, Token: w.grant.AccessToken,
		Body: map[string]any{"data": shipOf(l.model(serial), w.name, serial)},
	}, http.StatusCreated)
	var r record
	if ok = ok && a.Into(&r) == nil; !ok {
		l.note(func() { l.tally.unsure++ })
		return false
	}
	l.note(func() { l.created[serial] = r.ID; l.tally.creates++ })
	w.crew.succeeded()
	return true
}

// patch reads the counter and raises it by one, unless another was faster.
func (w *writer) patch(client *process.Client) bool {
	a, ok := w.send(client, reading(w.counter.id), http.StatusOK)
	var r record
	if ok = ok && a.Into(&r) == nil; !ok {
		return false
	}
	l, next := w.crew.ledger, r.Revision+1
	s := shipOf(w.counter.model, w.name, next)
	a, ok = w.send(client, process.Request{
		Method: http.MethodPatch, Path: ships + "/" + w.counter.id, Token: w.grant.AccessToken, Match: a.Header.Get("ETag"),
		Body: map[string]any{"data": map[string]any{"manufacturer": s.Manufacturer, "crew": s.Crew, "length": s.Length, "roles": s.Roles}},
	}, http.StatusOK, http.StatusPreconditionFailed)
	switch {
	case !ok:
		l.maybe(w.counter, next, w.name)
		return false
	case a.Status == http.StatusOK:
		l.raised(w.counter, next, w.name)
		w.crew.succeeded()
	}
	return true
}

// refresh trades the last token that was acknowledged. Where the answer is lost,
// the same token is good for another try within the grace of a minute.
func (w *writer) refresh(client *process.Client) bool {
	l := w.crew.ledger
	a, ok := w.send(client, process.Refreshing(w.grant.RefreshToken), http.StatusOK)
	var g process.Grant
	if ok = ok && a.Into(&g) == nil; !ok {
		l.note(func() { l.tally.unsure++ })
		return false
	}
	w.grant = g
	l.note(func() { l.tally.refreshes++ })
	w.crew.succeeded()
	return true
}

// signOut ends a spare session. Where the answer is lost, nobody asks for the
// session again.
func (w *writer) signOut(client *process.Client) bool {
	l, g := w.crew.ledger, w.spares[0]
	w.spares = w.spares[1:]
	_, ok := w.send(client, process.SigningOut(g.AccessToken), http.StatusNoContent)
	l.note(func() {
		if ok {
			l.dead = append(l.dead, g)
			l.tally.signOuts++
		} else {
			l.tally.unsure++
		}
	})
	return ok
}

func (c *crew) waited(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.longest = max(c.longest, took)
}

func (c *crew) refusal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused++
}

// succeeded tells whoever waits for it that a write was acknowledged.
func (c *crew) succeeded() {
	select {
	case c.success <- struct{}{}:
	default:
	}
}
