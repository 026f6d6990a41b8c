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
// Calls at the same time share their readings of the store, but none is answered
// by a reading that began before the call.
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
	done int64         // all tickets up to this one were served; of who reads
}

func newReading() reading { return reading{turn: make(chan struct{}, 1)} }

// share runs read, or waits for one that succeeds and began after the call.
func (r *reading) share(ctx context.Context, read func() error) error {
	ticket := r.last.Add(1)
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.turn }()
	if ticket <= r.done {
		return nil
	}
	// Whoever draws a ticket from here on wants a later reading.
	all := r.last.Load()
	if err := read(); err != nil {
		return err
	}
	r.done = all
	return nil
}
