package ports

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

// Records keeps the records of all collections. Every method fails with
// domain.ErrCollectionNotFound if there is no such collection, and with
// domain.ErrCollectionChanged if its stored revision is not that of c; a write
// judges this when it happens.
type Records interface {
	// Get returns the record, or domain.ErrRecordNotFound.
	Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error)

	// List returns at most limit records for which where holds, ordered by id,
	// beginning after the given one; "" is before the first.
	List(ctx context.Context, c domain.CollectionRef, where domain.Predicate, after domain.RecordID, limit int) ([]domain.Record, error)

	// Add stores a new record with its unique keys at revision 1, whatever r
	// says. Of any number of calls for one id exactly one succeeds; the others
	// fail with domain.ErrRecordExists. Of any number of calls with one unique
	// key exactly one succeeds; the others fail with domain.ErrNotUnique, which
	// names each field at fault (domain.NotUnique). A call that fails stores
	// nothing.
	Add(ctx context.Context, c domain.CollectionRef, r domain.Record, keys []domain.UniqueKey) error

	// Replace writes data, time of change and unique keys if the stored revision
	// is r.Revision, and makes it the next one. Owner and time of creation stay.
	// Of any number of calls for one revision exactly one succeeds; the others
	// fail with domain.ErrStale. It fails with domain.ErrRecordNotFound, and with
	// domain.ErrNotUnique as Add does.
	Replace(ctx context.Context, c domain.CollectionRef, r domain.Record, keys []domain.UniqueKey) error

	// Remove deletes the record if the stored revision is rev, and frees its
	// unique keys. It fails with domain.ErrStale or domain.ErrRecordNotFound.
	Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision) error
}
