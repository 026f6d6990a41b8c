package sqlite

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

type keys struct{ lines lines }

func (r keys) Settle(ctx context.Context, k domain.Key) (domain.Key, error) {
	var settled domain.Key
	err := r.lines.write(ctx, func(l *line) error {
		_, err := l.exec(`
			INSERT INTO keys (use, id, algorithm, sealed, created) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (use) DO NOTHING`,
			k.Use, k.ID, k.Algorithm, k.Sealed, micros(k.Created))
		if err != nil {
			return err
		}
		found, err := l.one(`SELECT id, algorithm, sealed, created FROM keys WHERE use = ?`, k.Use)
		if err != nil {
			return err
		}
		settled = domain.Key{
			ID: found.text(0), Use: k.Use, Algorithm: found.text(1), Sealed: found.bytes(2), Created: found.time(3),
		}
		return nil
	})
	return settled, err
}
