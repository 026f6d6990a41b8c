package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/keyport-go/keyport/ports"
)

// A line is one connection and the statements that were prepared on it: one for
// each text of this package, and of those that are rendered from what somebody asks
// the last few, so their number is bounded. It connects when it is first used, and
// again after a drop. One goroutine uses it at a time, which is all that a driver.Conn
// asks, so there is no sql.DB in between.
//
// No caller's context reaches the connection: an interrupt would hit whatever
// runs there. Callers look at theirs between statements, and each statement is
// short, for it follows an index and has a limit.
type line struct {
	connector driver.Connector
	told      func(text string) // hears each statement of a repository; may be nil
	span      ports.Span        // traces the same
	asked     context.Context   // on whose behalf, for the trace alone; nil: nobody's
	conn      driver.Conn
	prepared  map[string]statement
	rendered  []rendered // the last that was used comes last
	fault     error      // why no repository may go on here; see harmless
}

// maxRendered is how many rendered statements a line keeps. To prepare one takes some
// 100 µs, and as many KB.
const maxRendered = 64

type rendered struct {
	text string
	statement
}

// statement is what the driver's prepared statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// exec runs a statement and says how many rows it wrote.
func (l *line) exec(text string, args ...any) (written int64, err error) {
	end := l.trace(text)
	defer func() { end(err) }()
	s, err := l.statement(text)
	if err != nil {
		return 0, err
	}
	values, err := arguments(args)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(context.Background(), values)
	if err != nil {
		return 0, l.failed(err)
	}
	return result.RowsAffected()
}

// one runs a statement that has at most one row, and returns that, or nil.
func (l *line) one(text string, args ...any) (found row, err error) {
	err = l.rows(context.Background(), func(r row) error {
		found = r
		return nil
	}, text, args...)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// rows runs a statement and visits its rows until ctx ends. A row is the
// visitor's until the next.
func (l *line) rows(ctx context.Context, visit func(row) error, text string, args ...any) (err error) {
	end := l.trace(text)
	defer func() { end(err) }()
	s, err := l.statement(text)
	if err != nil {
		return err
	}
	return l.visit(ctx, visit, s, args)
}

// found is rows of a statement that was rendered: its text may never come again.
func (l *line) found(ctx context.Context, visit func(row) error, text string, args ...any) (err error) {
	end := l.trace(text)
	defer func() { end(err) }()
	if err := l.hears(text); err != nil {
		return err
	}
	s, err := l.render(text)
	if err != nil {
		return l.failed(err)
	}
	return l.visit(ctx, visit, s, args)
}

func (l *line) visit(ctx context.Context, visit func(row) error, s statement, args []any) error {
	values, err := arguments(args)
	if err != nil {
		return err
	}
	found, err := s.QueryContext(context.Background(), values)
	if err != nil {
		return l.failed(err)
	}
	defer func() { _ = found.Close() }() // the next use would find out
	r := make(row, len(found.Columns()))
	for {
		if err := found.Next(r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return l.failed(err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(r); err != nil {
			return err
		}
	}
}

// arguments turns names and counts of the domain into what a driver knows.
func arguments(args []any) ([]driver.NamedValue, error) {
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, fmt.Errorf("sqlite: argument %d: %w", i+1, err)
		}
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return values, nil
}

// statement returns a repository's statement.
func (l *line) statement(text string) (statement, error) {
	if err := l.hears(text); err != nil {
		return nil, err
	}
	s, err := l.prepare(text)
	if err != nil {
		return nil, l.failed(err)
	}
	return s, nil
}

// hears lets no repository go on after a fault, and tells of its statement.
func (l *line) hears(text string) error {
	if l.fault != nil {
		return l.fault
	}
	if l.told != nil {
		l.told(text)
	}
	return nil
}

// trace begins the span of a statement, and returns what ends it.
func (l *line) trace(text string) (end func(error)) {
	if l.span == nil || l.asked == nil {
		return untraced
	}
	_, end = l.span(l.asked, text)
	return end
}

func untraced(error) {}

// failed says what err means, and lets no statement follow one after which the
// transaction may be gone: it would commit by itself.
func (l *line) failed(err error) error {
	meaning := classify(err)
	if !harmless(err) {
		l.fault = meaning
	}
	return meaning
}

// control runs one of the words that frame transactions.
func (l *line) control(text string) error {
	s, err := l.prepare(text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background(), nil)
	return err
}

func (l *line) prepare(text string) (statement, error) {
	if s, ok := l.prepared[text]; ok {
		return s, nil
	}
	s, err := l.compile(text)
	if err == nil {
		l.prepared[text] = s
	}
	return s, err
}

// render is prepare for a statement that is kept for as long as it is among those that
// were used last.
func (l *line) render(text string) (statement, error) {
	at := slices.IndexFunc(l.rendered, func(r rendered) bool { return r.text == text })
	if at >= 0 {
		r := l.rendered[at]
		l.rendered = append(slices.Delete(l.rendered, at, at+1), r)
		return r.statement, nil
	}
	s, err := l.compile(text)
	if err != nil {
		return nil, err
	}
	if len(l.rendered) == maxRendered {
		err = l.rendered[0].Close()
		l.rendered = slices.Delete(l.rendered, 0, 1)
	}
	l.rendered = append(l.rendered, rendered{text, s})
	return s, err
}

func (l *line) compile(text string) (statement, error) {
	if l.conn == nil {
		conn, err := l.connector.Connect(context.Background())
		if err != nil {
			return nil, fmt.Errorf("sqlite: connecting: %w", err)
		}
		l.conn, l.prepared = conn, make(map[string]statement)
	}
	prepared, err := l.conn.Prepare(text)
	if err != nil {
		return nil, err
	}
	s, ok := prepared.(statement)
	if !ok {
		return nil, fmt.Errorf("sqlite: the driver's %T cannot be used", prepared)
	}
	return s, nil
}

// drop ends the connection, with whatever transaction is open on it.
func (l *line) drop() error {
	var errs []error
	for _, s := range l.prepared {
		errs = append(errs, s.Close())
	}
	for _, r := range l.rendered {
		errs = append(errs, r.Close())
	}
	if l.conn != nil {
		errs = append(errs, l.conn.Close())
	}
	l.conn, l.prepared, l.rendered, l.fault = nil, nil, nil, nil
	return errors.Join(errs...)
}
