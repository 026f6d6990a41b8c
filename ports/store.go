package ports

import "context"

// A Store keeps everything that Keyport remembers.
//
// Called on a Store itself, each repository method stands alone: it happens
// wholly or not at all, and is durable when it returns nil.
type Store interface {
	Repositories

	// Atomically runs f on repositories that share one transaction. If f
	// returns nil the writes become visible together; otherwise none do, and
	// Atomically returns f's error unchanged.
	//
	// It promises no more than that: what f has read may change before f ends.
	// Where that matters the write carries the condition, and the condition is
	// judged when the write happens.
	//
	// Atomically may run f again after a collision, so f must have no effect
	// but through tx. Hashing, signing and network calls belong before or
	// after it.
	Atomically(ctx context.Context, f func(tx Repositories) error) error

	// Ping reports whether the store answers. It fails with
	// domain.ErrUnavailable.
	Ping(ctx context.Context) error
}

// Repositories are the parts of a store.
type Repositories interface {
	Accounts() Accounts
	Sessions() Sessions
	AccessKeys() AccessKeys
	Collections() Collections
	Records() Records
	Events() Events
	Receipts() Receipts
	Imports() Imports
	Keys() Keys
	Numbers() Numbers
	Bulletin() Bulletin
}

// Within returns the transaction tx as a Store, for what is to be part of it. Its own
// Atomically is part of tx, too: an error from it undoes nothing unless tx fails.
func Within(tx Repositories) Store { return within{tx} }

type within struct{ Repositories }

func (w within) Atomically(ctx context.Context, f func(Repositories) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return f(w.Repositories)
}

func (within) Ping(context.Context) error { return nil }
