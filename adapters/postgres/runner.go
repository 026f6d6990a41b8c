package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keyport-go/keyport/domain"
)

// A runner is where a repository sends its statements: the pool, where each
// stands alone, or one transaction.
type runner interface {
	// run lends f a connection for one statement, whose text is sql. What the
	// statement gives must be read before f returns. f may be run again after a
	// collision.
	run(ctx context.Context, sql string, f func(context.Context, querier) error) error

	// unit runs f so that all of its statements count, or none where f fails. Its
	// error is f's own.
	unit(ctx context.Context, f func(runner) error) error

	// in returns the runner of what is in a lane. A transaction, which has its
	// connection, returns itself.
	in(lane) runner

	// posted says that what was run is on the bulletin, as soon as it counts.
	posted()
}

// A querier is what a connection and a transaction have in common.
type querier interface {
	Begin(ctx context.Context) (pgx.Tx, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// A pool lends connections.
type pool struct {
	connections *pgxpool.Pool
	bouncer     bool // as Config.PgBouncer
	lanes       lanes
	crowd       *crowd
	patience    patience
	notices     *notices
}

// patience is how long is waited, on this side of the connection.
type patience struct {
	acquire, statement, commit time.Duration
	silence                    *silence
}

// A laned is a pool as what is in a lane uses it.
type laned struct {
	*pool
	lane lane
}

func newPool(ctx context.Context, c Config) (*pool, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	config, err := c.pool()
	if err != nil {
		return nil, err
	}
	crowded, mute := new(crowd), newSilence(c.Silence)
	config.BeforeConnect = crowded.admit
	if len(addresses(config.ConnConfig)) > 1 {
		config.ConnConfig.DialFunc = newAbsence().dialer(config.ConnConfig.DialFunc)
	}
	config.ConnConfig.DialFunc = mute.dialer(config.ConnConfig.DialFunc)
	connections, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	p := &pool{
		connections: connections, bouncer: c.PgBouncer, lanes: newLanes(c.MaxConns), crowd: crowded,
		patience: patience{c.AcquireTimeout, c.StatementTimeout + time.Second, c.CommitTimeout, mute},
	}
	if !c.PgBouncer {
		p.notices = newNotices(ctx, connections, hearing(config.ConnConfig), c.OnNews)
	}
	return p, nil
}

func (p *pool) close() {
	p.notices.close()
	p.connections.Close()
}

func (p *pool) in(l lane) runner { return laned{p, l} }

func (p laned) run(ctx context.Context, sql string, f func(context.Context, querier) error) error {
	change := changes(sql)
	return again(ctx, func() error {
		return p.lend(ctx, p.lane.way(change), func(c *pgx.Conn, waited time.Duration) error {
			bound := p.patience.statement
			if change {
				bound = p.patience.commit - waited
			}
			return p.patience.ask(ctx, c, bound, func(ctx context.Context) error { return f(ctx, c) })
		})
	})
}

func (p laned) unit(ctx context.Context, f func(runner) error) error {
	var news bool
	err := again(ctx, func() error {
		news = false
		return p.lend(ctx, p.lane.way(true), func(c *pgx.Conn, waited time.Duration) error {
			return p.patience.within(ctx, c, c, p.patience.commit-waited, &news, f)
		})
	})
	if err == nil && news {
		p.posted()
	}
	return err
}

func (p *pool) posted() { p.notices.mark() }

// lend lends f a connection that nobody else uses meanwhile, and tells it how long
// that was waited for.
func (p *pool) lend(ctx context.Context, way []lane, f func(c *pgx.Conn, waited time.Duration) error) error {
	start, acquire := time.Now(), p.patience.acquire
	if len(way) == 0 {
		acquire *= 2 // few wait there, and one at a time: else all who come in lanes might outlast the bulletin
	}
	waiting, cancel := context.WithTimeout(ctx, acquire)
	defer cancel()
	leave, err := p.lanes.enter(waiting, way)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer leave()
	c, err := p.connection(waiting)
	cancel()
	if err != nil {
		return unreachable(ctx, err)
	}
	defer giveBack(c)
	return f(c.Conn(), time.Since(start))
}

// connection waits for a connection: also for one that somebody gives back, where the
// server has none to give.
func (p *pool) connection(ctx context.Context) (*pgxpool.Conn, error) {
	for {
		c, err := p.connections.Acquire(ctx)
		if err == nil || !full(err) {
			return c, err
		}
		p.crowd.note(err)
		pause(ctx, crowdProbe/2+rand.N(crowdProbe))
		if ctx.Err() != nil {
			return nil, err
		}
	}
}

// giveBack gives a connection back. One that is lost takes no place in the pool any
// more: pgx takes up to 15 s to part from a server that does not answer.
func giveBack(c *pgxpool.Conn) {
	if c.Conn().IsClosed() {
		c.Hijack()
		return
	}
	c.Release()
}

// attempts bounds how often that is run which the server broke off for the sake
// of another. Between two of them it lets the other go first, for up to
// forbearance.
const (
	attempts    = 5
	forbearance = 50 * time.Millisecond
)

// again runs f until it is not in another's way.
func again(ctx context.Context, f func() error) (err error) {
	for range attempts {
		if err = f(); !collided(err) {
			return err
		}
		select {
		case <-time.After(rand.N(forbearance)):
		case <-ctx.Done():
			return ended(ctx, err)
		}
	}
	return domain.ErrUnavailable.Because(err)
}

// A transaction is a runner whose statements count together.
type transaction struct {
	tx       pgx.Tx
	patience patience
	news     *bool // whether something was posted, if only in a savepoint that failed
}

func (t transaction) run(ctx context.Context, _ string, f func(context.Context, querier) error) error {
	return t.patience.ask(ctx, t.tx.Conn(), t.patience.statement, func(ctx context.Context) error { return f(ctx, t.tx) })
}

func (t transaction) unit(ctx context.Context, f func(runner) error) error {
	return t.patience.within(ctx, t.tx.Conn(), t.tx, t.patience.statement, t.news, f)
}

func (t transaction) in(lane) runner { return t }

func (t transaction) posted() { *t.news = true }

// ask runs f, which waits for the server at c for as long as bound, and says what its
// error means.
func (p patience) ask(ctx context.Context, c *pgx.Conn, bound time.Duration, f func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	bounded, stop := p.silence.watch(bounded)
	defer stop()
	err := f(bounded)
	if readOnly(err) {
		// The server was a primary once. The next connection looks for the new one.
		_ = c.Close(bounded)
	}
	return classify(ctx, err, c.IsClosed())
}

// within runs f in a transaction on q or, where q is a transaction already, in a
// savepoint of it. From its beginning to its end is as long as commit, or half of that
// from COMMIT on where f took long. It notes in news that something was posted there.
func (p patience) within(ctx context.Context, c *pgx.Conn, q querier, commit time.Duration, news *bool, f func(runner) error) error {
	begun := time.Now()
	var tx pgx.Tx
	err := p.ask(ctx, c, p.statement, func(ctx context.Context) (err error) {
		tx, err = q.Begin(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		// Once it is committed this does nothing. A caller who went away must not
		// cost the connection. If it fails nonetheless, pgx closes the connection.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = tx.Rollback(ctx)
	}()
	if err := f(transaction{tx, p, news}); err != nil {
		return err
	}
	return p.ask(ctx, c, max(commit-time.Since(begun), commit/2), tx.Commit)
}

// unreachable is the meaning of an error in making or waiting for a connection.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ended(ctx, err)
	}
	return domain.ErrUnavailable.Because(errors.Join(errors.New("postgres: no connection"), err))
}
