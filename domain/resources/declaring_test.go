package resources_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

func TestAdministratorsDeclareAndRemove(t *testing.T) {
	key := domain.Asker{Account: "root", Roles: admin.Roles, Key: "nightly", Scopes: []domain.Scope{domain.ReadRecords, domain.WriteRecords}}
	trusted := key
	trusted.Scopes = []domain.Scope{domain.Administer}
	for _, c := range []struct {
		name string
		who  domain.Asker
		want string
	}{
		{"a stranger", stranger, "unauthenticated"},
		{"an account", ada, "not-allowed"},
		{"an account of another role", editor, "not-allowed"},
		{"an administrator", admin, "ok"},
		{"a key of an administrator's, without the scope", key, "out-of-scope"},
		{"a key of an administrator's, with the scope", trusted, "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			declared, err := w.Declare(t.Context(), c.who, ships(open), resources.Declaring{})
			if outcome(err) != c.want || (declared.Name != "") != (c.want == "ok") {
				t.Errorf("to declare: got %v, want %s, and %+v", err, c.want, declared)
			}
			w.declare(t, ships(open))
			if err := w.Remove(t.Context(), c.who, "ships", 0); outcome(err) != c.want {
				t.Errorf("to remove: got %v, want %s", err, c.want)
			}
			if _, err := w.Collection(t.Context(), "ships"); (err == nil) != (c.want != "ok") {
				t.Errorf("the collection is there: %v", err)
			}
		})
	}
}

func TestWhatIsDeclaredInAFileIsTheOperators(t *testing.T) {
	w := newWorld()
	managed := ships(open)
	managed.Managed = true
	declared, err := w.Declare(t.Context(), admin, managed, resources.Declaring{})
	if ok(t, err); declared.Managed {
		t.Error("the API declares what is a file's")
	}
	if declared = w.declare(t, managed); !declared.Managed || declared.Revision != 2 {
		t.Errorf("it is %+v", declared)
	}
	_, err = w.Declare(t.Context(), admin, ships(open), resources.Declaring{})
	is(t, err, domain.ErrCollectionManaged)
	_, err = w.Declare(t.Context(), admin, managed, resources.Declaring{DryRun: true})
	is(t, err, domain.ErrCollectionManaged)
	is(t, w.Remove(t.Context(), admin, "ships", 0), domain.ErrCollectionManaged)
	if declared = w.declare(t, ships(open)); declared.Managed {
		t.Error("the operator cannot give it up")
	}
	ok(t, w.Remove(t.Context(), admin, "ships", declared.Revision))
}

func TestADeclarationMayHaveACondition(t *testing.T) {
	other := ships(open)
	other.Rules.Read = "account"
	for _, c := range []struct {
		name     string
		how      resources.Declaring
		same     bool   // whether it declares what is there
		new, old string // what becomes of it where there is no such collection, and where it is at revision 2
	}{
		{"none", resources.Declaring{}, false, "ok", "ok"},
		{"only if it is new", resources.Declaring{Only: resources.OnlyNew}, false, "ok", "collection-exists"},
		{"only if it is new, and says the same", resources.Declaring{Only: resources.OnlyNew}, true, "ok", "collection-exists"},
		{"only if it is there", resources.Declaring{Only: resources.OnlyOld}, false, "collection-not-found", "ok"},
		{"the revision that is there", resources.Declaring{Match: 2}, false, "collection-not-found", "ok"},
		{"another revision", resources.Declaring{Match: 1}, false, "collection-not-found", "stale-revision"},
		{"another revision that says the same", resources.Declaring{Match: 1}, true, "collection-not-found", "stale-revision"},
		{"the revision that is there, of what is there", resources.Declaring{Match: 2, Only: resources.OnlyOld}, true, "collection-not-found", "ok"},
	} {
		for _, dry := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, dry: %t", c.name, dry), func(t *testing.T) {
				c.how.DryRun = dry
				for _, there := range []bool{false, true} {
					w, want, revision := newWorld(), c.new, domain.Revision(0)
					declared := other
					if there {
						want, revision = c.old, 2
						if c.same {
							w.declare(t, ships(open))
						}
						w.declare(t, map[bool]domain.Collection{true: other, false: ships(domain.Rules{List: "anyone", Read: "owner", Create: "anyone", Update: "anyone", Delete: "anyone"})}[c.same])
						if !c.same {
							w.declare(t, ships(open))
						}
					}
					_, err := w.Declare(t.Context(), admin, declared, c.how)
					if outcome(err) != want {
						t.Errorf("there: %t: got %v, want %s", there, err, want)
					}
					stored, _ := w.Collection(t.Context(), "ships")
					if want == "ok" && !dry && (!there || !c.same) {
						revision++
					}
					if stored.Revision != revision {
						t.Errorf("there: %t: it is at revision %d, want %d", there, stored.Revision, revision)
					}
				}
			})
		}
	}
}

func TestARemovalMayHaveACondition(t *testing.T) {
	w := newWorld()
	is(t, w.Remove(t.Context(), admin, "ships", 0), domain.ErrCollectionNotFound)
	w.declare(t, ships(open))
	is(t, w.Remove(t.Context(), admin, "ships", 2), domain.ErrStale)
	r := w.add(t, ada, `{"name":"Beagle"}`)
	is(t, w.Remove(t.Context(), admin, "ships", 1), domain.ErrCollectionInUse)
	is(t, w.Remove(t.Context(), admin, "ships", 0), domain.ErrCollectionInUse)
	ok(t, w.Delete(t.Context(), ada, "ships", r.ID, 0))
	w.fails("collections.remove", 4, false, domain.ErrStale)
	ok(t, w.Remove(t.Context(), admin, "ships", 0))
	_, err := w.Get(t.Context(), ada, "ships", r.ID)
	is(t, err, domain.ErrCollectionNotFound)

	w.declare(t, ships(open))
	w.fails("collections.remove", 1, false, domain.ErrStale)
	is(t, w.Remove(t.Context(), admin, "ships", 1), domain.ErrStale)
	w.fails("collections.remove", 5, false, domain.ErrStale)
	is(t, w.Remove(t.Context(), admin, "ships", 0), domain.ErrStale)
}

// crewed declares that ships have a crew.
func crewed(t testing.TB) domain.Collection {
	c := ships(open)
	c.Schema = document(t, `{"required":["name","crew"]}`)
	return c
}

func TestRecordsThatDoNotFitAreNamed(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	w.add(t, ada, `{"name":"Fram","crew":16}`)
	var unfit []domain.Record
	for range 21 {
		unfit = append(unfit, w.add(t, ada, `{"name":"Beagle"}`))
	}
	for _, dry := range []bool{true, false} {
		got, err := w.Declare(t.Context(), admin, crewed(t), resources.Declaring{DryRun: dry})
		want := "records-unfit"
		for _, r := range unfit[:20] {
			want += " /records/" + string(r.ID) + "/data/crew"
		}
		if faults(err) != want {
			t.Errorf("got %s, want %s", faults(err), want)
		}
		if got.Name != "" {
			t.Error("a collection came with the error")
		}
	}
	if c, err := w.Collection(t.Context(), "ships"); err != nil || c.Revision != 1 {
		t.Errorf("it is at revision %d (%v)", c.Revision, err)
	}
	for _, r := range unfit {
		_, err := w.Patch(t.Context(), ada, "ships", r.ID, 0, document(t, `{"crew":1}`))
		ok(t, err)
	}
	if c, err := w.Declare(t.Context(), admin, crewed(t), resources.Declaring{}); err != nil || c.Revision != 2 {
		t.Errorf("it is at revision %d (%v)", c.Revision, err)
	}
	_, err := w.Create(t.Context(), ada, "ships", document(t, `{"name":"Endurance"}`))
	is(t, err, domain.ErrInvalidRecord)
}

func TestManyRecordsAreHeldAgainstASchema(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	for range 1001 {
		w.add(t, ada, `{"name":"Fram","crew":16}`)
	}
	last := w.add(t, ada, `{"name":"Beagle"}`)
	_, err := w.Declare(t.Context(), admin, crewed(t), resources.Declaring{})
	if want := "records-unfit /records/" + string(last.ID) + "/data/crew"; faults(err) != want {
		t.Errorf("got %s, want %s", faults(err), want)
	}
}

// While the records are held against a schema others write: what does not fit is
// found, and what was there at first need not be.
func TestWhatIsWrittenWhileASchemaIsTightenedIsJudged(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       string
	}{
		{"what fits", `{"name":"Endurance","crew":28}`, "ok"},
		{"what does not fit", `{"name":"Endurance"}`, "records-unfit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.declare(t, ships(open))
			w.add(t, ada, `{"name":"Fram","crew":16}`)
			w.clock.Advance(time.Hour)
			var meanwhile domain.Record
			w.meanwhile = func() {
				r, err := w.service().Create(t.Context(), bob, "ships", document(t, c.data))
				ok(t, err)
				meanwhile = r
			}
			_, err := w.Declare(t.Context(), admin, crewed(t), resources.Declaring{})
			if outcome(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if c.want != "ok" && !strings.Contains(faults(err), string(meanwhile.ID)) {
				t.Errorf("it is not named: %s", faults(err))
			}
		})
	}
}

func TestARecordThatIsChangedWhileASchemaIsTightenedIsJudged(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Fram","crew":16}`)
	w.clock.Advance(24 * time.Hour)
	interrupt := once(func() {
		_, err := w.Replace(t.Context(), ada, "ships", r.ID, 0, document(t, `{"name":"Fram"}`))
		ok(t, err)
	})
	_, err := w.over(interrupted{w.store, interrupt}).Declare(t.Context(), admin, crewed(t), resources.Declaring{})
	if want := "records-unfit /records/" + string(r.ID) + "/data/crew"; faults(err) != want {
		t.Errorf("got %s, want %s", faults(err), want)
	}
}

// The first record of a collection is written after nobody found any, and before the
// declaration is stored.
func TestTheFirstRecordMayComeWhileACollectionIsDeclared(t *testing.T) {
	first := func(w *world, data string) func() {
		return once(func() {
			_, err := w.service().Create(t.Context(), ada, "ships", document(t, data))
			ok(t, err)
		})
	}
	t.Run("and does not fit the new schema", func(t *testing.T) {
		w := newWorld()
		w.declare(t, ships(open))
		_, err := w.over(interrupted{w.store, first(w, `{"name":"Beagle"}`)}).Declare(t.Context(), admin, crewed(t), resources.Declaring{})
		is(t, err, domain.ErrRecordsUnfit)
	})
	t.Run("and is not in the new index yet", func(t *testing.T) {
		w := newWorld()
		w.declare(t, ships(open))
		c := ships(open)
		c.Indexes = sorted(t, "name")
		declared, err := w.over(interrupted{w.store, first(w, `{"name":"Beagle"}`)}).Declare(t.Context(), admin, c, resources.Declaring{})
		if ok(t, err); !declared.Built() {
			t.Error("the index is not built")
		}
		l, err := w.List(t.Context(), ada, "ships", resources.ListRequest{Sort: c.Indexes[0].Sort})
		if ok(t, err); names(l.Items) != "Beagle" {
			t.Errorf("by the index there are %q", names(l.Items))
		}
	})
	t.Run("and the declaration has a condition", func(t *testing.T) {
		w := newWorld()
		w.declare(t, ships(open))
		_, err := w.over(interrupted{w.store, first(w, `{"name":"Beagle","crew":74}`)}).Declare(t.Context(), admin, crewed(t), resources.Declaring{Match: 1})
		ok(t, err)
	})
}

func TestAnotherDeclarationMayComeWhileASchemaIsTightened(t *testing.T) {
	for _, c := range []struct {
		name  string
		match domain.Revision
		want  string
	}{
		{"with a condition", 1, "stale-revision"},
		{"without a condition", 0, "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.declare(t, ships(open))
			w.add(t, ada, `{"name":"Fram","crew":16}`)
			w.meanwhile = func() {
				other := ships(open)
				other.Rules.Read = "account"
				_, err := w.service().Declare(t.Context(), stranger, other, operator)
				ok(t, err)
			}
			if _, err := w.Declare(t.Context(), admin, crewed(t), resources.Declaring{Match: c.match}); outcome(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestADryRunTellsWhatStandsInTheWay(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	w.add(t, ada, `{"name":"Beagle"}`)
	dry := resources.Declaring{DryRun: true}
	_, err := w.Declare(t.Context(), admin, ships(open, domain.Unique{Field: "name"}), dry)
	is(t, err, domain.ErrCollectionInUse)
	bad := ships(open)
	bad.Rules.List = "everyone"
	_, err = w.Declare(t.Context(), admin, bad, dry)
	is(t, err, domain.ErrInvalidRule)
	c := ships(open)
	c.Indexes = sorted(t, "name")
	would, err := w.Declare(t.Context(), admin, c, dry)
	if ok(t, err); would.Built() || would.Revision != 1 {
		t.Errorf("it would be %+v", would)
	}
	if stored, err := w.Collection(t.Context(), "ships"); err != nil || stored.Revision != 1 || stored.Indexes != nil {
		t.Errorf("it is %+v (%v)", stored, err)
	}
}

// list returns the names of ships in an order.
func (w *world) list(t testing.TB, order string) (string, error) {
	t.Helper()
	l, err := w.List(t.Context(), ada, "ships", resources.ListRequest{Sort: sortOf(t, order)})
	return names(l.Items), err
}

// unbuilt declares a collection, and is broken off before it is built.
func (w *world) unbuilt(t testing.TB, c domain.Collection) {
	t.Helper()
	w.fails("records.enter", 1, false, domain.ErrUnavailable)
	_, err := w.service().Declare(t.Context(), admin, c, resources.Declaring{})
	is(t, err, domain.ErrUnavailable)
	w.store.Fault = nil
	if stored, err := w.Collection(t.Context(), c.Name); err != nil || stored.Built() {
		t.Errorf("it is %+v (%v)", stored, err)
	}
}

func TestWhatIsSmallIsBuiltAtOnce(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	w.add(t, ada, `{"name":"Beagle"}`)
	c := ships(open)
	c.Indexes, c.Search = sorted(t, "name"), []string{"name"}
	declared, err := w.Declare(t.Context(), admin, c, resources.Declaring{})
	if ok(t, err); !declared.Built() || declared.Revision != 3 {
		t.Errorf("it is %+v", declared)
	}
	if got, err := w.list(t, "name"); err != nil || got != "Beagle" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhatIsGreatIsBuiltWhileNobodyWaits(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	data, ref := document(t, `{"name":"Fram"}`), domain.CollectionRef{Name: "ships", Revision: 1}
	for range 5001 {
		ok(t, w.store.Records().Add(t.Context(), ref, domain.Record{ID: domain.RecordID(w.newID()), Data: data}, domain.Entries{}))
	}
	c := ships(open)
	c.Indexes = sorted(t, "name")
	declared, err := w.Declare(t.Context(), admin, c, resources.Declaring{})
	if ok(t, err); declared.Built() || declared.Revision != 2 {
		t.Errorf("it is %+v", declared)
	}
	if declared = w.declare(t, c); !declared.Built() || declared.Revision != 3 { // the operator waits
		t.Errorf("it is %+v", declared)
	}
}

func TestAnIndexIsUsedOnceItIsBuilt(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	old := w.add(t, ada, `{"name":"old"}`)
	w.add(t, ada, `{"name":"also"}`)
	c := ships(open)
	c.Indexes = sorted(t, "name")
	w.unbuilt(t, c)
	_, err := w.list(t, "name")
	is(t, err, domain.ErrNotSorted)
	w.add(t, ada, `{"name":"middle"}`)
	_, err = w.Patch(t.Context(), ada, "ships", old.ID, 0, document(t, `{"name":"new"}`))
	ok(t, err)

	w.fails("records.enter", 1, false, domain.ErrUnavailable)
	is(t, w.Build(t.Context()), domain.ErrUnavailable)
	_, err = w.list(t, "name")
	is(t, err, domain.ErrNotSorted)
	w.store.Fault = nil
	ok(t, w.Build(t.Context()))
	if got, err := w.list(t, "name"); err != nil || got != "also middle new" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := w.list(t, "-name"); err != nil || got != "new middle also" {
		t.Errorf("backward: got %q, %v", got, err)
	}
	now, err := w.Collection(t.Context(), "ships")
	if ok(t, err); !now.Built() || now.Revision != 3 {
		t.Errorf("it is %+v", now)
	}
	calls := w.calls()
	ok(t, w.Build(t.Context()))
	if calls.Load() != 1 {
		t.Errorf("to build nothing asks the store %d times", calls.Load())
	}
	if declared := w.declare(t, c); declared.Revision != 3 || !declared.Built() {
		t.Errorf("to declare it again makes it %+v", declared)
	}
}

func TestAnIndexOfAnEmptyCollectionIsBuiltAtOnce(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	c := ships(open)
	c.Indexes, c.Search = sorted(t, "name"), []string{"name"}
	if declared := w.declare(t, c); !declared.Built() || declared.Revision != 2 {
		t.Errorf("it is %+v", declared)
	}
	w.add(t, ada, `{"name":"Beagle"}`)
	if got, err := w.list(t, "name"); err != nil || got != "Beagle" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestManyRecordsAreEntered(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	for n := range 1001 {
		w.add(t, ada, fmt.Sprintf(`{"name":"ship %04d"}`, 1000-n))
	}
	c := ships(open)
	c.Indexes = sorted(t, "name")
	w.declare(t, c)
	ok(t, w.Build(t.Context()))
	r := resources.ListRequest{Sort: c.Indexes[0].Sort}
	r.Limit = 200
	for n := 0; ; {
		l, err := w.List(t.Context(), ada, "ships", r)
		ok(t, err)
		for _, item := range l.Items {
			if want := document(t, fmt.Sprintf(`{"name":"ship %04d"}`, n)); item.Data != want {
				t.Fatalf("at %d there is %s", n, item.Data.Text())
			}
			n++
		}
		if r.Cursor = l.Next; r.Cursor == "" {
			if n != 1001 {
				t.Errorf("there are %d", n)
			}
			break
		}
	}
}

// A declaration that comes while an index is built begins anew.
func TestACollectionIsDeclaredAnewWhileItIsBuilt(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	w.add(t, ada, `{"name":"Beagle"}`)
	c := ships(open)
	c.Indexes = sorted(t, "name")
	w.unbuilt(t, c)
	interrupt := once(func() {
		c.Indexes = sorted(t, "name", "crew")
		w.unbuilt(t, c)
	})
	ok(t, w.over(interrupted{w.store, interrupt}).Build(t.Context()))
	for _, op := range []string{"records.list", "records.enter"} {
		w.fails(op, 1, false, domain.ErrCollectionChanged)
		ok(t, w.Build(t.Context()))
		if now, err := w.Collection(t.Context(), "ships"); err != nil || now.Built() {
			t.Errorf("it is %+v (%v)", now, err)
		}
	}
	ok(t, w.Build(t.Context()))
	if got, err := w.list(t, "crew"); err != nil || got != "Beagle" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestASearchIsUsedOnceItIsBuilt(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	w.add(t, ada, `{"name":"HMS Beagle"}`)
	search := func(words string) string {
		l, err := w.List(t.Context(), ada, "ships", resources.ListRequest{Search: words})
		if err != nil {
			return outcome(err)
		}
		return names(l.Items)
	}
	if got := search("beagle"); got != "not-searched" {
		t.Errorf("a collection without a search: %s", got)
	}
	c := ships(open)
	c.Search = []string{"name"}
	w.unbuilt(t, c)
	if got := search("beagle"); got != "not-searched" {
		t.Errorf("while it is built: %s", got)
	}
	ok(t, w.Build(t.Context()))
	w.add(t, ada, `{"name":"HMS Erebus"}`)
	for words, want := range map[string]string{
		"beagle": "HMS Beagle", "HMS be": "HMS Beagle", "hm": "HMS Beagle HMS Erebus", "be HMS": "", "erebus hms": "HMS Erebus", "fram": "", "?": "invalid-search",
	} {
		if got := search(words); got != want {
			t.Errorf("%s: got %q, want %q", words, got, want)
		}
	}
}
