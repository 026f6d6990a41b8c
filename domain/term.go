package domain

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Term is something whose value differs from record to record, or a Literal. Its
// value is null, a boolean, a number (an IEEE 754 double, as in CEL and in
// JavaScript), a text, a time, or a list or object of the data; or it has none.
type Term interface{ term() }

type (
	// Literal is a value: nil, bool, float64 (finite), string (UTF-8 without NUL, as
	// documents have it) or time.Time (UTC, microseconds).
	Literal struct{ Value any }

	// Member is what a path of member names leads to in the data; it has no value
	// where it leads nowhere, or to a number that no finite double is near. The
	// empty path is the data itself.
	Member []string

	// Column is what a record says beside its data.
	Column string

	// Arithmetic is a number. It has no value where a side is no number, where the
	// result is not finite, and where a product or quotient of numbers other than 0
	// comes out as 0.
	Arithmetic struct {
		Op          Operator
		Left, Right Term
	}

	// Size is how many code points a text has, or elements a list, or members an
	// object; of anything else there is none.
	Size struct{ Of Term }

	// Moment is the time that a text writes, as ParseMoment reads it.
	Moment struct{ Of Term }
)

func (Literal) term()    {}
func (Member) term()     {}
func (Column) term()     {}
func (Arithmetic) term() {}
func (Size) term()       {}
func (Moment) term()     {}

// The columns. The id is a text, the owner a text or null, the others are times.
const (
	ColumnID      Column = "id"
	ColumnOwner   Column = "owner"
	ColumnCreated Column = "created_at"
	ColumnChanged Column = "updated_at"
)

// An Operator is what Arithmetic does.
type Operator int8

// The operators.
const (
	Add Operator = iota + 1
	Subtract
	Multiply
	Divide
)

// A subject is a record under judgement. Its data is read when it is first asked.
type subject struct {
	Record
	members map[string]any
}

// value returns the value of a term, of one of the types that Literal has, or
// []any or map[string]any; false if it has none.
func (s *subject) value(t Term) (any, bool) {
	switch t := t.(type) {
	case Literal:
		return t.Value, true
	case Member:
		return s.member(t)
	case Column:
		return s.column(t), true
	case Arithmetic:
		left, _ := s.value(t.Left)
		right, _ := s.value(t.Right)
		a, ok := left.(float64)
		b, too := right.(float64)
		if !ok || !too {
			return nil, false
		}
		return calculate(t.Op, a, b)
	case Size:
		v, _ := s.value(t.Of)
		switch v := v.(type) {
		case string:
			return float64(utf8.RuneCountInString(v)), true
		case []any:
			return float64(len(v)), true
		case map[string]any:
			return float64(len(v)), true
		}
	case Moment:
		v, _ := s.value(t.Of)
		if text, ok := v.(string); ok {
			return ParseMoment(text)
		}
	}
	return nil, false
}

func (s *subject) member(path Member) (any, bool) {
	if s.members == nil {
		s.members = s.Data.Tree()
	}
	var v any = s.members
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = object[name]; !ok {
			return nil, false
		}
	}
	return scalar(v)
}

func (s *subject) column(c Column) any {
	switch c {
	case ColumnID:
		return string(s.ID)
	case ColumnOwner:
		if s.Owner != "" {
			return string(s.Owner)
		}
	case ColumnCreated:
		return s.Created
	case ColumnChanged:
		return s.Changed
	}
	return nil
}

// scalar returns a value of a document as a term has it.
func scalar(v any) (any, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return v, true
	}
	if f, near := Double(n.String()); near {
		return f, true
	}
	return nil, false
}

// Double returns the double that is nearest to a JSON number (ties to even); false
// if that would be infinite, or 0 for a number that is not.
func Double(text string) (float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false
	}
	if f == 0 {
		mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
		return 0, strings.Trim(mantissa, "-0.") == ""
	}
	return f, true
}

// calculate returns a op b, as Arithmetic has it.
func calculate(op Operator, a, b float64) (any, bool) {
	var f float64
	switch op {
	case Add:
		f = a + b
	case Subtract:
		f = a - b
	case Multiply:
		f = a * b
	case Divide:
		f = a / b
	}
	lost := f == 0 && a != 0 && (op == Divide || op == Multiply && b != 0)
	if lost || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, false
	}
	return f, true
}

// Calculate returns a op b, and whether there is such a value, as Arithmetic has it.
func Calculate(op Operator, a, b float64) (float64, bool) {
	v, ok := calculate(op, a, b)
	f, _ := v.(float64)
	return f, ok
}

func composite(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

// equal compares as Compare does with Equal.
func equal(a, b any) Truth {
	switch {
	case composite(a) && composite(b):
		return Unknown
	case composite(a) || composite(b):
		return False
	}
	if t, ok := a.(time.Time); ok {
		u, too := b.(time.Time)
		return TruthOf(too && t.Equal(u))
	}
	return TruthOf(a == b)
}

// compare orders two values of one kind; false if they have no order.
func compare(a, b any) (int, bool) {
	switch a := a.(type) {
	case float64:
		if b, ok := b.(float64); ok {
			return cmp.Compare(a, b), true
		}
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b), true
		}
	case time.Time:
		if b, ok := b.(time.Time); ok {
			return a.Compare(b), true
		}
	case bool:
		if b, ok := b.(bool); ok {
			return rank(a) - rank(b), true
		}
	}
	return 0, false
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}
