package app

import (
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
	"github.com/keyport-go/keyport/ports"
)

// An opened Keyport is the real parts, and what they tell of themselves.
type opened struct {
	Parts
	metrics *telemetry.Metrics
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
// them. The caller closes them.
func open(ctx context.Context, c Config, publicURL string, log io.Writer) (_ *opened, err error) {
	o := &opened{metrics: telemetry.New(Version())}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	start := time.Now()
	o.Now, o.NewID, o.Observe = Now, NewID, o.metrics.ObserveRequest
	o.Uptime = func() time.Duration { return time.Since(start) }
	if o.Log, err = telemetry.NewLogger(log, c.LogFormat, c.LogLevel); err != nil {
		return nil, err
	}
	if o.Store, err = o.openStore(ctx, c); err != nil {
		return nil, fmt.Errorf("KEYPORT_DATABASE_URL: %w", err)
	}
	key, err := master(c)
	if err != nil {
		return nil, err
	}
	audience := c.Audience
	if audience == "" {
		audience = publicURL
	}
	keyring, err := jose.Open(ctx, jose.Config{
		Keys: o.Store.Keys(), Master: key, Issuer: publicURL, Audience: audience, NewID: NewID, Now: Now,
	})
	if err != nil {
		return nil, err
	}
	o.closers = append(o.closers, func() error { keyring.Close(); return nil })
	o.Issuer, o.Refresher, o.Cursors = keyring.Tokens(), keyring.Refresh(), keyring.Cursors()
	hasher := password.New(password.Config{Running: c.HashesRunning, Waiting: c.HashesWaiting})
	o.Hasher, o.Blocklist = hasher, password.Blocklist{}
	o.watch(keyring, hasher)
	return o, nil
}

// openStore opens the store and brings its schema up to date.
func (o *opened) openStore(ctx context.Context, c Config) (ports.Store, error) {
	if path, ok := c.sqlitePath(); ok {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		store, err := sqlite.Open(ctx, sqlite.Config{Path: path})
		if err != nil {
			return nil, err
		}
		o.closers = append(o.closers, store.Close)
		o.metrics.Counter("keyport_sqlite_groups_total", "Commits, each of a group of writes.", func() float64 { return float64(store.Stats().Groups) })
		o.metrics.Counter("keyport_sqlite_writes_total", "Writes that were committed in groups.", func() float64 { return float64(store.Stats().Members) })
		return store, nil
	}
	if err := postgres.Migrate(ctx, c.DatabaseURL.Reveal()); err != nil {
		return nil, err
	}
	store, err := postgres.Open(ctx, postgres.Config{URL: c.DatabaseURL.Reveal(), MaxConns: c.DatabaseConns, PgBouncer: c.Pgbouncer})
	if err != nil {
		return nil, err
	}
	o.closers = append(o.closers, func() error { store.Close(); return nil })
	o.metrics.Gauge("keyport_pool_connections", "Connections to PostgreSQL that are open.", func() float64 { return float64(store.Stats().Open) })
	o.metrics.Gauge("keyport_pool_busy", "Connections to PostgreSQL that are in use.", func() float64 { return float64(store.Stats().InUse) })
	return store, nil
}

// watch offers what the parts know of themselves as metrics.
func (o *opened) watch(keyring *jose.Keyring, hasher *password.Hasher) {
	o.metrics.Gauge("keyport_hashes_running", "Password hashes that run now.", func() float64 { return float64(hasher.Stats().Running) })
	o.metrics.Gauge("keyport_hashes_waiting", "Password hashes that wait for their turn.", func() float64 { return float64(hasher.Stats().Waiting) })
	o.metrics.Counter("keyport_hashes_refused_total", "Password hashes that were refused because too many waited.", func() float64 { return float64(hasher.Stats().Refused) })
	o.metrics.Counter("keyport_token_signatures_total", "Access tokens whose signature was checked.", func() float64 { return float64(keyring.Stats().Signatures) })
	o.metrics.Counter("keyport_token_recalled_total", "Access tokens that were remembered, so that no signature was checked.", func() float64 { return float64(keyring.Stats().Recalled) })
}

// Migrate brings the schema of the database up to date.
func Migrate(ctx context.Context, c Config) error {
	if path, ok := c.sqlitePath(); ok {
		return sqlite.Migrate(ctx, path)
	}
	return postgres.Migrate(ctx, c.DatabaseURL.Reveal())
}
