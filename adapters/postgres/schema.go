package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
)

// Steps returns how far the schema has come, and how far this program needs it to: the
// numbers of migrations. A schema may have come further.
func (s *Store) Steps(ctx context.Context) (found, wanted int64, err error) {
	if wanted, err = lastStep(); err != nil {
		return 0, 0, err
	}
	const step = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
	err = s.pool.in(anyLane).run(ctx, step, func(ctx context.Context, q querier) error {
		rows, err := q.Query(ctx, step, pgx.QueryExecModeSimpleProtocol) // one turn, where preparing takes another
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&found); err != nil {
				return err
			}
		}
		return rows.Err()
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

// A migration that takes something away says so in a comment on goose's table: which
// step programs must know of that can do without it. See docs/upgrades.md.
const wants = "keyport: programs must know step "

// fits fails where the schema has lost something that this program needs.
func fits(ctx context.Context, db *sql.DB) error {
	var comment sql.NullString
	err := db.QueryRowContext(ctx, `SELECT obj_description(to_regclass('goose_db_version'), 'pg_class')`).Scan(&comment)
	if err != nil {
		return err
	}
	text, contracted := strings.CutPrefix(comment.String, wants)
	if !contracted {
		return nil
	}
	floor, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("the comment on goose_db_version names no step: %w", err)
	}
	known, err := lastStep()
	if err == nil && known < floor {
		err = fmt.Errorf("the schema is of a later release that this program cannot stand beside: it wants one that knows step %d, and this one knows %d", floor, known)
	}
	return err
}
