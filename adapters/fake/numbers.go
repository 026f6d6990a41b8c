package fake

import (
	"context"
	"slices"

	"github.com/keyport-go/keyport/domain"
)

type numbers struct{ desk desk }

func (r numbers) Of(ctx context.Context, series domain.Series, ids ...string) (list []int64, err error) {
	err = r.desk.do(ctx, "numbers.of", func(t *tables) error {
		all := slices.Clip(t.numbers[series])
		known := make(map[string]int64, len(all))
		for i, id := range all {
			known[id] = int64(i + 1)
		}
		for _, id := range ids {
			n, ok := known[id]
			if !ok {
				all = append(all, id)
				n = int64(len(all))
			}
			list = append(list, n)
		}
		t.numbers[series] = all
		return nil
	})
	return list, err
}

func (r numbers) ByNumber(ctx context.Context, series domain.Series, n int64) (id string, err error) {
	err = r.desk.do(ctx, "numbers.byNumber", func(t *tables) error {
		all := t.numbers[series]
		if n < 1 || n > int64(len(all)) {
			return domain.ErrNumberNotFound
		}
		id = all[n-1]
		return nil
	})
	return id, err
}

func (r numbers) List(ctx context.Context, series domain.Series, after int64, limit int) (list []domain.Numbered, err error) {
	err = r.desk.do(ctx, "numbers.list", func(t *tables) error {
		for i, id := range t.numbers[series] {
			list = append(list, domain.Numbered{Number: int64(i + 1), ID: id})
		}
		list = page(list, func(n domain.Numbered) int64 { return n.Number }, after, limit)
		return nil
	})
	return list, err
}
