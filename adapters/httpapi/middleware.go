package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

const requestIDHeader = "X-Request-Id"

// tell gives each request its id and its time, turns a panic into a 500, writes
// one line to the log, and tells the observer. Neither the line nor the figures
// hold the query, a body or a header: there may be secrets in them.
func (c Config) tell(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		request := &wire.Request{ID: c.NewID(), Client: clientAddr(r, c.TrustedProxies)}
		ctx, traced := c.trace(r, request.ID)
		ctx, cancel := context.WithTimeout(wire.WithRequest(ctx, request), c.Timeout)
		defer cancel()
		w.Header().Set(requestIDHeader, request.ID)
		seen := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		r = r.WithContext(ctx)
		defer func() {
			if fault := recover(); fault != nil {
				if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					c.finish(r, request, seen, time.Since(start), traced) // an answer that was broken off
					panic(fault)
				}
				err := fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
				if seen.Status() == 0 {
					wire.ProblemOf(ctx, err).Write(seen)
				}
				request.Cause = err
			}
			c.finish(r, request, seen, time.Since(start), traced)
		}()
		next.ServeHTTP(seen, r)
	})
}

// trace begins the trace of r, if there is to be one.
func (c Config) trace(r *http.Request, id string) (context.Context, func(route string, status int)) {
	if c.Trace == nil {
		return r.Context(), func(string, int) {}
	}
	return c.Trace(r, id)
}

func (c Config) finish(r *http.Request, request *wire.Request, seen middleware.WrapResponseWriter, took time.Duration, traced func(route string, status int)) {
	status := seen.Status()
	if status == 0 {
		status = http.StatusOK
	}
	route := ""
	if rc := chi.RouteContext(r.Context()); rc != nil {
		route = rc.RoutePattern()
	}
	if c.Observe != nil {
		c.Observe(route, r.Method, status, took)
	}
	traced(route, status)
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable {
		level = slog.LevelError
	}
	if !c.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("id", request.ID), slog.String("method", r.Method), slog.String("route", route),
		slog.Int("status", status), slog.Int("bytes", seen.BytesWritten()), slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("client", request.Client),
	}
	if request.Cause != nil {
		attrs = append(attrs, slog.String("cause", request.Cause.Error()))
	}
	c.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// secure sets the headers that every answer bears. A handler that may be cached
// or that serves a page says so over them.
func secure(hsts bool) func(http.Handler) http.Handler {
	var (
		noStore    = []string{"no-store"}
		policy     = []string{"default-src 'none'; frame-ancestors 'none'"}
		noReferrer = []string{"no-referrer"}
		noSniff    = []string{"nosniff"}
		noFrame    = []string{"DENY"}
		tls        = []string{"max-age=31536000; includeSubDomains"}
	)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// One slice serves all answers: Set replaces it, and Add, which finds it
			// full, copies it.
			h := w.Header()
			h["Cache-Control"] = noStore
			h["Content-Security-Policy"] = policy
			h["Referrer-Policy"] = noReferrer
			h["X-Content-Type-Options"] = noSniff
			h["X-Frame-Options"] = noFrame
			if hsts {
				h["Strict-Transport-Security"] = tls
			}
			next.ServeHTTP(w, r)
		})
	}
}
