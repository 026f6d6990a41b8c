package resources_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// equal compares collections by what they declare, and all else.
var equal = cmp.Comparer(func(a, b domain.Document) bool { return a.Text() == b.Text() })

func TestADeclarationIsStoredOnceHoweverOftenItIsMade(t *testing.T) {
	w := newWorld()
	c := ships(open, domain.Unique{Field: "name"})
	first := w.declare(t, c)
	want := c
	want.Revision, want.Created, want.Changed = 1, w.clock.Now(), w.clock.Now()
	if diff := cmp.Diff(want, first, equal); diff != "" {
		t.Error(diff)
	}
	w.clock.Advance(time.Hour)
	if diff := cmp.Diff(want, w.declare(t, c), equal); diff != "" {
		t.Error(diff)
	}
	c.Rules.Read = "account"
	want.Rules, want.Revision, want.Changed = c.Rules, 2, w.clock.Now()
	if diff := cmp.Diff(want, w.declare(t, c), equal); diff != "" {
		t.Error(diff)
	}
	stored, err := w.Collection(t.Context(), "ships")
	ok(t, err)
	if diff := cmp.Diff(want, stored, equal); diff != "" {
		t.Error(diff)
	}
	c.Unique = nil
	if got := w.declare(t, c); got.Revision != 3 {
		t.Errorf("it is at revision %d", got.Revision)
	}
}

func TestThereIsAMostOfCollections(t *testing.T) {
	w := newWorld()
	for n := range domain.MaxCollections {
		ok(t, w.store.Collections().Add(t.Context(), domain.Collection{Name: domain.CollectionName(fmt.Sprint("c", n)), Rules: open}))
	}
	_, err := w.Declare(t.Context(), stranger, domain.Collection{Name: "notes", Rules: open}, operator)
	is(t, err, domain.ErrInvalidCollection)
	_, err = w.Declare(t.Context(), stranger, domain.Collection{Name: "c0", Rules: open}, operator)
	ok(t, err)
}

func TestASchemaThatSaysNothingIsTheSameInBothSpellings(t *testing.T) {
	w := newWorld()
	c := domain.Collection{Name: "notes", Rules: open}
	w.declare(t, c)
	c.Schema = document(t, `{}`)
	if got := w.declare(t, c); got.Revision != 1 {
		t.Errorf("it is at revision %d", got.Revision)
	}
}

func TestADeclarationIsRefusedWhereItIsAtFault(t *testing.T) {
	w := newWorld()
	twice := []domain.Unique{{Field: "name"}, {Field: "name"}}
	for _, c := range []struct {
		name string
		edit func(*domain.Collection)
		want string
	}{
		{"a schema", func(c *domain.Collection) { c.Schema = document(t, `{"required":1}`) }, "invalid-schema /schema/required"},
		{"a rule to list", func(c *domain.Collection) { c.Rules.List = "" }, "invalid-rule /rules/list"},
		{"a rule to read", func(c *domain.Collection) { c.Rules.Read = "everyone" }, "invalid-rule /rules/read"},
		{"a rule to create", func(c *domain.Collection) { c.Rules.Create = "Owner" }, "invalid-rule /rules/create"},
		{"a rule to update", func(c *domain.Collection) { c.Rules.Update = "x" }, "invalid-rule /rules/update"},
		{"a rule to delete", func(c *domain.Collection) { c.Rules.Delete = "x" }, "invalid-rule /rules/delete"},
		{"a unique field twice", func(c *domain.Collection) { c.Unique = twice }, "invalid-collection /unique/1/field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			declared := ships(open)
			c.edit(&declared)
			got, err := w.Declare(t.Context(), stranger, declared, operator)
			e, known := errors.AsType[*domain.Error](err)
			if !known || len(e.Fields) != 1 || e.Code+" "+e.Fields[0].Path != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if got.Name != "" {
				t.Error("a collection came with the error")
			}
		})
	}
	if all, err := w.Collections(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("there are %d collections (%v)", len(all), err)
	}
}

func TestADeclarationFitsTheRecordsThatThereAre(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	w.add(t, ada, `{"name":"Beagle"}`)
	c := ships(open)
	c.Schema = document(t, `{"required":["name","crew"]}`)
	_, err := w.Declare(t.Context(), stranger, c, operator)
	is(t, err, domain.ErrRecordsUnfit)
	_, err = w.Declare(t.Context(), stranger, ships(open, domain.Unique{Field: "name"}), operator)
	is(t, err, domain.ErrCollectionInUse)
	c = ships(open)
	c.Rules.Create = "account"
	if got := w.declare(t, c); got.Revision != 2 {
		t.Errorf("it is at revision %d", got.Revision)
	}
}

func TestReplicasThatDeclareAtOnceAgree(t *testing.T) {
	w := newWorld()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got, err := w.service().Declare(t.Context(), stranger, ships(open), operator); err != nil || got.Revision != 1 {
				t.Errorf("revision %d, %v", got.Revision, err)
			}
		})
	}
	all.Wait()
}

func TestADeclarationThatAlwaysLosesItsRaceGivesUp(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	c := ships(open)
	c.Rules.Read = "account"
	w.fails("atomically", 4, false, domain.ErrStale)
	if got := w.declare(t, c); got.Revision != 2 {
		t.Errorf("it is at revision %d", got.Revision)
	}
	w.fails("atomically", 5, false, domain.ErrStale)
	_, err := w.Declare(t.Context(), stranger, ships(open), operator)
	is(t, err, domain.ErrCollectionChanged)
}

func TestADeclarationWhoseAnswerIsLostCanBeRepeated(t *testing.T) {
	w := newWorld()
	w.fails("collections.add", 1, true, domain.ErrUnavailable)
	_, err := w.Declare(t.Context(), stranger, ships(open), operator)
	is(t, err, domain.ErrUnavailable)
	if got := w.declare(t, ships(open)); got.Revision != 1 {
		t.Errorf("it is at revision %d", got.Revision)
	}
}

// Another replica tightens the rules, and loosens them again. Whoever remembers
// others must not judge by them once more, neither to allow nor to refuse.
func TestADeclarationHoldsFromTheMomentItIsStored(t *testing.T) {
	data := `{"name":"Fram"}`
	for verb, call := range map[string]func(w *world, t testing.TB, r domain.Record) error{
		"list": func(w *world, t testing.TB, _ domain.Record) error {
			_, err := w.List(t.Context(), stranger, "ships", resources.ListRequest{})
			return err
		},
		"get": func(w *world, t testing.TB, r domain.Record) error {
			_, err := w.Get(t.Context(), stranger, "ships", r.ID)
			return err
		},
		"create": func(w *world, t testing.TB, _ domain.Record) error {
			_, err := w.Create(t.Context(), stranger, "ships", document(t, data))
			return err
		},
		"replace": func(w *world, t testing.TB, r domain.Record) error {
			_, err := w.Replace(t.Context(), stranger, "ships", r.ID, 0, document(t, data))
			return err
		},
		"patch": func(w *world, t testing.TB, r domain.Record) error {
			_, err := w.Patch(t.Context(), stranger, "ships", r.ID, 0, document(t, data))
			return err
		},
		"delete": func(w *world, t testing.TB, r domain.Record) error {
			return w.Delete(t.Context(), stranger, "ships", r.ID, 0)
		},
	} {
		t.Run(verb, func(t *testing.T) {
			w := newWorld()
			w.declare(t, ships(open))
			r := w.add(t, ada, `{"name":"Beagle"}`)
			_, err := w.Get(t.Context(), stranger, "ships", r.ID) // now it is remembered
			ok(t, err)
			closed := domain.Rules{List: "account", Read: "account", Create: "account", Update: "account", Delete: "account"}
			_, err = w.service().Declare(t.Context(), stranger, ships(closed), operator)
			ok(t, err)
			is(t, call(w, t, r), domain.ErrUnauthenticated)
			if now, err := w.stored(t, r.ID); err != nil || now != r {
				t.Errorf("it became %+v (%v)", now, err)
			}

			_, err = w.service().Declare(t.Context(), stranger, ships(open), operator)
			ok(t, err)
			ok(t, call(w, t, r))
		})
	}
}

func TestASchemaOfAnotherReplicaHoldsForTheNextWrite(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r, err := w.Create(t.Context(), ada, "ships", document(t, `{"name":"Beagle"}`))
	ok(t, err)
	ok(t, w.Delete(t.Context(), ada, "ships", r.ID, 0))
	c := ships(open, domain.Unique{Field: "name"})
	c.Schema = document(t, `{"required":["name","crew"]}`)
	_, err = w.service().Declare(t.Context(), stranger, c, operator)
	ok(t, err)
	_, err = w.Create(t.Context(), ada, "ships", document(t, `{"name":"Beagle"}`))
	is(t, err, domain.ErrInvalidRecord)
	c.Schema = document(t, `{"required":["crew"]}`)
	_, err = w.service().Declare(t.Context(), stranger, c, operator)
	ok(t, err)
	r, err = w.Create(t.Context(), ada, "ships", document(t, `{"crew":1}`))
	ok(t, err)
	ok(t, w.Delete(t.Context(), ada, "ships", r.ID, 0))
	_, err = w.Create(t.Context(), ada, "ships", document(t, `{"name":"Beagle","crew":1}`))
	ok(t, err)
	_, err = w.Create(t.Context(), ada, "ships", document(t, `{"name":"Beagle","crew":2}`))
	is(t, err, domain.ErrNotUnique)
}

func TestADeclarationThatIsAlwaysAnotherIsGivenUp(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Beagle"}`)
	w.fails("records.get", 4, false, domain.ErrCollectionChanged)
	_, err := w.Get(t.Context(), ada, "ships", r.ID)
	ok(t, err)
	w.fails("records.get", 5, false, domain.ErrCollectionChanged)
	_, err = w.Get(t.Context(), ada, "ships", r.ID)
	is(t, err, domain.ErrCollectionChanged)
}

func TestARememberedDeclarationCostsNothing(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Beagle"}`)
	_, err := w.Get(t.Context(), ada, "ships", r.ID)
	ok(t, err)
	data := document(t, `{"name":"Fram"}`)
	for _, c := range []struct {
		verb string
		call func() error
		want int64
	}{
		{"get", func() error { _, err := w.Get(t.Context(), ada, "ships", r.ID); return err }, 1},
		{"get what is not there", func() error { _, _ = w.Get(t.Context(), ada, "ships", "none"); return nil }, 1},
		{"list", func() error { _, err := w.List(t.Context(), ada, "ships", resources.ListRequest{}); return err }, 1},
		{"create", func() error { _, err := w.Create(t.Context(), ada, "ships", data); return err }, 1},
		{"replace", func() error { _, err := w.Replace(t.Context(), ada, "ships", r.ID, 0, data); return err }, 2},
		{"delete", func() error { return w.Delete(t.Context(), ada, "ships", r.ID, 0) }, 2},
		{"be refused", func() error { _, _ = w.Create(t.Context(), ada, "ships", document(t, `{}`)); return nil }, 1},
	} {
		calls := w.calls()
		ok(t, c.call())
		if n := calls.Load(); n != c.want {
			t.Errorf("%s asks the store %d times, want %d", c.verb, n, c.want)
		}
	}
	w.Service = w.service()
	calls := w.calls()
	_, _ = w.Get(t.Context(), ada, "ships", r.ID)
	if n := calls.Load(); n != 2 {
		t.Errorf("the first read asks the store %d times, want 2", n)
	}
}

func TestACollectionThatIsNotThere(t *testing.T) {
	w := newWorld()
	_, err := w.Collection(t.Context(), "ships")
	is(t, err, domain.ErrCollectionNotFound)
	for _, who := range []domain.Asker{stranger, ada} {
		_, err = w.List(t.Context(), who, "ships", resources.ListRequest{})
		is(t, err, domain.ErrCollectionNotFound)
		_, err = w.Get(t.Context(), who, "ships", "x")
		is(t, err, domain.ErrCollectionNotFound)
		_, err = w.Create(t.Context(), who, "ships", document(t, `{}`))
		is(t, err, domain.ErrCollectionNotFound)
		is(t, w.Delete(t.Context(), who, "ships", "x", 0), domain.ErrCollectionNotFound)
	}
	_, err = w.Fill(t.Context(), "ships", nil)
	is(t, err, domain.ErrCollectionNotFound)
}

func TestCollectionsAreListedByName(t *testing.T) {
	w := newWorld()
	for _, name := range []domain.CollectionName{"ships", "authors", "ship-yards"} {
		c := ships(open)
		c.Name = name
		w.declare(t, c)
	}
	all, err := w.Collections(t.Context())
	ok(t, err)
	var names []string
	for _, c := range all {
		names = append(names, string(c.Name))
	}
	if !slices.Equal(names, []string{"authors", "ship-yards", "ships"}) {
		t.Error(names)
	}
}

func TestAnEmptyCollectionIsFilledWholeOrNotAtAll(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open, domain.Unique{Field: "name"}))
	named := func(names ...string) (data []domain.Document) {
		for _, n := range names {
			data = append(data, document(t, fmt.Sprintf(`{"name":%q}`, n)))
		}
		return data
	}
	count := func() int {
		page, err := w.List(t.Context(), ada, "ships", resources.ListRequest{})
		ok(t, err)
		return len(page.Items)
	}
	_, err := w.Fill(t.Context(), "ships", append(named("Beagle"), document(t, `{}`)))
	is(t, err, domain.ErrInvalidRecord)
	_, err = w.Fill(t.Context(), "ships", named("Beagle", "Fram", "Beagle"))
	is(t, err, domain.ErrNotUnique)
	if count() != 0 {
		t.Fatalf("%d records are left of what failed", count())
	}

	w.fails("atomically", 1, true, domain.ErrUnavailable)
	_, err = w.Fill(t.Context(), "ships", named("Beagle", "Fram"))
	is(t, err, domain.ErrUnavailable)
	filled, err := w.Fill(t.Context(), "ships", named("Beagle", "Fram"))
	if err != nil || filled != 0 || count() != 2 {
		t.Errorf("%d were filled again, and there are %d (%v)", filled, count(), err)
	}

	w = newWorld()
	w.declare(t, ships(open, domain.Unique{Field: "name"}))
	filled, err = w.Fill(t.Context(), "ships", named("Beagle", "Fram", "Endurance"))
	if err != nil || filled != 3 || count() != 3 {
		t.Errorf("%d were filled, and there are %d (%v)", filled, count(), err)
	}
	page, err := w.List(t.Context(), ada, "ships", resources.ListRequest{})
	ok(t, err)
	for i, name := range []string{"Beagle", "Fram", "Endurance"} {
		if r := page.Items[i]; r.Data != named(name)[0] || r.Owner != "" || r.Revision != 1 || !r.Created.Equal(w.clock.Now()) {
			t.Errorf("at %d there is %+v", i, r)
		}
	}
	_, err = w.Create(t.Context(), ada, "ships", named("Fram")[0])
	is(t, err, domain.ErrNotUnique)
}
