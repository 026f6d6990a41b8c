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

	// Replace writes schema, rules, unique fields and time of change if the
	// stored revision is c.Revision, and makes it the next one. Otherwise it
	// fails with domain.ErrStale, or with domain.ErrCollectionNotFound. A change
	// of schema or unique fields while there are records fails with
	// domain.ErrCollectionInUse. It waits for the writes of records that are
	// under way.
	Replace(ctx context.Context, c domain.Collection) error
}
