package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// flood has everybody sign in at once, while a reader reads beside them and the
// number of hashes that run is watched.
func flood(ctx context.Context, g *ground.Ground, s size, r *report) error {
	sites, err := g.Stores()
	if err != nil {
		return err
	}
	var broken []error
	for _, site := range sites {
		if err := floodOn(ctx, site, s.signIns, r); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", site.Store, err))
		}
	}
	return errors.Join(broken...)
}

func floodOn(ctx context.Context, site ground.Site, signIns int, r *report) (err error) {
	k, err := site.ServeDemo(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	client, ops := k.Client(), k.Ops()
	defer client.Close()
	defer ops.Close()
	if err := client.SignUp(ctx, "flood", password); err != nil {
		return err
	}
	var first struct{ Items []record }
	if err := client.Want(ctx, http.StatusOK, process.Request{Method: http.MethodGet, Path: ships + "?limit=1"}, &first); err != nil {
		return err
	}
	if len(first.Items) != 1 {
		return errors.New("there is no ship to read")
	}
	calm, cancel := context.WithTimeout(ctx, time.Second)
	quiet := read(calm, ctx, client, first.Items[0].ID)
	cancel()

	watching, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	var busy reads
	var gate hashes
	beside.Go(func() { busy = read(watching, ctx, client, first.Items[0].ID) })
	beside.Go(func() { gate = watch(watching, ctx, ops) })
	wave := signInAtOnce(ctx, client, signIns)
	stop()
	beside.Wait()

	r.add(site.Store, "sign-ins at once: 201, 503 with Retry-After", "%d: %d, %d", signIns, wave.in, wave.refused)
	r.add(site.Store, "all of them answered within", "%v", wave.took.Round(time.Millisecond))
	r.add(site.Store, "hashes that ran at once, at most", "%d", gate.most)
	r.add(site.Store, "a read when nobody signs in: median, 99th percentile", "%v, %v", quiet.percentile(50), quiet.percentile(99))
	r.add(site.Store, "a read beside the sign-ins: median, 99th percentile", "%v, %v (of %d)", busy.percentile(50), busy.percentile(99), len(busy.took))
	if gate.err == nil && gate.most > runtime.GOMAXPROCS(0) {
		gate.err = fmt.Errorf("%d hashes ran at once on %d processors", gate.most, runtime.GOMAXPROCS(0))
	}
	if gate.err == nil && gate.most == 0 {
		gate.err = errors.New("no hash was seen: the drill has proved nothing")
	}
	return errors.Join(quiet.err, busy.err, wave.err, gate.err)
}

// A wave is what came of the sign-ins.
type wave struct {
	in, refused int
	took        time.Duration
	err         error // the first answer that should not be
}

// signInAtOnce sends n sign-ins at the same moment.
func signInAtOnce(ctx context.Context, client *process.Client, n int) (w wave) {
	var mu sync.Mutex
	var group sync.WaitGroup
	start := make(chan struct{})
	for range n {
		group.Go(func() {
			<-start
			a, err := client.Send(ctx, process.SigningIn("flood", password))
			mu.Lock()
			defer mu.Unlock()
			_, told := strconv.Atoi(a.Header.Get("Retry-After"))
			switch {
			case err != nil:
			case a.Status == http.StatusCreated:
				w.in++
			case a.Status == http.StatusServiceUnavailable && told == nil:
				w.refused++
			default:
				err = fmt.Errorf("a sign-in: %s, Retry-After %q", a, a.Header.Get("Retry-After"))
			}
			if w.err == nil {
				w.err = err
			}
		})
	}
	begun := time.Now()
	close(start)
	group.Wait()
	w.took = time.Since(begun)
	return w
}

// reads are the answers that a reader got.
type reads struct {
	took []time.Duration
	err  error
}

// read reads one record, again and again until ctx ends, at least once. Its
// requests last as long as requests does.
func read(ctx, requests context.Context, client *process.Client, id string) (r reads) {
	for {
		start := time.Now()
		if err := client.Want(requests, http.StatusOK, reading(id), nil); err != nil {
			r.err = fmt.Errorf("a reader: %w", err)
			return r
		}
		r.took = append(r.took, time.Since(start))
		if ctx.Err() != nil {
			return r
		}
	}
}

// percentile returns the time within which p of 100 reads were answered; 0 where
// there were none.
func (r reads) percentile(p int) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(r.took))
	return sorted[(len(sorted)-1)*p/100].Round(10 * time.Microsecond)
}

// hashes are the password hashes that ran at once.
type hashes struct {
	most int
	err  error
}

// watch looks at the gate every few milliseconds until ctx ends.
func watch(ctx, requests context.Context, ops *process.Client) (h hashes) {
	for {
		n, err := gauge(requests, ops, "keyport_hashes_running")
		if err != nil {
			h.err = err
			return h
		}
		h.most = max(h.most, n)
		if pause(ctx, 5*time.Millisecond) != nil {
			return h
		}
	}
}
