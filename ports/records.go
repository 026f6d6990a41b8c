package ports

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// Records keeps the records of all collections. Every method fails with
// domain.ErrCollectionNotFound if there is no such collection, and with
// domain.ErrCollectionChanged if its stored revision is not that of c; a write
// judges this when it happens.
//
// What else is kept of a record (domain.Entries) is written with it, and is gone
// with it. If Event is set, the change is told to Events in the same transaction.
type Records interface {
	// Get returns the record, or domain.ErrRecordNotFound.
	Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error)

	// List returns the records of the walk after the given place that have the words
	// and for which the condition is True, in the order of the walk, at most
	// q.Limit. A walk by index finds the records by the index keys that were last
	// written with them. If there are fewer than q.Limit among the first q.Scan
	// records of the walk after the place, and these are not all, it fails with
	// domain.ErrTooBroad. A search may be answered even so, and is if fewer than
	// domain.RareWord words of the collection's records match one of its words.
	//
	// Of an account that has more than q.Scan records in the collection, a walk by
	// time passes the records of all, and those of others are looked at, too.
	List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error)

	// Count returns how many records List would return without a limit on them but
	// q.Limit. It fails with domain.ErrTooBroad as List does.
	Count(ctx context.Context, c domain.CollectionRef, q domain.Query) (int, error)

	// Add stores a new record with its entries at revision 1, whatever r
	// says. Of any number of calls for one id exactly one succeeds; the others
	// fail with domain.ErrRecordExists. Of any number of calls with one unique
	// key exactly one succeeds; the others fail with domain.ErrNotUnique, which
	// names each field at fault (domain.NotUnique). A call that fails stores
	// nothing.
	Add(ctx context.Context, c domain.CollectionRef, r domain.Record, e domain.Entries) error

	// AddAll adds records, one after the other, and returns of each the refusal with
	// which Add would have failed, or nil. What is refused leaves nothing, and takes
	// no other with it. Where AddAll fails otherwise it stores none.
	AddAll(ctx context.Context, c domain.CollectionRef, all []Newcomer) (refusals []error, err error)

	// Replace writes data, time of change and entries if the stored revision
	// is r.Revision, and makes it the next one. Owner and time of creation stay.
	// Of any number of calls for one revision exactly one succeeds; the others
	// fail with domain.ErrStale. It fails with domain.ErrRecordNotFound, and with
	// domain.ErrNotUnique as Add does.
	Replace(ctx context.Context, c domain.CollectionRef, r domain.Record, e domain.Entries) error

	// Remove deletes the record if the stored revision is rev, and frees its
	// unique keys. It tells the change with the time event, if that is not zero. It
	// fails with domain.ErrStale or domain.ErrRecordNotFound.
	Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision, event time.Time) error

	// Enter writes the index keys and the words of records anew, of those whose
	// stored revision is still that which is given. It leaves their unique keys, and
	// tells nobody.
	Enter(ctx context.Context, c domain.CollectionRef, filings []Filing) error
}

// A Filing is the entries of a record at one revision.
type Filing struct {
	ID       domain.RecordID
	Revision domain.Revision
	Entries  domain.Entries
}

// A Newcomer is a record that is to be added, with its entries.
type Newcomer struct {
	Record  domain.Record
	Entries domain.Entries
}
