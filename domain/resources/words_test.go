package resources_test

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// The rooms that serve these two ports stand above this one, so here are the
// plainest compilers that keep their promises.

// words reads rules of some words, joined by &: anyone, account, owner, nobody,
// role:NAME, recent (made in the last hour), and FIELD=VALUE and FIELD<=VALUE, of
// which the value is JSON.
type words struct{}

var _ ports.RuleCompiler = words{}

func (w words) Compile(_ domain.Verb, text string, schema domain.Document) (ports.Rule, error) {
	return w.Select(text, schema)
}

func (words) Select(text string, _ domain.Document) (ports.Selector, error) {
	var s sentence
	for part := range strings.SplitSeq(text, " & ") {
		w := word(part)
		if _, good := w.where(domain.Asker{}, time.Time{}); !good {
			return nil, domain.ErrInvalidRule
		}
		s = append(s, w)
	}
	return s, nil
}

type word string

// where says what a word says; false if it is none.
func (w word) where(who domain.Asker, now time.Time) (domain.Predicate, bool) {
	all := map[bool]domain.Predicate{true: domain.Everything{}, false: domain.Nothing{}}
	if role, ok := strings.CutPrefix(string(w), "role:"); ok {
		return all[who.Has(domain.Role(role))], true
	}
	switch w {
	case "anyone":
		return all[true], true
	case "account":
		return all[!who.Stranger()], true
	case "nobody":
		return all[false], true
	case "owner":
		if who.Stranger() {
			return all[false], true
		}
		return domain.OwnedBy{Account: who.Account}, true
	case "recent":
		return domain.Compare{Op: domain.AtMost, Left: domain.Literal{Value: now.Add(-time.Hour)}, Right: domain.ColumnCreated}, true
	}
	op := domain.Equal
	field, text, ok := strings.Cut(string(w), "=")
	if name, less := strings.CutSuffix(field, "<"); less {
		field, op = name, domain.AtMost
	}
	var v any
	if !ok || json.Unmarshal([]byte(text), &v) != nil {
		return nil, false
	}
	return domain.Compare{Op: op, Left: domain.SortKey{Field: field}.Term(), Right: domain.Literal{Value: v}}, true
}

// A sentence holds where each of its words does.
type sentence []word

func (s sentence) Where(who domain.Asker, now time.Time) domain.Predicate {
	var all domain.Predicate = domain.Everything{}
	for _, w := range s {
		p, _ := w.where(who, now)
		all = domain.Both(all, p)
	}
	return all
}

func (s sentence) Allows(q domain.Question) bool {
	return domain.Holds(s.Where(q.Who, q.Now), q.Record)
}

func (s sentence) Never(who domain.Asker, now time.Time) bool {
	return s.Where(who, now) == domain.Predicate(domain.Nothing{})
}

func (s sentence) Explain(q domain.Question) domain.Ruling {
	r := domain.Ruling{Allowed: s.Allows(q)}
	for i, w := range s {
		if i > 0 {
			r.Rule += " & "
		}
		r.Rule += string(w)
		p, _ := w.where(q.Who, q.Now)
		r.Clauses = append(r.Clauses, domain.Clause{Text: string(w), Value: domain.Evaluate(p, q.Record)})
	}
	return r
}

// required reads schemas of one keyword, required.
type required struct {
	meanwhile *func() // what happens once while a record is checked
}

var _ ports.SchemaCompiler = required{}

func (c required) Compile(schema domain.Document) (ports.Schema, error) {
	list, there := schema.Tree()["required"]
	names, good := list.([]any)
	if there && !good {
		return nil, domain.ErrInvalidSchema.At("/schema/required", "type", "want a list")
	}
	return needs{names, c.meanwhile}, nil
}

type needs struct {
	names     []any
	meanwhile *func()
}

func (n needs) Check(data domain.Document) error {
	if f := *n.meanwhile; f != nil {
		*n.meanwhile = nil
		f()
	}
	for _, name := range n.names {
		if _, there := data.Tree()[name.(string)]; !there {
			return domain.ErrInvalidRecord.At("/data/"+name.(string), "required", "it is missing")
		}
	}
	return nil
}
