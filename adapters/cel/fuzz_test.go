package cel_test

import (
	"testing"

	"github.com/keyport-go/keyport/adapters/cel"
	"github.com/keyport-go/keyport/adapters/cel/celtest"
	"github.com/keyport-go/keyport/domain"
)

// Whatever the text: it is refused with a place, or says the same to a store as to
// whoever asks for a single record.
func FuzzSelect(f *testing.F) {
	for _, seed := range []string{
		"", "true", ownersRule, mediumFilter, spin, loops(3), "record.data.n in [1, 2.5, -3]", `has(record.data["a b"])`, "!record.data.on",
		"account == null ? record.data.on : 1 / 0 > 1", "timestamp(record.data.when) < now - duration('1h')", "record.data.name in account.roles",
		"record.data.tags.exists(t, t.matches('^a+$'))", "((((((((", `"""a"""+r'\' == '\u00e4'`, "-(record.data.n * 1e300) >= size(record.data.tags)",
	} {
		f.Add(seed, `{"name":"abc","n":2,"on":true,"tags":["a"],"nums":[1e400],"box":{"a":1},"when":"2024-05-01T12:00:00Z"}`)
	}
	f.Fuzz(func(t *testing.T, text, data string) {
		document, err := domain.ParseDocument([]byte(data))
		if err != nil {
			document = domain.Document{}
		}
		for _, w := range celtest.Worlds {
			rule, err := cel.Compiler{}.Compile(domain.VerbRead, text, w.Schema)
			if err != nil {
				check(t, text, err)
			}
			selector, unsaid := cel.Compiler{}.Select(text, w.Schema)
			if unsaid != nil {
				check(t, text, unsaid)
				continue
			}
			if err != nil {
				t.Fatalf("%q is a filter and no rule: %s", text, fields(err))
			}
			where, err := cel.Translate(text, w.Schema)
			if err != nil {
				t.Fatal(err)
			}
			for _, who := range []domain.Asker{stranger, ada} {
				q := domain.Question{Who: who, Record: domain.Record{ID: "r", Owner: "a1", Data: document, Created: noon, Changed: noon}, Now: noon}
				says, p := cel.Verdict(rule, q), where(who, noon)
				if domain.Evaluate(p, q.Record) != says || selector.Allows(q) != (says == domain.True) || says == domain.True && rule.Never(who, noon) {
					t.Fatalf("%q on %s for %q: CEL %d, %#v", text, document.Text(), who.Account, says, p)
				}
				if r := rule.Explain(q); r.Allowed != (says == domain.True) || joined(r.Clauses) != says {
					t.Fatalf("%q on %s for %q: CEL %d, %+v", text, document.Text(), who.Account, says, r)
				}
			}
		}
	})
}

func check(t *testing.T, text string, err error) {
	t.Helper()
	switch codeOf(err) {
	case "syntax", "type", "cost", "too-long", "untranslatable":
		if len(fields(err)) < 1000 {
			return
		}
	}
	t.Fatalf("%q: %s %s", text, codeOf(err), fields(err))
}
