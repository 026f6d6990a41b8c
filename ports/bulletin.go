package ports

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A Bulletin is where replicas hear what was revoked.
type Bulletin interface {
	// Post writes changes. It belongs into the transaction of their cause, so that
	// there is never one without the other.
	Post(ctx context.Context, changes ...domain.Change) error

	// News returns the changes that were committed since mark was made, in no
	// particular order, and a new mark; some may be returned again. No change is
	// left out, however long its transaction took to commit. With the mark "" it
	// returns all changes that are kept.
	News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error)

	// Posted reports whether a change of the kind about the subject is kept.
	Posted(ctx context.Context, kind domain.ChangeKind, subject string) (bool, error)

	// Forget drops at most limit changes whose cause was before t, and says how
	// many.
	Forget(ctx context.Context, t time.Time, limit int) (int, error)
}
