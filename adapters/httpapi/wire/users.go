package wire

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/keyport-go/keyport/domain"
)

// Known returns the accounts that the asker may know of in an older API whose
// users are counted in the series: their own and, for an administrator, the first
// numbers.MaxList of all that have a number, in that order. It fails with
// domain.ErrInvalidToken where the asker's account has gone meanwhile.
func (s Services) Known(ctx context.Context, who domain.Asker, series domain.Series) ([]domain.Account, error) {
	me, err := s.Accounts.Me(ctx, who)
	if errors.Is(err, domain.NotFound) {
		err = domain.ErrInvalidToken.Because(err)
	}
	if err != nil {
		return nil, err
	}
	if !who.Has(domain.Administrator) {
		return []domain.Account{me}, nil
	}
	numbered, err := s.Numbers.List(ctx, series)
	if err != nil {
		return nil, err
	}
	place := make(map[domain.AccountID]int64, len(numbered))
	ids := make([]domain.AccountID, len(numbered))
	for i, n := range numbered {
		ids[i] = domain.AccountID(n.ID)
		place[ids[i]] = n.Number
	}
	all, err := s.Accounts.Lookup(ctx, ids...)
	if err != nil {
		return nil, err
	}
	if _, counted := place[me.ID]; !counted { // who is asking has 0, and so comes first
		all = append(all, me)
	}
	slices.SortFunc(all, func(a, b domain.Account) int { return cmp.Compare(place[a.ID], place[b.ID]) })
	return all, nil
}
