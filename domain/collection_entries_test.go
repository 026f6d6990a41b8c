package domain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/domain"
)

// sorts reads orders.
func sorts(t testing.TB, texts ...string) (list []domain.Index) {
	t.Helper()
	for _, text := range texts {
		s, err := domain.ParseSort(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, domain.Index{Sort: s})
	}
	return list
}

// beside compares collections as they are written.
var beside = cmp.Comparer(func(a, b domain.Document) bool { return a.Text() == b.Text() })

func TestWhatIsKeptOfARecord(t *testing.T) {
	r := specimen(t)
	var bare domain.Collection
	if diff := cmp.Diff(domain.Entries{}, bare.Entries(r, noon)); diff != "" {
		t.Errorf("of a collection that declares nothing: %s", diff)
	}
	c := domain.Collection{
		Unique: []domain.Unique{{Field: "text"}}, Indexes: sorts(t, "number", "-text,zero"), Search: []string{"wide"}, Watch: true,
	}
	c.Indexes[1].Building = true
	e := c.Entries(r, noon.Add(time.Minute))
	if !slices.Equal(e.Unique, c.Keys(r)) || len(e.Unique) != 1 {
		t.Errorf("its unique keys are %v", e.Unique)
	}
	if len(e.Index) != 2 || e.Index[0].Index != "number" || e.Index[1].Index != "-text,zero" {
		t.Errorf("its index keys, of those that are built and those that are not, are %v", e.Index)
	}
	if !slices.Equal(e.Words, []string{"naïve"}) {
		t.Errorf("its words are %q", e.Words)
	}
	if !e.Event.Equal(noon.Add(time.Minute)) {
		t.Errorf("it is told with the time %v", e.Event)
	}
}

func TestACollectionDeclaresTheSame(t *testing.T) {
	declared := func() domain.Collection {
		return domain.Collection{
			Name: "ships", Schema: document(t, `{"type":"object"}`), Rules: domain.Rules{List: "a", Read: "b", Create: "c", Update: "d", Delete: "e"},
			Unique: []domain.Unique{{Field: "name"}}, Indexes: sorts(t, "length", "-model"), Search: []string{"name"}, Watch: true, Revision: 3, Created: noon,
		}
	}
	c := declared()
	for _, x := range []struct {
		name string
		edit func(*domain.Collection)
		same bool
	}{
		{"nothing else", func(*domain.Collection) {}, true},
		{"at another revision", func(c *domain.Collection) { c.Revision = 9 }, true},
		{"at another time", func(c *domain.Collection) { c.Created, c.Changed = noon.Add(1), noon.Add(2) }, true},
		{"while it is built", func(c *domain.Collection) { c.Indexes[0].Building, c.SearchBuilding = true, true }, true},
		{"another schema", func(c *domain.Collection) { c.Schema = document(t, `{}`) }, false},
		{"another rule", func(c *domain.Collection) { c.Rules.Delete = "f" }, false},
		{"no unique field", func(c *domain.Collection) { c.Unique = nil }, false},
		{"a field that is unique in what one owns", func(c *domain.Collection) { c.Unique[0].PerOwner = true }, false},
		{"an index less", func(c *domain.Collection) { c.Indexes = c.Indexes[:1] }, false},
		{"an index the other way round", func(c *domain.Collection) { c.Indexes[1].Sort[0].Descending = false }, false},
		{"another search", func(c *domain.Collection) { c.Search = []string{"model"} }, false},
		{"no watching", func(c *domain.Collection) { c.Watch = false }, false},
		{"from a file", func(c *domain.Collection) { c.Managed = true }, false},
	} {
		d := declared()
		x.edit(&d)
		if c.Declares(d) != x.same || d.Declares(c) != x.same {
			t.Errorf("%s: it declares the same: %t", x.name, !x.same)
		}
	}
	if a, b := (domain.Collection{}), (domain.Collection{Schema: document(t, `{}`), Indexes: []domain.Index{}, Search: []string{}}); !a.Declares(b) {
		t.Error("nothing is declared in another way")
	}
}

func TestWhatTakesTheirPlaceIsToBeBuilt(t *testing.T) {
	old := domain.Collection{Name: "ships", Indexes: sorts(t, "built", "fresh"), Search: []string{"name"}, Revision: 7, Created: noon}
	old.Indexes[1].Building = true
	searching := old
	searching.SearchBuilding = true
	for _, x := range []struct {
		name    string
		old     domain.Collection
		indexes string // what is building in "built", "fresh", "-built" and "new"
		search  []string
		records bool
		found   bool // whether the search is building
	}{
		{"with records", old, "-+++", []string{"name"}, true, false},
		{"without records", old, "-+--", []string{"name"}, false, false},
		{"a new search with records", old, "-+++", []string{"name", "model"}, true, true},
		{"a new search without records", old, "-+--", []string{"model"}, false, false},
		{"the same search, which is being built", searching, "-+++", []string{"name"}, true, true},
		{"no search any more", searching, "-+++", nil, true, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := domain.Collection{Name: "ships", Indexes: sorts(t, "built", "fresh", "-built", "new"), Search: x.search, Revision: 99, Changed: noon.Add(time.Hour)}
			next := c.Succeeding(x.old, x.records)
			got := ""
			for _, i := range next.Indexes {
				got += map[bool]string{true: "+", false: "-"}[i.Building]
			}
			if got != x.indexes || next.SearchBuilding != x.found {
				t.Errorf("building are %s, want %s; the search: %t, want %t", got, x.indexes, next.SearchBuilding, x.found)
			}
			if next.Revision != 7 || !next.Created.Equal(noon) || !next.Changed.Equal(noon.Add(time.Hour)) {
				t.Errorf("it is %+v", next)
			}
			if slices.ContainsFunc(c.Indexes, func(i domain.Index) bool { return i.Building }) {
				t.Error("what was declared has changed")
			}
			if next.Built() != (got == "----" && !x.found) {
				t.Errorf("it is built: %t", next.Built())
			}
			finished := next.Finished()
			if !finished.Built() || !finished.Declares(next) {
				t.Errorf("finished it is %+v", finished)
			}
			want := next
			want.Indexes, want.SearchBuilding = sorts(t, "built", "fresh", "-built", "new"), false
			if diff := cmp.Diff(want, finished, beside); diff != "" {
				t.Error(diff)
			}
			if got != "----" && next.Built() {
				t.Error("to finish it has changed what was being built")
			}
		})
	}
	if next := (domain.Collection{Indexes: sorts(t, "a"), Search: []string{"b"}}).Succeeding(domain.Collection{}, false); !next.Built() {
		t.Error("a collection that is new has something to build")
	}
}

func TestTheRuleForAVerb(t *testing.T) {
	rules := domain.Rules{List: "a", Read: "b", Create: "c", Update: "d", Delete: "e"}
	got := ""
	for _, v := range domain.Verbs() {
		got += rules.Of(v)
	}
	if got != "abcde" || rules.Of("dance") != "" {
		t.Errorf("they are %q, and another verb has %q", got, rules.Of("dance"))
	}
}
