package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Steps returns how far the schema has come, and how far this program needs it to: the
// numbers of migrations. A schema may have come further.
func (s *Store) Steps(ctx context.Context) (found, wanted int64, err error) {
	if wanted, err = lastStep(); err != nil {
		return 0, 0, err
	}
	err = s.read(ctx, func(l *line) error {
		r, err := l.one(`SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`)
		if err == nil {
			found = r.number(0)
		}
		return err
	})
	return found, wanted, err
}

// lastStep returns the number of the last migration that this program has.
func lastStep() (step int64, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		n, err := goose.NumericComponent(file)
		if err != nil {
			return 0, err
		}
		step = max(step, n)
	}
	return step, nil
}

// fits fails where the schema has lost something that this program needs. A migration
// that takes something away sets user_version to the step that programs must know of
// that can do without it. See docs/upgrades.md.
func fits(ctx context.Context, db *sql.DB) error {
	var floor int64
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&floor); err != nil {
		return err
	}
	known, err := lastStep()
	if err == nil && known < floor {
		err = fmt.Errorf("the schema is of a later release that this program cannot stand beside: it wants one that knows step %d, and this one knows %d", floor, known)
	}
	return err
}
