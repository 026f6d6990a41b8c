// Package ports lists what the domain asks of the world.
//
// Every interface here is a promise in two halves: the signatures, which the
// compiler checks, and the comments, which package porttest checks sentence by
// sentence. An adapter is done when its porttest suite passes.
//
// Common to all ports:
//
//   - Methods are safe for concurrent use.
//   - Methods stop early when ctx ends, and then return an error for which
//     errors.Is(err, ctx.Err()) holds, or domain.ErrUnavailable.
//   - A failure that the comment names is a *domain.Error. Of failures that hold
//     at once, the one that is named first is returned. A store that cannot
//     be reached, or is too busy, fails with domain.ErrUnavailable. Any other
//     error is an accident, and callers treat it as domain.Internal.
//   - What is passed in or out is the receiver's to keep: implementations copy
//     slices.
//   - Times are UTC and survive a round trip to the microsecond.
package ports
