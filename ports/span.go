package ports

import "context"

// A Span begins a part of the trace of a request. name says what is done, in words
// that stand in the program: "tokens.Refresh", or the text of a statement without its
// parameters. Nothing that somebody sent or that is stored is ever part of it.
//
// It returns the context of the part, in which its own parts are begun, and the
// function by which it ends, which is called once, with the error that came of it or
// nil. Of an error only its kind is told.
//
// nil traces nothing. Begin is how a Span is called.
type Span func(ctx context.Context, name string) (context.Context, func(error))

// Begin begins a part. Of a nil Span it returns ctx, and costs no allocation.
func (s Span) Begin(ctx context.Context, name string) (context.Context, func(error)) {
	if s == nil {
		return ctx, unseen
	}
	return s(ctx, name)
}

func unseen(error) {}
