// Package celtest draws random rules, and records and askers to judge by them, for
// tests that hold the compiler of rules, and the stores, to what CEL says.
package celtest

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

// A World is a schema with the members that rules ask for, by what can be asked
// of them. The any may be asked for everything.
type World struct {
	Schema                          domain.Document
	texts, numbers, truths, lists   []string
	nullable, objects, moments, any []string
}

// Parse reads a document that is known to be good.
func Parse(text string) domain.Document {
	d, err := domain.ParseDocument([]byte(text))
	if err != nil {
		panic(err)
	}
	return d
}

// Worlds are a schema that says all, one that says nothing, and one in between.
var Worlds = []World{
	{
		Schema: Parse(`{"type":"object","additionalProperties":false,"properties":{
			"name":{"type":"string"},"when":{"type":"string","format":"date-time"},"a b":{"type":"string"},"e/mail":{"type":"string"},
			"n":{"type":"number"},"k":{"type":"integer"},"on":{"type":"boolean"},
			"note":{"type":["string","null"]},"tags":{"type":"array","items":{"type":"string"}},"nums":{"type":"array","items":{"type":"number"}},
			"box":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"number"}},"additionalProperties":false}}}`),
		texts:    []string{"record.data.name", `record.data["a b"]`, `record.data["e/mail"]`, "record.data.box.a", "record.id"},
		numbers:  []string{"record.data.n", "record.data.k", "record.data.box.b"},
		truths:   []string{"record.data.on"},
		lists:    []string{"record.data.tags", "record.data.nums"},
		nullable: []string{"record.data.note", "record.owner"},
		objects:  []string{"record.data.box", "record.data"},
		moments:  []string{"record.data.when", "record.data.name"},
	},
	{
		Schema:   Parse(`{}`),
		texts:    []string{"record.id"},
		nullable: []string{"record.owner"},
		objects:  []string{"record.data"},
		any: []string{
			"record.data.name", "record.data.when", `record.data["a b"]`, "record.data.n", "record.data.on", "record.data.note",
			"record.data.tags", "record.data.nums", "record.data.box", "record.data.box.a", "record.data.box.b", "record.data.box.c.d",
		},
	},
	{
		Schema: Parse(`{"$defs":{"text":{"type":"string"},"part":{"type":"object","properties":{"a":{"$ref":"#/$defs/text"},"b":{"type":["number","boolean"]}}}},
			"type":"object","properties":{"name":{"$ref":"#/$defs/text"},"n":{"anyOf":[{"type":"number"},{"type":"null"}]},"box":{"$ref":"#/$defs/part"},
			"tags":{"type":["array","null"]},"nums":{"type":"array"}}}`),
		texts:    []string{"record.data.name", "record.data.box.a"},
		numbers:  []string{"record.data.n"},
		lists:    []string{"record.data.nums"},
		nullable: []string{"record.owner", "record.data.n"},
		objects:  []string{"record.data", "record.data.box"},
		any:      []string{"record.data.box.b", "record.data.tags", "record.data.on", "record.data.note", "record.data.box.c"},
	},
}

// A writer writes random rules in a world.
type writer struct {
	World
	t *rapid.T
}

func (w writer) pick(from ...string) string { return rapid.SampledFrom(from).Draw(w.t, "of") }

func (w writer) one(of ...func() string) string { return rapid.SampledFrom(of).Draw(w.t, "kind")() }

// member returns one of the members, or one of which anything can be asked.
func (w writer) member(of []string) string {
	all := append(append([]string(nil), of...), w.any...)
	if len(all) == 0 {
		return "record.id"
	}
	return w.pick(all...)
}

// condition writes a rule that is at most depth operators deep.
func (w writer) condition(depth int) string {
	if depth <= 0 {
		return w.single(0)
	}
	part := func() string { return w.condition(depth - 1) }
	return w.one(
		func() string { return part() + " && " + part() },
		func() string { return "(" + part() + " || " + part() + ")" },
		func() string { return "!(" + part() + ")" },
		func() string { return "(" + w.asker() + " ? " + part() + " : " + part() + ")" },
		func() string { return w.single(depth) },
		func() string { return w.single(depth) },
	)
}

// asker writes a condition on who asks, and when.
func (w writer) asker() string {
	return w.pick(
		"true", "false", "account != null", "account == null", `account.id == "a1"`, `"admin" in account.roles`,
		"size(account.roles) > 1", `account.roles.exists(r, r == "author")`, `now > timestamp("2024-05-01T12:00:00Z")`,
		"1 / 0 > 1", "has(account.id)", `!(account.id in ["a1", "a2"])`, `account.id.startsWith("a")`,
		`now - timestamp("2024-05-01T12:00:00Z") > duration("1h")`, `2 + 3 * 4 == 14`, `[1, 2][0] == 1`,
	)
}

// single writes one condition.
func (w writer) single(depth int) string {
	order := func() string { return " " + w.pick("<", "<=", ">", ">=", "==", "!=") + " " }
	same := func() string { return " " + w.pick("==", "!=") + " " }
	return w.one(
		w.asker,
		func() string { return w.member(w.truths) },
		func() string { return w.text(depth) + order() + w.text(depth) },
		func() string { return w.number(depth) + order() + w.number(depth) },
		func() string { return w.moment() + order() + w.moment() },
		func() string { return w.truth() + order() + w.truth() },
		func() string {
			return w.member(w.nullable) + same() + w.pick("null", `"a1"`, "account.id", `(account == null ? "a1" : "a2")`)
		},
		func() string { return w.pick("account.id", "null") + same() + w.member(w.nullable) },
		func() string { return w.member(w.objects) + same() + "null" },
		func() string {
			return w.text(depth) + "." + w.pick("contains", "startsWith", "endsWith") + "(" + w.text(depth) + ")"
		},
		func() string { return w.scalar(depth) + " in " + w.member(w.lists) },
		func() string {
			return w.member(append(w.texts, w.nullable...)) + " in " + w.pick("account.roles", `["a1", account.id]`, "[]", `["", "a"]`)
		},
		func() string { return w.number(depth) + " in [" + w.pick("1", "2.5", "-3", "0") + ", 1, 2]" },
		func() string { return w.member(nil) + ` in ["a", 1, null, true, now]` },
		func() string {
			of := w.member(append(append(w.texts, w.numbers...), append(w.lists, w.truths...)...))
			return "has(" + of + ")"
		},
	)
}

func (w writer) scalar(depth int) string {
	return w.one(func() string { return w.text(depth) }, func() string { return w.number(depth) }, w.truth)
}

func (w writer) text(int) string {
	return w.one(
		func() string { return w.member(w.texts) },
		func() string { return w.member(w.texts) },
		func() string {
			return w.pick(`""`, `"a"`, `"abc"`, `'ä'`, `"🛳"`, "account.id", `("a" + "bc")`, `"x"`, `"\u007f"`, `"\\"`, `"it's"`)
		},
	)
}

func (w writer) truth() string {
	return w.one(func() string { return w.member(w.truths) }, func() string { return w.pick("true", "false", "(account == null)") })
}

func (w writer) moment() string {
	return w.one(
		func() string {
			return w.pick("now", "record.created_at", "record.updated_at", `timestamp("2024-05-01T12:00:00Z")`,
				`(now - duration("90s"))`, `timestamp("no time")`, `timestamp("2024-05-01T14:00:00.0000005+02:00")`)
		},
		func() string { return "timestamp(" + w.member(w.moments) + ")" },
	)
}

func (w writer) number(depth int) string {
	simple := func() string {
		return w.one(
			func() string { return w.member(w.numbers) },
			func() string { return w.member(w.numbers) },
			func() string {
				return w.pick("0", "1", "2.5", "-3", "1e300", "1e-300", "size(account.roles)", "0.1", "9007199254740993", "-0.0")
			},
			func() string { return "size(" + w.member(append(append(w.texts, w.lists...), w.objects...)) + ")" },
		)
	}
	if depth <= 0 {
		return simple()
	}
	return w.one(simple, simple, func() string { return "-(" + w.number(depth-1) + ")" }, func() string {
		return "(" + w.number(depth-1) + w.pick(" + ", " - ", " * ", " / ") + w.number(depth-1) + ")"
	})
}

// DrawRule returns a random rule for records of a world.
func DrawRule(t *rapid.T, w World) string {
	return writer{w, t}.condition(rapid.IntRange(0, 3).Draw(t, "depth"))
}

// DrawRecord returns a record whose data may fit a world's schema or not.
func DrawRecord(t *rapid.T) domain.Record {
	members := map[string]string{}
	for _, name := range []string{"name", "when", "a b", "e/mail", "n", "k", "on", "note", "tags", "nums", "box"} {
		if v := drawMember(t, name); v != "" {
			members[name] = v
		}
	}
	at := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	return domain.Record{
		ID:      domain.RecordID(rapid.SampledFrom([]string{"a", "abc", "r1"}).Draw(t, "id")),
		Owner:   domain.AccountID(rapid.SampledFrom([]string{"", "a1", "a2"}).Draw(t, "owner")),
		Data:    object(members),
		Created: at.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "created")) * time.Microsecond),
		Changed: at.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "changed")) * time.Hour),
	}
}

func object(members map[string]string) domain.Document {
	var all []string
	for name, v := range members {
		all = append(all, fmt.Sprintf("%q:%s", name, v))
	}
	return Parse("{" + strings.Join(all, ",") + "}")
}

// drawMember returns a member as JSON, mostly of the kind that its name tells; ""
// for none.
func drawMember(t *rapid.T, name string) string {
	pick := func(from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	numbers := []string{"0", "-0", "1", "1.0", "2.5", "-3", "1e400", "-1e400", "1e-400", "1e300", "123456789012345678901234567890", "9007199254740993", "0.1"}
	texts := []string{`""`, `"a"`, `"abc"`, `"ä"`, `"🛳"`, `"\uffee"`, `"x"`, `"\\"`, `"a1"`, `"A"`}
	moments := []string{`"2024-05-01T12:00:00Z"`, `"2024-05-01T14:00:00.000001+02:00"`, `"2024-05-01"`, `"0001-01-01T00:00:00+01:00"`}
	lists := []string{`[]`, `["a"]`, `["a","abc",1]`, `[1,2.5,1e400]`, `[null,true]`, `[["a"],{"a":1}]`, `[-0]`}
	objects := []string{`{}`, `{"a":"abc"}`, `{"a":"a","b":1}`, `{"b":1e400}`, `{"a":null,"c":{"d":true}}`, `{"b":true,"c":[]}`}
	of := map[string][]string{
		"when": moments, "n": numbers, "k": numbers, "on": {"true", "false"}, "note": append(texts, "null"),
		"tags": lists, "nums": lists, "box": objects,
	}[name]
	switch rapid.IntRange(0, 9).Draw(t, "fit") {
	case 0:
		return ""
	case 1:
		return pick("null", "true", `"a"`, "1", "[]", "{}", "1e400", `["a"]`)
	}
	if of == nil {
		of = append(texts, moments...)
	}
	return pick(of...)
}

// DrawAsker returns a stranger, or one of two accounts with some of the roles.
func DrawAsker(t *rapid.T) domain.Asker {
	who := domain.Asker{Account: domain.AccountID(rapid.SampledFrom([]string{"", "a1", "a2"}).Draw(t, "account"))}
	if who.Account != "" {
		who.Roles = rapid.SampledFrom([][]domain.Role{nil, {"admin"}, {"admin", "author"}, {"abc", "a"}}).Draw(t, "roles")
	}
	return who
}

// DrawNow returns a time near those of the records.
func DrawNow(t *rapid.T) time.Time {
	return time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(-5_000_000, 5_000_000).Draw(t, "now")) * time.Microsecond)
}
