package fake

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type receipts struct{ desk desk }

// Claim keeps nobody out: a transaction has the whole Store to itself.
func (r receipts) Claim(ctx context.Context, id domain.ReceiptID) (found domain.Receipt, kept bool, err error) {
	err = r.desk.do(ctx, "receipts.claim", func(t *tables) error {
		found, kept = t.receipts[id]
		found.Answer = slices.Clone(found.Answer)
		return nil
	})
	return found, kept, err
}

func (r receipts) Keep(ctx context.Context, receipt domain.Receipt) error {
	return r.desk.do(ctx, "receipts.keep", func(t *tables) error {
		receipt.Answer, receipt.At = slices.Clone(receipt.Answer), stamp(receipt.At)
		t.receipts[receipt.ID] = receipt
		return nil
	})
}

func (r receipts) Forget(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = r.desk.do(ctx, "receipts.forget", func(t *tables) error {
		n = forget(t.receipts, func(r domain.Receipt) time.Time { return r.At }, before, limit)
		return nil
	})
	return n, err
}

// forget drops at most limit items from before a time, the oldest first, and says
// how many.
func forget[ID comparable, T any](items map[ID]T, at func(T) time.Time, before time.Time, limit int) int {
	var due []ID
	for id, x := range items {
		if at(x).Before(before) {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b ID) int { return at(items[a]).Compare(at(items[b])) })
	due = due[:min(max(limit, 0), len(due))]
	maps.DeleteFunc(items, func(id ID, _ T) bool { return slices.Contains(due, id) })
	return len(due)
}
