package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// answeredWithin is the longest that anybody waits for an answer while PostgreSQL is
// in trouble.
const answeredWithin = 2 * time.Second

// A traffic is what clients of all kinds ask for at once, and what they were told.
type traffic struct {
	group sync.WaitGroup

	mu     sync.Mutex
	asked  []asked
	faults []error // the first of them
}

// An asked is one request that was answered.
type asked struct {
	what   string
	at     time.Time // when it was sent
	took   time.Duration
	status int
}

// An errand is something that a client asks for again and again.
type errand struct {
	what  string
	hoped int           // the status that it wants; 503 with Retry-After it takes too
	pause time.Duration // between an answer and the next request
	next  func() process.Request
	done  func(process.Answer) error // reads an answer that was hoped for; nil where there is nothing in it
}

// send has n clients do each their own errand until ctx ends. An answer that is
// neither the one hoped for nor a proper 503 is a fault.
func (t *traffic) send(ctx context.Context, c *process.Client, n int, of func() errand) {
	for range n {
		e := of()
		t.group.Go(func() {
			for ctx.Err() == nil {
				t.ask(c, e)
				_ = pause(ctx, e.pause)
			}
		})
	}
}

func (t *traffic) ask(c *process.Client, e errand) {
	// The end of the traffic breaks no request off: each answer counts.
	ctx, cancel := context.WithTimeout(context.Background(), hangs)
	defer cancel()
	sent := time.Now()
	a, err := c.Send(ctx, e.next())
	took := time.Since(sent)
	if err == nil && a.Status == e.hoped && e.done != nil {
		err = e.done(a)
	}
	if err == nil && a.Status == http.StatusServiceUnavailable {
		_, err = strconv.Atoi(a.Header.Get("Retry-After"))
	} else if err == nil && a.Status != e.hoped {
		err = errors.New(a.String())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, asked{e.what, sent, took, a.Status})
	if err != nil && len(t.faults) < maxTold {
		t.faults = append(t.faults, fmt.Errorf("%s, after %v: %w", e.what, took.Round(time.Millisecond), err))
	}
}

// wait waits until all clients have stopped, and returns what was wrong.
func (t *traffic) wait() error {
	t.group.Wait()
	return errors.Join(t.faults...)
}

// between returns what was asked for in a time, by what it was.
func (t *traffic) between(from, to time.Time) map[string]heard {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[string]heard)
	for _, a := range t.asked {
		if a.at.Before(from) || a.at.After(to) {
			continue
		}
		h, known := all[a.what]
		if !known {
			h.statuses = make(map[int]int)
		}
		h.statuses[a.status]++
		h.times = append(h.times, a.took)
		all[a.what] = h
	}
	return all
}

// Heard is what those were told who asked for the same.
type heard struct {
	statuses map[int]int
	times    []time.Duration
}

// merged is what all those were told together.
func merged(all map[string]heard) heard {
	m := heard{statuses: make(map[int]int)}
	for _, h := range all {
		for status, n := range h.statuses {
			m.statuses[status] += n
		}
		m.times = append(m.times, h.times...)
	}
	return m
}

func (h heard) refused() int { return h.statuses[http.StatusServiceUnavailable] }

func (h heard) longest() time.Duration {
	if len(h.times) == 0 {
		return 0
	}
	return slices.Max(h.times)
}

// String returns the answers by status, and how long they took.
func (h heard) String() string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(h.statuses)) {
		parts = append(parts, fmt.Sprintf("%d: %d", status, h.statuses[status]))
	}
	median, p99, most := spread(h.times)
	return fmt.Sprintf("%s; %v, %v, %v", strings.Join(parts, ", "), median, p99, most)
}

// tell adds a line for each thing that was asked for.
func tell(r *report, store, when string, all map[string]heard) {
	for _, what := range slices.Sorted(maps.Keys(all)) {
		r.add(store, what+" "+when+": answers; median, 99th percentile, at most", "%v", all[what])
	}
}

// served fails where one of what was asked for was refused, or never asked for.
func served(when string, all map[string]heard, what ...string) error {
	var errs []error
	for _, w := range what {
		h := all[w]
		if len(h.times) == 0 || h.refused() > 0 {
			errs = append(errs, fmt.Errorf("%s %s: %v", w, when, h))
		}
	}
	return errors.Join(errs...)
}

// mostly fails where more than one in ten of what was asked for was refused, or it was
// never asked for.
func mostly(when string, all map[string]heard, what ...string) error {
	var errs []error
	for _, w := range what {
		if h := all[w]; len(h.times) == 0 || h.refused() > max(1, len(h.times)/10) {
			errs = append(errs, fmt.Errorf("%s %s: %v", w, when, h))
		}
	}
	return errors.Join(errs...)
}

// prompt fails where an answer took longer than anybody may wait.
func prompt(when string, all map[string]heard) error {
	var errs []error
	for what, h := range all {
		if longest := h.longest(); longest > answeredWithin {
			errs = append(errs, fmt.Errorf("%s %s took %v", what, when, longest.Round(time.Millisecond)))
		}
	}
	return errors.Join(errs...)
}

// What clients ask for.
const (
	aRecord   = "a record"
	aList     = "a list"
	aNew      = "a new record"
	aRetry    = "a new record, with a key" // Idempotency-Key
	aCheck    = "a token check"
	aMe       = "/v1/me"
	aRefresh  = "a refresh"
	aSignIn   = "a sign-in"
	aLive     = "/livez"
	aReady    = "/readyz"
	breather  = 20 * time.Millisecond // between two requests of one client: the processors are few
	longRest  = 300 * time.Millisecond
	household = 4 // accounts
)

// A cast is accounts, and a record, for errands.
type cast struct {
	name   string
	grants []process.Grant
	record string
	serial int
}

// newCast opens the accounts, which are new, and makes the record.
func newCast(ctx context.Context, c *process.Client, name string) (*cast, error) {
	p := &cast{name: name + "-" + strings.ToLower(password[:6]) + strconv.FormatInt(time.Now().UnixMilli()%1e8, 36)}
	for i := range household {
		login := fmt.Sprintf("%s-%d", p.name, i)
		if err := c.SignUp(ctx, login, password); err != nil {
			return nil, err
		}
		g, err := c.SignIn(ctx, login, password)
		if err != nil {
			return nil, err
		}
		p.grants = append(p.grants, g)
	}
	var made record
	err := c.Want(ctx, http.StatusCreated, p.creating(1), &made)
	p.record = made.ID
	return p, err
}

func (p *cast) creating(serial int) process.Request {
	return process.Request{
		Method: http.MethodPost, Path: ships, Token: p.grants[0].AccessToken,
		Body: map[string]any{"data": shipOf(fmt.Sprintf("%s %d", p.name, serial), p.name, serial)},
	}
}

// asking returns an errand that is the same request each time.
func asking(what string, pause time.Duration, r process.Request) func() errand {
	return func() errand {
		return errand{what: what, hoped: http.StatusOK, pause: pause, next: func() process.Request { return r }}
	}
}

func (p *cast) reading() func() errand { return asking(aRecord, breather, reading(p.record)) }

func (p *cast) listing() func() errand {
	return asking(aList, breather, process.Request{Method: http.MethodGet, Path: ships + "?limit=5"})
}

func (p *cast) me() func() errand {
	return asking(aMe, breather, process.Request{Method: http.MethodGet, Path: "/v1/me", Token: p.grants[1].AccessToken})
}

// checking asks whether a token holds: an administrator's, who may ask that.
func checking(admin process.Grant) func() errand {
	return asking(aCheck, breather, process.Request{
		Method: http.MethodPost, Path: "/v1/token/introspect", Token: admin.AccessToken, Body: url.Values{"token": {admin.AccessToken}},
	})
}

func probing(path string) func() errand {
	return asking(path, 50*time.Millisecond, process.Request{Method: http.MethodGet, Path: path})
}

// writing makes a record each time; keyed, it does so in a way that lets it retry.
func (p *cast) writing(keyed bool) func() errand {
	return func() errand {
		p.serial += 10_000 // apart from those of the next client
		serial := p.serial
		e := errand{what: aNew, hoped: http.StatusCreated, pause: breather}
		if keyed {
			e.what = aRetry
		}
		e.next = func() process.Request {
			serial++
			r := p.creating(serial)
			if keyed {
				r.Header = http.Header{"Idempotency-Key": {fmt.Sprintf("%s-%d", p.name, serial)}}
			}
			return r
		}
		return e
	}
}

// refreshing trades the token of a session of its own. A 503 has not rotated it, or
// the same token is good for another try within the grace of a minute.
func (p *cast) refreshing(ctx context.Context, c *process.Client) (func() errand, error) {
	g, err := c.SignIn(ctx, p.name+"-2", password)
	return func() errand {
		return errand{
			what: aRefresh, hoped: http.StatusOK, pause: breather,
			next: func() process.Request { return process.Refreshing(g.RefreshToken) },
			done: func(a process.Answer) error { return a.Into(&g) },
		}
	}, err
}

func (p *cast) signingIn() func() errand {
	return func() errand {
		return errand{
			what: aSignIn, hoped: http.StatusCreated, pause: longRest,
			next: func() process.Request { return process.SigningIn(p.name+"-3", password) },
		}
	}
}
