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
	defer db.Close() // frees the lock
	// With one connection the lock and the work share a session. goose's own lock
	// leaves out the making of its table, and is asked for once a second at most.
	db.SetMaxOpenConns(1)
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, steps, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	if err = lockSchema(ctx, db); err == nil {
		_, err = provider.Up(ctx)
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
// of the process that works.
func lockSchema(ctx context.Context, db *sql.DB) error {
	probe := time.NewTicker(schemaProbe)
	defer probe.Stop()
	for {
		var locked bool
		if err := db.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(schemaLock)).Scan(&locked); err != nil || locked {
			return err
		}
		select {
		case <-probe.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
