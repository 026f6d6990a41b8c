package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/telemetry"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// An opened Keyport is the real parts, and what they tell of themselves.
type opened struct {
	Parts
	keys    *jose.Keyring
	metrics *telemetry.Metrics
	tracing *telemetry.Tracing // nil: off
	closers []func() error
}

// Close lets go of everything that was opened, the last first.
func (o *opened) Close() error {
	var errs []error
	for i := len(o.closers) - 1; i >= 0; i-- {
		errs = append(errs, o.closers[i]())
	}
	return errors.Join(errs...)
}

// open makes the real parts that c asks for. publicURL is where clients reach
// them. news, if not nil, is called where the store can tell that the bulletin may
// have some. The caller closes the parts.
func open(ctx context.Context, c Config, publicURL string, log io.Writer, news func()) (_ *opened, err error) {
	o := new(opened)
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	if err := o.begin(c, log); err != nil {
		return nil, err
	}
	if news != nil {
		if err := o.trace(ctx); err != nil {
			return nil, err
		}
	}
	if o.Store, err = o.openStore(ctx, c, news); err != nil {
		return nil, err
	}
	if err = o.openKeys(ctx, c, publicURL); err != nil {
		return nil, err
	}
	hasher := password.New(password.Config{Running: c.HashesRunning, Waiting: c.HashesWaiting, Span: o.Span})
	o.Hasher, o.Blocklist, o.Readable = hasher, password.Blocklist{}, password.Check
	o.measure(hasher)
	return o, nil
}

// begin makes the parts that need nothing else.
func (o *opened) begin(c Config, log io.Writer) (err error) {
	start := time.Now()
	o.metrics = telemetry.New(Version())
	o.Now, o.NewID, o.Random, o.Observe = Now, NewID, Random, o.metrics.ObserveRequest
	o.Uptime = func() time.Duration { return time.Since(start) }
	o.Log, err = telemetry.NewLogger(log, c.LogFormat, c.LogLevel)
	return err
}

// openKeys opens the keys in the store, and makes those that are not there yet.
func (o *opened) openKeys(ctx context.Context, c Config, publicURL string) error {
	key, err := master(c)
	if err != nil {
		return err
	}
	other, err := otherMaster(c)
	if err != nil {
		return err
	}
	o.keys, err = jose.Open(ctx, jose.Config{
		Store: o.Store, Master: key, Other: other, Issuer: publicURL, Audience: cmp.Or(c.Audience, publicURL),
		Algorithm: domain.Algorithm(c.SigningAlg), Turn: c.KeyRotation, Ahead: c.keysAhead(), SessionMax: c.SessionMax,
		NewID: NewID, Now: Now,
	})
	if err != nil {
		return err
	}
	o.closers = append(o.closers, func() error { o.keys.Close(); return nil })
	o.Issuer, o.Refresher, o.Cursors, o.Vault, o.Reload = o.keys.Tokens(), o.keys.Refresh(), o.keys.Cursors(), o.keys.Vault(), o.keys.Reload
	return nil
}

// openStore opens the store and brings its schema up to date.
func (o *opened) openStore(ctx context.Context, c Config, news func()) (_ ports.Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("KEYPORT_DATABASE_URL: %w", err)
		}
	}()

	if path, ok := c.sqlitePath(); ok {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		store, err := sqlite.Open(ctx, sqlite.Config{Path: path, Span: o.tracing.Statements("sqlite")})
		if err != nil {
			return nil, err
		}
		o.closers = append(o.closers, store.Close)
		o.Schema = store.Steps
		o.measureSQLite(store)
		return store, nil
	}
	if err := postgres.Migrate(ctx, c.DatabaseURL.Reveal()); err != nil {
		return nil, err
	}
	at := postgres.Config{URL: c.DatabaseURL.Reveal(), MaxConns: c.DatabaseConns, PgBouncer: c.Pgbouncer, OnNews: news, Span: o.tracing.Statements("postgresql")}
	if news != nil {
		at.Silence = silenceMax
	}
	store, err := postgres.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	o.closers = append(o.closers, func() error { store.Close(); return nil })
	if err := reach(ctx, store); err != nil {
		return nil, err
	}
	o.Schema = store.Steps
	o.measurePostgres(store)
	return store, nil
}

// silenceMax is how long the server may say nothing at all to who polls it each
// pollInterval. With the wait for a connection, at most 750 ms, it leaves room below
// the 2 s in which every request is answered.
const silenceMax = time.Second

// reach waits for a connection, which the pool keeps: a server that has none to give
// when several replicas start may have one a moment later.
func reach(ctx context.Context, store *postgres.Store) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for again := time.NewTicker(100 * time.Millisecond); ; <-again.C {
		last := store.Reach(ctx)
		switch {
		case errors.Is(last, postgres.ErrPooled):
			return fmt.Errorf("%w: set KEYPORT_PGBOUNCER=true", postgres.ErrPooled)
		case ctx.Err() != nil:
			return cmp.Or(err, last)
		case last == nil:
			return nil
		}
		err = last
	}
}

// Migrate brings the schema of the database up to date.
func Migrate(ctx context.Context, c Config) error {
	if path, ok := c.sqlitePath(); ok {
		return sqlite.Migrate(ctx, path)
	}
	return postgres.Migrate(ctx, c.DatabaseURL.Reveal())
}
