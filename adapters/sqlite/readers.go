package sqlite

import (
	"context"
	"errors"

	"github.com/keyport-go/keyport/domain"
)

// readers are the lines that only read, each lent to one caller at a time.
type readers struct {
	idle chan *line
	quit chan struct{}
}

// newReaders returns n lines like the given one, which is not connected.
func newReaders(n int, like line) *readers {
	r := &readers{idle: make(chan *line, n), quit: make(chan struct{})}
	for range n {
		l := like
		r.idle <- &l
	}
	return r
}

// do runs f on a line. It waits for one as long as ctx lasts.
func (r *readers) do(ctx context.Context, f func(*line) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l := <-r.idle:
		defer r.back(l)
		l.asked = ctx
		return f(l)
	case <-ctx.Done():
		return ctx.Err()
	case <-r.quit:
		return domain.ErrUnavailable.Because(errClosed)
	}
}

func (r *readers) back(l *line) {
	l.asked = nil
	if l.fault != nil {
		_ = l.drop() // its fault has been told
	}
	r.idle <- l
}

// close waits for the reads that are under way and ends the connections.
func (r *readers) close() error {
	close(r.quit)
	var errs []error
	for range cap(r.idle) {
		errs = append(errs, (<-r.idle).drop())
	}
	return errors.Join(errs...)
}
