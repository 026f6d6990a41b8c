package password

import (
	"context"
	"sync/atomic"

	"github.com/keyport-go/keyport/domain"
)

// A gate lets a few callers run at once and a few more wait, in the order in
// which they came. Everybody else is turned away at once.
type gate struct {
	inside chan struct{} // one for each caller that runs or waits
	slots  chan struct{} // one for each that runs

	running, highest, refused atomic.Int64
}

// Stats is a look at a gate. The figures are read one after another, so in busy
// moments they need not fit together.
type Stats struct {
	Running int   // hashes being made
	Waiting int   // callers in the queue
	Highest int   // the most that ever ran at once
	Refused int64 // callers that were turned away since the start
}

func newGate(running, waiting int) *gate {
	return &gate{
		inside: make(chan struct{}, running+waiting),
		slots:  make(chan struct{}, running),
	}
}

// enter waits for a slot. It fails with domain.ErrBusy at once if the queue is
// full, and with ctx's error if ctx ends first. Whoever entered must leave.
func (g *gate) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case g.inside <- struct{}{}:
	default:
		g.refused.Add(1)
		return domain.ErrBusy
	}
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		<-g.inside
		return ctx.Err()
	}
	now := g.running.Add(1)
	for most := g.highest.Load(); now > most && !g.highest.CompareAndSwap(most, now); most = g.highest.Load() {
	}
	return nil
}

func (g *gate) leave() {
	g.running.Add(-1)
	<-g.slots
	<-g.inside
}

func (g *gate) stats() Stats {
	running := g.running.Load()
	return Stats{
		Running: int(running),
		Waiting: max(len(g.inside)-int(running), 0),
		Highest: int(g.highest.Load()),
		Refused: g.refused.Load(),
	}
}
