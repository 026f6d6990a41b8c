package main_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A use is one place where an expression names a metric.
type use struct {
	metric string
	match  []matcher // what stands in braces
	by     []string  // labels that stand around it: by, on, and the like
}

type matcher struct{ label, op, value string }

// uses reads an expression of PromQL, as far as the dashboard and the alerts go, and
// returns which metrics it names. It fails for what Prometheus would not read.
func uses(expression string) ([]use, error) {
	q := &query{text: expression, rest: lex(expression)}
	q.expression()
	if len(q.rest) > 0 {
		q.fail("%q is left over", q.rest[0])
	}
	if q.err != nil {
		return nil, fmt.Errorf("%w in %s", q.err, expression)
	}
	for i := range q.found {
		q.found[i].by = q.labels
	}
	return q.found, nil
}

type query struct {
	text   string
	rest   []string
	found  []use
	labels []string
	err    error
}

var (
	token    = regexp.MustCompile(`^(?:"(?:[^"\\]|\\.)*"|[0-9]+(?:\.[0-9]+)?(?:ms|[smhdwy])?|[a-zA-Z_:][a-zA-Z0-9_:]*|==|!=|>=|<=|=~|!~|[-+*/%^<>=(){}\[\],])`)
	name     = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_:]*$`)
	duration = regexp.MustCompile(`^[0-9]+(ms|[smhdwy])$`)
	number   = regexp.MustCompile(`^[0-9.]+$`)

	operators  = strings.Fields("+ - * / % ^ == != > < >= <= and or unless")
	aggregates = strings.Fields("sum min max avg count")
	functions  = map[string][]string{ // and what each wants: a vector, one over a stretch of time, a number
		"rate": {"range"}, "increase": {"range"}, "changes": {"range"}, "absent": {"vector"}, "time": {}, "histogram_quantile": {"number", "vector"},
	}
)

// lex splits an expression. What is no word of the language becomes a word that fits
// nowhere.
func lex(text string) (words []string) {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		n := max(len(token.FindString(text)), 1)
		words = append(words, text[:n])
		text = text[n:]
	}
	return words
}

func (q *query) fail(format string, args ...any) {
	if q.err == nil {
		q.err = fmt.Errorf(format, args...)
	}
	q.rest = nil
}

func (q *query) next() string {
	if len(q.rest) == 0 {
		q.fail("it ends too early")
		return ""
	}
	word := q.rest[0]
	q.rest = q.rest[1:]
	return word
}

func (q *query) accept(words ...string) bool {
	if len(q.rest) > 0 && slices.Contains(words, q.rest[0]) {
		q.rest = q.rest[1:]
		return true
	}
	return false
}

func (q *query) want(word string) {
	if q.err == nil && !q.accept(word) {
		q.fail("want %q before %q", word, q.rest)
	}
}

// expression reads operands with operators between them, and says what they come to.
func (q *query) expression() (kind string) {
	kind = q.operand()
	for q.accept(operators...) {
		if q.accept("on", "ignoring") {
			q.list()
		}
		if right := q.operand(); kind == "range" || right == "range" {
			q.fail("a stretch of time is no operand")
		} else if right == "vector" {
			kind = right
		}
	}
	return kind
}

func (q *query) operand() (kind string) {
	switch word := q.next(); {
	case word == "(":
		kind = q.expression()
		q.want(")")
	case number.MatchString(word):
		kind = "number"
	case slices.Contains(aggregates, word):
		q.grouping()
		q.want("(")
		if q.expression() != "vector" {
			q.fail("%s wants a vector", word)
		}
		q.want(")")
		q.grouping()
		kind = "vector"
	case functions[word] != nil:
		q.want("(")
		for i, want := range functions[word] {
			if i > 0 {
				q.want(",")
			}
			if got := q.expression(); got != want && q.err == nil {
				q.fail("%s wants a %s, and gets a %s", word, want, got)
			}
		}
		q.want(")")
		kind = "vector"
		if word == "time" {
			kind = "number"
		}
	case name.MatchString(word):
		kind = q.selector(word)
	default:
		q.fail("%q stands where a value should", word)
	}
	return kind
}

func (q *query) grouping() {
	if q.accept("by", "without") {
		q.list()
	}
}

func (q *query) list() {
	q.want("(")
	for q.err == nil && !q.accept(")") {
		label := q.next()
		if !name.MatchString(label) {
			q.fail("%q is no label", label)
		}
		q.labels = append(q.labels, label)
		q.accept(",")
	}
}

func (q *query) selector(metric string) (kind string) {
	u := use{metric: metric}
	if q.accept("{") {
		for q.err == nil && !q.accept("}") {
			m := matcher{q.next(), q.next(), q.next()}
			if !name.MatchString(m.label) || !slices.Contains([]string{"=", "!=", "=~", "!~"}, m.op) || !strings.HasPrefix(m.value, `"`) {
				q.fail("%v is no matcher", m)
				break
			}
			m.value = strings.Trim(m.value, `"`)
			u.match = append(u.match, m)
			q.accept(",")
		}
	}
	kind = "vector"
	if q.accept("[") {
		if stretch := q.next(); !duration.MatchString(stretch) {
			q.fail("%q is no stretch of time", stretch)
		}
		q.want("]")
		kind = "range"
	}
	q.found = append(q.found, u)
	return kind
}
