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

	"github.com/keyport-go/keyport/domain/tokens"
)

// Serve answers on both listeners until ctx ends, then lets open requests finish
// for c.DrainGrace. Logs go to log. demo, if not nil, is loaded before the first
// request is answered.
func Serve(ctx context.Context, c Config, demo *Demo, log io.Writer) (err error) {
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
	o, err := open(ctx, c, c.PublicURL, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	services := Services(c, o.Parts)
	o.metrics.Gauge("keyport_bulletin_age_seconds", "Time since this replica last heard what was revoked.", func() float64 { return services.Tokens.News().Age.Seconds() })
	o.metrics.Gauge("keyport_bulletin_lag_seconds", "Time from the latest revocation to its effect on this replica.", func() float64 { return services.Tokens.News().Lag.Seconds() })
	o.metrics.Gauge("keyport_bulletin_changes", "Revocations that this replica has in mind.", func() float64 { return float64(services.Tokens.News().Changes) })
	if demo != nil {
		if err := demo.load(ctx, services, c.PublicURL); err != nil {
			return fmt.Errorf("loading the demo: %w", err)
		}
	}
	hear := hearing(services.Tokens, o.Log)
	hear(ctx)
	o.Log.Info("serving", "url", c.PublicURL, "addr", public.Addr().String(), "ops", private.Addr().String(), "version", Version())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, public, Handler(c, o.Parts, services), c) })
	group.Go(func() error { return serve(ctx, private, ops(o.metrics.Handler()), c) })
	group.Go(func() error { every(ctx, pollInterval, func() { hear(ctx) }); return nil })
	group.Go(func() error {
		every(ctx, 10*time.Minute, func() {
			if _, err := services.Tokens.Prune(ctx); err != nil && ctx.Err() == nil {
				o.Log.Warn("pruning sessions", "cause", err.Error())
			}
		})
		return nil
	})
	err = group.Wait()
	o.Log.Info("stopped")
	return err
}

// pollInterval is how often a replica asks the bulletin: four times within the
// least KEYPORT_REVOCATION_MAX.
const pollInterval = 250 * time.Millisecond

// hearing returns a function that asks the bulletin once. The log has a line when
// the store stops answering, and one when it answers again.
func hearing(s *tokens.Service, log *slog.Logger) func(context.Context) {
	deaf := false
	return func(ctx context.Context) {
		err := s.Hear(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && !deaf:
			log.Warn("the bulletin cannot be heard; past KEYPORT_REVOCATION_MAX the store is asked on each request", "cause", err.Error())
			deaf = true
		case err == nil && deaf:
			log.Info("the bulletin is heard again")
			deaf = false
		}
	}
}

func listen(ctx context.Context, setting, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program: set %s to another address, such as 127.0.0.1:0", addr, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return l, nil
}

// serve answers on l until ctx ends, then drains.
func serve(ctx context.Context, l net.Listener, h http.Handler, c Config) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      c.RequestTimeout + 30*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.DrainGrace)
		defer cancel()
		stopped <- srv.Shutdown(grace)
	})
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("draining: %w", errors.Join(err, srv.Close()))
	}
	return nil
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
