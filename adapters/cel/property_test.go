package cel_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/cel"
	"github.com/keyport-go/keyport/adapters/cel/celtest"
	"github.com/keyport-go/keyport/domain"
)

// For each rule, record and asker: the predicate is True, False or Unknown as CEL
// says true, false or nothing, and a list shows what a single look allows.
func TestAPredicateSaysWhatCELSays(t *testing.T) {
	written, refused := 0, map[string]int{}
	seen := map[domain.Truth]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom(celtest.Worlds).Draw(t, "world")
		text := celtest.DrawRule(t, w)
		rule, err := cel.Compiler{}.Compile(domain.VerbRead, text, w.Schema)
		if err != nil {
			refused[codeOf(err)]++
			return // the writer knows the grammar, and not all of its types
		}
		selector, err := cel.Compiler{}.Select(text, w.Schema)
		where, too := cel.Translate(text, w.Schema)
		if (err == nil) != (too == nil) {
			t.Fatalf("%s: Select %v, Translate %v", text, err, too)
		}
		if err != nil {
			if codeOf(err) != "untranslatable" {
				t.Fatalf("%s: %v", text, err)
			}
			refused[codeOf(err)]++
			return
		}
		written++
		for range 8 {
			q := domain.Question{Who: celtest.DrawAsker(t), Record: celtest.DrawRecord(t), Now: celtest.DrawNow(t)}
			says := cel.Verdict(rule, q)
			seen[says]++
			if p := where(q.Who, q.Now); domain.Evaluate(p, q.Record) != says {
				t.Fatalf("%s\nfor %+v\non %+v\nCEL: %d, %#v: %d", text, q.Who, q.Record, says, p, domain.Evaluate(p, q.Record))
			}
			p := selector.Where(q.Who, q.Now)
			if holds := domain.Holds(p, q.Record); holds != (says == domain.True) || holds != selector.Allows(q) || holds != rule.Allows(q) {
				t.Fatalf("%s\nfor %+v\non %+v\nCEL: %d, %#v: %t", text, q.Who, q.Record, says, p, holds)
			}
			if says == domain.True && (rule.Never(q.Who, q.Now) || selector.Never(q.Who, q.Now)) {
				t.Fatalf("%s\nfor %+v\nis never true, and is true on %+v", text, q.Who, q.Record)
			}
			if r := rule.Explain(q); r.Allowed != (says == domain.True) || joined(r.Clauses) != says {
				t.Fatalf("%s\nfor %+v\non %+v\nCEL: %d, explained as %+v", text, q.Who, q.Record, says, r)
			}
		}
	})
	t.Logf("%d rules, refused %v, verdicts %v", written, refused, seen)
	if written < 4*(refused["type"]+refused["untranslatable"]) || len(seen) != 3 {
		t.Error("too few of the rules were tried, or some verdict never came")
	}
}

func joined(clauses []domain.Clause) domain.Truth {
	t := domain.True
	for _, c := range clauses {
		t = t.And(c.Value)
	}
	return t
}

func codeOf(err error) string {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || len(e.Fields) != 1 || e.Fields[0].Path != "" || !errors.Is(err, domain.ErrInvalidRule) {
		return "not a refusal: " + err.Error()
	}
	return e.Fields[0].Code
}
