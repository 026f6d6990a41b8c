package domain_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

// A standing is where a value stands among others, by what the page on indexes says:
// its kind first.
type standing struct {
	kind   int
	number float64
	time   time.Time
	text   string
}

// standingOf says where a value of a document, or a time, stands; absent where there
// is none.
func standingOf(v any, there bool) standing {
	switch v := v.(type) {
	case nil:
		if there {
			return standing{kind: 1}
		}
	case bool:
		if v {
			return standing{kind: 3}
		}
		return standing{kind: 2}
	case json.Number:
		if f, ok := domain.Double(string(v)); ok {
			return standing{kind: 4, number: f}
		}
	case time.Time:
		return standing{kind: 5, time: v}
	case string:
		return standing{kind: 6, text: v[:min(len(v), domain.MaxKeyText)]}
	}
	return standing{}
}

func (a standing) compare(b standing) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.number, b.number), a.time.Compare(b.time), strings.Compare(a.text, b.text))
}

// standingIn says where a record stands by one field of an order.
func standingIn(r domain.Record, field string) standing {
	switch domain.Column(field) {
	case domain.ColumnID:
		return standingOf(string(r.ID), true)
	case domain.ColumnOwner:
		if r.Owner == "" {
			return standingOf(nil, true)
		}
		return standingOf(string(r.Owner), true)
	case domain.ColumnCreated:
		return standingOf(r.Created, true)
	case domain.ColumnChanged:
		return standingOf(r.Changed, true)
	}
	var v any = r.Data.Tree()
	for name := range strings.SplitSeq(field, ".") {
		object, _ := v.(map[string]any)
		var there bool
		if v, there = object[name]; !there {
			return standing{}
		}
	}
	return standingOf(v, true)
}

// compareBy compares two records by the fields of an order.
func compareBy(s domain.Sort, a, b domain.Record) int {
	for _, k := range s {
		order := standingIn(a, k.Field).compare(standingIn(b, k.Field))
		if k.Descending {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// anyValue draws JSON values of all kinds; "" is none at all.
func anyValue() *rapid.Generator[string] {
	stems := []string{"", "x", strings.Repeat("x", 126), strings.Repeat("x", 128), strings.Repeat("é", 63) + "x", strings.Repeat("🦊", 32)}
	texts := rapid.Custom(func(t *rapid.T) string {
		text := rapid.SampledFrom(stems).Draw(t, "stem") + rapid.StringOfN(rapid.RuneFrom([]rune("\x01\x7fabé\u0080\uffee\U0010ffff🦊")), 0, 3, -1).Draw(t, "rest")
		quoted, _ := json.Marshal(text)
		return string(quoted)
	})
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "null", "true", "false", "[]", "[1]", "{}", `{"a":1}`, "0", "-0", "1e400", "1e-400", "-1", "1", "5e-324", "-5e-324"}),
		numbers(), texts,
		rapid.Map(rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }), func(f float64) string { return fmt.Sprint(f) }),
	)
}

// valued draws a record whose members have values of all kinds.
func valued(names ...string) *rapid.Generator[domain.Record] {
	return rapid.Custom(func(t *rapid.T) domain.Record {
		var members []string
		for _, name := range names {
			if v := anyValue().Draw(t, name); v != "" {
				members = append(members, fmt.Sprintf("%q:%s", name, v))
			}
		}
		d, err := domain.ParseDocument([]byte("{" + strings.Join(members, ",") + "}"))
		if err != nil {
			t.Fatal(err)
		}
		return domain.Record{Data: d}
	})
}

// keyIn returns a record's key in an index.
func keyIn(s domain.Sort, r domain.Record) string {
	c := domain.Collection{Indexes: []domain.Index{{Sort: s}}}
	return c.Entries(r, noon).Index[0].Key
}

func TestKeysAreOrderedAsValuesAre(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(t *rapid.T) {
		s := orders(names, 1, domain.MaxSortKeys).Draw(t, "order")
		a, b := valued(names...).Draw(t, "one"), valued(names...).Draw(t, "other")
		for _, k := range s { // some fields in common, so that the next decides
			if rapid.Bool().Draw(t, "the same") {
				tree := b.Data.Tree()
				if tree[k.Field] = a.Data.Tree()[k.Field]; tree[k.Field] == nil {
					delete(tree, k.Field)
				}
				b.Data, _ = domain.DocumentOf(tree)
			}
		}
		one, other := keyIn(s, a), keyIn(s, b)
		if got, want := cmp.Compare(one, other), compareBy(s, a, b); got != want {
			t.Fatalf("by %s: %s and %s compare as %d, and their keys %q and %q as %d", s, a.Data.Text(), b.Data.Text(), want, one, other, got)
		}
		if one != other && (strings.HasPrefix(one, other) || strings.HasPrefix(other, one)) {
			t.Fatalf("one of the keys %q and %q is the beginning of the other", one, other)
		}
		if most := 130 * len(s); len(one) > most || len(other) > most {
			t.Fatalf("the keys have %d and %d bytes, want at most %d", len(one), len(other), most)
		}
		reversed := slices.Clone(s)
		for i := range reversed {
			reversed[i].Descending = !s[i].Descending
		}
		if got := cmp.Compare(keyIn(reversed, a), keyIn(reversed, b)); got != -cmp.Compare(one, other) {
			t.Fatalf("the reverse order compares them as %d", got)
		}
	})
}

func TestTheKindsFollowOneAnother(t *testing.T) {
	s := domain.Sort{{Field: "a"}}
	in := func(data string) domain.Record { return domain.Record{Data: document(t, data)} }
	stretch := []domain.Record{
		in(`{}`), in(`{"a":null}`), in(`{"a":false}`), in(`{"a":true}`), in(`{"a":-1e300}`), in(`{"a":-1}`), in(`{"a":-5e-324}`), in(`{"a":0}`),
		in(`{"a":5e-324}`), in(`{"a":1}`), in(`{"a":1.5}`), in(`{"a":1e300}`), in(`{"a":""}`), in(`{"a":"\u0001"}`), in(`{"a":"A"}`), in(`{"a":"a"}`),
		in(`{"a":"aa"}`), in(`{"a":"b"}`), in(`{"a":"é"}`), in(`{"a":"` + "\uffee" + `"}`), in(`{"a":"🦊"}`),
	}
	for i := range stretch[1:] {
		if a, b := keyIn(s, stretch[i]), keyIn(s, stretch[i+1]); a >= b {
			t.Errorf("%s is not before %s: %q, %q", stretch[i].Data.Text(), stretch[i+1].Data.Text(), a, b)
		}
	}
	long := strings.Repeat("x", domain.MaxKeyText)
	for _, same := range [][2]string{
		{`{"a":-0}`, `{"a":0.0}`},
		{`{"a":[1]}`, `{}`},
		{`{"a":{"b":1}}`, `{}`},
		{`{"a":1e400}`, `{}`},
		{`{"a":1}`, `{"a":10e-1}`},
		{`{"a":9007199254740993}`, `{"a":9007199254740992}`},
		{`{"a":"` + long + `"}`, `{"a":"` + long + `y"}`},
	} {
		if a, b := keyIn(s, in(same[0])), keyIn(s, in(same[1])); a != b {
			t.Errorf("%.40s and %.40s stand apart: %q, %q", same[0], same[1], a, b)
		}
	}
	created := domain.Sort{{Field: "created_at"}, {Field: "a"}}
	early, late := in(`{"a":"z"}`), in(`{"a":"a"}`)
	early.Created, late.Created = noon.AddDate(-100, 0, 0), noon
	if keyIn(created, early) >= keyIn(created, late) {
		t.Error("what was created a hundred years earlier is not before")
	}
}

// A place goes into a cursor: the greatest has a key of four texts, and a UUID.
func TestTheGreatestKey(t *testing.T) {
	s, err := domain.ParseSort("a,-b,c,-d")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("🦊", 1000)
	c := domain.Collection{Indexes: []domain.Index{{Sort: s}}}
	r := domain.Record{ID: "01900000-0000-7000-8000-000000000001", Data: document(t, fmt.Sprintf(`{"a":%[1]q,"b":%[1]q,"c":%[1]q,"d":%[1]q}`, long))}
	place := c.PlaceOf(domain.Walk{Order: domain.ByIndex, Index: s.String()}, r)
	if len(place.Key) != 4*130 || len(place.ID) != 36 {
		t.Errorf("it has %d bytes, and an id of %d", len(place.Key), len(place.ID))
	}
}

func TestTheKeyOfATime(t *testing.T) {
	micros := rapid.Int64Range(-62135596800_000000, 253402300799_999999)
	rapid.Check(t, func(t *rapid.T) {
		a, b := time.UnixMicro(micros.Draw(t, "a")).UTC(), time.UnixMicro(micros.Draw(t, "b")).UTC()
		if got := strings.Compare(domain.TimeKey(a), domain.TimeKey(b)); got != a.Compare(b) {
			t.Fatalf("%v and %v compare as %d", a, b, got)
		}
		if got := domain.KeyTime(domain.TimeKey(a)); got != a {
			t.Fatalf("%v comes back as %v", a, got)
		}
	})
	for _, other := range []string{"", "1234567", "123456789"} {
		if got := domain.KeyTime(other); !got.IsZero() {
			t.Errorf("%q is the key of %v", other, got)
		}
	}
}

func TestWhatIndexesACollectionMayHave(t *testing.T) {
	nine := strings.Split("a,b,c,d,e,f,g,h,i", ",")
	for _, c := range []struct {
		name    string
		indexes []string
		blamed  string
	}{
		{"none", nil, ""},
		{"eight", nine[:8], ""},
		{"nine", nine, "/indexes too-many"},
		{"an order and its reverse", []string{"a", "-a"}, ""},
		{"an order and its beginning", []string{"a,b", "a"}, ""},
		{"an order twice", []string{"a", "b,c", "b,c"}, "/indexes/2 invalid-index"},
		{"no order", []string{"a", ""}, "/indexes/1 invalid-index"},
		{"what one account owns", []string{"owner,a"}, ""},
		{"the owner alone", []string{"owner"}, ""},
		{"the owner behind another field", []string{"a,owner"}, "/indexes/0 invalid-index"},
		{"the id", []string{"id"}, "/indexes/0 invalid-index"},
		{"the id behind another field", []string{"a", "a,id"}, "/indexes/1 invalid-index"},
		{"the time of creation alone", []string{"created_at"}, "/indexes/0 invalid-index"},
		{"the time of change alone", []string{"-updated_at"}, "/indexes/0 invalid-index"},
		{"a time and another field", []string{"created_at,a", "a,-updated_at"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var declared domain.Collection
			for _, text := range c.indexes {
				s, err := domain.ParseSort(text)
				if err != nil {
					t.Fatal(err)
				}
				declared.Indexes = append(declared.Indexes, domain.Index{Sort: s})
			}
			err := declared.Check()
			if c.blamed == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			blames(t, err, domain.ErrInvalidCollection, c.blamed)
		})
	}
}
