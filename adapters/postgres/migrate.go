package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/keyport-go/keyport/domain"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema of the database at url to the newest form. It goes
// forward only, and may be run by any number of processes at once: one works,
// the others wait until it is done or ctx ends. A schema that is newer than this
// program stays as it is. A url that leads through PgBouncer in transaction mode
// will not do, for the lock belongs to a connection. It fails with
// domain.ErrUnavailable where there is no server.
func Migrate(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	dress(config, map[string]string{"application_name": "keyport migrate"})
	db := stdlib.OpenDB(*config)
	defer db.Close()
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, steps, goose.WithSessionLocker(migrationLock{}), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	if _, err = provider.Up(ctx); err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ended(ctx, err)
	}
	if _, away := errors.AsType[*pgconn.ConnectError](err); away {
		return domain.ErrUnavailable.Because(err)
	}
	return fmt.Errorf("postgres: migrate: %w", err)
}

// migrationLock is held by the one process that migrates. It is asked for again
// and again, and not waited for in the server, where a waiting statement would
// hold up a CREATE INDEX CONCURRENTLY of the process that works. goose's own
// asks once a second at most.
type migrationLock struct{}

const (
	migrationLockID    = 0x6b6579706f7274 // "keyport"
	migrationLockProbe = 50 * time.Millisecond
)

// SessionLock implements goose's lock.SessionLocker.
func (migrationLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	probe := time.NewTicker(migrationLockProbe)
	defer probe.Stop()
	for {
		var held bool
		if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(migrationLockID)).Scan(&held); err != nil || held {
			return err
		}
		select {
		case <-probe.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// SessionUnlock implements goose's lock.SessionLocker.
func (migrationLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, int64(migrationLockID))
	return err
}
