package ports

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

// Collections keeps the declarations of collections.
type Collections interface {
	// ByName returns the collection, or domain.ErrCollectionNotFound.
	ByName(ctx context.Context, name domain.CollectionName) (domain.Collection, error)

	// List returns all collections ordered by name (bytewise), at most
	// domain.MaxCollections.
	List(ctx context.Context) ([]domain.Collection, error)

	// Add stores a new collection at revision 1, whatever c says. Of any number
	// of calls for one name exactly one succeeds; the others fail with
	// domain.ErrCollectionExists.
	Add(ctx context.Context, c domain.Collection) error

	// Replace writes all of c but its name, its revision and the time of creation if
	// the stored revision is c.Revision, and makes it the next one. Otherwise it
	// fails with domain.ErrStale, or with domain.ErrCollectionNotFound. A change
	// of unique fields while there are records fails with
	// domain.ErrCollectionInUse, unless it only leaves some out. It waits for the
	// writes of records that are under way.
	Replace(ctx context.Context, c domain.Collection) error

	// Hold keeps everybody else from writing the collection and its records until the
	// transaction ends, and waits for such writes that are under way: what is read
	// after it stays so. It fails as Replace does if c is not the stored revision.
	// Outside a transaction it holds nothing.
	Hold(ctx context.Context, c domain.CollectionRef) error

	// Remove deletes the collection if its stored revision is that of c. It fails with
	// domain.ErrStale, domain.ErrCollectionNotFound, or while there are records with
	// domain.ErrCollectionInUse.
	Remove(ctx context.Context, c domain.CollectionRef) error
}
