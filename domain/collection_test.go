package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

// key returns the unique key of a value in a field that is unique in its
// collection.
func key(t rapid.TB, value string) domain.UniqueKey {
	t.Helper()
	c := domain.Collection{Name: "ships", Unique: []domain.Unique{{Field: "a"}}}
	d, err := domain.ParseDocument([]byte(`{"a":` + value + `}`))
	if err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	keys := c.Keys(domain.Record{ID: "r", Data: d})
	if len(keys) != 1 || keys[0].Field != "a" {
		t.Fatalf("%s has the keys %v", value, keys)
	}
	return keys[0]
}

func TestUniqueValuesAreComparedByValue(t *testing.T) {
	for _, same := range [][]string{
		{`1`, `1.0`, `10e-1`, `1e0`, `1E+0`, `0.1e1`, `0.001E3`, `1.000`},
		{`0`, `-0`, `0.0`, `-0.0`, `0e7`, `0E-7`},
		{`100`, `1e2`, `1E+2`, `100.0`},
		{`-15e-1`, `-1.5`, `-1.50`},
		{`"a"`, `"\u0061"`},
		{`{"a":1,"b":[2,{"c":3.0}]}`, `{"b":[2.0,{"c":3}],"a":1e0}`},
		{`[1,2]`, ` [ 1.0 , 2e0 ] `},
	} {
		for _, value := range same[1:] {
			if key(t, value) != key(t, same[0]) {
				t.Errorf("%s and %s are different", same[0], value)
			}
		}
	}

	different := []string{
		`1`, `"1"`, `-1`, `10`, `0.1`, `0`, `true`, `false`, `"true"`, `"null"`, `""`, `" "`, `"a"`, `"A"`, `"\u00e9"`, `"e\u0301"`,
		`[]`, `{}`, `"[]"`, `[1]`, `[1,2]`, `[2,1]`, `[[1]]`, `[null]`, `{"a":1}`, `{"a":"1"}`, `{"a":null}`, `{"1":"a"}`,
		`9007199254740992`, `9007199254740993`, `1e1000`, `1e-1000`,
	}
	for i, a := range different {
		for _, b := range different[:i] {
			if key(t, a) == key(t, b) {
				t.Errorf("%s and %s are the same", a, b)
			}
		}
	}
}

func TestOnlyWhatIsThereIsCompared(t *testing.T) {
	c := domain.Collection{Unique: []domain.Unique{{Field: "a"}, {Field: "b"}}}
	for text, want := range map[string]string{
		`{}`:                      "",
		`{"a":null}`:              "",
		`{"x":{"a":1}}`:           "",
		`{"A":1}`:                 "",
		`{"b":1,"a":null}`:        "b",
		`{"b":false,"a":0,"c":1}`: "a b",
	} {
		var fields []string
		for _, k := range c.Keys(domain.Record{Data: document(t, text)}) {
			fields = append(fields, k.Field)
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s has keys of %q, want %q", text, got, want)
		}
	}
	if keys := (domain.Collection{}).Keys(domain.Record{Data: document(t, `{"a":1}`)}); keys != nil {
		t.Errorf("a collection without unique fields gives %v", keys)
	}
}

func TestAFieldMayBeUniqueWithinWhatOneAccountOwns(t *testing.T) {
	keyOf := func(perOwner bool, field, owner, text string) domain.UniqueKey {
		c := domain.Collection{Unique: []domain.Unique{{Field: field, PerOwner: perOwner}}}
		return c.Keys(domain.Record{Owner: domain.AccountID(owner), Data: document(t, text)})[0]
	}
	if keyOf(true, "a", "ada", `{"a":1}`) == keyOf(true, "a", "bob", `{"a":1}`) {
		t.Error("two owners may not have the same value")
	}
	if keyOf(true, "a", "ada", `{"a":1}`) != keyOf(true, "a", "ada", `{"a":1.0}`) {
		t.Error("one owner may have the same value twice")
	}
	if keyOf(false, "a", "ada", `{"a":1}`) != keyOf(false, "a", "bob", `{"a":1}`) {
		t.Error("a field that is unique in the collection asks for the owner")
	}
	if keyOf(false, "a", "", `{"a":1}`).Digest == keyOf(false, "b", "", `{"b":1}`).Digest {
		t.Error("two fields share a digest")
	}
	perOwner := domain.Collection{Unique: []domain.Unique{{Field: "a", PerOwner: true}}}
	if keys := perOwner.Keys(domain.Record{Data: document(t, `{"a":1}`)}); len(keys) != 0 {
		t.Errorf("records without an owner are compared: %v", keys)
	}
}

func TestWhatACollectionMayDeclareUnique(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		blamed string
	}{
		{"nothing", nil, ""},
		{"a member", []string{"email"}, ""},
		{"a member with signs in its name", []string{"e/mail~ é"}, ""},
		{"a name of 128 bytes", []string{strings.Repeat("a", 128)}, ""},
		{"eight members", strings.Split("abcdefgh", ""), ""},
		{"nine members", strings.Split("abcdefghi", ""), "/unique too-many"},
		{"a member without a name", []string{"a", ""}, "/unique/1/field invalid-field"},
		{"a member twice", []string{"a", "b", "a"}, "/unique/2/field invalid-field"},
		{"a name of 129 bytes", []string{strings.Repeat("a", 129)}, "/unique/0/field invalid-field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var declared domain.Collection
			for i, f := range c.fields {
				declared.Unique = append(declared.Unique, domain.Unique{Field: f, PerOwner: i%2 == 1})
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

func TestTheNameOfACollection(t *testing.T) {
	for _, good := range []string{"a", "ships", "ship-yards_2", strings.Repeat("a", 63)} {
		if n, err := domain.ParseCollectionName(good); err != nil || string(n) != good {
			t.Errorf("%q: %q, %v", good, n, err)
		}
	}
	for _, bad := range []string{"", "Ships", "2ships", "-a", "_a", "a b", "a/b", "a.b", "ä", "a\x00", strings.Repeat("a", 64)} {
		if n, err := domain.ParseCollectionName(bad); err == nil || n != "" {
			t.Errorf("%q is taken for %q", bad, n)
		} else {
			blames(t, err, domain.ErrCollectionNotFound)
		}
	}
}

func TestNotUniqueNamesEachField(t *testing.T) {
	blames(t, domain.NotUnique("number", "e/mail~"), domain.ErrNotUnique, "/data/number not-unique", "/data/e~1mail~0 not-unique")
	blames(t, domain.ErrNotUnique, domain.ErrNotUnique)
}

func TestARefIsTheCollectionAsItWasSeen(t *testing.T) {
	c := domain.Collection{Name: "ships", Revision: 7}
	if got := fmt.Sprint(c.Ref()); got != "{ships 7}" {
		t.Error(got)
	}
}
