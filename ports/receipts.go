package ports

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// Receipts keeps the answers to requests that are to have one effect.
type Receipts interface {
	// Claim returns the receipt of that id, if one is kept, and keeps others from
	// claiming the id until the transaction ends. Those wait, or fail with
	// domain.ErrStillRunning.
	Claim(ctx context.Context, id domain.ReceiptID) (r domain.Receipt, kept bool, err error)

	// Keep stores a receipt, in the place of what was kept for that id. It belongs into
	// the transaction that claimed the id and has the effect, so that there is never
	// one without the other.
	Keep(ctx context.Context, r domain.Receipt) error

	// Forget drops at most limit receipts from before t, and says how many.
	Forget(ctx context.Context, t time.Time, limit int) (int, error)
}

// A Vault seals what is kept for its owner alone, and stands for it by digests.
type Vault interface {
	// Conceal returns text as bytes that Reveal with the same scope turns back, and
	// that tell nobody else more of it than its length.
	Conceal(scope string, text []byte) []byte

	// Reveal returns what was concealed. It fails with domain.ErrInvalidToken if the
	// bytes were not made for this scope, have been altered, or were made with a key
	// that is gone.
	Reveal(scope string, concealed []byte) ([]byte, error)

	// Digest stands for a text: the same for the same scope and text for as long as a
	// receipt is kept, and another for others. Without the key nobody can tell
	// whether it is that of a text which they guess.
	Digest(scope string, text []byte) [32]byte
}
