package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/adapters/telemetry"
	"github.com/keyport-go/keyport/domain"
)

// Serve answers on all listeners until ctx ends, then drains those that serve
// requests, and the private one last. Logs go to log. demo, if not nil, is loaded
// before the first request is answered.
func Serve(ctx context.Context, c Config, demo *Demo, log io.Writer) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	public, err := listen(ctx, "KEYPORT_HTTP_ADDR", c.HTTPAddr)
	if err != nil {
		return err
	}
	defer public.Close()
	private, err := listen(ctx, "KEYPORT_OPS_ADDR", c.OpsAddr)
	if err != nil {
		return err
	}
	defer private.Close()
	if c.PublicURL == "" {
		c.PublicURL = "http://" + public.Addr().String()
	}
	c, older, places, err := outposts(ctx, c, demo != nil && demo.dialects)
	defer func() {
		for _, l := range older {
			_ = l.Close()
		}
	}()
	if err != nil {
		return err
	}
	revocations, events := make(chan struct{}, 1), make(chan struct{}, 1)
	o, err := open(ctx, c, c.PublicURL, log, func() {
		for _, news := range []chan struct{}{revocations, events} {
			select {
			case news <- struct{}{}:
			default: // somebody has said so already
			}
		}
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	d := drain{ctx: ctx, delay: c.DrainDelay, grace: c.DrainGrace, writes: c.RequestTimeout + 30*time.Second, log: o.Log}
	o.Stopping = d.begun
	services := Services(c, o.Parts)
	o.measureServices(c, services)
	if c.Collections != "" {
		if err := apply(ctx, services.Resources, c.Collections, false, func(format string, args ...any) { o.Log.Info(fmt.Sprintf(format, args...)) }); err != nil {
			return fmt.Errorf("KEYPORT_COLLECTIONS: %w", err)
		}
	}
	if demo != nil {
		if err := demo.load(ctx, services, c.PublicURL, places); err != nil {
			return fmt.Errorf("loading the demo: %w", err)
		}
	}
	hear := hearing(o.measureStore(services.Tokens.Hear), o.Log, "the bulletin cannot be heard; past KEYPORT_REVOCATION_MAX the store is asked on each request", "the bulletin is heard again")
	hear(ctx)
	follow := hearing(services.Resources.Hear, o.Log, "what becomes of records cannot be heard; who watches waits", "what becomes of records is heard again")
	o.Log.Info("serving", "url", c.PublicURL, "addr", public.Addr().String(), "ops", private.Addr().String(), "version", Version())
	for _, p := range places {
		o.Log.Info("serving an older API", "dialect", p.dialect, "url", p.url)
	}
	// What serves requests drains first. The rest goes on until it has: what was revoked
	// is heard, streams are told, and the last figures can be read.
	after, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var rear errgroup.Group
	rear.Go(func() error {
		defer stop()
		return drain{ctx: after, grace: time.Second, writes: time.Minute, log: o.Log}.serve(private, ops(o.metrics.Handler()))
	})
	rear.Go(func() error { listenFor(after, revocations, hear); return nil })
	rear.Go(func() error { listenFor(after, events, follow); return nil })
	for _, chore := range chores(o, services) {
		o.metrics.ExpectChore(chore.name)
		rear.Go(func() error { every(after, chore.interval, func() { chore.do(after, o.Log, o.metrics) }); return nil })
	}
	var front errgroup.Group
	front.Go(func() error {
		defer stop()
		return d.serve(public, Handler(c, o.Parts, services), services.Tokens.Hush, services.Resources.Hush)
	})
	for _, l := range older {
		front.Go(func() error {
			defer stop()
			return d.serve(l, Apart(c, o.Parts, services, l.dialect))
		})
	}
	err = front.Wait()
	end()
	err = errors.Join(err, rear.Wait())
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := services.Tokens.WriteSightings(last); err != nil {
		o.Log.Warn("noting what was used", "cause", err.Error())
	}
	o.Log.Info("stopped")
	return err
}

// pollInterval is how often a replica asks the bulletin: four times within the
// least KEYPORT_REVOCATION_MAX. Where the store says that there may be news it is
// asked at once, but never sooner than breath after the time before.
const (
	pollInterval = 250 * time.Millisecond
	breath       = 10 * time.Millisecond
)

// listenFor hears each pollInterval, and when there may be news, until ctx ends.
func listenFor(ctx context.Context, news <-chan struct{}, hear func(context.Context)) {
	poll, rest := time.NewTicker(pollInterval), time.NewTimer(0)
	defer poll.Stop()
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		case <-news:
		}
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
		}
		hear(ctx)
		rest.Reset(breath)
	}
}

// A chore is what has to be done from time to time.
type chore struct {
	name     string
	interval time.Duration
	run      func(context.Context) error
}

// do runs the chore. What fails is told to the log, and tried again the next time.
func (c chore) do(ctx context.Context, log *slog.Logger, metrics *telemetry.Metrics) {
	err := c.run(ctx)
	if ctx.Err() != nil {
		return
	}
	metrics.ObserveChore(c.name, err)
	if err != nil {
		log.Warn(c.name, "cause", err.Error())
	}
}

func chores(o *opened, s wire.Services) []chore {
	return []chore{
		{"pruning sessions", 10 * time.Minute, func(ctx context.Context) error { _, err := s.Tokens.Prune(ctx); return err }},
		{"noting what was used", domain.SightingInterval, s.Tokens.WriteSightings},
		{"building indexes", 5 * time.Second, s.Resources.Build},
		{"pruning events and imports", time.Minute, s.Resources.Prune},
		{"pruning receipts", time.Minute, s.Receipts.Prune},
		{"turning keys", time.Minute, func(ctx context.Context) error {
			turned, err := o.keys.Turn(ctx)
			if turned {
				o.Log.Info("keys have turned; keyport keys list shows them")
			}
			return errors.Join(err, o.keys.Reload(ctx))
		}},
	}
}

// hearing returns a function that asks for news once. The log has a line when the
// store stops answering, and one when it answers again.
func hearing(hear func(context.Context) error, log *slog.Logger, deaf, healed string) func(context.Context) {
	failed := false
	return func(ctx context.Context) {
		err := hear(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && !failed:
			log.Warn(deaf, "cause", err.Error())
			failed = true
		case err == nil && failed:
			log.Info(healed)
			failed = false
		}
	}
}

// errTaken says in plain words that somebody else listens there.
type errTaken struct{ error }

func (errTaken) Error() string   { return "is taken by another program" }
func (e errTaken) Unwrap() error { return e.error }

func listen(ctx context.Context, setting, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %w: set %s to another address, such as 127.0.0.1:0", addr, errTaken{err}, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return l, nil
}

// ops is what the private listener answers.
func ops(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// every runs f each interval until ctx ends.
func every(ctx context.Context, interval time.Duration, f func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f()
		}
	}
}
