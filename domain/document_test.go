package domain_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestADocumentHasOneSpelling(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"the empty object", ` { } `, `{}`},
		{"members are sorted by name", `{"b":1,"a":2,"B":3,"":4,"é":5}`, `{"":4,"B":3,"a":2,"b":1,"é":5}`},
		{"and so within one another", `{"a":[{"d":1,"c":2}]}`, `{"a":[{"c":2,"d":1}]}`},
		{"the order of a list stays", `{"a":[3,1,2,[],{}]}`, `{"a":[3,1,2,[],{}]}`},
		{"space goes", "\t{\r\n\"a\" : [ 1 , null , true , false ] }\n", `{"a":[1,null,true,false]}`},
		{"a space in a text stays", `{"a":" b "}`, `{"a":" b "}`},
		{"an escaped letter is that letter", `{"\u0061":"\u00e9\/"}`, `{"a":"é/"}`},
		{"what HTML would escape stays", `{"a":"<b>&'"}`, `{"a":"<b>&'"}`},
		{"a quotation mark and a backslash", `{"a":"\"\\"}`, `{"a":"\"\\"}`},
		{"control characters", `{"a":"\b\f\n\r\t\u001f"}`, `{"a":"\b\f\n\r\t\u001f"}`},
		{"two halves are one character", `{"a":"\ud83e\udd8a"}`, `{"a":"🦊"}`},
		{"halves in capitals", `{"a":"\uD83E\uDD8A"}`, `{"a":"🦊"}`},
		{"a backslash and what looks like a half", `{"a":"\\ud800"}`, `{"a":"\\ud800"}`},
		{"a backslash and what looks like NUL", `{"a":"\\u0000"}`, `{"a":"\\u0000"}`},
		{"a letter in two spellings is two names", "{\"é\":1,\"e\u0301\":2}", "{\"e\u0301\":2,\"é\":1}"},
		{"a number keeps its digits", `{"a":[1.0,1e2,1E+2,-0,0.10,-0.0e-0]}`, `{"a":[1.0,1e2,1E+2,-0,0.10,-0.0e-0]}`},
		{"an integer beyond every float", `{"a":9007199254740993}`, `{"a":9007199254740993}`},
		{"a replacement character of its author's own", "{\"a\":\"\uFFFD\"}", "{\"a\":\"\uFFFD\"}"},
		{"a line separator", "{\"a\":\"\u2028\"}", `{"a":"\u2028"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := document(t, c.text)
			if d.Text() != c.want {
				t.Errorf("got %s, want %s", d.Text(), c.want)
			}
			if again := document(t, d.Text()); again != d {
				t.Errorf("read again it is %s", again.Text())
			}
			if restored := domain.RestoreDocument(d.Text()); restored != d {
				t.Errorf("restored it is %s", restored.Text())
			}
			if copied, err := domain.DocumentOf(d.Tree()); err != nil || copied != d {
				t.Errorf("from its tree it is %s (%v)", copied.Text(), err)
			}
			if nested, err := json.Marshal(map[string]any{"data": d}); err != nil || !json.Valid(nested) {
				t.Errorf("nested it is %s (%v)", nested, err)
			}
		})
	}
}

func TestTheZeroDocumentIsTheEmptyObject(t *testing.T) {
	var d domain.Document
	if d.Text() != `{}` || len(d.Tree()) != 0 {
		t.Errorf("got %s", d.Text())
	}
}

func TestADocumentThatIsNone(t *testing.T) {
	object := func(depth int) string {
		return strings.Repeat(`{"a":`, depth) + `1` + strings.Repeat(`}`, depth)
	}
	mixed := func(depth int) string {
		return strings.Repeat(`{"a":[`, depth/2) + strings.Repeat(`]}`, depth/2)
	}
	if d := document(t, object(32)); d.Text() != object(32) {
		t.Error("32 levels are not taken")
	}
	document(t, mixed(32))

	full := `{"a":"` + strings.Repeat("x", domain.MaxDocument-8) + `"}`
	document(t, full)

	for _, c := range []struct {
		name, text string
		want       *domain.Error
		place      string
	}{
		{"nothing", ``, domain.ErrMalformed, " not-json"},
		{"space", ` `, domain.ErrMalformed, " not-json"},
		{"half an object", `{"a":1`, domain.ErrMalformed, " not-json"},
		{"half a list", `{"a":[1`, domain.ErrMalformed, " not-json"},
		{"half a text", `{"a":"b`, domain.ErrMalformed, " not-json"},
		{"a comma too many", `{"a":1,}`, domain.ErrMalformed, " not-json"},
		{"a comma too many in a list", `{"a":[1,]}`, domain.ErrMalformed, " not-json"},
		{"a comma in front", `{"a":[,1]}`, domain.ErrMalformed, " not-json"},
		{"two commas", `{"a":[1,,2]}`, domain.ErrMalformed, " not-json"},
		{"no comma", `{"a":1 "b":2}`, domain.ErrMalformed, " not-json"},
		{"no comma in a list", `{"a":[1 2]}`, domain.ErrMalformed, " not-json"},
		{"no colon", `{"a" 1}`, domain.ErrMalformed, " not-json"},
		{"a colon in a list", `{"a":["b":1]}`, domain.ErrMalformed, " not-json"},
		{"a member without a value", `{"a"}`, domain.ErrMalformed, " not-json"},
		{"a name that is a number", `{1:2}`, domain.ErrMalformed, " not-json"},
		{"the wrong bracket", `{"a":[1}}`, domain.ErrMalformed, " not-json"},
		{"a bracket alone", `}`, domain.ErrMalformed, " not-json"},
		{"a comment", `{/* a */}`, domain.ErrMalformed, " not-json"},
		{"apostrophes", `{'a':1}`, domain.ErrMalformed, " not-json"},
		{"a word", `{"a":True}`, domain.ErrMalformed, " not-json"},
		{"no number", `{"a":NaN}`, domain.ErrMalformed, " not-json"},
		{"a plus", `{"a":+1}`, domain.ErrMalformed, " not-json"},
		{"a leading zero", `{"a":01}`, domain.ErrMalformed, " not-json"},
		{"a point without digits", `{"a":1.}`, domain.ErrMalformed, " not-json"},
		{"an exponent without digits", `{"a":1e}`, domain.ErrMalformed, " not-json"},
		{"a line feed in a text", "{\"a\":\"\n\"}", domain.ErrMalformed, " not-json"},
		{"an unknown escape", `{"a":"\x"}`, domain.ErrMalformed, " not-json"},
		{"an escape of three digits", `{"a":"\u123"}`, domain.ErrMalformed, " not-json"},
		{"a byte order mark", "\uFEFF{}", domain.ErrMalformed, " not-json"},
		{"a second value", `{} {}`, domain.ErrMalformed, " not-json"},
		{"a comma behind", `{},`, domain.ErrMalformed, " not-json"},
		{"a bracket behind", `{}}`, domain.ErrMalformed, " not-json"},
		{"a NUL behind", "{}\x00", domain.ErrMalformed, " not-json"},
		{"a name twice", `{"a":1,"a":2}`, domain.ErrMalformed, "/a duplicate-name"},
		{"a name twice, once escaped", `{"a":1,"\u0061":1}`, domain.ErrMalformed, "/a duplicate-name"},
		{"a name twice, with null first", `{"a":null,"a":2}`, domain.ErrMalformed, "/a duplicate-name"},
		{"the empty name twice", `{"":1,"":2}`, domain.ErrMalformed, "/ duplicate-name"},
		{"a name twice within a list", `{"x":[{"a/b~c":1,"a/b~c":2}]}`, domain.ErrMalformed, "/x/-/a~1b~0c duplicate-name"},
		{"bad UTF-8", "{\"a\":\"\xFF\"}", domain.ErrMalformed, " invalid-utf-8"},
		{"bad UTF-8 in a name", "{\"\xC0\x80\":1}", domain.ErrMalformed, " invalid-utf-8"},
		{"a half in UTF-8", "{\"a\":\"\xED\xA0\x80\"}", domain.ErrMalformed, " invalid-utf-8"},
		{"a high half alone", `{"a":"\ud800"}`, domain.ErrMalformed, " lone-surrogate"},
		{"a high half in capitals", `{"a":"\uDBFFx"}`, domain.ErrMalformed, " lone-surrogate"},
		{"a low half alone", `{"a":"\udc00"}`, domain.ErrMalformed, " lone-surrogate"},
		{"halves in the wrong order", `{"a":"\udc00\ud800"}`, domain.ErrMalformed, " lone-surrogate"},
		{"two high halves", `{"a":"\ud800\ud800"}`, domain.ErrMalformed, " lone-surrogate"},
		{"two high halves and a low one", `{"a":"\ud800\ud800\udc00"}`, domain.ErrMalformed, " lone-surrogate"},
		{"a high half before a plain escape", `{"a":"\ud800\n\udc00"}`, domain.ErrMalformed, " lone-surrogate"},
		{"a half in a name", `{"\ud800":1}`, domain.ErrMalformed, " lone-surrogate"},
		{"a half behind a backslash", `{"a":"\\\ud800"}`, domain.ErrMalformed, " lone-surrogate"},
		{"a half that breaks off", `{"a":"\ud800\u`, domain.ErrMalformed, " lone-surrogate"},
		{"a NUL in a value", `{"a":{"b":"x\u0000"}}`, domain.ErrMalformed, "/a/b nul"},
		{"a NUL in a name", `{"a":{"\u0000":1}}`, domain.ErrMalformed, "/a nul"},
		{"a NUL in a list", `{"a":["\u0000"]}`, domain.ErrMalformed, "/a/- nul"},
		{"33 objects", object(33), domain.ErrMalformed, " too-deep"},
		{"32 objects and a list", strings.Repeat(`{"a":`, 32) + `[]` + strings.Repeat(`}`, 32), domain.ErrMalformed, " too-deep"},
		{"a hundred thousand lists", `{"a":` + strings.Repeat(`[`, 100_000), domain.ErrMalformed, " not-json"},
		{"more than 1 MiB", full + " ", domain.ErrMalformed, " too-large"},
		{"1 MiB whose one spelling is larger", `{"a":"` + strings.Repeat("\u2028", (domain.MaxDocument-8)/3) + `"}`, domain.ErrInvalid, " too-large"},
		{"a list", `[{}]`, domain.ErrInvalid, " not-an-object"},
		{"null", `null`, domain.ErrInvalid, " not-an-object"},
		{"a text", `"a"`, domain.ErrInvalid, " not-an-object"},
		{"a number", `1`, domain.ErrInvalid, " not-an-object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := domain.ParseDocument([]byte(c.text))
			blames(t, err, c.want, c.place)
			if d != (domain.Document{}) {
				t.Errorf("a document came with the error: %.100s", d.Text())
			}
		})
	}
}

// Appendix A of RFC 7396, as far as target and patch are objects.
func TestAMergePatchDoesWhatRFC7396Shows(t *testing.T) {
	for _, c := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},

		// Section 3.
		{
			`{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}`,
			`{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}`,
			`{"author":{"givenName":"John"},"content":"This will be unchanged","phoneNumber":"+01-123-456-7890","tags":["example"],"title":"Hello!"}`,
		},

		// Beyond the appendix.
		{`{"a":1}`, `{}`, `{"a":1}`},
		{`{"a":1.50}`, `{"b":2.0}`, `{"a":1.50,"b":2.0}`},
		{`{"a":1}`, `{"a":{"b":null,"c":1}}`, `{"a":{"c":1}}`},
		{`{"a":[1,2]}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{`{"a":{"b":1}}`, `{"a":{}}`, `{"a":{"b":1}}`},
		{`{"a":1}`, `{"a":[null,{"b":null}]}`, `{"a":[null,{"b":null}]}`},
		{`{"a":{"b":{"c":1,"d":2}}}`, `{"a":{"b":{"c":null}}}`, `{"a":{"b":{"d":2}}}`},
	} {
		target := document(t, c.target)
		got, err := target.Merge(document(t, c.patch))
		if err != nil || got.Text() != c.want {
			t.Errorf("%s and %s give %s (%v), want %s", c.target, c.patch, got.Text(), err, c.want)
		}
		if target != document(t, c.target) {
			t.Errorf("the target became %s", target.Text())
		}
	}
}

func TestAMergeThatWouldGrowTooLargeIsRefused(t *testing.T) {
	half := strings.Repeat("x", domain.MaxDocument/2)
	a, b := document(t, `{"a":"`+half+`"}`), document(t, `{"b":"`+half+`"}`)
	d, err := a.Merge(b)
	blames(t, err, domain.ErrInvalid, " too-large")
	if d != (domain.Document{}) {
		t.Error("a document came with the error")
	}
	if d, err = a.Merge(document(t, `{"a":"`+half+`"}`)); err != nil || d != a {
		t.Errorf("the same once more is refused: %v", err)
	}
}

func TestOnlyATreeThatIsAnObjectIsADocument(t *testing.T) {
	for _, v := range []any{nil, true, "a", json.Number("1"), []any{}} {
		_, err := domain.DocumentOf(v)
		blames(t, err, domain.ErrInvalid, " not-an-object")
	}
}

func FuzzParseDocument(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"b":[1.50,-0,1e2,{"a":null}],"a":"\ud83e\udd8a\u2028<"}`, `{"a":"\ud800"}`, `{"a":"\\ud800\u0000"}`, `{"a":1,"a":2}`,
		`{"a":[1,]}`, `{"a":1e1001}`, "{\"\xFF\":1}", `{} {}`, strings.Repeat(`{"a":`, 33), `[1 2]`, `{"a" 1}`,
	} {
		f.Add([]byte(s), []byte(`{"a":{"b":null}}`))
	}
	f.Fuzz(func(t *testing.T, text, patch []byte) {
		d, err := domain.ParseDocument(text)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is no JSON, and is taken for %s", text, d.Text())
		}
		if again, err := domain.ParseDocument([]byte(d.Text())); err != nil || again != d {
			t.Fatalf("%q is %s, and that is %s (%v)", text, d.Text(), again.Text(), err)
		}
		if copied, err := domain.DocumentOf(d.Tree()); err != nil || copied != d {
			t.Fatalf("the tree of %s is that of %s (%v)", d.Text(), copied.Text(), err)
		}
		p, err := domain.ParseDocument(patch)
		if err != nil {
			return
		}
		once, err := d.Merge(p)
		if err != nil {
			return
		}
		if again, err := domain.ParseDocument([]byte(once.Text())); err != nil || again != once {
			t.Fatalf("%s patched with %s is %s, which is no document: %v", d.Text(), p.Text(), once.Text(), err)
		}
		if twice, err := once.Merge(p); err != nil || twice != once {
			t.Fatalf("%s patched with %s is %s, and patched again %s (%v)", d.Text(), p.Text(), once.Text(), twice.Text(), err)
		}
	})
}
