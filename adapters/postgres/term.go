package postgres

import (
	"strconv"
	"strings"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A term is a rendered domain.Term. It is null where that has no value.
type term struct {
	sql  string
	kind kind
}

// A kind is the type of a term in SQL.
type kind string

// The kinds. A dynamic term is JSON, and may be of any kind but time.
const (
	dynamic kind = "json"
	number  kind = "float8"
	text    kind = "text"
	boolean kind = "boolean"
	moment  kind = "timestamptz"
)

// as returns the value of t if it is of a kind, and else null. Texts compare by
// their bytes.
func (t term) as(k kind) string {
	sql := t.sql
	switch {
	case t.kind == k:
	case t.kind == dynamic && k == number:
		sql = "keyport_number(" + sql + ")"
	case t.kind == dynamic && k == text:
		sql = "keyport_text(" + sql + ")"
	case t.kind == dynamic && k == boolean:
		sql = "keyport_boolean(" + sql + ")"
	default:
		sql = t.never(k)
	}
	if k == text {
		sql = "(" + sql + `) COLLATE "C"`
	}
	return sql
}

// never returns a null of some kind that mentions t: the server takes no parameter
// that the statement does not mention.
func (t term) never(k kind) string {
	return "CASE WHEN " + t.sql + " IS NULL THEN NULL::" + string(k) + " END"
}

func (c *condition) term(t domain.Term) term {
	switch t := t.(type) {
	case domain.Literal:
		return c.literal(t)
	case domain.Member:
		return term{c.member(t), dynamic}
	case domain.Column:
		return column(t)
	case domain.Arithmetic:
		op, known := map[domain.Operator]string{domain.Add: "'+'", domain.Subtract: "'-'", domain.Multiply: "'*'", domain.Divide: "'/'"}[t.Op]
		if known {
			return term{"keyport_calculate(" + op + ", " + c.term(t.Left).as(number) + ", " + c.term(t.Right).as(number) + ")", number}
		}
	case domain.Size:
		switch of := c.term(t.Of); of.kind {
		case dynamic:
			return term{"keyport_size(" + of.sql + ")", number}
		case text:
			return term{"char_length(" + of.sql + ")::float8", number}
		default:
			return term{of.never(number), number}
		}
	case domain.Moment:
		return term{"keyport_moment(" + c.term(t.Of).as(text) + ")", moment}
	}
	return term{"NULL::float8", number}
}

func (c *condition) literal(l domain.Literal) term {
	switch v := l.Value.(type) {
	case nil:
		return term{"'null'::json", dynamic}
	case bool:
		return term{c.args.add(v, "boolean"), boolean}
	case float64:
		return term{c.args.add(v, "float8"), number}
	case string:
		return term{c.args.add(v, "text"), text}
	case time.Time:
		return term{c.args.add(micro(v), "timestamptz"), moment}
	}
	return term{"NULL::float8", number}
}

// column returns a column, which is never without a value. An owner may be null, and
// so is JSON.
func column(c domain.Column) term {
	switch c {
	case domain.ColumnID:
		return term{"w.id::text", text}
	case domain.ColumnOwner:
		return term{"coalesce(to_json(w.owner::text), 'null'::json)", dynamic}
	case domain.ColumnCreated:
		return term{"w.created", moment}
	case domain.ColumnChanged:
		return term{"w.changed", moment}
	}
	return term{"'null'::json", dynamic}
}

// member returns the column of w for a path. It is read of the data once, however
// often the condition asks for it, and a step at a time: along a whole path the
// server would take a name such as "0" for a place in a list.
func (c *condition) member(path domain.Member) string {
	name := strconv.Quote(strings.Join(path, "\x00")) + strconv.Itoa(len(path))
	if column, known := c.columns[name]; known {
		return column
	}
	read := "r.data"
	for _, step := range path {
		read = "(" + read + " -> " + c.args.add(step, "text") + ")"
	}
	if c.columns == nil {
		c.columns = make(map[string]string)
	}
	column := "m" + strconv.Itoa(len(c.members))
	c.members = append(c.members, read+" AS "+column)
	c.columns[name] = "w." + column
	return "w." + column
}
