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
	settled, _, err := row(ctx, r.on, func(r pgx.CollectableRow) (k domain.Key, err error) {
		err = r.Scan(&k.ID, &k.Use, &k.Algorithm, &k.Sealed, &k.Created)
		k.Created = k.Created.UTC()
		return k, err
	}, `
		INSERT INTO keys AS k (id, use, algorithm, sealed, created)
		VALUES ($1::text, $2::text, $3::text, $4::bytea, $5::timestamptz)
		ON CONFLICT (use) DO UPDATE SET use = k.use
		RETURNING k.id, k.use, k.algorithm, k.sealed, k.created`,
		k.ID, k.Use, k.Algorithm, append([]byte{}, k.Sealed...), micro(k.Created))
	return settled, err
}
