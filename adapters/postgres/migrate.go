package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
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
// the others wait until it is done or ctx ends. One that is killed leaves nothing
// half done, and the next goes on. A schema that is newer than this program stays as
// it is, and it fails where that has lost something that this program needs. The url
// may lead through a PgBouncer in transaction mode, which must have two connections to
// give. Where there is nothing to do one connection is enough. It fails
// with domain.ErrUnavailable where there is no server, and where that has had no
// connection to give for half a minute.
func Migrate(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	dress(config, map[string]string{"application_name": "keyport migrate"})
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // every proxy lets it through
	until := time.Now().Add(roomTimeout)
	for {
		err = migrate(ctx, config)
		if !full(err) || ctx.Err() != nil || time.Now().After(until) {
			break
		}
		// Who waits holds no connection, so that others can go on.
		pause(ctx, roomProbe/2+rand.N(roomProbe))
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
	roomTimeout = 30 * time.Second // for which a server is waited for that has no connection to give
	roomProbe   = 100 * time.Millisecond
)

func migrate(ctx context.Context, config *pgx.ConnConfig) error {
	db := stdlib.OpenDB(*config)
	defer db.Close()
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, steps, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if err := fits(ctx, db); err != nil {
		return err
	}
	if err := finished(ctx, db); err != nil {
		return err
	}
	if done, err := migrated(ctx, db, provider.ListSources()); err != nil || done {
		return err
	}
	unlock, err := lockSchema(ctx, db)
	if err != nil {
		return err
	}
	if err = outlive(ctx, db); err == nil {
		_, err = provider.Up(ctx)
	}
	return errors.Join(err, unlock())
}

// migrated reports whether all steps were taken.
func migrated(ctx context.Context, db *sql.DB, steps []*goose.Source) (bool, error) {
	var begun bool
	if err := db.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&begun); err != nil || !begun {
		return false, err
	}
	numbers := make([]int64, len(steps))
	for i, s := range steps {
		numbers[i] = s.Version
	}
	var missing int
	err := db.QueryRowContext(ctx, `
		SELECT count(*) FROM unnest($1::bigint[]) step
		WHERE step NOT IN (SELECT version_id FROM goose_db_version WHERE is_applied)`, numbers).Scan(&missing)
	return missing == 0, err
}

// outlive waits until no step is being noted. Where who took it was killed when the
// server was just told to commit, its lock went with its other connection, and the
// step counts only when the server is done: it must not be taken again.
func outlive(ctx context.Context, db *sql.DB) error {
	var begun bool
	if err := db.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&begun); err != nil || !begun {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `LOCK TABLE goose_db_version IN SHARE MODE`)
	return errors.Join(err, tx.Rollback())
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
//
// A process that is killed loses its connections, and so the lock. One whose machine
// has gone is found out by the server after half a minute.
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
	_, err = tx.ExecContext(ctx, `
		SELECT set_config('idle_in_transaction_session_timeout', '0', true), set_config('tcp_keepalives_idle', '10', true),
			set_config('tcp_keepalives_interval', '5', true), set_config('tcp_keepalives_count', '4', true)`)
	if err != nil {
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
