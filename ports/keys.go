package ports

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

// Keys keeps private keys, sealed.
type Keys interface {
	// Settle stores k unless a key for the same use is there already, and
	// returns the one that is there now. Of any number of calls for one use all
	// return the same key.
	Settle(ctx context.Context, k domain.Key) (domain.Key, error)
}
