package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate makes the file at path if there is none, and brings its schema up to
// date. Of any number of processes that do so at once one works and the others
// wait, as long as ctx lasts. Migrations only go forward; a schema that is newer
// than this program is left as it is. A file that is being filled by a copy is
// refused.
func Migrate(ctx context.Context, path string) error {
	path, err := locate(path)
	if err != nil {
		return err
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if err := create(path); err != nil {
		return err
	}
	err = look(path, DefaultBusy, finished)
	if err == nil {
		err = migrate(ctx, path)
	}
	if err != nil {
		return fmt.Errorf("sqlite: %s cannot be made ready: %w", path, err)
	}
	return nil
}

// look runs f on a line that only reads, and waits as long for somebody else's lock.
func look(path string, wait time.Duration, f func(*line) error) error {
	c, err := connector(path, reading(wait)...)
	if err != nil {
		return err
	}
	l := &line{connector: c}
	return errors.Join(f(l), l.drop())
}

func migrate(ctx context.Context, path string) error {
	c, err := connector(path, writing(DefaultBusy)...)
	if err != nil {
		return err
	}
	db := sql.OpenDB(c)
	defer func() { _ = db.Close() }()
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, steps,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	if err := fits(ctx, db); err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// lock holds the lock at path until unlock, and waits for it as long as ctx
// lasts. It is an exclusive transaction on an empty database that is never
// written: SQLite knows each system's file locks, and the system frees them when
// their process ends. (goose has no lock for SQLite.)
func lock(ctx context.Context, path string) (unlock func(), err error) {
	const forever = 24 * 24 * time.Hour // what fits the pragma; ctx is the bound
	c, err := connector(path, busy(forever))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("sqlite: waiting for %s: %w", path, err)
	}
	return func() { _ = db.Close() }, nil // the transaction ends with its connection
}
