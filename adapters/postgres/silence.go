package postgres

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A silence is the time since anything came from the server, on whatever connection.
// A server that is slow is heard now and then; from one that is cut off, or stopped,
// nothing comes at all, and whoever waits for it need not wait for a timeout that is
// made for slow statements.
//
// A nil silence has no bound.
type silence struct {
	bound time.Duration
	epoch time.Time    // from which heard counts, by the monotonic clock
	heard atomic.Int64 // when something came last, in nanoseconds
}

var errSilence = errors.New("postgres: the server says nothing")

func newSilence(bound time.Duration) *silence {
	if bound == 0 {
		return nil
	}
	return &silence{bound: bound, epoch: time.Now()}
}

// dialer returns dial, of whose connections is noted when something comes.
func (s *silence) dialer(dial pgconn.DialFunc) pgconn.DialFunc {
	if s == nil {
		return dial
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return ear{c, s}, nil
	}
}

// An ear is a connection that notes when something comes.
type ear struct {
	net.Conn
	silence *silence
}

func (e ear) Read(b []byte) (int, error) {
	n, err := e.Conn.Read(b)
	if n > 0 {
		e.silence.heard.Store(int64(time.Since(e.silence.epoch)))
	}
	return n, err
}

// watch returns a context that ends when, from now on, nothing has been heard for as
// long as the bound. stop must be called.
func (s *silence) watch(ctx context.Context) (_ context.Context, stop func()) {
	if s == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	asked := time.Since(s.epoch)
	var look func()
	look = func() {
		lasted := time.Since(s.epoch) - max(asked, time.Duration(s.heard.Load()))
		switch {
		case ctx.Err() != nil:
		case lasted >= s.bound:
			cancel(errSilence)
		default:
			time.AfterFunc(s.bound-lasted, look)
		}
	}
	first := time.AfterFunc(s.bound, look)
	return ctx, func() {
		first.Stop()
		cancel(nil)
	}
}
