package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/ports"
)

// A tracer tells of each statement that is sent, and traces it until its rows are read.
type tracer struct {
	told func(sql string) // may be nil
	span ports.Span
}

// endKey is where the context of a statement has the function that ends its span.
type endKey struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if t.told != nil {
		t.told(data.SQL)
	}
	if t.span == nil {
		return ctx
	}
	ctx, end := t.span.Begin(ctx, data.SQL)
	return context.WithValue(ctx, endKey{}, end)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	if end, ok := ctx.Value(endKey{}).(func(error)); ok {
		end(data.Err)
	}
}
