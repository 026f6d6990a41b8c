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
// program stays as it is. The url may lead through a PgBouncer in transaction mode,
// which must have two connections to give. It fails with domain.ErrUnavailable where
// there is no server.
func Migrate(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	dress(config, map[string]string{"application_name": "keyport migrate"})
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // every proxy lets it through
	db := stdlib.OpenDB(*config)
	defer db.Close()
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, steps, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	unlock, err := lockSchema(ctx, db)
	if err == nil {
		_, err = provider.Up(ctx)
		err = errors.Join(err, unlock())
	}
	_, away := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ended(ctx, err)
	case away:
		return domain.ErrUnavailable.Because(err)
	}
	return fmt.Errorf("postgres: migrate: %w", err)
}

const (
	schemaLock  = 0x6b6579706f7274 // "keyport"
	schemaProbe = 50 * time.Millisecond
)

// lockSchema waits until no other process migrates. It asks again and again: a
// statement that waited in the server would hold up a CREATE INDEX CONCURRENTLY
// of the process that works. The lock is a transaction's, since behind a PgBouncer
// nobody has a session; in between two statements it holds no snapshot, which would
// be in the way of such an index too. (goose's own lock leaves out the making of its
// table, and is asked for once a second at most.)
func lockSchema(ctx context.Context, db *sql.DB) (unlock func() error, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	if _, err = tx.ExecContext(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
		return nil, err
	}
	probe := time.NewTicker(schemaProbe)
	defer probe.Stop()
	for {
		var locked bool
		err = tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, int64(schemaLock)).Scan(&locked)
		if err != nil {
			return nil, err
		}
		if locked {
			return tx.Rollback, nil
		}
		select {
		case <-probe.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
