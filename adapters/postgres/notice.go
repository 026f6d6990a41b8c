package postgres

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Notices leave and arrive on one channel of the database (PostgreSQL manual,
// NOTIFY). They say nothing but that there is news, on the bulletin or of records. A notice need
// not outlive a crash, so it waits for no disk and no standby.
const (
	listenSQL = `LISTEN keyport_changes`
	notifySQL = `SELECT set_config('synchronous_commit', 'off', true), pg_notify('keyport_changes', '')`
)

const (
	noticeTimeout = time.Second           // for the sending of one notice, the wait for a connection included
	noticePause   = 10 * time.Millisecond // between two notices: what is committed meanwhile is told by one
	firstRetry    = 100 * time.Millisecond
	lastRetry     = 4 * time.Second // the longest wait before a connection is made anew
)

// Tests have not the time for these, and so shorten them.
var (
	hearingCheck = 30 * time.Second // how long nothing may be heard until the connection is tried
	checkTimeout = 5 * time.Second  // for the answer to a LISTEN or a try
)

// notices tell every replica, this one too, that something was committed which
// they must hear of, and hear it from them. They only make the bulletin fast:
// a notice that is lost is made up for by the next poll.
//
// A notice is sent after the commit, and by one goroutine. In a transaction NOTIFY
// would hold a lock of the whole database until the commit is on the disk, and so
// let only one transaction commit at a time.
//
// Nil notices neither tell nor hear.
type notices struct {
	due   chan struct{}      // holds one element while there is something to tell
	leave context.CancelFunc // ends the hearing, and the telling after what is due
	cut   context.CancelFunc // gives up what is being told
	busy  sync.WaitGroup

	sent, heard, lost atomic.Int64
}

// newNotices begins to tell on connections of a pool, and to hear on a connection
// of its own if there is somebody to tell it to.
func newNotices(ctx context.Context, connections *pgxpool.Pool, hearing *pgx.ConnConfig, onNews func()) *notices {
	ctx = context.WithoutCancel(ctx)
	n := &notices{due: make(chan struct{}, 1)}
	staying, leave := context.WithCancel(ctx)
	sending, cut := context.WithCancel(ctx)
	n.leave, n.cut = leave, cut
	n.busy.Go(func() { n.tell(staying, sending, connections) })
	if onNews != nil {
		n.busy.Go(func() { n.hear(staying, hearing, onNews) })
	}
	return n
}

// mark says that something was committed. It does not wait.
func (n *notices) mark() {
	if n == nil {
		return
	}
	select {
	case n.due <- struct{}{}:
	default: // the notice that is due was not begun yet, and tells this too
	}
}

// close tells what is due, for a second at most, and ends both goroutines.
func (n *notices) close() {
	if n == nil {
		return
	}
	n.leave()
	patience := time.AfterFunc(noticeTimeout, n.cut)
	n.busy.Wait()
	patience.Stop()
	n.cut()
}

// tell sends a notice for all that was marked since the last one was begun.
func (n *notices) tell(staying, sending context.Context, connections *pgxpool.Pool) {
	for staying.Err() == nil {
		select {
		case <-n.due:
			n.send(sending, connections)
			pause(staying, noticePause)
		case <-staying.Done():
		}
	}
	select {
	case <-n.due:
		n.send(sending, connections)
	default:
	}
}

// send goes past the tracer of statements: a notice is no part of the request that
// has caused it.
func (n *notices) send(ctx context.Context, connections *pgxpool.Pool) {
	ctx, cancel := context.WithTimeout(ctx, noticeTimeout)
	defer cancel()
	c, err := connections.Acquire(ctx)
	if err != nil {
		return
	}
	defer c.Release()
	if say(ctx, c.Conn(), notifySQL) == nil {
		n.sent.Add(1)
	}
	if c.Conn().IsClosed() {
		// pgx takes up to 15 s to part from a server that does not answer, and the
		// pool would wait for that when it is closed.
		c.Hijack()
	}
}

// hear listens until ctx ends, on one connection after the other.
func (n *notices) hear(ctx context.Context, config *pgx.ConnConfig, onNews func()) {
	for wait := firstRetry; ctx.Err() == nil; wait = min(2*wait, lastRetry) {
		if n.listen(ctx, config, onNews) && ctx.Err() == nil {
			n.lost.Add(1)
			wait = firstRetry
		}
		pause(ctx, wait/2+rand.N(wait/2))
	}
}

// listen hears on one connection until that is lost or ctx ends, and says whether
// it ever listened. From LISTEN on no notice is missed; what came before it may
// have been, and so counts as news.
func (n *notices) listen(ctx context.Context, config *pgx.ConnConfig, onNews func()) (listened bool) {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noticeTimeout)
		defer cancel()
		_ = c.Close(ctx)
	}()
	listening, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if say(listening, c, listenSQL) != nil {
		return false
	}
	onNews()
	for {
		notice, err := await(ctx, c)
		switch {
		case err != nil:
			return true
		case notice:
			n.heard.Add(1)
			onNews()
		}
	}
}

// await waits for a notice. Where none comes for a while it returns false if the
// server answers still, for a connection can die in silence.
func await(ctx context.Context, c *pgx.Conn) (notice bool, err error) {
	quiet, cancel := context.WithTimeout(ctx, hearingCheck)
	defer cancel()
	_, err = c.WaitForNotification(quiet)
	if err == nil || c.IsClosed() || quiet.Err() == nil {
		return err == nil, err
	}
	ctx, cancel = context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return false, say(ctx, c, `SELECT`)
}

// say runs a statement that gives nothing of interest, past the tracer.
func say(ctx context.Context, c *pgx.Conn, sql string) error {
	_, err := c.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
