package ports

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// Events is where replicas hear what became of records. Records writes it.
type Events interface {
	// News returns the events after mark, in one order that never changes, at most
	// limit. An event shows only when all that come before it show: who goes on from
	// the Mark of the last misses none and hears none twice, however long a
	// transaction took to commit. With the mark "" it begins with the first that is
	// kept.
	News(ctx context.Context, mark domain.Mark, limit int) ([]domain.Event, error)

	// Latest returns the mark behind all events that show, so that News from there
	// has what comes later.
	Latest(ctx context.Context) (domain.Mark, error)

	// Forget drops at most limit events from before t, and says how many.
	Forget(ctx context.Context, t time.Time, limit int) (int, error)
}
