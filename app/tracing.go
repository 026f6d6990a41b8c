package app

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/adapters/telemetry"
)

// untraced are the requests of those who ask for ever: probes, and other services that
// hear what was revoked.
var untraced = []string{"/livez", "/readyz", "/v1/revocations"}

// flushMax is how long the last spans may take to be sent.
const flushMax = 2 * time.Second

// trace traces requests, if the environment asks for it. It comes before the parts that
// have something to trace, and is closed after them.
func (o *opened) trace(ctx context.Context) (err error) {
	if o.tracing, err = telemetry.OpenTracing(ctx, Version(), o.Log); err != nil {
		return err
	}
	o.Log, o.Trace, o.Span = o.tracing.Log(o.Log), o.tracing.Request(untraced...), o.tracing.Span()
	o.closers = append(o.closers, func() error {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushMax)
		defer cancel()
		o.tracing.Close(last)
		return nil
	})
	return nil
}
