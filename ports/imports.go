package ports

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// Imports keeps how far imports of records are.
type Imports interface {
	// ByID returns the import, or domain.ErrImportNotFound.
	ByID(ctx context.Context, id domain.ImportID) (domain.Import, error)

	// Advance stores the import if so many lines are dealt with by what is stored;
	// with from 0 it may also be new. Otherwise it fails with domain.ErrImportMoved.
	// Of any number of calls with one id and from exactly one succeeds, if each
	// brings more lines.
	Advance(ctx context.Context, i domain.Import, from int64) error

	// Forget drops at most limit imports that last changed before t, and says how
	// many.
	Forget(ctx context.Context, t time.Time, limit int) (int, error)
}
