package sqlite

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

type numbers struct{ lines lines }

// Of implements ports.Numbers. Nearly always all ids have their numbers, and it only
// reads. Where one has none, it reads once more as the one writer, and nothing comes
// between that and what it gives.
func (r numbers) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var given map[string]int64
	err := r.lines.read(ctx, func(l *line) (err error) {
		given, err = numbersOf(ctx, l, s, ids)
		return err
	})
	if err == nil && len(given) < len(ids) {
		err = r.lines.write(ctx, func(l *line) (err error) {
			given, err = giveNumbers(ctx, l, s, ids)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	all := make([]int64, len(ids))
	for i, id := range ids {
		all[i] = given[id]
	}
	return all, nil
}

// numbersOf returns the numbers of those ids that have one. It looks for each id: left
// to itself, SQLite goes through the whole series instead.
func numbersOf(ctx context.Context, l *line, s domain.Series, ids []string) (map[string]int64, error) {
	given := make(map[string]int64, len(ids))
	err := l.rows(ctx, func(v row) error {
		given[v.text(1)] = v.number(0)
		return nil
	}, `SELECT number, numbers.id FROM json_each(?) CROSS JOIN numbers WHERE series = ? AND numbers.id = json_each.value`, list(ids), s)
	return given, err
}

// giveNumbers is numbersOf, and gives numbers to those that have none.
func giveNumbers(ctx context.Context, l *line, s domain.Series, ids []string) (map[string]int64, error) {
	given, err := numbersOf(ctx, l, s, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, has := given[id]; has {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		next, err := l.one(`
			INSERT INTO numbers (series, number, id)
			SELECT ?1, coalesce(max(number), 0) + 1, ?2 FROM numbers WHERE series = ?1
			RETURNING number`, s, id)
		if err != nil {
			return nil, err
		}
		given[id] = next.number(0)
	}
	return given, nil
}

func (r numbers) ByNumber(ctx context.Context, s domain.Series, n int64) (string, error) {
	var id string
	err := r.lines.read(ctx, func(l *line) error {
		found, err := l.one(`SELECT id FROM numbers WHERE series = ? AND number = ?`, s, n)
		if err != nil {
			return err
		}
		if found == nil {
			return domain.ErrNumberNotFound
		}
		id = found.text(0)
		return nil
	})
	return id, err
}

func (r numbers) List(ctx context.Context, s domain.Series, after int64, limit int) ([]domain.Numbered, error) {
	var page []domain.Numbered
	err := r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			page = append(page, domain.Numbered{Number: v.number(0), ID: v.text(1)})
			return nil
		}, `SELECT number, id FROM numbers WHERE series = ? AND number > ? ORDER BY number LIMIT ?`, s, after, max(limit, 0))
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}
