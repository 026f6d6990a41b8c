package wire

import "context"

// A Request is what the stack knows of a request beside what was sent. Each
// request has one of its own, and one goroutine that writes to it.
type Request struct {
	ID     string // a UUID; the problem's instance and the log's id
	Client string // the address of whoever sent it; "" where it is not known
	Cause  error  // what went wrong, for the log alone; nil if nothing did

	whole context.Context // see Lasting
}

type requestKey struct{}

// WithRequest returns a context that carries r.
func WithRequest(ctx context.Context, r *Request) context.Context {
	r.whole = context.WithValue(ctx, requestKey{}, r)
	return r.whole
}

// Lasting returns the context that WithRequest returned for the request that ctx
// belongs to: without the bound on how long a request may take, it ends when the client
// goes. What lasts by it needs bounds of its own.
func Lasting(ctx context.Context) context.Context {
	if whole := RequestOf(ctx).whole; whole != nil {
		return whole
	}
	return ctx
}

// RequestOf returns the request that ctx belongs to; a fresh one outside the
// stack.
func RequestOf(ctx context.Context) *Request {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r
	}
	return new(Request)
}
