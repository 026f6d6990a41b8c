package fake

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Clock stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows t, in UTC.
func NewClock(t time.Time) *Clock { return &Clock{now: t.UTC()} }

// Now is the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d; back, if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// UUIDs returns a source of ids in the shape of UUIDs of version 7 (RFC 9562,
// section 5.7). They count up and sort in the order in which they were made.
func UUIDs() func() string {
	var n atomic.Uint64
	return func() string { return fmt.Sprintf("01900000-0000-7000-8000-%012x", n.Add(1)) }
}

// Randoms returns a source of what stands for 32 random bytes: they count up.
func Randoms() func() [32]byte {
	var n atomic.Uint64
	return func() (b [32]byte) {
		binary.BigEndian.PutUint64(b[24:], n.Add(1))
		return b
	}
}
