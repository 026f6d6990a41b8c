package sqlite

import (
	"fmt"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// condition renders a predicate as a condition on a row r of records: true, false, or
// null where the domain says Unknown.
func (w *rendering) condition(p domain.Predicate) string {
	switch p := p.(type) {
	case domain.Everything:
		return "true"
	case domain.Nothing:
		return "false"
	case domain.OwnedBy:
		if p.Account == "" {
			return "false"
		}
		return "(r.owner IS " + w.bind(p.Account) + ")"
	case domain.All:
		return w.join(p, " AND ", "true")
	case domain.Any:
		return w.join(p, " OR ", "false")
	case domain.Not:
		return "(NOT " + w.condition(p.Part) + ")"
	case domain.Compare:
		if !varies(p.Left) && !varies(p.Right) {
			return settled(p)
		}
		return w.compare(p)
	case domain.TestText:
		if !varies(p.Text) && !varies(p.Part) {
			return settled(p)
		}
		return w.test(p)
	case domain.Among:
		return w.among(p)
	case domain.Has:
		return w.has(p.Path)
	case domain.Is:
		return w.as(aBoolean, p.Term)
	}
	return null // Undecided, and whatever else the domain cannot evaluate
}

func (w *rendering) join(parts []domain.Predicate, by, empty string) string {
	if len(parts) == 0 {
		return empty
	}
	rendered := make([]string, len(parts))
	for i, part := range parts {
		rendered[i] = w.condition(part)
	}
	return "(" + strings.Join(rendered, by) + ")"
}

// settled renders a predicate that is the same for all records.
func settled(p domain.Predicate) string {
	switch domain.Evaluate(p, domain.Record{}) {
	case domain.True:
		return "true"
	case domain.False:
		return "false"
	default:
		return null
	}
}

func (w *rendering) compare(p domain.Compare) string {
	if p.Op == domain.Equal {
		return w.equal(p.Left, p.Right)
	}
	sign := " <= "
	if p.Op == domain.Less {
		sign = " < "
	}
	var each []string // of which at most one is not null
	for _, k := range []kind{aBoolean, aNumber, aText, aTime} {
		if kindsOf(p.Left)&kindsOf(p.Right)&k != 0 {
			each = append(each, w.as(k, p.Left)+sign+w.as(k, p.Right))
		}
	}
	switch len(each) {
	case 0:
		return null
	case 1:
		return "(" + each[0] + ")"
	}
	return "coalesce(" + strings.Join(each, ", ") + ")"
}

// equal relies on it that values of different kinds are never equal as w.value has
// them, and that no value is null.
func (w *rendering) equal(a, b domain.Term) string {
	equal := "(" + w.value(a) + " = " + w.value(b) + ")"
	left, isMember := a.(domain.Member)
	right, too := b.(domain.Member)
	if !isMember || !too {
		return equal
	}
	const composite = " IN ('array', 'object')"
	return fmt.Sprintf("CASE WHEN %s%s AND %s%s THEN NULL ELSE %s END",
		w.json(left).kind(), composite, w.json(right).kind(), composite, equal)
}

func (w *rendering) test(p domain.TestText) string {
	if kindsOf(p.Text)&kindsOf(p.Part)&aText == 0 {
		return null
	}
	text, part := w.as(aText, p.Text), w.as(aText, p.Part)
	switch p.Op {
	case domain.Contains:
		return "(instr(" + text + ", " + part + ") > 0)"
	case domain.StartsWith:
		return "(substr(" + text + ", 1, length(" + part + ")) = " + part + ")"
	case domain.EndsWith:
		return "(substr(" + text + ", length(" + text + ") - length(" + part + ") + 1) = " + part + ")"
	}
	return null
}

func (w *rendering) among(p domain.Among) string {
	return "keyport_among(" + w.json(p.List).text() + ", " + w.value(p.Item) + ")"
}

func (w *rendering) has(path domain.Member) string {
	if len(path) == 0 {
		return null
	}
	there := "(" + w.json(path).kind() + " IS NOT NULL)"
	if len(path) == 1 {
		return there // the data is an object
	}
	return "CASE " + w.json(path[:len(path)-1]).kind() + " WHEN 'object' THEN " + there + " END"
}
