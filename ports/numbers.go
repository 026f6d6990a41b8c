package ports

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

// Numbers gives small numbers to things, for dialects whose clients know no other
// ids. Each series counts by itself.
type Numbers interface {
	// Of returns the numbers that the ids have in the series, in the order of the
	// ids, which are different. Those that have none get the next ones, in that
	// order: one more than the greatest that the series ever gave, beginning at 1.
	// No number is given twice, to whatever happens to its id. Of any number of
	// calls for one id all return the same number.
	Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error)

	// ByNumber returns the id that has the number, or domain.ErrNumberNotFound.
	ByNumber(ctx context.Context, s domain.Series, n int64) (string, error)

	// List returns at most limit ids that have numbers in the series, ordered by
	// number, beginning after the given one; 0 is before the first.
	List(ctx context.Context, s domain.Series, after int64, limit int) ([]domain.Numbered, error)
}
