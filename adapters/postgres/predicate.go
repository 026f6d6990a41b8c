package postgres

import (
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// A condition renders a domain.Predicate over rows w, which have the columns of
// records and one for each member that it asks for. Unknown is null, which AND, OR
// and NOT combine as domain.Truth does. No part of it fails for any document, in
// whatever order the server looks at the parts: all that could is in the keyport
// functions of the schema.
type condition struct {
	args    *arguments
	members []string          // how each is read of records r
	columns map[string]string // in w, by path
}

// render returns p as an expression that is true, false or null.
func (c *condition) render(p domain.Predicate) string {
	switch p := p.(type) {
	case domain.Everything:
		return "true"
	case domain.Nothing:
		return "false"
	case domain.OwnedBy:
		if p.Account == "" {
			return "false"
		}
		return "coalesce(w.owner = " + c.args.add(string(p.Account), "uuid") + ", false)"
	case domain.All:
		return c.join(p, " AND ", "true")
	case domain.Any:
		return c.join(p, " OR ", "false")
	case domain.Not:
		return "(NOT " + c.render(p.Part) + ")"
	case domain.Compare:
		return c.compare(p)
	case domain.TestText:
		return c.test(p)
	case domain.Among:
		return c.among(p)
	case domain.Has:
		return c.has(p.Path)
	case domain.Is:
		return c.term(p.Term).as(boolean)
	}
	return "NULL::boolean"
}

func (c *condition) join(parts []domain.Predicate, by, none string) string {
	if len(parts) == 0 {
		return none
	}
	all := make([]string, len(parts))
	for i, p := range parts {
		all[i] = c.render(p)
	}
	return "(" + strings.Join(all, by) + ")"
}

func (c *condition) compare(p domain.Compare) string {
	op, known := map[domain.Comparison]string{domain.Equal: "=", domain.Less: "<", domain.AtMost: "<="}[p.Op]
	if !known {
		return "NULL::boolean"
	}
	a, b := c.term(p.Left), c.term(p.Right)
	both := a.kind == dynamic && b.kind == dynamic
	switch {
	case p.Op == domain.Equal:
		return same(a, b)
	case both && p.Op == domain.Less:
		return "keyport_less(" + a.sql + ", " + b.sql + ")"
	case both:
		return "(NOT keyport_less(" + b.sql + ", " + a.sql + "))"
	}
	kind := a.kind
	if kind == dynamic {
		kind = b.kind
	}
	return "(" + a.as(kind) + " " + op + " " + b.as(kind) + ")"
}

// same compares as domain.Compare does with Equal.
func same(a, b term) string {
	switch {
	case a.kind == dynamic:
		return "keyport_same(" + a.sql + ", " + b.sql + ")"
	case b.kind == dynamic:
		return "keyport_same(" + b.sql + ", " + a.sql + ")"
	case a.kind == b.kind:
		return "(" + a.sql + " = " + b.sql + ")"
	}
	return "CASE WHEN " + a.sql + " IS NOT NULL AND " + b.sql + " IS NOT NULL THEN false END"
}

func (c *condition) test(p domain.TestText) string {
	if p.Op != domain.Contains && p.Op != domain.StartsWith && p.Op != domain.EndsWith {
		return "NULL::boolean"
	}
	text, part := c.term(p.Text).as(text), c.term(p.Part).as(text)
	switch p.Op {
	case domain.Contains:
		return "(strpos(" + text + ", " + part + ") > 0)"
	case domain.StartsWith:
		return "starts_with(" + text + ", " + part + ")"
	default:
		return "(right(" + text + ", length(" + part + ")) = " + part + ")"
	}
}

func (c *condition) among(p domain.Among) string {
	list, item := c.term(p.List), c.term(p.Item)
	judged := item.sql + " IS NOT NULL"
	if item.kind == dynamic {
		judged = "keyport_kind(" + item.sql + ") <> 'composite'"
	}
	return "CASE WHEN json_typeof(" + list.sql + ") = 'array' AND " + judged + " THEN EXISTS (" +
		"SELECT FROM json_array_elements(CASE json_typeof(" + list.sql + ") WHEN 'array' THEN " + list.sql + " END) AS e (item) " +
		"WHERE " + same(term{"e.item", dynamic}, item) + ") END"
}

func (c *condition) has(path domain.Member) string {
	if len(path) == 0 {
		return "NULL::boolean"
	}
	return "CASE json_typeof(" + c.member(path[:len(path)-1]) + ") WHEN 'object' THEN " + c.member(path) + " IS NOT NULL END"
}
