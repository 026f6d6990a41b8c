package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// maxParts is how many parts of one request are traced. A request may last for hours,
// as a stream does, and ask the store twice a second: what comes later is left out,
// and the request's own span says how much.
const maxParts = 256

// Tracing tells a collector, by OTLP over HTTP, what requests spent their time on.
// Only a request begins a trace (Request); what is done without one, such as hearing
// the bulletin, is in none. A nil *Tracing is one that is off: all of its methods
// may be called, and what they return costs nothing.
//
// Spans wait for the collector in a queue that is bounded (OTEL_BSP_MAX_QUEUE_SIZE,
// 2,048). What does not fit is dropped: a collector that is slow or away slows no
// request.
type Tracing struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	outlet   *outlet
}

// OpenTracing returns what the environment asks for (OpenTelemetry specification,
// "Environment Variable Specification"), or nil if that is nothing: no endpoint is
// named, or tracing is switched off. It fails, with all faults, for what cannot be
// obeyed. That the collector cannot be reached goes to log: a line when it begins,
// one each ten minutes, and one when it is over. version is that of Keyport. The
// caller closes what it gets.
func OpenTracing(ctx context.Context, version string, log *slog.Logger) (*Tracing, error) {
	if on, err := asked(); err != nil || !on {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	service, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "keyport"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(), // last, so that it has the last word
	)
	if err != nil {
		return nil, errors.Join(err, exporter.Shutdown(ctx))
	}
	out := &outlet{to: exporter, log: log}
	// The library has one place in a process for what it has to say.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(out.complain))
	provider := sdk.NewTracerProvider(sdk.WithResource(service), sdk.WithBatcher(out))
	return &Tracing{provider, provider.Tracer("github.com/keyport-go/keyport"), out}, nil
}

// Close sends what waits, until ctx ends, and lets go of the rest.
func (t *Tracing) Close(ctx context.Context) {
	if t == nil {
		return
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		t.outlet.complain(err)
		_ = t.outlet.to.Shutdown(ctx) // cuts off what is under way
	}
}

// Sent is how many spans the collector has taken, and Lost how many it has not, as far
// as that was tried.
func (t *Tracing) Sent() (sent, lost int64) {
	if t == nil {
		return 0, 0
	}
	return t.outlet.sent.Load(), t.outlet.lost.Load()
}

// A journey is a request that is being traced.
type journey struct{ left atomic.Int64 } // parts that it may have yet

type journeyKey struct{}

// embark returns a context in which parts may begin.
func embark(ctx context.Context) (context.Context, *journey) {
	j := new(journey)
	j.left.Store(maxParts)
	return context.WithValue(ctx, journeyKey{}, j), j
}

// step reports whether another part may begin in ctx.
func step(ctx context.Context) bool {
	j, ok := ctx.Value(journeyKey{}).(*journey)
	return ok && j.left.Add(-1) >= 0
}

// leftOut returns how many parts there was no room for.
func (j *journey) leftOut() int64 { return max(-j.left.Load(), 0) }

// Span traces what is done inside Keyport, under the name that it is given.
func (t *Tracing) Span() ports.Span {
	if t == nil {
		return nil
	}
	return func(ctx context.Context, name string) (context.Context, func(error)) {
		if !step(ctx) {
			return ctx, unseen
		}
		ctx, span := t.tracer.Start(ctx, name)
		return ctx, func(err error) { end(span, err) }
	}
}

// Statements traces statements of SQL, which are sent to a system of the given name
// ("postgresql", "sqlite"). The name of each is its text: the span bears what is done
// and to which tables, and no more of it (semantic conventions for database spans).
func (t *Tracing) Statements(system string) ports.Span {
	if t == nil {
		return nil
	}
	spoken := attribute.String("db.system.name", system)
	return func(ctx context.Context, text string) (context.Context, func(error)) {
		if !step(ctx) {
			return ctx, unseen
		}
		verb, tables := summary(text)
		name := strings.Join(append([]string{verb}, tables...), " ")
		attrs := []attribute.KeyValue{spoken, attribute.String("db.operation.name", verb), attribute.String("db.query.summary", name)}
		if len(tables) == 1 {
			attrs = append(attrs, attribute.String("db.collection.name", tables[0]))
		}
		ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
		return ctx, func(err error) {
			end(span, err)
		}
	}
}

func unseen(error) {}

// end ends a span with an error or nil. The text of an error is never told, for it may
// hold anything.
func end(span trace.Span, err error) {
	if err != nil {
		kind, ours := kindOf(err)
		span.SetAttributes(attribute.String("error.type", kind))
		if ours {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// kindOf names an error, and says whether it is a failure of Keyport's: of those that
// its callers caused it is the code.
func kindOf(err error) (name string, ours bool) {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Code, e.Kind == domain.Internal || e.Kind == domain.Unavailable
	}
	if state, ok := errors.AsType[answered](err); ok {
		return state.SQLState(), !strings.HasPrefix(state.SQLState(), violated)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled", false
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout", true
	}
	return "_OTHER", true
}

// An answered error is one that a database gave a code (SQLSTATE).
type answered interface {
	error
	SQLState() string
}

// violated is the class of the codes that say that what was sent clashes with what is
// stored (PostgreSQL manual, appendix A).
const violated = "23"

// An outlet hands spans to the collector, counts them, and tells now and then that
// it does not take them.
type outlet struct {
	to         sdk.SpanExporter
	log        *slog.Logger
	sent, lost atomic.Int64

	told atomic.Int64 // when it was last told that it fails, Unix seconds; 0: it does not
}

// silence is how long is said no more about a collector that does not answer.
const silence = 10 * time.Minute

// ExportSpans implements the interface of the library. It returns no error: it has
// told what there is to tell.
func (o *outlet) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := o.to.ExportSpans(ctx, spans); err != nil {
		o.lost.Add(int64(len(spans)))
		o.complain(err)
		return nil
	}
	o.sent.Add(int64(len(spans)))
	if o.told.Swap(0) != 0 {
		o.log.Info("traces are taken again", "lost", o.lost.Load())
	}
	return nil
}

// Shutdown implements the interface of the library.
func (o *outlet) Shutdown(ctx context.Context) error { return o.to.Shutdown(ctx) }

// complain tells what is wrong, unless that was told lately.
func (o *outlet) complain(err error) {
	now, last := time.Now().Unix(), o.told.Load()
	if last != 0 && now-last < int64(silence/time.Second) || !o.told.CompareAndSwap(last, now) {
		return
	}
	o.log.Warn("traces are not taken; nothing else depends on it", "lost", o.lost.Load(), "cause", clip(err.Error()))
}

// clip bounds what somebody else's answer brings to the log, in bytes.
func clip(text string) string {
	const most = 300
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
