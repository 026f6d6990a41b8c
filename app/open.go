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
	if o.Store, err = o.openStore(ctx, c, news); err != nil {
		return nil, err
	}
	if err = o.openKeys(ctx, c, publicURL); err != nil {
		return nil, err
	}
	hasher := password.New(password.Config{Running: c.HashesRunning, Waiting: c.HashesWaiting})
	o.Hasher, o.Blocklist, o.Readable = hasher, password.Blocklist{}, password.Check
	o.watch(hasher)
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
	store, err := postgres.Open(ctx, postgres.Config{URL: c.DatabaseURL.Reveal(), MaxConns: c.DatabaseConns, PgBouncer: c.Pgbouncer, OnNews: news})
	if err != nil {
		return nil, err
	}
	o.closers = append(o.closers, func() error { store.Close(); return nil })
	o.metrics.Gauge("keyport_pool_connections", "Connections to PostgreSQL that are open.", func() float64 { return float64(store.Stats().Open) })
	o.metrics.Gauge("keyport_pool_busy", "Connections to PostgreSQL that are in use.", func() float64 { return float64(store.Stats().InUse) })
	o.metrics.Counter("keyport_notices_sent_total", "Times that this replica told others that there may be news on the bulletin.", func() float64 { return float64(store.Stats().NoticesSent) })
	o.metrics.Counter("keyport_notices_heard_total", "Times that this replica was told so.", func() float64 { return float64(store.Stats().NoticesHeard) })
	o.metrics.Counter("keyport_notices_broken_total", "Times that the connection on which it listens was lost.", func() float64 { return float64(store.Stats().HearingBroken) })
	return store, nil
}

// watch offers what the parts know of themselves as metrics.
func (o *opened) watch(hasher *password.Hasher) {
	o.metrics.Gauge("keyport_hashes_running", "Password hashes that run now.", func() float64 { return float64(hasher.Stats().Running) })
	o.metrics.Gauge("keyport_hashes_waiting", "Password hashes that wait for their turn.", func() float64 { return float64(hasher.Stats().Waiting) })
	o.metrics.Counter("keyport_hashes_refused_total", "Password hashes that were refused because too many waited.", func() float64 { return float64(hasher.Stats().Refused) })
	o.metrics.Counter("keyport_token_signatures_total", "Access tokens whose signature was checked.", func() float64 { return float64(o.keys.Stats().Signatures) })
	o.metrics.Counter("keyport_token_recalled_total", "Access tokens that were remembered, so that no signature was checked.", func() float64 { return float64(o.keys.Stats().Recalled) })
}

// Migrate brings the schema of the database up to date.
func Migrate(ctx context.Context, c Config) error {
	if path, ok := c.sqlitePath(); ok {
		return sqlite.Migrate(ctx, path)
	}
	return postgres.Migrate(ctx, c.DatabaseURL.Reveal())
}
