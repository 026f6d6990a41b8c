package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// The times of a crowd.
const (
	crowdPause  = 250 * time.Millisecond // between two tries for one connection more
	crowdMemory = 10 * time.Second       // for which the server is taken for full after it has said so
	crowdProbe  = 10 * time.Millisecond  // between two looks for a connection that was given back
)

// A crowd is what a server is in that has no connection left to give (53300). Then
// this replica makes do with those that it has, and tries for one more four times a
// second: so the server is not kept busy with refusals, and whoever has none yet has a
// better chance than those that have some.
type crowd struct {
	mu      sync.Mutex
	refused time.Time // when the server last refused a connection
	next    time.Time // when one may be tried again
	err     error     // how it was refused
}

// admit says, before a connection is made, whether that may be tried now. It is a
// hook of the pool, which hands its error to whoever wanted the connection.
func (c *crowd) admit(context.Context, *pgx.ConnConfig) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch {
	case c.err == nil:
		return nil
	case now.Sub(c.refused) > crowdMemory:
		c.err = nil
		return nil
	case now.Before(c.next):
		return c.err
	}
	c.next = now.Add(crowdPause/2 + rand.N(crowdPause))
	return nil
}

// note learns from a refusal.
func (c *crowd) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, c.err) {
		return // it is the one that admit gave
	}
	now := time.Now()
	c.refused, c.err = now, err
	c.next = now.Add(crowdPause/2 + rand.N(crowdPause))
}
