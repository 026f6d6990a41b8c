package cel_test

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/cel"
	"github.com/keyport-go/keyport/adapters/cel/celtest"
	"github.com/keyport-go/keyport/domain"
)

var (
	noon     = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	stranger = domain.Asker{}
	ada      = domain.Asker{Account: "01900001-0000-7000-8000-000000000001", Roles: []domain.Role{"admin", "author"}}
	grace    = domain.Asker{Account: "01900001-0000-7000-8000-000000000002"}
	busy     = domain.Asker{Account: "a3", Roles: []domain.Role{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"}}
	all      = celtest.Worlds[0].Schema // says the type of each member
	nothing  = celtest.Worlds[1].Schema // says none
)

func TestWhatAListAsksAStoreFor(t *testing.T) {
	type m = domain.Member
	l := func(v any) domain.Term { return domain.Literal{Value: v} }
	n, name, tags := m{"n"}, m{"name"}, m{"tags"}
	compare := func(op domain.Comparison, a, b domain.Term) domain.Predicate {
		return domain.Compare{Op: op, Left: a, Right: b}
	}
	equal := func(a, b domain.Term) domain.Predicate { return compare(domain.Equal, a, b) }
	calculated := func(op domain.Operator, a, b domain.Term) domain.Term {
		return domain.Arithmetic{Op: op, Left: a, Right: b}
	}
	adas := domain.OwnedBy{Account: "01900001-0000-7000-8000-000000000001"}
	always, never := domain.Everything{}, domain.Nothing{}
	valued := equal(name, l(nil))
	for _, c := range []struct {
		text string
		who  domain.Asker
		want domain.Predicate
	}{
		{"true", stranger, always},
		{"false && record.data.on", ada, never},
		{"true && record.data.on", ada, domain.Is{Term: m{"on"}}},
		{"true || record.data.on", ada, always},
		{"account != null", stranger, never},
		{"account != null", ada, always},
		{"account != null && record.owner == account.id", stranger, never},
		{"account != null && record.owner == account.id", ada, adas},
		{"record.owner == account.id", stranger, never},
		{"record.owner != account.id", stranger, never},
		{"record.owner != account.id", ada, domain.Not{Part: adas}},
		{"account.id == record.owner", ada, adas},
		{`"admin" in account.roles || record.owner == account.id`, ada, always},
		{`"admin" in account.roles || record.owner == account.id`, grace, domain.OwnedBy{Account: "01900001-0000-7000-8000-000000000002"}},
		{`"admin" in account.roles || record.owner == account.id`, stranger, never},
		{"record.owner == null", ada, equal(domain.ColumnOwner, l(nil))},
		{`record.owner in ["a", account.id]`, ada, domain.Any{equal(domain.ColumnOwner, l("a")), adas}},
		{`record.owner == "a"`, ada, equal(domain.ColumnOwner, l("a"))},
		{`record.id == "x"`, ada, equal(domain.ColumnID, l("x"))},
		{"record.data.n == 1", ada, equal(n, l(1.0))},
		{"1.5 == record.data.n", ada, equal(n, l(1.5))},
		{"record.data.n == -0.0", ada, equal(n, l(0.0))},
		{"record.data.n != 1", ada, domain.Not{Part: equal(n, l(1.0))}},
		{"!(record.data.n != 1)", ada, equal(n, l(1.0))},
		{"record.data.n == record.data.k", ada, equal(n, m{"k"})},
		{"record.data.n < 1", ada, compare(domain.Less, n, l(1.0))},
		{"record.data.n <= 1", ada, compare(domain.AtMost, n, l(1.0))},
		{"record.data.n > 1", ada, compare(domain.Less, l(1.0), n)},
		{"record.data.n >= 1", ada, compare(domain.AtMost, l(1.0), n)},
		{"1 < record.data.n", ada, compare(domain.Less, l(1.0), n)},
		{"record.data.n < 2 * 3 + 1", ada, compare(domain.Less, n, l(7.0))},
		{"record.data.n + 1 < 2", ada, compare(domain.Less, calculated(domain.Add, n, l(1.0)), l(2.0))},
		{"record.data.n - 1 < 2", ada, compare(domain.Less, calculated(domain.Subtract, n, l(1.0)), l(2.0))},
		{"record.data.n * record.data.k < 2", ada, compare(domain.Less, calculated(domain.Multiply, n, m{"k"}), l(2.0))},
		{"1 / record.data.n < 2", ada, compare(domain.Less, calculated(domain.Divide, l(1.0), n), l(2.0))},
		{"-record.data.n < 2", ada, compare(domain.Less, calculated(domain.Subtract, l(0.0), n), l(2.0))},
		{"record.data.n < 1 / 0", ada, never},
		{`record.data.name.contains("a")`, ada, domain.TestText{Op: domain.Contains, Text: name, Part: l("a")}},
		{"record.data.name.startsWith(account.id)", ada, domain.TestText{Op: domain.StartsWith, Text: name, Part: l("01900001-0000-7000-8000-000000000001")}},
		{`"abc".endsWith(record.data.name)`, ada, domain.TestText{Op: domain.EndsWith, Text: l("abc"), Part: name}},
		{`"red" in record.data.tags`, ada, domain.Among{Item: l("red"), List: tags}},
		{"record.data.name in record.data.tags", ada, domain.Among{Item: name, List: tags}},
		{"record.data.name in account.roles", ada, domain.Any{equal(name, l("admin")), equal(name, l("author"))}},
		{"record.data.name in account.roles", grace, domain.All{valued, domain.Not{Part: valued}}},
		{"record.id in account.roles", grace, never},
		{"record.data.name in account.roles", stranger, never},
		{`record.data.name in ["x"]`, ada, equal(name, l("x"))},
		{"has(record.data.name)", ada, domain.Has{Path: name}},
		{`has(record.data["a b"])`, ada, domain.Has{Path: m{"a b"}}},
		{"has(record.data.box.a)", ada, domain.Has{Path: m{"box", "a"}}},
		{"has(record.owner) && has(record.data)", ada, always},
		{`record.data["e/mail"] == "x"`, ada, equal(m{"e/mail"}, l("x"))},
		{`record.data.box["a"] == "x"`, ada, equal(m{"box", "a"}, l("x"))},
		{"size(record.data.tags) == 0", ada, equal(domain.Size{Of: tags}, l(0.0))},
		{"record.data.name.size() == 3", ada, equal(domain.Size{Of: name}, l(3.0))},
		{"size(record.data) > 1", ada, compare(domain.Less, l(1.0), domain.Size{Of: m{}})},
		{"record.data.on", ada, domain.Is{Term: m{"on"}}},
		{"!record.data.on", ada, domain.Not{Part: domain.Is{Term: m{"on"}}}},
		{"record.data.on == true", ada, equal(m{"on"}, l(true))},
		{"record.created_at < now", ada, compare(domain.Less, domain.ColumnCreated, l(noon))},
		{`record.updated_at > now - duration("1h")`, ada, compare(domain.Less, l(noon.Add(-time.Hour)), domain.ColumnChanged)},
		{"timestamp(record.data.when) < now", ada, compare(domain.Less, domain.Moment{Of: m{"when"}}, l(noon))},
		{"account == null ? record.data.on : record.owner == account.id", stranger, domain.Is{Term: m{"on"}}},
		{"account == null ? record.data.on : record.owner == account.id", ada, adas},
		{"account.id == 'x' || record.data.on || record.data.n == 1 || record.id == account.id", stranger, domain.Any{domain.Is{Term: m{"on"}}, equal(n, l(1.0))}},
		{"(record.data.on && (record.data.n == 1 && account.id == account.id))", ada, domain.All{domain.Is{Term: m{"on"}}, equal(n, l(1.0))}},
		{"account.roles.exists(r, r.startsWith('auth')) && record.data.on", ada, domain.Is{Term: m{"on"}}},
	} {
		t.Run(c.text+" for "+string(c.who.Account), func(t *testing.T) {
			s, err := cel.Compiler{}.Select(c.text, all)
			if err != nil {
				t.Fatal(err, fields(err))
			}
			if got := s.Where(c.who, noon); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %#v\nwant %#v", got, c.want)
			}
			if _, nowhere := c.want.(domain.Nothing); s.Never(c.who, noon) != nowhere {
				t.Errorf("Never says %t", s.Never(c.who, noon))
			}
		})
	}
}

func TestWhatIsNoRuleIsRefusedWithItsPlace(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, c := range []struct{ name, text, code, problem string }{
		{"no text", "", "syntax", "line 1, column 1: something is missing here"},
		{"space", " \n ", "syntax", "something is missing here"},
		{"bad UTF-8", "\xff", "syntax", "want UTF-8"},
		{"half an operator", "true &&", "syntax", "line 1, column 8: something is missing here"},
		{"an open bracket", "(true", "syntax", "something is missing here"},
		{"two expressions", "true true", "syntax", "line 1, column 6: the text cannot be read from here on"},
		{"an unknown character", "true § false", "syntax", "line 1, column 6: the text cannot be read from here on"},
		{"an open quote", `record.id == "x`, "syntax", "line 1, column 14"},
		{"a reserved word", "while == 1", "syntax", "line 1, column 1: that word is reserved"},
		{"the second line", "true &&\n  nobody", "type", `line 2, column 3: there is no "nobody"`},
		{"a column in code points", `"äöü🛳" == "" && nobody`, "type", `line 1, column 17: there is no "nobody"`},
		{"a long name", long, "type", "there is no \"" + strings.Repeat("x", 39) + `…"`},
		{"a name of the root", ".account.id == ''", "type", "there is no"},
		{"an unknown member", "record.data.nme == ''", "type", "line 1, column 12: there is no member 'nme'"},
		{"an unknown member of a member", "record.data.box.c == ''", "type", "there is no member 'c'"},
		{"an unknown column", "record.revision == 1", "type", "there is no member 'revision'"},
		{"an unknown part of an account", "account.name == ''", "type", "there is no member 'name'"},
		{"a text as a number", "record.data.name == 1", "type", "line 1, column 18: == does not take (string, number)"},
		{"a text below a number", "record.data.name < 1", "type", "< does not take (string, number)"},
		{"an object as a text", "record.data.box == 'x'", "type", "== does not take (object, string)"},
		{"a number as a condition", "1 + 1", "type", "line 1, column 3: want a condition, not number"},
		{"a text as a condition", "record.data.name && true", "type", "want boolean, not string"},
		{"a record as it is", "record == null", "type", "line 1, column 1: want a member, such as record.id"},
		{"an account as it is", "size(account) == 1", "type", "want a member, such as account.id"},
		{"two accounts", "account == account", "type", "want a member, such as account.id"},
		{"next where there is none", "next.id == record.id", "type", "line 1, column 1: there is no next but in rules to update"},
		{"a member of a text", "record.data.name.first == 1", "type", "does not support field selection"},
		{"an unknown function", "int(record.data.n) == 1", "type", `there is no function "int"`},
		{"a macro that CEL has", "account.roles.exists_one(r, r == 'x')", "type", `there is no function "exists_one"`},
		{"a type", "type(record.data.n) == 1", "type", `there is no function "type"`},
		{"a remainder", "record.data.n % 2 == 0", "syntax", "line 1, column 15: there is no %"},
		{"an unsigned number", "record.data.n == 1u", "syntax", "want a number or a text"},
		{"bytes", "b'x' == b'x'", "syntax", "want a number or a text"},
		{"an object", "{'a': 1} == null", "syntax", "objects cannot be written in a rule"},
		{"a record that is written", "record{id: 'x'} == null", "syntax", "objects cannot be written in a rule"},
		{"no number", "record.data.n < 1e999", "syntax", ""},
		{"NUL in a text", `record.data.name == "\u0000"`, "syntax", "no text of a record has such a character"},
		{"a name that is taken", "[1].all(record, record == 1)", "syntax", "record cannot stand for the elements of a list"},
		{"a size of a number", "size(record.data.n) == 1", "type", "line 1, column 17: number has no size"},
		{"has() of a name", "has(account)", "syntax", "has() macro: want a member, such as has(record.data.name)"},
		{"a pattern of the record's", "record.id.matches(record.data.name)", "syntax", "a pattern is written as it is, in quotes"},
		{"a pattern that is none", "record.id.matches('(')", "syntax", "want a regular expression (RE2)"},
		{"a pattern that looks ahead", "record.id.matches('(?=x)')", "syntax", "want a regular expression (RE2)"},
		{"a long pattern", "record.id.matches('" + strings.Repeat("a", 257) + "')", "cost", "want a pattern of at most 256 bytes"},
		{"a pattern that becomes long", "record.id.matches('(((a{9}){9}){9})')", "cost", "line 1, column 19: want a pattern of at most 500 steps"},
		{"a text that is too long", "true //" + strings.Repeat("x", 4096), "too-long", "want at most 4096 bytes"},
		{"brackets in brackets", strings.Repeat("(", 40) + "true" + strings.Repeat(")", 40), "cost", "it nests too deeply"},
		{"lists in lists", strings.Repeat("[", 40) + strings.Repeat("]", 40) + " == []", "cost", "it nests too deeply"},
		{"a bracket that never ends", strings.Repeat("(", 4096), "cost", "it nests too deeply"},
		{"a long sum", strings.Repeat("1+", 500) + "1 > 0", "cost", "it nests too deeply"},
		{"too many parts", strings.Repeat("true && ", 101) + "true", "cost", "it has more than 200 parts"},
		{"loops in loops", loops(4), "cost", "want at most 3 loops within one another"},
		{"long loops", "[" + strings.Repeat("1,", 50) + "1].map(x, [" + strings.Repeat("1,", 50) + "1].map(y, [" + strings.Repeat("1,", 50) + "1].map(z, x + y + z))).size() > 0", "cost", "it would take too much work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule, err := cel.Compiler{}.Compile(domain.VerbRead, c.text, all)
			if code := codeOf(orNone(err)); rule != nil || code != c.code || !strings.Contains(fields(err), c.problem) {
				t.Errorf("got %s: %s, want %s: %s", code, fields(err), c.code, c.problem)
			}
			if len(fields(err)) > 300 || strings.Contains(fields(err), long[:100]) {
				t.Errorf("the problem repeats the rule: %s", fields(err))
			}
			selector, err := cel.Compiler{}.Select(c.text, all)
			if code := codeOf(orNone(err)); selector != nil || code != c.code {
				t.Errorf("as a filter: %s, want %s", code, c.code)
			}
		})
	}
}

// loops writes loops within one another over lists of ten.
func loops(n int) string {
	if n == 0 {
		return "true"
	}
	return "[0,1,2,3,4,5,6,7,8,9].map(x, " + loops(n-1) + ").size() > 0"
}

func TestWhatAStoreCannotLookForIsRefusedInAList(t *testing.T) {
	deep := "record.data.on"
	for range 16 {
		deep = "!(" + deep + " && record.data.on)"
	}
	for _, c := range []struct{ name, text, problem string }{
		{"a pattern", "record.data.name.matches('^a')", "line 1, column 25: patterns cannot be asked for in a list"},
		{"a choice by the record", "record.data.on ? true : false", "a choice by what the record says"},
		{"a choice of terms by the record", "(record.data.on ? 1 : 2) < record.data.n", "a choice by what the record says"},
		{"joined texts", "record.data.name + 'x' == 'ax'", "+ can be asked for in a list only where one side is known to be a number"},
		{"a list of the record's", "'x' in [record.data.name]", "want a member"},
		{"an element", "record.data.tags[0] == 'x'", "single elements cannot be asked for in a list"},
		{"a loop", "record.data.tags.exists(x, x == 'a')", "one by one"},
		{"a list as it is", "record.data.tags == ['a']", "may be a list or an object"},
		{"two lists", "record.data.tags == record.data.tags", "may be a list or an object"},
		{"two objects", "record.data.box == record.data.box", "may be a list or an object"},
		{"a list among lists", "record.data.tags in [['a']]", "want a text, a number, a boolean, a time or null"},
		{"a list that is computed", "record.data.name in account.roles.filter(r, r != 'x')", "want a list that is written out, or account.roles"},
		{"how long ago", `now - record.created_at < duration("1h")`, "- cannot be asked for in a list"},
		{"a time and a while", `record.created_at + duration("1h") < now`, "only where one side is known to be a number"},
		{"nesting", deep, "it nests too deeply for a list"},
		{"terms in terms", strings.Repeat("-(", 18) + "record.data.n" + strings.Repeat(")", 18) + " > 1", "it nests too deeply for a list"},
		{"too many conditions", "record.data.n in [" + strings.Repeat("1,", 100) + "1]", "it has too many conditions for a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := cel.Compiler{}.Select(c.text, all)
			if s != nil || codeOf(orNone(err)) != "untranslatable" {
				t.Fatalf("got %s: %s", codeOf(orNone(err)), fields(err))
			}
			if c.problem != "want a member" && !strings.Contains(fields(err), c.problem) {
				t.Errorf("got %s, want %s", fields(err), c.problem)
			}
			if _, err := (cel.Compiler{}).Compile(domain.VerbRead, c.text, all); err != nil {
				t.Errorf("for single records: %s", fields(err))
			}
		})
	}
	for _, name := range []string{`a\"b`, `a\\b`, `a\nb`, strings.Repeat("x", 129)} {
		if _, err := (cel.Compiler{}).Select(`record.data["`+name+`"] == 1`, nothing); codeOf(orNone(err)) != "untranslatable" {
			t.Errorf("the name %s: %v", name, err)
		}
	}
	for _, text := range []string{"record.data.a == record.data.b", "record.data.a + record.data.b == 1"} {
		if _, err := (cel.Compiler{}).Select(text, nothing); codeOf(orNone(err)) != "untranslatable" {
			t.Errorf("%s of any types: %v", text, err)
		}
	}
}

func TestRulesForSingleRecords(t *testing.T) {
	q := domain.Question{
		Who: ada,
		Record: domain.Record{ID: "r1", Owner: "01900001-0000-7000-8000-000000000001", Created: noon.Add(-time.Hour), Changed: noon, Data: celtest.Parse(
			`{"name":"abc","n":2,"k":3,"on":true,"note":null,"tags":["a","b"],"nums":[1,2.0,1e400],"box":{"a":"x","b":1e400},"when":"2024-05-01T12:00:00.1234567Z"}`)},
		Next: &domain.Record{ID: "r1", Owner: "01900001-0000-7000-8000-000000000001", Data: celtest.Parse(`{"name":"abd","n":2.0,"tags":["a","b"]}`)},
		Now:  noon.Add(999 * time.Nanosecond),
	}
	for _, c := range []struct {
		text string
		want domain.Truth
	}{
		{"true", domain.True},
		{"record.owner == account.id && 'author' in account.roles", domain.True},
		{"next.data.n == record.data.n && next.data.tags == record.data.tags", domain.True},
		{"next.data.name == record.data.name", domain.False},
		{"next.data.name != record.data.name", domain.True},
		{"next.owner == record.owner", domain.True},
		{"next.data == record.data", domain.False},
		{"record.data == record.data", domain.Unknown}, // 1e400 has no value
		{"record.data.tags == ['a', 'b'] && record.data.tags != ['a']", domain.True},
		{"record.data.nums == record.data.nums", domain.Unknown},
		{"record.data.box.b == 1", domain.Unknown},
		{"has(record.data.box.b) && !has(record.data.on) == false", domain.True},
		{"has(next.data.note)", domain.False},
		{"has(next.data.box.a)", domain.Unknown},
		{"next.data.note == null", domain.Unknown},
		{"record.data.note == null", domain.True},
		{"record.data.name.matches('^[a-c]+$')", domain.True},
		{"record.data.tags.exists(t, t == 'b') && record.data.tags.all(t, size(t) == 1)", domain.True},
		{"record.data.nums.exists(x, x == 2)", domain.True},
		{"record.data.nums.all(x, x > 0)", domain.Unknown},
		{"2 in record.data.nums && !(3 in record.data.nums)", domain.True},
		{"['a'] in [record.data.tags]", domain.False},
		{"record.data.tags in [record.data.tags]", domain.True},
		{"record.data.tags.map(t, t + '!') == ['a!', 'b!']", domain.True},
		{"record.data.tags.filter(t, t != 'a')[0] == 'b'", domain.True},
		{"record.data.tags[1] == 'b'", domain.True},
		{"record.data.tags[2] == 'b'", domain.Unknown},
		{"record.data.tags + ['c'] == ['a', 'b', 'c']", domain.True},
		{"record.data.name + '!' == 'abc!'", domain.True},
		{"(record.data.on ? record.data.n : record.data.k) == 2", domain.True},
		{"record.data.n + 1 == record.data.k", domain.True},
		{"record.data.n / 4 == 0.5", domain.True},
		{"record.data.n / 0 == 1", domain.Unknown},
		{"1e308 * 10 > record.data.n", domain.Unknown},
		{"1e-300 * 1e-300 == 0", domain.Unknown},
		{"-record.data.n == -2", domain.True},
		{"timestamp(record.data.when) == timestamp('2024-05-01T14:00:00.123456+02:00')", domain.True},
		{"timestamp(record.data.name) == now", domain.Unknown},
		{"now == timestamp('2024-05-01T12:00:00Z')", domain.True}, // cut to microseconds
		{"now - record.created_at == duration('60m')", domain.True},
		{"record.created_at + duration('1h') == now && duration('1h') + record.created_at == now", domain.True},
		{"now + duration('1ns') == now", domain.True},
		{"now + duration('1000000h') + duration('2000000h') > now", domain.True},
		{"duration('soon') < duration('1h')", domain.Unknown},
		{"record.data.on == record.data.on && false < record.data.on", domain.True},
		{"size('ä🛳') == 2 && 'ä🛳'.size() == 2 && size(record.data.tags) == 2 && size(record.data.box) == 2", domain.True},
		{"'\U0001F6F3' > '\uffee'", domain.True}, // by code points
		{"account.id.contains('1') && account.id.endsWith('1')", domain.True},
		{"record.data.n == 1 || 1 / 0 > 0", domain.Unknown},
		{"record.data.n == 2 || 1 / 0 > 0", domain.True},
		{"1 / 0 > 0 && record.data.n == 1", domain.False},
	} {
		t.Run(c.text, func(t *testing.T) {
			rule, err := cel.Compiler{}.Compile(domain.VerbUpdate, c.text, all)
			if err != nil {
				t.Fatal(fields(err))
			}
			if got := cel.Verdict(rule, q); got != c.want {
				t.Errorf("CEL says %d, want %d", got, c.want)
			}
			if got := rule.Allows(q); got != (c.want == domain.True) {
				t.Errorf("Allows says %t", got)
			}
		})
	}
}

func TestDataThatDoesNotFitIsJudgedAsItIs(t *testing.T) {
	for _, c := range []struct {
		text, data string
		want       domain.Truth
	}{
		{"record.data.name == record.data.when", `{"name":["a"],"when":["a"]}`, domain.Unknown},
		{"record.data.name != record.data.when", `{"name":["a"],"when":{}}`, domain.Unknown},
		{"record.data.name == record.data.when", `{"name":["a"],"when":"a"}`, domain.False},
		{"record.data.name == 'a'", `{"name":1}`, domain.False},
		{"record.data.name < 'a'", `{"name":1}`, domain.Unknown},
		{"record.data.n + 1 == 2", `{"n":"1"}`, domain.Unknown},
		{"'a' in record.data.tags", `{"tags":{"a":1}}`, domain.Unknown},
		{"'a' in record.data.tags", `{"tags":"a"}`, domain.Unknown},
		{"record.data.name in record.data.tags", `{"name":["a"],"tags":[["a"]]}`, domain.Unknown},
		{"record.data.name in ['a']", `{"name":["a"]}`, domain.False},
		{"record.data.name in []", `{}`, domain.Unknown},
		{"record.data.name in []", `{"name":{}}`, domain.False},
		{"has(record.data.box.a)", `{"box":"a"}`, domain.Unknown},
		{"has(record.data.box.a)", `{"box":[]}`, domain.Unknown},
		{"record.data.on", `{"on":1}`, domain.Unknown},
		{"record.data.on && false", `{"on":1}`, domain.False},
		{"size(record.data.name) == 1", `{"name":1}`, domain.Unknown},
	} {
		t.Run(c.text+" of "+c.data, func(t *testing.T) {
			rule, err := cel.Compiler{}.Compile(domain.VerbRead, c.text, all)
			where, too := cel.Translate(c.text, all)
			if err != nil || too != nil {
				t.Fatal(fields(err), fields(too))
			}
			q := domain.Question{Who: ada, Record: domain.Record{ID: "r", Data: celtest.Parse(c.data)}, Now: noon}
			if got := cel.Verdict(rule, q); got != c.want {
				t.Errorf("CEL says %d, want %d", got, c.want)
			}
			if got := domain.Evaluate(where(ada, noon), q.Record); got != c.want {
				t.Errorf("the predicate says %d, want %d", got, c.want)
			}
		})
	}
}

func TestNeverKnowsWhoCanDoNothing(t *testing.T) {
	for _, c := range []struct {
		text string
		who  domain.Asker
		want bool
	}{
		{"false", ada, true},
		{"true", stranger, false},
		{"account != null && record.owner == account.id", stranger, true},
		{"account != null && record.owner == account.id", ada, false},
		{"record.owner == account.id", stranger, true},
		{"'admin' in account.roles", grace, true},
		{"'admin' in account.roles", ada, false},
		{"'admin' in account.roles || next.data.n > 1", grace, false},
		{"now < timestamp('2000-01-01T00:00:00Z') && record.data.on", ada, true},
		{"record.data.on || " + spin, busy, false},
		{"1 / 0 > 1", ada, true},
	} {
		rule, err := cel.Compiler{}.Compile(domain.VerbUpdate, c.text, all)
		if err != nil {
			t.Fatal(c.text, fields(err))
		}
		if got := rule.Never(c.who, noon); got != c.want {
			t.Errorf("%s, for %q: %t", c.text, c.who.Account, got)
		}
	}
}

// spin takes too long for an account of sixteen roles, and is true.
var spin = "account.roles.all(a, account.roles.all(b, account.roles.all(c, " + strings.Repeat("a != 'x' && ", 25) + "true)))"

func TestWhatTakesTooLongDenies(t *testing.T) {
	for _, text := range []string{
		spin,
		"record.data.name.matches('(a|b|c|d|e|f)*x')",
		"record.data.name + record.data.name != ''",
	} {
		rule, err := cel.Compiler{}.Compile(domain.VerbRead, text, all)
		if err != nil {
			t.Fatal(text, fields(err))
		}
		q := domain.Question{Who: busy, Now: noon, Record: domain.Record{ID: "r", Data: celtest.Parse(`{"name":"` + strings.Repeat("x", 1<<20-100) + `"}`)}}
		if got := cel.Verdict(rule, q); got != domain.Unknown {
			t.Errorf("%.60s: %d", text, got)
		}
	}
	if s, err := (cel.Compiler{}).Select(spin, all); err != nil || !s.Never(busy, noon) {
		t.Errorf("as a filter: %v", err)
	}
}

func TestALongTextIsComparedAsAStoreComparesIt(t *testing.T) {
	long := strings.Repeat("x", 1<<20-100)
	rule, err := cel.Compiler{}.Compile(domain.VerbRead, strings.Repeat("record.data.name.contains('xxxxxxxxxxxxxxxxxxxy') || ", 25)+"record.data.name >= 'x'", all)
	if err != nil {
		t.Fatal(err)
	}
	if !rule.Allows(domain.Question{Who: ada, Now: noon, Record: domain.Record{Data: celtest.Parse(`{"name":"` + long + `"}`)}}) {
		t.Error("denied")
	}
}

func TestAnExplanationSaysWhatEachPartCameTo(t *testing.T) {
	const text = `account != null && (record.owner == account.id || "&& (" == 'it''s') && (record.data["a b"] == "ä" && has(record.data.when)) && record.created_at < now && record.data.n > 1`
	q := domain.Question{Who: ada, Now: noon, Record: domain.Record{ID: "r", Owner: "01900001-0000-7000-8000-000000000002", Created: noon, Data: celtest.Parse(`{"a b":"<ä>","n":1e400,"tags":[]}`)}}
	want := domain.Ruling{Rule: strings.Replace(text, "'it''s'", `"it's"`, 1), Clauses: []domain.Clause{
		{Text: "account != null", Value: domain.True, Readings: []domain.Reading{{Text: "account", Value: `{"id":"01900001-0000-7000-8000-000000000001","roles":["admin","author"]}`}}},
		{Text: `record.owner == account.id || "&& (" == "it's"`, Value: domain.False, Readings: []domain.Reading{{Text: "record.owner", Value: `"01900001-0000-7000-8000-000000000002"`}, {Text: "account.id", Value: `"01900001-0000-7000-8000-000000000001"`}}},
		{Text: `record.data["a b"] == "ä"`, Value: domain.False, Readings: []domain.Reading{{Text: `record.data["a b"]`, Value: `"<ä>"`}}},
		{Text: "has(record.data.when)", Value: domain.False, Readings: []domain.Reading{{Text: "record.data.when"}}},
		{Text: "record.created_at < now", Value: domain.False, Readings: []domain.Reading{{Text: "record.created_at", Value: `"2024-05-01T12:00:00Z"`}, {Text: "now", Value: `"2024-05-01T12:00:00Z"`}}},
		{Text: "record.data.n > 1", Value: domain.Unknown, Readings: []domain.Reading{{Text: "record.data.n", Value: "1e400"}}},
	}}
	rule, err := cel.Compiler{}.Compile(domain.VerbRead, want.Rule, all)
	if err != nil {
		t.Fatal(fields(err))
	}
	if got := rule.Explain(q); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	selector, err := cel.Compiler{}.Select(want.Rule, all)
	if err != nil {
		t.Fatal(fields(err))
	}
	if got := selector.Explain(q); !reflect.DeepEqual(got, want) {
		t.Errorf("a list's rule: got  %+v\nwant %+v", got, want)
	}
	if got := rule.Explain(domain.Question{Now: noon}).Clauses[0].Readings; !reflect.DeepEqual(got, []domain.Reading{{Text: "account", Value: "null"}}) {
		t.Errorf("of a stranger: %+v", got)
	}
}

func TestAnExplanationIsBounded(t *testing.T) {
	text := "record.data.a0 == 1" + strings.Repeat(" && now == now", 39)
	rule, err := cel.Compiler{}.Compile(domain.VerbRead, text, nothing)
	if err != nil {
		t.Fatal(fields(err))
	}
	got := rule.Explain(domain.Question{Record: domain.Record{Data: celtest.Parse(`{"a0":"` + strings.Repeat("ä", 200) + `"}`)}})
	if len(got.Clauses) != cel.MaxClauses || got.Clauses[0].Readings[0].Value != `"`+strings.Repeat("ä", 99) {
		t.Errorf("%d clauses, %+v", len(got.Clauses), got.Clauses[0])
	}
	text = "record.data.a0 == 1"
	for _, c := range "abcdefghijklmnopqrst" {
		text += " || record.data." + string(c) + " == 1"
	}
	if rule, err = (cel.Compiler{}).Compile(domain.VerbRead, text, nothing); err != nil {
		t.Fatal(fields(err))
	}
	if got := rule.Explain(domain.Question{}); len(got.Clauses) != 1 || len(got.Clauses[0].Readings) != cel.MaxReadings {
		t.Errorf("%+v", got)
	}
}

func TestClausesAreFoundAsTheyAreWritten(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"true", []string{"true"}},
		{" true\n&& (false) ", []string{"true", "false"}},
		{"(true) && (false)", []string{"true", "false"}},
		{"((true && false))", []string{"true", "false"}},
		{"true && false || true", []string{"true && false || true"}},
		{"true ? true && true : false", []string{"true ? true && true : false"}},
		{"(true || false) && true", []string{"true || false", "true"}},
		{`"a && b" == '&&' && r"\" == "x"`, []string{`"a && b" == '&&'`, `r"\" == "x"`}},
		{`'''a ' && '''=="\"&&" && true`, []string{`'''a ' && '''=="\"&&"`, "true"}},
		{"true && // a && b (\n false", []string{"true", "// a && b (\n false"}},
		{"true && false // && true", []string{"true && false // && true"}},
	} {
		rule, err := cel.Compiler{}.Compile(domain.VerbRead, c.text, nothing)
		if err != nil {
			t.Errorf("%s: %s", c.text, fields(err))
			continue
		}
		var got []string
		for _, clause := range rule.Explain(domain.Question{}).Clauses {
			got = append(got, clause.Text)
			if clause.Value == domain.Unknown {
				t.Errorf("%s: %s has no value", c.text, clause.Text)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestTypesComeFromTheSchema(t *testing.T) {
	schema := celtest.Parse(`{"$defs":{"node":{"type":"object","properties":{"of":{"type":"string"},"next":{"$ref":"#/$defs/node"}},"additionalProperties":false},
		"a/b c":{"type":"number"},"round":{"$ref":"#/$defs/round"}},
		"type":"object","properties":{"tree":{"$ref":"#/$defs/node"},"odd":{"$ref":"#/$defs/a~1b%20c"},"round":{"$ref":"#/$defs/round"},
		"far":{"$ref":"https://example.com/schema"},"lost":{"$ref":"#/$defs/none"},"two":{"type":["string","number"]},"maybe":{"oneOf":[{"type":"string"},{"type":"null"}]},
		"pairs":{"type":"array","items":{"type":"object","properties":{"k":{"type":"string"}},"additionalProperties":false}},
		"tuple":{"type":"array","prefixItems":[{"type":"string"}],"items":{"type":"number"}},"nil":{"type":"null"},"yes":true,
		"open":{"type":"object","properties":{"k":{"type":"string"}}},"listed":{"type":"object","patternProperties":{"^x":{}},"additionalProperties":false}}}`)
	for _, c := range []struct {
		text string
		fits bool
	}{
		{"record.data.tree.next.next.next.of == 'x'", true},
		{"record.data.tree.next.next.next.of == 1", false},
		{"record.data.tree.next.nxt.of == 'x'", false},
		{"record.data.odd == 1", true},
		{"record.data.odd == 'x'", false},
		{"record.data.round == 1 && record.data.far == 'x' && record.data.lost.x == true", true},
		{"record.data.two == 1 && record.data.two == 'x'", true},
		{"record.data.maybe == null || record.data.maybe == 'x'", true},
		{"record.data.maybe == 1", false},
		{"record.data.pairs.exists(p, p.k == 'x')", true},
		{"record.data.pairs.exists(p, p.v == 'x')", false},
		{"record.data.tuple[0] == 'x'", true},
		{"record.data.nil == null && record.data.yes == 1 && record.data.other == 'x'", true},
		{"record.data.open.other == 1 && record.data.open.k == 'x'", true},
		{"record.data.open.k == 1", false},
		{"record.data.listed.xy == 1", true},
	} {
		if _, err := (cel.Compiler{}).Compile(domain.VerbRead, c.text, schema); (err == nil) != c.fits {
			t.Errorf("%s: %s", c.text, fields(err))
		}
	}
}

func TestARuleIsUsedBySeveralAtOnce(t *testing.T) {
	const text = "account.roles.exists(r, r == 'admin') && record.data.name.startsWith('a') && record.data.n > 0 && record.data.tags != null && 1 / record.data.n > 0"
	rule, err := cel.Compiler{}.Compile(domain.VerbRead, text, nothing)
	if err != nil {
		t.Fatal(fields(err))
	}
	selector, err := cel.Compiler{}.Select(text, nothing)
	if err != nil {
		t.Fatal(fields(err))
	}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 50 {
				q := domain.Question{Who: ada, Now: noon, Record: domain.Record{Data: celtest.Parse(`{"name":"abc","n":` + string(rune('0'+(n+i)%3)) + `,"tags":[]}`)}}
				want := (n+i)%3 > 0
				if rule.Allows(q) != want || selector.Allows(q) != want || rule.Explain(q).Allowed != want || rule.Never(ada, noon) || selector.Never(ada, noon) {
					t.Errorf("%s is judged otherwise", q.Record.Data.Text())
				}
			}
		})
	}
	wg.Wait()
}

func fields(err error) string {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		var all []string
		for _, f := range e.Fields {
			all = append(all, f.Path+f.Problem)
		}
		return strings.Join(all, "; ")
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func orNone(err error) error {
	if err == nil {
		return errors.New("none")
	}
	return err
}
