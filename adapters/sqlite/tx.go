package sqlite

import (
	"context"
	"errors"
	"sync"
)

// A tx is one member's use of the writer's line, while its turn lasts.
type tx struct {
	mu   sync.Mutex
	line *line
	over bool
}

// errOver is what a transaction answers after its function has returned.
var errOver = errors.New("sqlite: this transaction has ended")

func (t *tx) read(ctx context.Context, f func(*line) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return errOver
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t.line.asked = ctx
	return f(t.line)
}

// write gives f a savepoint of its own, so that a method that fails after some
// of its statements stores nothing, even if the transaction goes on.
func (t *tx) write(ctx context.Context, f func(*line) error) error {
	return t.read(ctx, func(l *line) error {
		if l.fault != nil {
			return l.fault
		}
		if err := l.control("SAVEPOINT method"); err != nil {
			return l.failed(err)
		}
		result := f(l)
		if result != nil {
			if err := l.control("ROLLBACK TO method"); err != nil {
				return l.failed(err)
			}
		}
		if err := l.control("RELEASE method"); err != nil {
			return l.failed(err)
		}
		return result
	})
}

func (t *tx) end() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
}
