package jose

import (
	"context"
	"sync/atomic"
)

// Reload reads the keys of the store and puts them in the place of those that
// were read before, all at once: when it returns nil, a key that was dropped
// before the call verifies nothing, not even a token that is remembered, and one
// that was added verifies. It opens those keys alone that are new to it. It fails
// with ErrMasterKey for a key that neither master key opens; then, as with any
// failure, the keys stay as they were.
//
// Calls at the same time share their readings of the store, but none succeeds by a
// reading that began before the call. One that fails does so for all who wait by then:
// where the store is silent, each is answered after one wait for it, and not after
// those of all who came before.
func (k *Keyring) Reload(ctx context.Context) error {
	return k.reading.share(ctx, func() error {
		list, err := k.c.list(ctx, k.c.Store.Keys())
		if err != nil {
			return err
		}
		next, err := k.snapshot.Load().read(list, k.c)
		if err != nil {
			return err
		}
		k.snapshot.Store(next)
		return nil
	})
}

// A reading is read by one at a time, and spares the others theirs.
type reading struct {
	turn chan struct{} // holds one item while somebody reads
	last atomic.Int64  // the ticket that was drawn last

	// Of who reads: all tickets up to done were served, and the later ones of these,
	// from failed on, in vain.
	done, failed int64
	err          error
}

func newReading() reading { return reading{turn: make(chan struct{}, 1)} }

// share runs read, or waits for one that succeeds and began after the call, or that
// fails after it.
func (r *reading) share(ctx context.Context, read func() error) error {
	ticket := r.last.Add(1)
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.turn }()
	switch {
	case ticket <= r.done && r.err != nil && ticket >= r.failed:
		return r.err
	case ticket <= r.done:
		return nil
	}
	// Whoever draws a ticket from here on wants a later reading.
	all := r.last.Load()
	err := read()
	switch {
	case err == nil:
		r.done, r.err = all, nil
	case ctx.Err() == nil: // else it is the caller who has gone
		r.done, r.failed, r.err = r.last.Load(), r.done+1, err
	}
	return err
}
