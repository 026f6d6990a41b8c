package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type numbers struct{ on runner }

// numbersLock tells the locks under which numbers are given from other advisory
// locks in the database.
const numbersLock = 0x6b70726e // "kprn"

// Of is one statement, and waits for nobody, where all ids have their numbers, as
// they nearly always do. Otherwise it holds the series until its transaction ends,
// and with it every other call that gives numbers in it, before the statement begins
// that looks for the greatest: no lock makes what a statement sees newer than its
// beginning. The lock is a transaction's, so it does as well behind a PgBouncer. Two
// series whose names hash alike only wait for one another.
func (r numbers) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	given, err := rows(ctx, r.on, readNumbered, numbersOf, string(s), texts(ids))
	if err == nil && len(given) < len(ids) {
		given, err = r.give(ctx, s, ids)
	}
	if err != nil {
		return nil, err
	}
	byID := make(map[string]int64, len(given))
	for _, n := range given {
		byID[n.ID] = n.Number
	}
	all := make([]int64, len(ids))
	for i, id := range ids {
		all[i] = byID[id]
	}
	return all, nil
}

// numbersOf reads the numbers of those ids that have one.
const numbersOf = `SELECT n.number, n.id FROM numbers n WHERE n.series = $1::text AND n.id = ANY ($2::text[])`

// give gives numbers to those ids that have none, and returns those of all.
func (r numbers) give(ctx context.Context, s domain.Series, ids []string) (given []domain.Numbered, err error) {
	err = r.on.unit(ctx, func(in runner) error {
		_, err := exec(ctx, in, `SELECT pg_advisory_xact_lock($1::integer, hashtext($2::text))`, int32(numbersLock), string(s))
		if err != nil {
			return err
		}
		given, err = rows(ctx, in, readNumbered, `
			WITH had AS (`+numbersOf+`), given AS (
				INSERT INTO numbers (series, number, id)
				SELECT $1::text, last.number + row_number() OVER (ORDER BY asked.place), asked.id
				FROM (SELECT coalesce(max(number), 0) AS number FROM numbers WHERE series = $1::text) last,
					unnest($2::text[]) WITH ORDINALITY AS asked (id, place)
				WHERE asked.id NOT IN (SELECT id FROM had)
				RETURNING number, id
			)
			SELECT number, id FROM had UNION ALL SELECT number, id FROM given`, string(s), texts(ids))
		return err
	})
	return given, err
}

func (r numbers) ByNumber(ctx context.Context, s domain.Series, n int64) (string, error) {
	id, found, err := row(ctx, r.on, pgx.RowTo[string],
		`SELECT id FROM numbers WHERE series = $1::text AND number = $2::bigint`, string(s), n)
	if err == nil && !found {
		err = domain.ErrNumberNotFound
	}
	return id, err
}

func (r numbers) List(ctx context.Context, s domain.Series, after int64, limit int) ([]domain.Numbered, error) {
	return rows(ctx, r.on, readNumbered, `
		SELECT number, id FROM numbers
		WHERE series = $1::text AND number > $2::bigint ORDER BY number LIMIT $3::bigint`, string(s), after, int64(limit))
}

func readNumbered(r pgx.CollectableRow) (n domain.Numbered, err error) {
	err = r.Scan(&n.Number, &n.ID)
	return n, err
}
