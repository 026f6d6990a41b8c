package sqlite

import (
	"strings"
	"unicode/utf8"

	"github.com/keyport-go/keyport/domain"
)

// A jsonMember is what a path leads to in the data of a row r of records: two
// expressions, of a JSON text and of a path in it.
type jsonMember struct{ within, path string }

// json renders a path. SQLite's own paths have no sure way to write some names; those a
// function looks up.
func (w *rendering) json(m domain.Member) jsonMember {
	var path strings.Builder
	path.WriteByte('$')
	for _, name := range m {
		switch {
		case !utf8.ValidString(name), strings.ContainsRune(name, 0):
			return jsonMember{null, "'$'"} // no document has such a name
		case strings.ContainsAny(name, `"\`):
			return jsonMember{"keyport_member(r.data, " + w.bind(list([]string(m))) + ")", "'$'"}
		}
		path.WriteString(`."` + name + `"`)
	}
	return jsonMember{"r.data", w.bind(path.String())}
}

func (m jsonMember) call(function string) string {
	return function + "(" + m.within + ", " + m.path + ")"
}

// kind renders what SQLite calls the type of it: null where there is no such member.
func (m jsonMember) kind() string { return m.call("json_type") }

// text renders it as JSON, every digit of a number included.
func (m jsonMember) text() string { return "(" + m.within + " -> " + m.path + ")" }

// number renders it as a double, null if it is no number.
func (m jsonMember) number() string { return "keyport_number(" + m.text() + ")" }

func (m jsonMember) as(k kind) string {
	switch k {
	case aBoolean:
		return "CASE " + m.kind() + " WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"
	case aNumber:
		return m.number()
	case aText:
		return "CASE " + m.kind() + " WHEN 'text' THEN " + m.call("json_extract") + " END"
	default:
		return null
	}
}

func (m jsonMember) value() string {
	return "CASE " + m.kind() + " WHEN 'text' THEN " + m.call("json_extract") +
		" WHEN 'true' THEN x'01' WHEN 'false' THEN x'00' WHEN 'null' THEN x'02'" +
		" WHEN 'array' THEN x'03' WHEN 'object' THEN x'03' ELSE " + m.number() + " END"
}

func (m jsonMember) size() string {
	return "CASE " + m.kind() + " WHEN 'text' THEN length(" + m.call("json_extract") + ")" +
		" WHEN 'array' THEN " + m.call("json_array_length") +
		" WHEN 'object' THEN (SELECT count(*) FROM " + m.call("json_each") + ") END"
}
