package sqlite

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

type keys struct{ lines lines }

const selectKey = `SELECT id, use, number, algorithm, sealed, created, signs FROM keys `

func (r keys) Settle(ctx context.Context, k domain.Key) (domain.Key, error) {
	var settled domain.Key
	err := r.lines.write(ctx, func(l *line) error {
		_, err := l.exec(`
			INSERT INTO keys (id, use, number, algorithm, sealed, created, signs) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (use, number) DO NOTHING`,
			k.ID, k.Use, k.Number, k.Algorithm, k.Sealed, micros(k.Created), micros(k.Signs))
		if err != nil {
			return err
		}
		found, err := l.one(selectKey+`WHERE use = ? AND number = ?`, k.Use, k.Number)
		if err != nil {
			return err
		}
		settled = readKey(found)
		return nil
	})
	return settled, err
}

func (r keys) List(ctx context.Context) ([]domain.Key, error) {
	var all []domain.Key
	err := r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			all = append(all, readKey(v))
			return nil
		}, selectKey+`ORDER BY use, number`)
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (r keys) Reseal(ctx context.Context, k domain.Key) error {
	return r.change(ctx, `UPDATE keys SET sealed = ? WHERE id = ?`, k.Sealed, k.ID)
}

func (r keys) Drop(ctx context.Context, id string) error {
	return r.change(ctx, `DELETE FROM keys WHERE id = ?`, id)
}

// change runs a statement that writes one key.
func (r keys) change(ctx context.Context, statement string, args ...any) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(statement, args...)
		if err == nil && n == 0 {
			err = domain.ErrKeyNotFound
		}
		return err
	})
}

// readKey reads a row of selectKey.
func readKey(v row) domain.Key {
	return domain.Key{
		ID:        v.text(0),
		Use:       v.text(1),
		Number:    int(v.number(2)),
		Algorithm: domain.Algorithm(v.text(3)),
		Sealed:    v.bytes(4),
		Created:   v.time(5),
		Signs:     v.time(6),
	}
}
