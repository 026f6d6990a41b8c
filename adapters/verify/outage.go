package verify

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// The pauses between tries. Each is twice the one before, less up to half by
// chance, so that many services do not come back at the same moment.
const (
	leastPause = 50 * time.Millisecond
	mostPause  = 2 * time.Second
)

// An outage is a run of failures of one thing. The log hears of the first, and of
// the end.
type outage struct {
	what  string
	log   *slog.Logger
	since time.Time // zero: there is none
	pause time.Duration
}

// wait notes a failure and waits until the next try, or until ctx ends.
func (o *outage) wait(ctx context.Context, err error) {
	if o.since.IsZero() {
		o.since, o.pause = time.Now(), leastPause
		o.log.Warn(o.what+" cannot be had from Keyport", "err", err)
	}
	o.pause = min(2*o.pause, mostPause)
	sleep(ctx, o.pause/2+rand.N(o.pause/2))
}

// over notes a success.
func (o *outage) over() {
	if o.since.IsZero() {
		return
	}
	o.log.Info(o.what+" can be had from Keyport again", "after", time.Since(o.since))
	o.since = time.Time{}
}

// final reports whether to try again is no use.
func final(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, ErrIssuer) || errors.Is(err, ErrRefused)
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
