// Package numbers gives small numbers to things that have ids, for older APIs whose
// clients know no others.
package numbers

import (
	"context"
	"strconv"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A Service numbers things. It does not know what they are.
type Service struct{ store ports.Store }

// New returns a Service over store.
func New(store ports.Store) *Service { return &Service{store} }

// MaxList is how many things List tells at most.
const MaxList = 10_000

// Of returns the numbers of ids, which are different, in a series. What has none gets
// the next ones, in the order of ids; none is ever used again.
func (s *Service) Of(ctx context.Context, series domain.Series, ids ...string) ([]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.store.Numbers().Of(ctx, series, ids...)
}

// ID returns the id whose number in a series is written in text: decimal digits, of
// which the first may be 0. It fails with ErrNumberNotFound.
func (s *Service) ID(ctx context.Context, series domain.Series, text string) (string, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || text[0] == '+' {
		return "", domain.ErrNumberNotFound
	}
	return s.store.Numbers().ByNumber(ctx, series, n)
}

// List returns what has a number in a series, in the order of numbers: the first
// MaxList.
func (s *Service) List(ctx context.Context, series domain.Series) ([]domain.Numbered, error) {
	return s.store.Numbers().List(ctx, series, 0, MaxList)
}
