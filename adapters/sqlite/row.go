package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// A row is what a query found, column by column. The tables are strict, so a
// column is what the schema says, or null, which reads as its zero.
type row []driver.Value

func (r row) null(i int) bool { return r[i] == nil }

func (r row) text(i int) string {
	s, _ := r[i].(string)
	return s
}

func (r row) number(i int) int64 {
	n, _ := r[i].(int64)
	return n
}

func (r row) bytes(i int) []byte {
	b, _ := r[i].([]byte)
	return b
}

func (r row) time(i int) time.Time {
	if r.null(i) {
		return time.Time{}
	}
	return time.UnixMicro(r.number(i)).UTC()
}

// list reads a column that list wrote.
func (r row) list(i int, into any) error {
	if err := json.Unmarshal([]byte(r.text(i)), into); err != nil {
		return fmt.Errorf("sqlite: column %d is not what was written: %w", i, err)
	}
	return nil
}

// list writes a slice or a struct of texts for a column. It cannot fail: no such
// value is without a JSON form.
func list(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("sqlite: a column that has no JSON form: " + err.Error())
	}
	return string(b)
}

// micros writes a time for a column, rounded down.
func micros(t time.Time) int64 { return t.UnixMicro() }

// moment writes a time for a column that may be null, as the zero time is.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return micros(t)
}
