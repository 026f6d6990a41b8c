package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// A line is one connection and the statements that were prepared on it: one for
// each text of this package, so their number is bounded. It connects when it is
// first used, and again after a drop. One goroutine uses it at a time, which is
// all that a driver.Conn asks, so there is no sql.DB in between.
//
// No caller's context reaches the connection: an interrupt would hit whatever
// runs there. Callers look at theirs between statements, and each statement is
// short, for it follows an index and has a limit.
type line struct {
	connector driver.Connector
	told      func(text string) // hears each statement of a repository; may be nil
	conn      driver.Conn
	prepared  map[string]statement
	fault     error // why no repository may go on here; see harmless
}

// statement is what the driver's prepared statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// exec runs a statement and says how many rows it wrote.
func (l *line) exec(text string, args ...any) (int64, error) {
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
func (l *line) rows(ctx context.Context, visit func(row) error, text string, args ...any) error {
	s, err := l.statement(text)
	if err != nil {
		return err
	}
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
	if l.fault != nil {
		return nil, l.fault
	}
	if l.told != nil {
		l.told(text)
	}
	s, err := l.prepare(text)
	if err != nil {
		return nil, l.failed(err)
	}
	return s, nil
}

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
	l.prepared[text] = s
	return s, nil
}

// drop ends the connection, with whatever transaction is open on it.
func (l *line) drop() error {
	var errs []error
	for _, s := range l.prepared {
		errs = append(errs, s.Close())
	}
	if l.conn != nil {
		errs = append(errs, l.conn.Close())
	}
	l.conn, l.prepared, l.fault = nil, nil, nil
	return errors.Join(errs...)
}
