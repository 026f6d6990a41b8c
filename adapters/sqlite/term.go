package sqlite

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keyport-go/keyport/domain"
)

const null = "NULL"

// A kind is a set of the kinds of value that a term may have.
type kind uint8

const (
	aNull kind = 1 << iota
	aBoolean
	aNumber
	aText
	aTime
	aComposite // a list or an object
)

// What stands for values that SQLite would take for others: its booleans are numbers,
// and its null is no value.
var (
	markFalse     = []byte{0}
	markTrue      = []byte{1}
	markNull      = []byte{2}
	markComposite = []byte{3}
	markForeign   = []byte{4} // what no document holds
)

// varies reports whether the value of a term differs from record to record.
func varies(t domain.Term) bool {
	switch t := t.(type) {
	case domain.Member, domain.Column:
		return true
	case domain.Arithmetic:
		return varies(t.Left) || varies(t.Right)
	case domain.Size:
		return varies(t.Of)
	case domain.Moment:
		return varies(t.Of)
	}
	return false
}

// constant returns the value of a term that does not vary; false if it has none.
func constant(t domain.Term) (any, bool) {
	switch t := t.(type) {
	case domain.Literal:
		return t.Value, true
	case domain.Arithmetic:
		left, _ := constant(t.Left)
		right, _ := constant(t.Right)
		a, isNumber := left.(float64)
		b, too := right.(float64)
		if isNumber && too {
			return domain.Calculate(t.Op, a, b)
		}
	case domain.Size:
		v, _ := constant(t.Of)
		if text, ok := v.(string); ok {
			return float64(utf8.RuneCountInString(text)), true
		}
	case domain.Moment:
		v, _ := constant(t.Of)
		if text, ok := v.(string); ok {
			return domain.ParseMoment(text)
		}
	}
	return nil, false
}

// kindsOf returns the kinds that the value of a term may be of; none if it never has
// one.
func kindsOf(t domain.Term) kind {
	if !varies(t) {
		v, ok := constant(t)
		return kindOf(v, ok)
	}
	switch t := t.(type) {
	case domain.Member:
		return aNull | aBoolean | aNumber | aText | aComposite
	case domain.Column:
		switch t {
		case domain.ColumnID:
			return aText
		case domain.ColumnOwner:
			return aText | aNull
		case domain.ColumnCreated, domain.ColumnChanged:
			return aTime
		}
		return aNull
	case domain.Moment:
		return aTime
	}
	return aNumber // Arithmetic and Size
}

func kindOf(v any, ok bool) kind {
	if !ok {
		return 0
	}
	switch v.(type) {
	case nil:
		return aNull
	case bool:
		return aBoolean
	case float64:
		return aNumber
	case string:
		return aText
	case time.Time:
		return aTime
	}
	return 0
}

// as renders the value of a term if it is of kind k, one of those that can be ordered,
// and else null. Booleans are 0 and 1, times microseconds since 1970.
func (w *rendering) as(k kind, t domain.Term) string {
	if kindsOf(t)&k == 0 {
		return null
	}
	if !varies(t) {
		v, _ := constant(t)
		switch v := v.(type) {
		case bool:
			return strconv.FormatBool(v)
		case time.Time:
			return w.bind(micros(v))
		default:
			return w.bind(v)
		}
	}
	switch t := t.(type) {
	case domain.Member:
		return w.json(t).as(k)
	case domain.Column:
		return column(t)
	case domain.Arithmetic:
		return fmt.Sprintf("keyport_calculate(%d, %s, %s)", t.Op, w.as(aNumber, t.Left), w.as(aNumber, t.Right))
	case domain.Size:
		return w.size(t.Of)
	case domain.Moment:
		return "keyport_moment(" + w.as(aText, t.Of) + ")"
	}
	return null
}

// value renders the value of a term so that SQLite finds those equal which are: numbers
// and texts as they are, all others as blobs; null where there is none. Nothing of it
// has a column's affinity, by which SQLite would turn texts into numbers.
func (w *rendering) value(t domain.Term) string {
	if !varies(t) {
		switch v, ok := constant(t); v := v.(type) {
		case nil:
			if ok {
				return w.bind(markNull)
			}
		case bool:
			if v {
				return w.bind(markTrue)
			}
			return w.bind(markFalse)
		case float64:
			return w.bind(v)
		case string:
			if strings.ContainsRune(v, 0) {
				return w.bind(markForeign) // SQLite would end it there
			}
			return w.bind(v)
		case time.Time:
			return w.bind([]byte(strconv.FormatInt(micros(v), 10)))
		}
		return null
	}
	if m, isMember := t.(domain.Member); isMember {
		return w.json(m).value()
	}
	if t == domain.Term(domain.ColumnOwner) {
		return "CASE WHEN r.owner IS NULL THEN x'02' ELSE r.owner END"
	}
	switch k := kindsOf(t); k {
	case aTime:
		return "CAST(" + w.as(k, t) + " AS BLOB)"
	case aNull:
		return "x'02'"
	default:
		return "+" + w.as(k, t)
	}
}

func column(c domain.Column) string {
	switch c {
	case domain.ColumnID:
		return "r.id"
	case domain.ColumnOwner:
		return "r.owner"
	case domain.ColumnCreated:
		return "r.created"
	case domain.ColumnChanged:
		return "r.changed"
	}
	return null
}

func (w *rendering) size(of domain.Term) string {
	switch t := of.(type) {
	case domain.Member:
		return w.json(t).size()
	case domain.Column:
		if kindsOf(t)&aText != 0 {
			return "length(" + column(t) + ")"
		}
	}
	return null
}
