package domain_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

// found returns the words by which data is found in some fields.
func found(t testing.TB, data string, fields ...string) []string {
	t.Helper()
	return domain.Collection{Search: fields}.Entries(domain.Record{Data: document(t, data)}, noon).Words
}

func TestTheWordsOfARecord(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       []string
	}{
		{"words are sorted, each once", `{"a":"the ship, The SHIP; a ship"}`, []string{"a", "ship", "the"}},
		{"case is folded", `{"a":"GROSSE Straße ΣΊΣΥΦΟΣ"}`, []string{"grosse", "strasse", "σίσυφοσ"}},
		{"letters of other widths are the same", `{"a":"ＨＭＳ ﬁn Ⅷ ²"}`, []string{"2", "fin", "hms", "viii"}},
		{"marks belong to the word", `{"a":"e\u0301te\u0301 été"}`, []string{"été"}},
		{"marks that combine with nothing, too", `{"a":"हिन्दी"}`, []string{"हिन्दी"}},
		{"digits belong to the word", `{"a":"HMS-1831 No.7 x2"}`, []string{"1831", "7", "hms", "no", "x2"}},
		{"all else is between words", `{"a":"a_b\tc\nd'e🦊f–g"}`, []string{"a", "b", "c", "d", "e", "f", "g"}},
		{"texts in lists", `{"a":["one two", 3, "three", ["four"], {"x":"five"}, null]}`, []string{"one", "three", "two"}},
		{"a member of a member", `{"b":{"c":"deep"},"a":"x"}`, []string{"deep", "x"}},
		{"other kinds have no words", `{"a":7,"b":{"c":true}}`, nil},
		{"what is not there has none", `{}`, nil},
		{"nor has what is not searched", `{"d":"secret"}`, nil},
		{"a text of no words", `{"a":"… — !"}`, nil},
		{"a sharp s that stands alone", `{"a":"ẞ"}`, []string{"ss"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := found(t, c.data, "a", "b.c"); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := found(t, `{"a":"x"}`); got != nil {
		t.Errorf("without a search it has %q", got)
	}
}

func TestAWordIsKnownByItsBeginning(t *testing.T) {
	for _, c := range []struct{ name, word, want string }{
		{"64 bytes", strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{"65 bytes", strings.Repeat("a", 64) + "b", strings.Repeat("a", 64)},
		{"a letter of two bytes that ends with the 64th", strings.Repeat("é", 40), strings.Repeat("é", 32)},
		{"a letter of two bytes that would be cut", "a" + strings.Repeat("é", 40), "a" + strings.Repeat("é", 31)},
		{"a letter of four bytes that would be cut", "abc" + strings.Repeat("𐐨", 20), "abc" + strings.Repeat("𐐨", 15)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := found(t, `{"a":"`+c.word+`"}`, "a"); !slices.Equal(got, []string{c.want}) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got, err := domain.ParseSearch(c.word); err != nil || !slices.Equal(got, []string{c.want}) {
				t.Errorf("it is searched as %q (%v)", got, err)
			}
		})
	}
}

func TestARecordHasSoManyWordsAtMost(t *testing.T) {
	var b strings.Builder
	for n := range domain.MaxWords + 5 {
		fmt.Fprintf(&b, "w%d w0 ", n)
	}
	got := found(t, `{"a":"`+b.String()+`","b":"late"}`, "a", "b")
	if len(got) != domain.MaxWords || slices.Contains(got, "late") || !slices.Contains(got, "w999") || slices.Contains(got, "w1000") {
		t.Errorf("it has %d words", len(got))
	}
}

func TestWhatIsSearchedFor(t *testing.T) {
	ten := "a b c d e f g h i j"
	for _, c := range []struct {
		name, text string
		want       []string // nil: it is refused
	}{
		{"one word", "Beagle", []string{"beagle"}},
		{"words in their order", "the Ship", []string{"the", "ship"}},
		{"a word twice", "ship ship", []string{"ship", "ship"}},
		{"signs between words", "ship's-boy?", []string{"ship", "s", "boy"}},
		{"ten words", ten, strings.Fields(ten)},
		{"eleven words", ten + " k", nil},
		{"200 bytes", strings.Repeat("a", 199) + " ", []string{strings.Repeat("a", 64)}},
		{"201 bytes", strings.Repeat("a", 200) + " ", nil},
		{"nothing", "", nil},
		{"no word", " ?! ", nil},
		{"bytes that are no text", "\xff\xfe", nil},
		{"a word between them", "\xffa\xfe", []string{"a"}},
		{"what a query language would obey", `"a" OR b* NOT (c:d)`, []string{"a", "or", "b", "not", "c", "d"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := domain.ParseSearch(c.text)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.want == nil {
				blames(t, err, domain.ErrInvalidSearch)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// checkSearch holds what is searched for against a record that has just that text.
func checkSearch(t rapid.TB, text string) {
	t.Helper()
	words, err := domain.ParseSearch(text)
	if err != nil {
		return
	}
	if len(words) == 0 || len(words) > domain.MaxSearchWords {
		t.Fatalf("%q are %d words", text, len(words))
	}
	for _, w := range words {
		if w == "" || len(w) > domain.MaxWord || !utf8.ValidString(w) || strings.ContainsAny(w, " \x00\"'*:()") {
			t.Fatalf("%q holds the word %q", text, w)
		}
	}
	if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
		return
	}
	quoted, _ := json.Marshal(map[string]string{"a": text})
	d, err := domain.ParseDocument(quoted)
	if err != nil {
		t.Fatal(err)
	}
	has := domain.Collection{Search: []string{"a"}}.Entries(domain.Record{Data: d}, noon).Words
	for _, w := range words {
		if !slices.Contains(has, w) {
			t.Fatalf("a record of %q is found by %q, and not by %q", text, has, w)
		}
	}
	if !slices.IsSorted(has) || len(slices.Compact(slices.Clone(has))) != len(has) {
		t.Fatalf("the words %q are not sorted, each once", has)
	}
}

func TestATextIsFoundByItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkSearch(t, rapid.StringN(0, 60, 250).Draw(t, "text")) })
}

func FuzzParseSearch(f *testing.F) {
	for _, seed := range []string{"Beagle", "ＨＭＳ été", "a\u0345\u0301", "ŉ ǰ ΐ", "\xffa", strings.Repeat("ﷺ", 60)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkSearch(t, text) })
}

func TestWhatACollectionMaySearch(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		blamed string
	}{
		{"nothing", nil, ""},
		{"a member of a member", []string{"a.b"}, ""},
		{"eight fields", strings.Split("abcdefgh", ""), ""},
		{"nine fields", strings.Split("abcdefghi", ""), "/search too-many"},
		{"a field twice", []string{"a", "b", "a"}, "/search/2 invalid-field"},
		{"a field without a name", []string{"a", ""}, "/search/1 invalid-field"},
		{"a column", []string{"owner"}, "/search/0 invalid-field"},
		{"a field that descends", []string{"-a"}, "/search/0 invalid-field"},
		{"two fields in one", []string{"a,b"}, "/search/0 invalid-field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := domain.Collection{Search: c.fields}.Check()
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
