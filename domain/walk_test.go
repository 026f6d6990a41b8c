package domain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

var (
	fields = []string{"a", "b", "c.d", "owner", "created_at", "updated_at", "id"}
	owners = []domain.AccountID{"", "ada", "bob"}
	long   = strings.Repeat("x", domain.MaxKeyText)
)

// literals draws values of all kinds, few enough to meet again.
func literals() *rapid.Generator[any] {
	return rapid.SampledFrom([]any{
		nil, true, false, -1.0, 0.0, 1.0, 1.5, 1e300, "", "ada", "bob", "x", "x\x01", "🦊", long, long + "a", long + "b",
		noon, noon.Add(time.Hour), noon.Add(-time.Hour),
	})
}

// sketches draws records whose fields have such values, or none, or lists and
// objects.
func sketches() *rapid.Generator[domain.Record] {
	member := rapid.Custom(func(t *rapid.T) any {
		if v := literals().Draw(t, "value"); rapid.IntRange(0, 9).Draw(t, "plain") > 0 {
			if moment, ok := v.(time.Time); ok {
				return moment.Format(time.RFC3339Nano)
			}
			return v
		}
		return rapid.SampledFrom([]any{[]any{1.0, "x"}, map[string]any{"d": 1.0}, json.Number("1e400"), json.Number("1e-400"), json.Number("-0")}).Draw(t, "odd")
	})
	return rapid.Custom(func(t *rapid.T) domain.Record {
		data := make(map[string]any)
		for _, name := range []string{"a", "b"} {
			if rapid.IntRange(0, 5).Draw(t, "there") > 0 {
				data[name] = member.Draw(t, name)
			}
		}
		if rapid.Bool().Draw(t, "c is there") {
			data["c"] = map[string]any{"d": member.Draw(t, "d")}
		}
		d, err := domain.DocumentOf(data)
		if err != nil {
			t.Fatal(err)
		}
		when := func(name string) time.Time {
			return noon.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, name)) * time.Hour)
		}
		return domain.Record{
			ID: domain.RecordID(fmt.Sprintf("%036d", rapid.IntRange(0, 9999).Draw(t, "id"))), Owner: rapid.SampledFrom(owners).Draw(t, "owner"), Data: d,
			Created: when("created"), Changed: when("changed"),
		}
	})
}

// fixedBy returns the fields that a condition fixes: those of which one of its
// conjuncts says that they equal a value, and not null.
func fixedBy(p domain.Predicate) map[string]bool {
	fixed := make(map[string]bool)
	for _, part := range domain.Conjuncts(p) {
		for _, field := range fields {
			term := fmt.Sprintf("%#v", domain.SortKey{Field: field}.Term())
			switch part := part.(type) {
			case domain.OwnedBy:
				fixed["owner"] = true
			case domain.Is:
				if fmt.Sprintf("%#v", part.Term) == term {
					fixed[field] = true
				}
			case domain.Compare:
				left, right := fmt.Sprintf("%#v", part.Left), fmt.Sprintf("%#v", part.Right)
				null := fmt.Sprintf("%#v", lit(nil))
				if part.Op == domain.Equal && (left == term || right == term) && left != null && right != null {
					fixed[field] = true
				}
			}
		}
	}
	return fixed
}

// without returns an order without some fields.
func without(s domain.Sort, fixed map[string]bool) domain.Sort {
	return slices.DeleteFunc(slices.Clone(s), func(k domain.SortKey) bool { return fixed[k.Field] })
}

// servable reports whether there is a walk in the order: the ids' and the times' are
// there always, others where an index that is built has them.
func servable(c domain.Collection, where domain.Predicate, order domain.Sort) bool {
	if len(order) == 0 || len(order) == 1 && slices.Contains([]string{"id", "created_at", "updated_at"}, order[0].Field) {
		return true
	}
	fixed := fixedBy(where)
	wanted := without(order, fixed)
	for _, x := range c.Indexes {
		free := without(x.Sort, fixed)
		if x.Building || len(wanted) > len(free) || len(free) > 0 && free[0].Field == "owner" {
			continue
		}
		reversed := slices.Clone(wanted)
		for i := range reversed {
			reversed[i].Descending = !wanted[i].Descending
		}
		if head := free[:len(wanted)]; slices.Equal(head, wanted) || slices.Equal(head, reversed) {
			return true
		}
	}
	return false
}

// indexed draws collections with indexes of all sorts.
func indexed() *rapid.Generator[domain.Collection] {
	return rapid.Custom(func(t *rapid.T) domain.Collection {
		var c domain.Collection
		for range rapid.IntRange(0, 5).Draw(t, "indexes") {
			s := orders([]string{"a", "b", "c.d", "created_at", "updated_at"}, 1, 3).Draw(t, "index")
			if rapid.IntRange(0, 2).Draw(t, "by owner") == 0 {
				s = append(domain.Sort{{Field: "owner", Descending: rapid.Bool().Draw(t, "descends")}}, s...)
			}
			c.Indexes = append(c.Indexes, domain.Index{Sort: s, Building: rapid.IntRange(0, 4).Draw(t, "building") == 0})
			if c.Check() != nil { // an order twice
				c.Indexes = c.Indexes[:len(c.Indexes)-1]
			}
		}
		return c
	})
}

// walked returns the records of a walk, in its order.
func walked(c domain.Collection, w domain.Walk, records []domain.Record) []domain.Record {
	passed := slices.DeleteFunc(slices.Clone(records), func(r domain.Record) bool {
		key := c.PlaceOf(w, r).Key
		return w.Owner != "" && r.Owner != w.Owner || w.Order == domain.ByIndex && (key < w.Low || w.High != "" && key >= w.High)
	})
	slices.SortFunc(passed, func(a, b domain.Record) int {
		if w.Backward {
			a, b = b, a
		}
		return c.PlaceOf(w, a).Compare(c.PlaceOf(w, b))
	})
	return passed
}

// THE LAW of walks: what is on the walk and for which the condition holds is all for
// which it holds, in the order that was asked for.
func TestAWalkLeavesOutNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := indexed().Draw(t, "collection")
		where := conditions().Draw(t, "where")
		order := orders(fields, 0, 3).Draw(t, "order")
		if len(c.Indexes) > 0 && rapid.Bool().Draw(t, "as an index has it") {
			order = rapid.SampledFrom(c.Indexes).Draw(t, "index").Sort
			order = order[:rapid.IntRange(1, len(order)).Draw(t, "fields of it")]
		}
		w, err := c.PlanWalk(where, order)
		if err != nil {
			if !errors.Is(err, domain.ErrNotSorted) || servable(c, where, order) {
				t.Fatalf("%v for %s by %v", err, order, c.Indexes)
			}
			return
		}
		if !servable(c, where, order) {
			t.Fatalf("%+v serves %s", w, order)
		}
		records := rapid.SliceOfN(sketches(), 0, 20).Draw(t, "records")
		var got []domain.Record
		for _, r := range walked(c, w, records) {
			if domain.Holds(where, r) {
				got = append(got, r)
			}
		}
		var want []domain.Record
		for _, r := range records {
			if domain.Holds(where, r) {
				want = append(want, r)
			}
		}
		byText := func(a, b domain.Record) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
		if !slices.Equal(slices.SortedFunc(slices.Values(got), byText), slices.SortedFunc(slices.Values(want), byText)) {
			t.Fatalf("%#v finds %v, want %v, for %#v by %s", w, got, want, where, order)
		}
		for i := 1; i < len(got); i++ {
			if compareBy(order, got[i-1], got[i]) > 0 {
				t.Fatalf("%#v has %v before %v, by %s", w, got[i-1], got[i], order)
			}
		}
		if len(order) == 0 && !slices.IsSortedFunc(got, func(a, b domain.Record) int { return strings.Compare(string(a.ID), string(b.ID)) }) {
			t.Fatalf("%#v is not in the order of ids", w)
		}
	})
}

func TestTheWalkThatIsChosen(t *testing.T) {
	c := domain.Collection{}
	for _, text := range []string{"length", "model,-length", "owner,length", "owner", "a,b,c", "-fresh", "created_at,kind"} {
		s, err := domain.ParseSort(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Indexes = append(c.Indexes, domain.Index{Sort: s, Building: text == "-fresh"})
	}
	mine := domain.OwnedBy{Account: "ada"}
	model := eq(at("model"), lit("Fram"))
	for _, x := range []struct {
		name  string
		where domain.Predicate
		order string
		want  string // "index", "index backward", "id", "none", and so on
	}{
		{"nothing is asked", all, "", "id"},
		{"nothing can be found", nothing, "", "id"},
		{"no condition is given", nil, "", "id"},
		{"by id, descending", all, "-id", "id backward"},
		{"by time", all, "created_at", "created"},
		{"by time, descending", all, "-updated_at", "changed backward"},
		{"by an index", all, "length", "length"},
		{"by an index, backward", all, "-length", "length backward"},
		{"by both fields of an index", all, "model,-length", "model,-length"},
		{"by both fields of an index, backward", all, "-model,length", "model,-length backward"},
		{"by one field of two", all, "-model", "model,-length backward"},
		{"by both fields in directions that it has not", all, "model,length", "none"},
		{"by the second field alone", all, "c", "none"},
		{"by no index", all, "crew", "none"},
		{"by an index that is being built", all, "fresh", "none"},
		{"where a field is fixed, in no order", eq(at("length"), lit(7.0)), "", "length"},
		{"where a field is fixed on the other side", eq(lit(7.0), at("length")), "", "length"},
		{"where the field of a compound index is fixed, in no order", model, "", "id"},
		{"where a field is fixed, by the next", model, "length", "model,-length backward"},
		{"where a field is fixed, by it and the next", model, "model,-length", "model,-length"},
		{"where a field is fixed and in the order twice over", model, "-length,model", "model,-length"},
		{"where both fields are fixed", domain.All{model, eq(at("length"), lit(7.0))}, "", "model,-length"},
		{"where a field is fixed by a disjunction", domain.Any{model, model}, "", "id"},
		{"where a field is fixed by its opposite", not(not(eq(at("length"), lit(7.0)))), "", "id"},
		{"where a field is null", eq(at("length"), lit(nil)), "", "id"},
		{"where a boolean is true", domain.Is{Term: at("length")}, "", "length"},
		{"where a field is like another", eq(at("length"), at("crew")), "", "id"},
		{"where the first two are fixed, by the third", domain.All{eq(at("a"), lit(1.0)), eq(at("b"), lit(1.0))}, "-c", "a,b,c backward"},
		{"where the second is fixed, by all three", eq(at("b"), lit(1.0)), "a,b,c", "a,b,c"},
		{"where the second is fixed, by the others", eq(at("b"), lit(1.0)), "-a,-c", "a,b,c backward"},
		{"what one owns", mine, "", "owner"},
		{"what one owns, by time", mine, "-created_at", "created backward of ada"},
		{"what one owns, by an index", mine, "length", "owner,length"},
		{"what one owns, by an index, backward", mine, "-length", "owner,length backward"},
		{"what one owns, by an index that has no owner", mine, "model", "model,-length"},
		{"by owner, where none is fixed", all, "owner", "none"},
		{"by owner and length, where none is fixed", all, "owner,length", "none"},
		{"by owner, where it is a text", eq(domain.ColumnOwner, lit("ada")), "owner,length", "owner,length"},
		{"where the owner is null", eq(domain.ColumnOwner, lit(nil)), "owner", "none"},
		{"by two times", all, "created_at,updated_at", "none"},
	} {
		t.Run(x.name, func(t *testing.T) {
			order, err := domain.ParseSort(x.order)
			if err != nil {
				t.Fatal(err)
			}
			w, err := c.PlanWalk(x.where, order)
			got := map[domain.Order]string{domain.ByID: "id", domain.ByCreated: "created", domain.ByChanged: "changed", domain.ByIndex: w.Index}[w.Order]
			if w.Backward {
				got += " backward"
			}
			if w.Owner != "" {
				got += " of " + string(w.Owner)
			}
			if errors.Is(err, domain.ErrNotSorted) {
				got = "none"
			} else if err != nil {
				t.Fatal(err)
			}
			if got != x.want {
				t.Errorf("got %s, want %s", got, x.want)
			}
		})
	}
}

// A walk is as narrow as the condition allows: of a hundred records it passes those
// that are named, and few others.
func TestAWalkIsNarrow(t *testing.T) {
	length, err := domain.ParseSort("length")
	if err != nil {
		t.Fatal(err)
	}
	compound, err := domain.ParseSort("kind,-length")
	if err != nil {
		t.Fatal(err)
	}
	c := domain.Collection{Indexes: []domain.Index{{Sort: length}, {Sort: compound}}}
	var records []domain.Record
	for n := range 100 {
		records = append(records, domain.Record{
			ID: domain.RecordID(fmt.Sprint(n)), Data: document(t, fmt.Sprintf(`{"length":%d,"kind":"k%d"}`, n, n%2)),
		})
	}
	even := eq(at("kind"), lit("k0"))
	for _, x := range []struct {
		name  string
		where domain.Predicate
		order domain.Sort
		want  int
	}{
		{"all", all, length, 100},
		{"one", eq(at("length"), lit(7.0)), nil, 1},
		{"none", eq(at("length"), lit("7")), nil, 0},
		{"at most 10", atMost(at("length"), lit(10.0)), length, 11},
		{"less than 10", less(at("length"), lit(10.0)), length, 10},
		{"more than 90", less(lit(90.0), at("length")), length, 9},
		{"at least 90", atMost(lit(90.0), at("length")), length, 10},
		{"from 10 to 20", domain.All{atMost(lit(10.0), at("length")), less(at("length"), lit(20.0))}, length, 10},
		{"from 20 to 10", domain.All{less(lit(20.0), at("length")), less(at("length"), lit(10.0))}, length, 0},
		{"the even ones", even, compound[:1], 50},
		{"the even ones at most 10", domain.Both(even, atMost(at("length"), lit(10.0))), compound, 6},
		{"the even ones less than 10", domain.Both(even, less(at("length"), lit(10.0))), compound, 5},
		{"the even ones more than 90", domain.Both(even, less(lit(90.0), at("length"))), compound, 4},
		{"the even ones at least 90", domain.Both(even, atMost(lit(90.0), at("length"))), compound, 5},
	} {
		t.Run(x.name, func(t *testing.T) {
			w, err := c.PlanWalk(x.where, x.order)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(walked(c, w, records)); got != x.want {
				t.Errorf("it passes %d records, want %d: %+v", got, x.want, w)
			}
		})
	}
}

// A key holds the beginning of a text, so a limit as long as that has texts behind it
// with the same key.
func TestAWalkLeavesOutNoTextThatIsLongerThanItsKey(t *testing.T) {
	limit := strings.Repeat("x", domain.MaxKeyText)
	long := domain.Record{ID: "long", Data: document(t, `{"model":"`+limit+`y"}`)}
	for _, name := range []string{"model", "-model"} {
		order, err := domain.ParseSort(name)
		if err != nil {
			t.Fatal(err)
		}
		c := domain.Collection{Indexes: []domain.Index{{Sort: order}}}
		for _, where := range []domain.Predicate{less(lit(limit), at("model")), less(at("model"), lit(limit+"z"))} {
			w, err := c.PlanWalk(where, order)
			if err != nil {
				t.Fatal(err)
			}
			if !domain.Holds(where, long) || len(walked(c, w, []domain.Record{long})) != 1 {
				t.Errorf("by %s it is not passed: %+v", name, w)
			}
		}
	}
}

// Where all fields of an index are fixed, it is passed where they have these values and
// nowhere else.
func TestAWalkOfWhatIsFixedPassesNothingElse(t *testing.T) {
	names := []string{"a", "b"}
	rapid.Check(t, func(t *rapid.T) {
		s := orders(names, 1, 2).Draw(t, "order")
		c := domain.Collection{Indexes: []domain.Index{{Sort: s}}}
		records := rapid.SliceOfN(valued(names...), 1, 30).Draw(t, "records")
		model := records[0]
		var where domain.All
		for _, k := range s {
			switch at := standingIn(model, k.Field); at.kind {
			case 2, 3:
				where = append(where, eq(k.Term(), lit(at.kind == 3)))
			case 4:
				where = append(where, eq(lit(at.number), k.Term()))
			case 6:
				where = append(where, eq(k.Term(), lit(at.text)))
			default:
				return
			}
		}
		w, err := c.PlanWalk(where, nil)
		if err != nil || w.Index != s.String() {
			t.Fatalf("it walks by %+v (%v)", w, err)
		}
		for _, r := range records {
			if passed := len(walked(c, w, []domain.Record{r})) == 1; passed != (compareBy(s, model, r) == 0) {
				t.Fatalf("where it is like %s, %s is passed: %t", model.Data.Text(), r.Data.Text(), passed)
			}
		}
	})
}

func TestPlacesAreOrderedByKeyAndThenById(t *testing.T) {
	places := []domain.Place{{}, {ID: "1"}, {ID: "2"}, {Key: "a"}, {Key: "a", ID: "1"}, {Key: "a", ID: "2"}, {Key: "b", ID: "0"}}
	for i, a := range places {
		for n, b := range places {
			if got := a.Compare(b); got < 0 != (i < n) || got > 0 != (i > n) {
				t.Errorf("%v and %v compare as %d", a, b, got)
			}
		}
	}
}

func TestThePlaceOfARecordOnAWalk(t *testing.T) {
	s, err := domain.ParseSort("-number,text")
	if err != nil {
		t.Fatal(err)
	}
	c := domain.Collection{Indexes: []domain.Index{{Sort: s}}}
	r := specimen(t)
	for _, x := range []struct {
		name string
		walk domain.Walk
		want domain.Place
	}{
		{"by id", domain.Walk{}, domain.Place{ID: r.ID}},
		{"by id, backward", domain.Walk{Backward: true}, domain.Place{ID: r.ID}},
		{"by creation", domain.Walk{Order: domain.ByCreated}, domain.Place{Key: domain.TimeKey(r.Created), ID: r.ID}},
		{"by change", domain.Walk{Order: domain.ByChanged}, domain.Place{Key: domain.TimeKey(r.Changed), ID: r.ID}},
		{"by an index", domain.Walk{Order: domain.ByIndex, Index: "-number,text"}, domain.Place{Key: c.Entries(r, noon).Index[0].Key, ID: r.ID}},
		{"by an index that there is not", domain.Walk{Order: domain.ByIndex, Index: "number"}, domain.Place{ID: r.ID}},
	} {
		if got := c.PlaceOf(x.walk, r); got != x.want {
			t.Errorf("%s: got %q, want %q", x.name, got, x.want)
		}
	}
}
