package sqlite

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type receipts struct{ lines lines }

// Claim implements ports.Receipts. It has no more to do than to read: transactions take
// turns, those of other processes too, so whoever claims the same id waits for the end
// of this one.
func (r receipts) Claim(ctx context.Context, id domain.ReceiptID) (receipt domain.Receipt, kept bool, err error) {
	err = r.lines.read(ctx, func(l *line) error {
		found, err := l.one(`SELECT body, answer, at FROM receipts WHERE id = ?`, id[:])
		if err != nil || found == nil {
			return err
		}
		kept = true
		receipt = domain.Receipt{ID: id, Answer: found.bytes(1), At: found.time(2)}
		copy(receipt.Body[:], found.bytes(0))
		return nil
	})
	return receipt, kept, err
}

func (r receipts) Keep(ctx context.Context, receipt domain.Receipt) error {
	return r.lines.write(ctx, func(l *line) error {
		_, err := l.exec(`INSERT OR REPLACE INTO receipts (id, body, answer, at) VALUES (?, ?, ?, ?)`,
			receipt.ID[:], receipt.Body[:], append([]byte{}, receipt.Answer...), micros(receipt.At))
		return err
	})
}

func (r receipts) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return prune(ctx, r.lines, `
		DELETE FROM receipts WHERE id IN (SELECT id FROM receipts WHERE at < ? ORDER BY at LIMIT ?)`, t, limit)
}
