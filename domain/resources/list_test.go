package resources_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// fleet declares ships with indexes and a search, and stores some.
func fleet(t testing.TB, rules domain.Rules) *world {
	t.Helper()
	w := newWorld()
	c := ships(rules)
	c.Indexes, c.Search = sorted(t, "length", "kind,-length", "owner,length", "created_at,name"), []string{"name", "kind"}
	w.declare(t, c)
	for _, s := range []struct {
		owner domain.Asker
		data  string
	}{
		{ada, `{"name":"Beagle","length":27,"kind":"brig"}`},
		{bob, `{"name":"Fram","length":39,"kind":"schooner"}`},
		{ada, `{"name":"Erebus","length":32,"kind":"bomb"}`},
		{stranger, `{"name":"Terror","length":31,"kind":"bomb"}`},
		{ada, `{"name":"Raft"}`},
	} {
		w.add(t, s.owner, s.data)
		w.clock.Advance(time.Minute)
	}
	return w
}

func TestAListIsFilteredSortedAndSearched(t *testing.T) {
	w := fleet(t, open)
	for _, c := range []struct {
		name, filter, sort, search string
		want                       string
	}{
		{"all of them", "", "", "", "Beagle Fram Erebus Terror Raft"},
		{"by length, with what has none first", "", "length", "", "Raft Beagle Terror Erebus Fram"},
		{"by length, backward", "", "-length", "", "Fram Erebus Terror Beagle Raft"},
		{"by two fields", "", "kind,-length", "", "Raft Erebus Terror Beagle Fram"},
		{"by time", "", "-created_at", "", "Raft Terror Erebus Fram Beagle"},
		{"by id, backward", "", "-id", "", "Raft Terror Erebus Fram Beagle"},
		{"by an order that no index has", "", "name", "", "not-sorted"},
		{"by two times", "", "created_at,updated_at", "", "not-sorted"},
		{"of one kind", `kind="bomb"`, "", "", "Erebus Terror"},
		{"of one kind, by length", `kind="bomb"`, "length", "", "Terror Erebus"},
		{"up to a length", "length<=31", "length", "", "Beagle Terror"},
		{"of one owner", "owner", "", "", "Beagle Erebus Raft"},
		{"of one owner, by length", "owner", "-length", "", "Erebus Beagle Raft"},
		{"of nobody", "nobody", "", "", ""},
		{"by what is no filter", "everybody", "", "", "invalid-filter filter"},
		{"with a word", "", "", "BOMB", "Erebus Terror"},
		{"with the beginning of a word", "", "", "b", "Beagle Erebus Terror"},
		{"with two words", "", "", "bomb ere", "Erebus"},
		{"with a word, by length", "", "length", "bomb", "Terror Erebus"},
		{"with a word, filtered", "owner", "", "bomb", "Erebus"},
		{"with a word that there is not", "", "", "steamer", ""},
		{"with no word at all", "", "", "?!", "invalid-search"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := resources.ListRequest{Filter: c.filter, Sort: sortOf(t, c.sort), Search: c.search}
			l, err := w.List(t.Context(), ada, "ships", r)
			got := names(l.Items)
			if err != nil {
				got = faults(err)
			}
			if got != c.want {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			if err != nil {
				return
			}
			r.Count = resources.ExactCount
			if l, err = w.List(t.Context(), ada, "ships", r); err != nil || *l.Count != (resources.Count{Value: len(l.Items), Exact: true}) {
				t.Errorf("they are counted as %+v (%v)", l.Count, err)
			}
			var joined []string
			for r.Limit = 1; ; {
				page, err := w.List(t.Context(), ada, "ships", r)
				ok(t, err)
				joined = append(joined, names(page.Items))
				if r.Cursor = page.Next; r.Cursor == "" {
					break
				}
				if page.Count.Value != l.Count.Value {
					t.Errorf("a page counts %+v", page.Count)
				}
			}
			if got := strings.Join(joined, " "); got != c.want {
				t.Errorf("pages of one join to %q", got)
			}
		})
	}
}

// Whatever is asked for, what the rule hides is neither found nor counted.
func TestAFilterFindsNothingThatTheRuleHides(t *testing.T) {
	rules := open
	rules.List = "owner"
	w := fleet(t, rules)
	for _, c := range []struct {
		name string
		r    resources.ListRequest
		want string
	}{
		{"all", resources.ListRequest{}, "Beagle Erebus Raft"},
		{"sorted", resources.ListRequest{Sort: sortOf(t, "-length")}, "Erebus Beagle Raft"},
		{"filtered", resources.ListRequest{Filter: `kind="bomb"`}, "Erebus"},
		{"filtered for what is hidden", resources.ListRequest{Filter: `name="Fram"`}, ""},
		{"searched", resources.ListRequest{Search: "bomb"}, "Erebus"},
	} {
		c.r.Count = resources.ExactCount
		l, err := w.List(t.Context(), ada, "ships", c.r)
		if err != nil || names(l.Items) != c.want || l.Count.Value != len(l.Items) {
			t.Errorf("%s: got %q of %+v, %v", c.name, names(l.Items), l.Count, err)
		}
		l, err = w.List(t.Context(), stranger, "ships", c.r)
		if is(t, err, domain.ErrUnauthenticated); l.Items != nil || l.Count != nil || l.Next != "" {
			t.Errorf("%s: a list came with the error: %+v", c.name, l)
		}
	}
}

func TestACursorBelongsToItsList(t *testing.T) {
	w := fleet(t, open)
	first := resources.ListRequest{Filter: "owner", Sort: sortOf(t, "length"), Search: "b"}
	first.Limit = 1
	l, err := w.List(t.Context(), ada, "ships", first)
	if ok(t, err); l.Next == "" {
		t.Fatal("there is no next page")
	}
	for _, c := range []struct {
		name string
		who  domain.Asker
		edit func(*resources.ListRequest)
		want string
	}{
		{"with the same parameters", ada, func(*resources.ListRequest) {}, "ok"},
		{"with another limit", ada, func(r *resources.ListRequest) { r.Limit = 7 }, "ok"},
		{"with a count", ada, func(r *resources.ListRequest) { r.Count = resources.EstimateCount }, "ok"},
		{"with another filter", ada, func(r *resources.ListRequest) { r.Filter = "account" }, "invalid-cursor"},
		{"without a filter", ada, func(r *resources.ListRequest) { r.Filter = "" }, "invalid-cursor"},
		{"in the reverse order", ada, func(r *resources.ListRequest) { r.Sort = sortOf(t, "-length") }, "invalid-cursor"},
		{"in no order", ada, func(r *resources.ListRequest) { r.Sort = nil }, "invalid-cursor"},
		{"with another search", ada, func(r *resources.ListRequest) { r.Search = "be" }, "invalid-cursor"},
		{"with a filter that is said in the search", ada, func(r *resources.ListRequest) { r.Filter, r.Search = "", "owner" }, "invalid-cursor"},
		{"cut short", ada, func(r *resources.ListRequest) { r.Cursor = r.Cursor[:10] }, "invalid-cursor"},
		{"with a letter more", ada, func(r *resources.ListRequest) { r.Cursor += "0" }, "invalid-cursor"},
	} {
		r := first
		r.Cursor = l.Next
		c.edit(&r)
		if _, err := w.List(t.Context(), c.who, "ships", r); outcome(err) != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// What a filter says may hang on the time, and the list goes on all the same.
func TestACursorOutlivesTheMoment(t *testing.T) {
	w := fleet(t, open)
	r := resources.ListRequest{Filter: "recent", Sort: sortOf(t, "created_at,name")}
	r.Limit = 2
	var joined []string
	for {
		l, err := w.List(t.Context(), ada, "ships", r)
		ok(t, err)
		joined = append(joined, names(l.Items))
		if r.Cursor = l.Next; r.Cursor == "" {
			break
		}
		w.clock.Advance(time.Second)
	}
	if got := strings.Join(joined, " "); got != "Beagle Fram Erebus Terror Raft" {
		t.Errorf("got %q", got)
	}
}

func TestACountSaysWhatItKnows(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	for range 1000 {
		w.add(t, ada, `{"name":"Fram"}`)
	}
	count := func(how resources.Counting) *resources.Count {
		l, err := w.List(t.Context(), ada, "ships", resources.ListRequest{Count: how})
		ok(t, err)
		return l.Count
	}
	if c := count(resources.NoCount); c != nil {
		t.Errorf("unasked it says %+v", c)
	}
	for _, how := range []resources.Counting{resources.EstimateCount, resources.ExactCount} {
		if c := *count(how); c != (resources.Count{Value: 1000, Exact: true}) {
			t.Errorf("of 1000 it says %+v", c)
		}
	}
	w.add(t, ada, `{"name":"Fram"}`)
	if c := *count(resources.EstimateCount); c != (resources.Count{Value: 1000}) {
		t.Errorf("of 1001 an estimate says %+v", c)
	}
	if c := *count(resources.ExactCount); c != (resources.Count{Value: 1001, Exact: true}) {
		t.Errorf("of 1001 it says %+v", c)
	}
}

// A hundred thousand records, and one: what no index serves is refused, and so is what
// would keep somebody waiting.
func TestALargeCollection(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	fram, last := document(t, `{"name":"Fram","crew":16}`), document(t, `{"name":"Last","crew":1}`)
	ref := domain.CollectionRef{Name: "ships", Revision: 1}
	const many = resources.MaxChecked + 1
	for n := range many {
		r := domain.Record{ID: domain.RecordID(w.newID()), Data: fram}
		if n == many-1 {
			r.Data = last
		}
		ok(t, w.store.Records().Add(t.Context(), ref, r, domain.Entries{}))
	}
	list := func(r resources.ListRequest) resources.Listing {
		t.Helper()
		l, err := w.List(t.Context(), ada, "ships", r)
		ok(t, err)
		return l
	}
	_, err := w.List(t.Context(), ada, "ships", resources.ListRequest{Filter: `name="Last"`})
	is(t, err, domain.ErrTooBroad)
	if c := list(resources.ListRequest{Count: resources.ExactCount}).Count; *c != (resources.Count{Value: many, Exact: true}) {
		t.Errorf("there are %+v", c)
	}

	_, err = w.Declare(t.Context(), admin, crewed(t), resources.Declaring{DryRun: true})
	is(t, err, domain.ErrTooManyToCheck)
}

// THE LAW of pages: with others writing between any two of them, what is there all
// along and stays in its place is told exactly once, and nothing twice; all of it in
// order.
func TestPagesJoinWhileOthersWrite(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := fleet(t, open)
		order := sortOf(t, rapid.SampledFrom([]string{"", "-id", "length", "-length", "kind,-length", "-kind,length", "created_at", "-updated_at", "-created_at,-name"}).Draw(rt, "order"))
		var steady []domain.RecordID
		var passing []domain.RecordID
		kinds, lengths := []string{"brig", "bomb"}, rapid.IntRange(1, 5)
		data := func(name string) string {
			return fmt.Sprintf(`{"name":%q,"kind":%q,"length":%d}`, name, rapid.SampledFrom(kinds).Draw(rt, "kind"), lengths.Draw(rt, "length"))
		}
		for n := range rapid.IntRange(0, 12).Draw(rt, "steady") {
			steady = append(steady, w.add(t, ada, data(fmt.Sprint("steady ", n))).ID)
		}
		told := make(map[domain.RecordID]int)
		var last *domain.Record
		r := resources.ListRequest{Sort: order, Filter: rapid.SampledFrom([]string{"", "anyone"}).Draw(rt, "filter")}
		r.Limit = rapid.IntRange(1, 5).Draw(rt, "limit")
		for {
			for range rapid.IntRange(0, 4).Draw(rt, "writes") {
				w.clock.Advance(time.Second)
				if len(passing) > 0 && rapid.Bool().Draw(rt, "delete") {
					ok(t, w.Delete(t.Context(), ada, "ships", passing[0], 0))
					passing = passing[1:]
					continue
				}
				made, err := w.Create(t.Context(), bob, "ships", document(t, data("passing")))
				ok(t, err)
				passing = append(passing, made.ID)
			}
			l, err := w.List(t.Context(), ada, "ships", r)
			ok(t, err)
			for _, item := range l.Items {
				told[item.ID]++
				if told[item.ID] > 1 {
					rt.Fatalf("%s is told twice", item.Data.Text())
				}
				if last != nil && !ordered(order, *last, item) {
					rt.Fatalf("by %s, %+v comes before %+v", order, last, item)
				}
				last = &item
			}
			if r.Cursor = l.Next; r.Cursor == "" {
				break
			}
		}
		for _, id := range steady {
			if told[id] != 1 {
				rt.Fatalf("%s is told %d times", id, told[id])
			}
		}
	})
}

// ordered reports whether b may follow a in an order.
func ordered(order domain.Sort, a, b domain.Record) bool {
	c := domain.Collection{Indexes: []domain.Index{{Sort: order}}}
	w := domain.Walk{Order: domain.ByIndex, Index: order.String()}
	if len(order) == 0 {
		return a.ID < b.ID
	}
	return c.PlaceOf(w, a).Key <= c.PlaceOf(w, b).Key
}

// same returns a Caller that is always the same asker.
func same(who domain.Asker) resources.Caller {
	return func(context.Context) (domain.Asker, error) { return who, nil }
}

func TestEachYieldsWhatMayBeListed(t *testing.T) {
	rules := open
	rules.List = "owner"
	w := fleet(t, rules)
	for n := range 400 {
		w.add(t, ada, fmt.Sprintf(`{"name":"dinghy %d"}`, n))
		w.add(t, bob, `{"name":"launch"}`)
	}
	each := func(who domain.Asker, filter string) ([]domain.Record, error) {
		var all []domain.Record
		err := w.Each(t.Context(), same(who), "ships", filter, func(r domain.Record) error {
			all = append(all, r)
			return nil
		})
		return all, err
	}
	all, err := each(ada, "")
	if ok(t, err); len(all) != 403 || !slices.IsSortedFunc(all, func(a, b domain.Record) int { return strings.Compare(string(a.ID), string(b.ID)) }) {
		t.Errorf("%d are yielded", len(all))
	}
	for _, r := range all {
		if r.Owner != "ada" {
			t.Fatalf("somebody else's is yielded: %+v", r)
		}
	}
	if all, err = each(ada, `kind="bomb"`); err != nil || names(all) != "Erebus" {
		t.Errorf("filtered: got %q, %v", names(all), err)
	}
	_, err = each(stranger, "")
	is(t, err, domain.ErrUnauthenticated)
	_, err = each(ada, "everybody")
	is(t, err, domain.ErrInvalidFilter)
	_, err = each(byKey(domain.WriteRecords), "")
	is(t, err, domain.ErrOutOfScope)
	is(t, w.Each(t.Context(), same(ada), "yards", "", nil), domain.ErrCollectionNotFound)
}

func TestEachEndsWhenItMust(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	for range 450 {
		w.add(t, ada, `{"name":"Fram"}`)
	}
	enough := errors.New("enough")
	n := 0
	if err := w.Each(t.Context(), same(ada), "ships", "", func(domain.Record) error {
		if n++; n == 7 {
			return enough
		}
		return nil
	}); !errors.Is(err, enough) || n != 7 {
		t.Errorf("after %d: %v", n, err)
	}
	asked, n := 0, 0
	caller := func(context.Context) (domain.Asker, error) {
		if asked++; asked == 3 {
			return domain.Asker{}, domain.ErrInvalidToken
		}
		return ada, nil
	}
	is(t, w.Each(t.Context(), caller, "ships", "", func(domain.Record) error { n++; return nil }), domain.ErrInvalidToken)
	if n != 400 {
		t.Errorf("%d were yielded to somebody whose session has ended", n)
	}
	asked, n = 0, 0
	caller = func(context.Context) (domain.Asker, error) {
		if asked++; asked == 2 {
			closed := open
			closed.List = "role:editor"
			_, err := w.service().Declare(t.Context(), stranger, ships(closed), operator)
			ok(t, err)
		}
		return ada, nil
	}
	is(t, w.Each(t.Context(), caller, "ships", "", func(domain.Record) error { n++; return nil }), domain.ErrNotAllowed)
	if n != 200 {
		t.Errorf("%d were yielded to somebody who may list them no more", n)
	}
}

func TestEachMissesNothingWhileOthersWrite(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	steady := make(map[domain.RecordID]int)
	var passing []domain.RecordID
	for n := range 600 {
		if r := w.add(t, ada, `{"name":"Fram"}`); n%3 > 0 {
			steady[r.ID] = 0
		} else {
			passing = append(passing, r.ID)
		}
	}
	told := make(map[domain.RecordID]int)
	ok(t, w.Each(t.Context(), same(ada), "ships", "", func(r domain.Record) error {
		if told[r.ID]++; len(passing) > 0 {
			ok(t, w.Delete(t.Context(), ada, "ships", passing[len(passing)-1], 0))
			passing = passing[:len(passing)-1]
			_, err := w.Patch(t.Context(), ada, "ships", r.ID, 0, document(t, `{"seen":true}`))
			if outcome(err) != "record-not-found" {
				ok(t, err)
			}
			if len(told) < 50 {
				w.add(t, bob, `{"name":"Late"}`)
			}
		}
		return nil
	}))
	for id := range steady {
		if told[id] != 1 {
			t.Errorf("%s is told %d times", id, told[id])
		}
	}
}
