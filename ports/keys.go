package ports

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

// Keys keeps private keys, sealed.
type Keys interface {
	// Settle stores k unless a key of the same use and number is there already,
	// and returns the one that is there now. Of any number of calls for one use
	// and number all return the same key.
	Settle(ctx context.Context, k domain.Key) (domain.Key, error)

	// List returns all keys, ordered by use (bytewise) and number.
	List(ctx context.Context) ([]domain.Key, error)

	// Reseal replaces the seal of the key that has k's id, and nothing else of
	// it, or fails with domain.ErrKeyNotFound.
	Reseal(ctx context.Context, k domain.Key) error

	// Drop forgets a key, or fails with domain.ErrKeyNotFound.
	Drop(ctx context.Context, id string) error
}
