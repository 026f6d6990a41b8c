package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// A drain is how listeners stop without failing a request that somebody has sent.
//
// When ctx ends, /readyz says so first, and whoever spreads requests over replicas has
// the delay to learn of it. Meanwhile requests are served, and each answer asks its
// client to come back on another connection (RFC 9112, section 9.6): a connection that
// is closed without a word may have a request on its way, which no client can safely
// send again. Then the listener closes, streams are told to come again elsewhere, and
// open requests get the grace. What is open beyond it is broken off.
type drain struct {
	ctx    context.Context // its end is the beginning
	delay  time.Duration
	grace  time.Duration
	writes time.Duration // the longest that an answer may take to be written
	log    *slog.Logger
}

// begun reports whether requests should go elsewhere.
func (d drain) begun() bool { return d.ctx.Err() != nil }

// serve answers on l until it is drained. Each of last is called when l has closed. It
// fails where l does; that the grace was not enough is only told to the log.
func (d drain) serve(l net.Listener, h http.Handler, last ...func()) error {
	open, breakOff := context.WithCancel(context.WithoutCancel(d.ctx))
	defer breakOff()
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if d.begun() {
				w.Header().Set("Connection", "close")
			}
			h.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return open },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      d.writes,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	for _, f := range last {
		srv.RegisterOnShutdown(f)
	}
	drained := make(chan struct{})
	stop := context.AfterFunc(d.ctx, func() {
		defer close(drained)
		time.Sleep(d.delay)
		grace, cancel := context.WithTimeout(open, d.grace)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			d.log.Warn("requests that are still open are broken off", "grace", d.grace, "addr", l.Addr().String())
			breakOff()
			_ = srv.Close() // the listener has closed, and the connections are to break
		}
	})
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return errors.Join(err, srv.Close())
	}
	<-drained
	return nil
}
