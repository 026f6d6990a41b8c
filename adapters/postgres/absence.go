package postgres

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// What is known of a host that was dialled in vain.
const (
	absenceMemory = 30 * time.Second       // from the last try on
	absenceProbe  = 250 * time.Millisecond // that such a host gets to answer
)

// An absence remembers which of several hosts did not answer at all when they were
// dialled: the machine of a lost primary answers nothing, not even that nobody listens.
// Every connection that is made tries the hosts in their order, so each would wait for
// that one as long as connect_timeout, and whoever wants the connection gives up before.
//
// A host that has come back answers within absenceProbe, and is known as before.
type absence struct {
	mu     sync.Mutex
	silent map[string]time.Time // by address: when it last did not answer
}

func newAbsence() *absence { return &absence{silent: make(map[string]time.Time)} }

// dialer returns dial, which gives a host that does not answer no more than absenceProbe.
func (a *absence) dialer(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		cancel := func() {}
		if a.known(addr) {
			ctx, cancel = context.WithTimeout(ctx, absenceProbe)
		}
		defer cancel()
		c, err := dial(ctx, network, addr)
		a.note(addr, err)
		return c, err
	}
}

func (a *absence) known(addr string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	last, known := a.silent[addr]
	return known && time.Since(last) < absenceMemory
}

// note learns from a dial. A caller who went away says nothing of the host, and one
// that refuses has answered.
func (a *absence) note(addr string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	wait, isNet := errors.AsType[net.Error](err)
	switch {
	case isNet && wait.Timeout(), errors.Is(err, context.DeadlineExceeded):
		a.silent[addr] = time.Now()
	case errors.Is(err, context.Canceled):
	default:
		delete(a.silent, addr)
	}
}
