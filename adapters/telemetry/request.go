package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Request returns the function that begins the trace of a request, whose id it is
// given, and returns its context and the function that ends it; nil where tracing is
// off. The span bears the pattern of the route and the status, and nothing else of
// what somebody sent: a path, a query or a header may hold anything.
//
// A traceparent (W3C Trace Context) makes the span part of the caller's trace; whether
// it is sampled then is for the sampler to say, and of tracestate and baggage nothing
// is taken or handed on. Requests for the paths in untraced have no trace.
func (t *Tracing) Request(untraced ...string) func(r *http.Request, id string) (context.Context, func(route string, status int)) {
	if t == nil {
		return nil
	}
	return func(r *http.Request, id string) (context.Context, func(string, int)) {
		if slices.Contains(untraced, r.URL.Path) {
			return r.Context(), func(string, int) {}
		}
		method := r.Method
		if methodLabel(method) == "other" {
			method = "_OTHER"
		}
		ctx, span := t.tracer.Start(parented(r), method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", method), attribute.String("keyport.request.id", id),
		))
		if !span.IsRecording() {
			return ctx, func(string, int) { span.End() }
		}
		ctx, j := embark(ctx)
		return ctx, func(route string, status int) { arrive(span, j, method, route, status) }
	}
}

// parented returns the context of r as a part of the caller's trace, if it names one
// and no more than one.
func parented(r *http.Request) context.Context {
	ctx := r.Context()
	given := r.Header["Traceparent"]
	if len(given) != 1 {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": given[0]})
}

func arrive(span trace.Span, j *journey, method, route string, status int) {
	defer span.End()
	if route != "" {
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.route", route))
	}
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if n := j.leftOut(); n > 0 {
		span.SetAttributes(attribute.Int64("keyport.parts.left_out", n))
	}
	if status >= http.StatusInternalServerError {
		span.SetAttributes(attribute.String("error.type", strconv.Itoa(status)))
		span.SetStatus(codes.Error, "")
	}
}

// Log returns a logger like log whose lines bear the trace_id of the request that they
// belong to, sampled or not; log itself where tracing is off.
func (t *Tracing) Log(log *slog.Logger) *slog.Logger {
	if t == nil {
		return log
	}
	return slog.New(traced{log.Handler()})
}

type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, line slog.Record) error {
	if at := trace.SpanContextFromContext(ctx); at.HasTraceID() {
		line = line.Clone()
		line.AddAttrs(slog.String("trace_id", at.TraceID().String()))
	}
	return h.Handler.Handle(ctx, line)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }
