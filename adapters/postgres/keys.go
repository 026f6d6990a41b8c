package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type keys struct{ on runner }

// Settle writes the key that is there over itself, for else the statement would
// not see one that was stored while it waited.
func (r keys) Settle(ctx context.Context, k domain.Key) (domain.Key, error) {
	settled, _, err := row(ctx, r.on, readKey, `
		INSERT INTO keys AS k (id, use, number, algorithm, sealed, created, signs)
		VALUES ($1::text, $2::text, $3::bigint, $4::text, $5::bytea, $6::timestamptz, $7::timestamptz)
		ON CONFLICT (use, number) DO UPDATE SET use = k.use
		RETURNING `+keyColumns,
		k.ID, k.Use, int64(k.Number), string(k.Algorithm), bytes(k.Sealed), micro(k.Created), micro(k.Signs))
	return settled, err
}

func (r keys) List(ctx context.Context) ([]domain.Key, error) {
	return rows(ctx, r.on, readKey, `SELECT `+keyColumns+` FROM keys k ORDER BY k.use, k.number`)
}

func (r keys) Reseal(ctx context.Context, k domain.Key) error {
	written, err := exec(ctx, r.on, `UPDATE keys SET sealed = $2::bytea WHERE id = $1::text`, k.ID, bytes(k.Sealed))
	if err == nil && written == 0 {
		return domain.ErrKeyNotFound
	}
	return err
}

func (r keys) Drop(ctx context.Context, id string) error {
	written, err := exec(ctx, r.on, `DELETE FROM keys WHERE id = $1::text`, id)
	if err == nil && written == 0 {
		return domain.ErrKeyNotFound
	}
	return err
}

// keyColumns are what readKey reads of keys k.
const keyColumns = `k.id, k.use, k.number, k.algorithm, k.sealed, k.created, k.signs`

func readKey(r pgx.CollectableRow) (domain.Key, error) {
	var k domain.Key
	err := r.Scan(&k.ID, &k.Use, &k.Number, &k.Algorithm, &k.Sealed, &k.Created, &k.Signs)
	k.Created, k.Signs = k.Created.UTC(), k.Signs.UTC()
	return k, err
}
