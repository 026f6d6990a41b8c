package postgres

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type receipts struct{ on runner }

// Claim reads the receipt in a statement behind the one that holds the id: it sees
// what whoever held it before has kept. The lock is a transaction's, so it does as
// well behind a PgBouncer. An id is a digest, so its first 64 bits are as good as
// another; if two ever meet, one is asked to come again.
func (r receipts) Claim(ctx context.Context, id domain.ReceiptID) (domain.Receipt, bool, error) {
	held, _, err := row(ctx, r.on, pgx.RowTo[bool],
		`SELECT pg_try_advisory_xact_lock($1::bigint)`, int64(binary.BigEndian.Uint64(id[:])))
	switch {
	case err != nil:
		return domain.Receipt{}, false, err
	case !held:
		return domain.Receipt{}, false, domain.ErrStillRunning
	}
	return row(ctx, r.on, func(r pgx.CollectableRow) (domain.Receipt, error) {
		kept := domain.Receipt{ID: id}
		var body []byte
		err := r.Scan(&body, &kept.Answer, &kept.At)
		copy(kept.Body[:], body)
		kept.At = kept.At.UTC()
		return kept, err
	}, `SELECT body, answer, at FROM receipts WHERE id = $1::bytea`, id[:])
}

func (r receipts) Keep(ctx context.Context, kept domain.Receipt) error {
	_, err := exec(ctx, r.on, `
		INSERT INTO receipts (id, body, answer, at) VALUES ($1::bytea, $2::bytea, $3::bytea, $4::timestamptz)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body, answer = excluded.answer, at = excluded.at`,
		kept.ID[:], kept.Body[:], bytes(kept.Answer), micro(kept.At))
	return err
}

func (r receipts) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return forget(ctx, r.on, "receipts", "at", t, limit)
}
