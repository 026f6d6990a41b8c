package cel

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"

	"github.com/keyport-go/keyport/domain"
)

// The bounds of an explanation.
const (
	MaxClauses  = 32  // beyond them the last says the rest
	MaxReadings = 16  // a clause
	MaxReading  = 200 // bytes of a value
)

// A clause is a part of a rule that has to hold, by itself.
type clause struct {
	text    string
	program cel.Program
	paths   []trail
}

// A trail is a name, and members of members of it.
type trail struct {
	text, root string
	names      []string
}

// parts returns the clauses of a rule that was read, and makes them when they are
// first asked for: most rules are never explained.
func (l *language) parts(text string) func() []clause {
	return sync.OnceValue(func() (all []clause) {
		for _, text := range clauses(text) {
			c := clause{text: text}
			if tree, err := l.read(text); err == nil {
				c.paths = trails(tree.Expr(), nil)
				c.program, _ = l.plan(tree, tree.Expr())
			}
			all = append(all, c)
		}
		return all
	})
}

func explain(text string, parts []clause, q domain.Question, allowed bool) domain.Ruling {
	ruling := domain.Ruling{Allowed: allowed, Rule: text}
	a := newAsking(q)
	for _, part := range parts {
		c := domain.Clause{Text: part.text}
		if part.program != nil {
			c.Value = judge(part.program, a)
		}
		for _, p := range part.paths {
			r := domain.Reading{Text: p.text}
			if v, there := a.value(p.root, p.names); there {
				r.Value = compact(v)
			}
			c.Readings = append(c.Readings, r)
		}
		ruling.Clauses = append(ruling.Clauses, c)
	}
	return ruling
}

// clauses returns what a rule joins by && at its outermost.
func clauses(text string) []string {
	all := conjuncts(text)
	if len(all) > MaxClauses {
		all[MaxClauses-1] = strings.Join(all[MaxClauses-1:], " && ")
		all = all[:MaxClauses]
	}
	return all
}

func conjuncts(text string) []string {
	text = strings.TrimSpace(text)
	s := scan(text)
	if s.wrapped {
		return conjuncts(text[1 : len(text)-1])
	}
	if s.other || len(s.ands) == 0 {
		return []string{text}
	}
	var all []string
	from := 0
	for _, to := range append(s.ands, len(text)) {
		all = append(all, conjuncts(text[from:to])...)
		from = to + len("&&")
	}
	return all
}

// A structure is what stands in a text outside of all brackets and quotes.
type structure struct {
	ands    []int // where each && is
	other   bool  // there is something that binds less than &&, or the text ends in a remark
	wrapped bool  // one pair of round brackets is around it all
}

func scan(text string) (s structure) {
	depth := 0
	s.wrapped = strings.HasPrefix(text, "(")
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch c := text[i]; {
		case c == '"' || c == '\'':
			i += quotation(text, i) - 1
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				s.other, s.wrapped = true, false
				return s
			}
			i += end
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
			s.wrapped = s.wrapped && (depth > 0 || i == len(text)-1)
		case depth > 0:
		case strings.HasPrefix(rest, "&&"):
			s.ands = append(s.ands, i)
			i++
		case strings.HasPrefix(rest, "||"), c == '?':
			s.other = true
		}
	}
	return s
}

// quotation returns how long the quotation is that begins at an offset.
func quotation(text string, at int) int {
	raw := at > 0 && (text[at-1] == 'r' || text[at-1] == 'R')
	quote := text[at : at+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(text[at:], triple) {
		quote = triple
	}
	for i := at + len(quote); i < len(text); i++ {
		switch {
		case text[i] == '\\' && !raw:
			i++
		case strings.HasPrefix(text[i:], quote):
			return i + len(quote) - at
		}
	}
	return len(text) - at
}

// trails adds the names and members in e to all, each once.
func trails(e ast.Expr, all []trail) []trail {
	root, names, ok := path(e)
	if !ok {
		for _, part := range parts(e) {
			all = trails(part, all)
		}
		return all
	}
	p := trail{spell(root, names), root, names}
	if len(all) < MaxReadings && !slices.ContainsFunc(all, func(q trail) bool { return q.text == p.text }) {
		all = append(all, p)
	}
	return all
}

// path returns the name, and the members of members, that e leads through; false
// if it does anything else.
func path(e ast.Expr) (root string, names []string, ok bool) {
	for e.Kind() == ast.SelectKind {
		names = append(names, e.AsSelect().FieldName())
		e = e.AsSelect().Operand()
	}
	if e.Kind() != ast.IdentKind {
		return "", nil, false
	}
	slices.Reverse(names)
	root = e.AsIdent()
	return root, names, root == nameAccount || root == nameRecord || root == nameNext || root == nameNow
}

// spell writes a path as a rule may.
func spell(root string, names []string) string {
	for _, name := range names {
		if identifier(name) {
			root += "." + name
			continue
		}
		root += "[" + compact(name) + "]"
	}
	return root
}

func identifier(name string) bool {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return !slices.Contains([]string{"", "in", "true", "false", "null"}, name)
}

// value returns what a path leads to, as JSON can say it.
func (a *asking) value(root string, names []string) (any, bool) {
	switch root {
	case nameNow:
		return a.moment().Format(time.RFC3339Nano), true
	case nameAccount:
		if a.who.Stranger() {
			return nil, len(names) == 0
		}
		account := (*caller)(&a.who)
		return descend(map[string]any{"id": string(account.Account), "roles": account.roles()}, names)
	}
	r := &a.record
	if root == nameNext {
		r = &a.next
	}
	if r.of == nil || len(names) == 0 {
		return nil, false
	}
	if names[0] == "data" {
		return descend(r.data(), names[1:])
	}
	v := r.column(names[0])
	if t, ok := v.(time.Time); ok {
		v = t.UTC().Format(time.RFC3339Nano)
	}
	return v, len(names) == 1
}

func descend(v any, names []string) (any, bool) {
	for _, name := range names {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = object[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

// compact returns v as JSON, cut to MaxReading bytes.
func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return ""
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if len(text) <= MaxReading {
		return text
	}
	end := MaxReading
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
