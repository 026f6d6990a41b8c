package fleet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// shipWith returns the body of a ship in which one member has another value, or is left
// out where that is "".
func shipWith(name, value string) string {
	var kept []string
	for _, m := range []string{
		`"affiliation":"Empire"`, `"category":"Starfighters"`, `"crew":1`, `"length":7`,
		`"manufacturer":"Sienar"`, `"model":"TIE"`, `"roles":["Escort"]`, `"ship_class":"Starfighter"`,
	} {
		if !strings.HasPrefix(m, `"`+name+`"`) {
			kept = append(kept, m)
		}
	}
	if value != "" {
		kept = append(kept, `"`+name+`":`+value)
	}
	return "{" + strings.Join(kept, ",") + "}"
}

// judged returns what a body of a ship is taken for, or what is wrong with it.
func judged(t testing.TB, body string) (meant, wrong string) {
	t.Helper()
	doc, err := domain.ParseDocument([]byte(body))
	if e, known := errors.AsType[*domain.Error](err); known && e.Kind == domain.Invalid {
		return "", written(t, blame(e.Fields))
	}
	if err != nil {
		t.Fatal(err)
	}
	members, err := shipForm.load(doc.Tree())
	if f, refused := errors.AsType[refusal](err); refused {
		return "", written(t, f.message)
	}
	if err != nil {
		t.Fatal(err)
	}
	if doc, err = domain.DocumentOf(members); err != nil {
		t.Fatal(err)
	}
	return doc.Text(), ""
}

func written(t testing.TB, v any) string {
	t.Helper()
	var b strings.Builder
	if err := wire.Marshal(&b, v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestShipFieldsAreReadAsMarshmallowReadsThem(t *testing.T) {
	const integer, list, text = `["Not a valid integer."]`, `["Not a valid list."]`, `["Not a valid string."]`
	for _, c := range []struct{ name, field, value, wrong, meant string }{
		{"a whole number", "crew", `3`, "", `3`},
		{"a text of digits", "crew", `"12"`, "", `12`},
		{"a text of digits between spaces", "crew", `" 012 "`, "", `12`},
		{"a fraction loses what is behind its point", "crew", `1.5`, "", `1`},
		{"an exponent", "crew", `12e1`, "", `120`},
		{"ten to the thirtieth", "crew", `1000000000000000000000000000000`, "", `1000000000000000000000000000000`},
		{"as many digits as a record holds", "crew", `1e99`, "", "1" + strings.Repeat("0", 99)},
		{"one digit more", "crew", `1e100`, `["Number too large."]`, ""},
		{"an exponent beyond all bounds", "crew", `1e1001`, `["Number too large."]`, ""},
		{"digits beyond all bounds", "crew", strings.Repeat("9", 101), `["Number too large."]`, ""},
		{"a text of more digits than a record holds", "crew", `"` + strings.Repeat("9", 101) + `"`, `["Number too large."]`, ""},
		{"a word", "crew", `"BAD"`, integer, ""},
		{"a long text", "crew", `"` + strings.Repeat("9", 5000) + `"`, integer, ""},
		{"a fraction in a text", "crew", `"1.5"`, integer, ""},
		{"an empty text for a number", "crew", `""`, integer, ""},
		{"true", "crew", `true`, integer, ""},
		{"a list for a number", "crew", `[1]`, integer, ""},
		{"an object for a number", "length", `{}`, integer, ""},
		{"zero", "crew", `0`, `["Must be greater than or equal to 1."]`, ""},
		{"less than one", "crew", `0.99`, `["Must be greater than or equal to 1."]`, ""},
		{"less than zero, in a text", "length", `"-1"`, `["Must be greater than or equal to 1."]`, ""},
		{"no number", "crew", `null`, `["Field may not be null."]`, ""},
		{"a number that is missing", "crew", ``, `["Missing data for required field."]`, ""},
		{"a number for a text", "model", `1`, text, ""},
		{"an empty text", "model", `""`, "", `""`},
		{"no text", "ship_class", `null`, `["Field may not be null."]`, ""},
		{"no roles at all", "roles", `[]`, "", `[]`},
		{"an empty role", "roles", `["",""]`, "", `["",""]`},
		{"a text for a list", "roles", `"Escort"`, list, ""},
		{"an object for a list", "roles", `{"0":"Escort"}`, list, ""},
		{"a role that is none", "roles", `["Escort",1,null]`, `{"1":["Not a valid string."],"2":["Field may not be null."]}`, ""},
		{"no list", "roles", `null`, `["Field may not be null."]`, ""},
		{"an unknown field", "shields", `true`, `["Unknown field."]`, ""},
		{"a known field in another case", "Crew", `1`, `["Unknown field."]`, ""},
		{"an id of zero", "id", `0`, `["Must be greater than or equal to 1."]`, ""},
		{"an id that is a word", "id", `"x"`, integer, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			meant, wrong := judged(t, shipWith(c.field, c.value))
			if c.wrong != "" && wrong != `{"`+c.field+`":`+c.wrong+`}` {
				t.Errorf("got %q, want %s to be blamed: %s", wrong, c.field, c.wrong)
			}
			if c.wrong == "" && !strings.Contains(meant, `"`+c.field+`":`+c.meant+",") {
				t.Errorf("got %s %s, want %s to be %s", meant, wrong, c.field, c.meant)
			}
		})
	}
}

func TestManyFaultsMakeAnAnswerOfBoundedSize(t *testing.T) {
	var members strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&members, `,"%d":0`, i)
	}
	for name, body := range map[string]string{
		"items":   shipWith("roles", "["+strings.TrimSuffix(strings.Repeat("1,", 300_000), ",")+"]"),
		"members": "{" + members.String()[1:] + "}",
		"a name":  `{"` + strings.Repeat("x", 100_000) + `":0}`,
	} {
		if _, wrong := judged(t, body); wrong == "" || len(wrong) > 16<<10 {
			t.Errorf("%s: what is wrong takes %d bytes", name, len(wrong))
		}
	}
}

func TestTwoSpellingsOfANumberAreOne(t *testing.T) {
	for _, c := range []struct{ url, id, said string }{
		{"3", `3`, ""},
		{"003", `3`, ""},
		{"3", `"03"`, ""},
		{"3", `3.5`, ""},
		{"3", `4`, "Request data id has to match resource id."},
		{"0", `1`, "Request data id has to match resource id."},
		{"99999999999999999999999", `99999999999999999999999`, ""},
	} {
		doc, err := domain.ParseDocument([]byte(shipWith("id", c.id)))
		if err != nil {
			t.Fatal(err)
		}
		meant, err := shipForm.replace(doc.Tree(), c.url)
		f, refused := errors.AsType[refusal](err)
		if refused != (c.said != "") || refused && f.message != c.said || meant["id"] != nil {
			t.Errorf("/%s with the id %s: %v, and data with the id %v", c.url, c.id, err, meant["id"])
		}
	}
}

// FuzzShip judges any body: what is taken can be stored, read again, and shown.
func FuzzShip(f *testing.F) {
	f.Add(shipWith("", ""))
	f.Add(shipWith("crew", `"012"`))
	f.Add(shipWith("crew", "1e99"))
	f.Add(shipWith("length", "123456789.5e-7"))
	f.Add(shipWith("roles", `["",null,1]`))
	f.Add(shipWith("model", `"\u2028 \ud83d\ude80"`))
	f.Fuzz(func(t *testing.T, body string) {
		if _, err := domain.ParseDocument([]byte(body)); err != nil && !errors.Is(err, domain.Invalid) {
			return
		}
		meant, wrong := judged(t, body)
		if wrong != "" {
			return
		}
		again, err := domain.ParseDocument([]byte(meant))
		if err != nil || again.Text() != meant {
			t.Fatalf("%s was read again as %s, %v", meant, again.Text(), err)
		}
		view, err := viewShip(1, domain.Record{Data: again})
		if err != nil {
			t.Fatal(err)
		}
		written(t, view)
	})
}

func TestAShipIsShownAsItsRecordHasItAndNoMore(t *testing.T) {
	doc, err := domain.ParseDocument([]byte(`{"model":"TIE","crew":1.50,"length":null,"secret":true,"id":9}`))
	if err != nil {
		t.Fatal(err)
	}
	view, err := viewShip(3, domain.Record{Data: doc})
	if err != nil {
		t.Fatal(err)
	}
	if got := written(t, view); got != `{"crew":1.50,"id":3,"length":null,"model":"TIE"}` {
		t.Errorf("got %s", got)
	}
}
