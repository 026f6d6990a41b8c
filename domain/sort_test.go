package domain_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

func TestAnOrderIsRead(t *testing.T) {
	up := func(field string) domain.SortKey { return domain.SortKey{Field: field} }
	down := func(field string) domain.SortKey { return domain.SortKey{Field: field, Descending: true} }
	for _, c := range []struct {
		name, text string
		want       domain.Sort
	}{
		{"no order is that of ids", "", nil},
		{"one field", "length", domain.Sort{up("length")}},
		{"one field that descends", "-length", domain.Sort{down("length")}},
		{"two fields", "-length,model", domain.Sort{down("length"), up("model")}},
		{"four fields", "a,-b,c,-d", domain.Sort{up("a"), down("b"), up("c"), down("d")}},
		{"the columns", "id,owner,created_at,-updated_at", domain.Sort{up("id"), up("owner"), up("created_at"), down("updated_at")}},
		{"a member of a member", "address.town", domain.Sort{up("address.town")}},
		{"a hyphen within a name", "a-b,-c-d", domain.Sort{up("a-b"), down("c-d")}},
		{"a name that begins with a digit or an underscore", "1a,_b", domain.Sort{up("1a"), up("_b")}},
		{"a field of 64 bytes", "-" + strings.Repeat("a", 64), domain.Sort{down(strings.Repeat("a", 64))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := domain.ParseSort(c.text)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %v, %v", got, err)
			}
			if got.String() != c.text {
				t.Errorf("it is written %q", got.String())
			}
		})
	}
}

func TestAnOrderThatIsNone(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"five fields", "a,b,c,d,e", " too-many"},
		{"no field", ",", " invalid-field"},
		{"a comma behind", "a,", " invalid-field"},
		{"a hyphen alone", "-", " invalid-field"},
		{"two hyphens", "--a", " invalid-field"},
		{"a plus", "+a", " invalid-field"},
		{"a space", "a, b", " invalid-field"},
		{"a field twice", "a,b,a", " invalid-field"},
		{"a field in both directions", "a,-a", " invalid-field"},
		{"a field of 65 bytes", strings.Repeat("a", 65), " invalid-field"},
		{"a path with an empty name", "a..b", " invalid-field"},
		{"a path that begins with a dot", ".a", " invalid-field"},
		{"a path that ends with a dot", "a.", " invalid-field"},
		{"other letters", "größe", " invalid-field"},
		{"a quotation mark within", `a"b`, " invalid-field"},
		{"NUL", "a\x00", " invalid-field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := domain.ParseSort(c.text)
			blames(t, err, domain.ErrInvalidSort, c.want)
			if got != nil {
				t.Errorf("it came with %v", got)
			}
		})
	}
}

func TestWhatAFieldOfAnOrderStandsFor(t *testing.T) {
	r := specimen(t)
	for _, c := range []struct {
		field string
		is    domain.Predicate
	}{
		{"id", eq(domain.ColumnID, lit(string(r.ID)))},
		{"owner", eq(domain.ColumnOwner, lit("ada"))},
		{"created_at", eq(domain.ColumnCreated, lit(r.Created))},
		{"updated_at", eq(domain.ColumnChanged, lit(r.Changed))},
		{"number", eq(at("number"), lit(7.0))},
		{"a.b", eq(at("a", "b"), lit(2.0))},
	} {
		compare := c.is.(domain.Compare)
		compare.Left = domain.SortKey{Field: c.field}.Term()
		if !domain.Holds(compare, r) || !domain.Holds(c.is, r) {
			t.Errorf("%s stands for another term: %#v", c.field, compare.Left)
		}
	}
}

// orders draws orders of up to so many of the fields.
func orders(names []string, least, most int) *rapid.Generator[domain.Sort] {
	return rapid.Custom(func(t *rapid.T) domain.Sort {
		var s domain.Sort
		for _, name := range rapid.Permutation(names).Draw(t, "fields")[:rapid.IntRange(least, most).Draw(t, "how many")] {
			s = append(s, domain.SortKey{Field: name, Descending: rapid.Bool().Draw(t, "descends")})
		}
		return s
	})
}

func TestAnOrderThatIsWrittenIsReadAgain(t *testing.T) {
	names := append([]string{"x-1", "_", "A.B.C", strings.Repeat("z", 64)}, fields...)
	rapid.Check(t, func(t *rapid.T) {
		s := orders(names, 0, domain.MaxSortKeys).Draw(t, "order")
		if got, err := domain.ParseSort(s.String()); err != nil || !slices.Equal(got, s) {
			t.Fatalf("%q is read as %v (%v)", s.String(), got, err)
		}
	})
}

func FuzzParseSort(f *testing.F) {
	for _, seed := range []string{"", "-length,model", "a.b,-c-d", "--a", "a,,b", "id,-id"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := domain.ParseSort(text)
		if err != nil {
			if s != nil {
				t.Errorf("%v came with the error", s)
			}
			return
		}
		if s.String() != text || len(s) > domain.MaxSortKeys {
			t.Errorf("%q is written %q", text, s.String())
		}
		declared := domain.Collection{Indexes: []domain.Index{{Sort: s}}}
		r := domain.Record{Data: domain.RestoreDocument(`{"a":1}`)}
		if keys := declared.Entries(r, noon).Index; len(keys) != 1 || keys[0].Index != text {
			t.Errorf("%q has the keys %v", text, keys)
		}
	})
}
