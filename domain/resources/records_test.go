package resources_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

func TestARecordIsCreatedChangedAndDeleted(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r, err := w.Create(t.Context(), ada, "ships", document(t, `{"name":"Beagle","crew":74}`))
	ok(t, err)
	born := w.clock.Now()
	if want := (domain.Record{ID: r.ID, Owner: "ada", Data: document(t, `{"name":"Beagle","crew":74}`), Revision: 1, Created: born, Changed: born}); r != want || r.ID == "" {
		t.Errorf("got %+v, want %+v", r, want)
	}
	same := func(got domain.Record) {
		t.Helper()
		if now, err := w.Get(t.Context(), stranger, "ships", r.ID); err != nil || now != got {
			t.Errorf("it is read as %+v (%v), and was answered as %+v", now, err, got)
		}
	}
	same(r)

	w.clock.Advance(time.Minute)
	replaced, err := w.Replace(t.Context(), bob, "ships", r.ID, 1, document(t, `{"name":"Fram"}`))
	ok(t, err)
	if want := (domain.Record{ID: r.ID, Owner: "ada", Data: document(t, `{"name":"Fram"}`), Revision: 2, Created: born, Changed: w.clock.Now()}); replaced != want {
		t.Errorf("got %+v, want %+v", replaced, want)
	}
	same(replaced)

	w.clock.Advance(time.Minute)
	patched, err := w.Patch(t.Context(), ada, "ships", r.ID, 2, document(t, `{"crew":16,"old":null}`))
	ok(t, err)
	if want := (domain.Record{ID: r.ID, Owner: "ada", Data: document(t, `{"name":"Fram","crew":16}`), Revision: 3, Created: born, Changed: w.clock.Now()}); patched != want {
		t.Errorf("got %+v, want %+v", patched, want)
	}
	same(patched)

	is(t, w.Delete(t.Context(), ada, "ships", r.ID, 2), domain.ErrStale)
	same(patched)
	ok(t, w.Delete(t.Context(), ada, "ships", r.ID, 3))
	_, err = w.Get(t.Context(), ada, "ships", r.ID)
	is(t, err, domain.ErrRecordNotFound)
	is(t, w.Delete(t.Context(), ada, "ships", r.ID, 0), domain.ErrRecordNotFound)
}

func TestDataThatDoesNotFitIsNotStored(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Beagle"}`)
	faults := func(err error) string {
		e, known := errors.AsType[*domain.Error](err)
		if !known || len(e.Fields) != 1 {
			return fmt.Sprint(err)
		}
		return e.Code + " " + e.Fields[0].Path
	}
	_, created := w.Create(t.Context(), ada, "ships", document(t, `{}`))
	_, replaced := w.Replace(t.Context(), ada, "ships", r.ID, 0, document(t, `{"crew":1}`))
	_, patched := w.Patch(t.Context(), ada, "ships", r.ID, 0, document(t, `{"name":null}`))
	for _, err := range []error{created, replaced, patched} {
		if got := faults(err); got != "invalid-record /data/name" {
			t.Error(got)
		}
	}
	if now, err := w.stored(t, r.ID); err != nil || now != r {
		t.Errorf("it became %+v (%v)", now, err)
	}
	page, err := w.List(t.Context(), ada, "ships", resources.ListRequest{})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("there are %d records (%v)", len(page.Items), err)
	}
}

func TestAPatchThatGrowsTooLargeIsRefused(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	half := strings.Repeat("x", domain.MaxDocument/2)
	r := w.add(t, ada, `{"name":"`+half+`"}`)
	_, err := w.Patch(t.Context(), ada, "ships", r.ID, 0, document(t, `{"more":"`+half+`"}`))
	is(t, err, domain.ErrInvalid)
}

func TestOfTwoChangesOfOneRevisionOneIsStale(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Beagle"}`)
	_, err := w.Patch(t.Context(), ada, "ships", r.ID, 1, document(t, `{"a":1}`))
	ok(t, err)
	for _, match := range []domain.Revision{1, 3, -1} {
		_, err = w.Replace(t.Context(), ada, "ships", r.ID, match, document(t, `{"name":"Late"}`))
		is(t, err, domain.ErrStale)
		_, err = w.Patch(t.Context(), ada, "ships", r.ID, match, document(t, `{"b":1}`))
		is(t, err, domain.ErrStale)
		is(t, w.Delete(t.Context(), ada, "ships", r.ID, match), domain.ErrStale)
	}
	if now, _ := w.stored(t, r.ID); now.Data != document(t, `{"name":"Beagle","a":1}`) {
		t.Errorf("it became %s", now.Data.Text())
	}
}

// Without a condition, a change that lost a race is judged and made again on
// what is there then.
func TestALostRaceIsRunAgainUnlessThereIsACondition(t *testing.T) {
	for _, c := range []struct {
		name  string
		match domain.Revision
		lost  int64
		want  string
	}{
		{"one race without one", 0, 1, "ok"},
		{"four races without one", 0, 4, "ok"},
		{"five races without one", 0, 5, "stale-revision"},
		{"one race with one", 1, 1, "stale-revision"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.declare(t, ships(open))
			r := w.add(t, ada, `{"name":"Beagle"}`)
			w.fails("records.replace", c.lost, false, domain.ErrStale)
			got, err := w.Patch(t.Context(), ada, "ships", r.ID, c.match, document(t, `{"a":1}`))
			if outcome(err) != c.want {
				t.Fatalf("patched: got %v, want %s", err, c.want)
			}
			if (err == nil) != (got.Revision == 2) {
				t.Errorf("it became %+v", got)
			}
			w.fails("records.remove", c.lost, false, domain.ErrStale)
			match := c.match
			if now, _ := w.stored(t, r.ID); match != 0 {
				match = now.Revision
			}
			if err := w.Delete(t.Context(), ada, "ships", r.ID, match); outcome(err) != c.want {
				t.Errorf("deleted: got %v, want %s", err, c.want)
			}
		})
	}
}

// A patch that is made again starts from what the winner of the race has left.
func TestAPatchThatLostARaceKeepsWhatTheWinnerWrote(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Beagle"}`)
	w.meanwhile = func() {
		_, err := w.Patch(t.Context(), bob, "ships", r.ID, 1, document(t, `{"name":"Fram"}`))
		ok(t, err)
	}
	got, err := w.Patch(t.Context(), ada, "ships", r.ID, 0, document(t, `{"crew":16}`))
	ok(t, err)
	if got.Data != document(t, `{"name":"Fram","crew":16}`) || got.Revision != 3 {
		t.Errorf("it became %s at revision %d", got.Data.Text(), got.Revision)
	}

	w.meanwhile = func() { ok(t, w.Delete(t.Context(), bob, "ships", r.ID, 0)) }
	_, err = w.Patch(t.Context(), ada, "ships", r.ID, 0, document(t, `{"crew":17}`))
	is(t, err, domain.ErrRecordNotFound)
}

// Whoever loses the right to change a record between its reading and its writing
// does not change it.
func TestARuleThatChangesInMidWriteIsObeyed(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Beagle"}`)
	closed := open
	closed.Update = "owner"
	w.meanwhile = func() {
		_, err := w.service().Declare(t.Context(), stranger, ships(closed), operator)
		ok(t, err)
	}
	_, err := w.Patch(t.Context(), bob, "ships", r.ID, 0, document(t, `{"crew":16}`))
	is(t, err, domain.ErrNotAllowed)
	if now, err := w.stored(t, r.ID); err != nil || now != r {
		t.Errorf("it became %+v (%v)", now, err)
	}
}

func TestAConflictNamesTheField(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open, domain.Unique{Field: "num/ber"}, domain.Unique{Field: "name", PerOwner: true}))
	first := w.add(t, ada, `{"name":"Beagle","num/ber":1}`)
	second := w.add(t, bob, `{"name":"Beagle","num/ber":2}`)
	fields := func(err error) string {
		e, known := errors.AsType[*domain.Error](err)
		if !known {
			return fmt.Sprint(err)
		}
		var paths []string
		for _, f := range e.Fields {
			paths = append(paths, f.Path)
		}
		slices.Sort(paths)
		return e.Code + " " + strings.Join(paths, " ")
	}
	_, err := w.Create(t.Context(), bob, "ships", document(t, `{"name":"Fram","num/ber":1.0}`))
	if got := fields(err); got != "not-unique /data/num~1ber" {
		t.Error(got)
	}
	_, err = w.Create(t.Context(), ada, "ships", document(t, `{"name":"Beagle","num/ber":10e-1}`))
	if got := fields(err); got != "not-unique /data/name /data/num~1ber" {
		t.Error(got)
	}
	_, err = w.Patch(t.Context(), bob, "ships", second.ID, 0, document(t, `{"num/ber":1}`))
	if got := fields(err); got != "not-unique /data/num~1ber" {
		t.Error(got)
	}
	_, err = w.Patch(t.Context(), ada, "ships", first.ID, 0, document(t, `{"num/ber":1.00}`))
	ok(t, err) // its own value, in another spelling

	ok(t, w.Delete(t.Context(), ada, "ships", first.ID, 0))
	_, err = w.Patch(t.Context(), bob, "ships", second.ID, 0, document(t, `{"num/ber":1}`))
	ok(t, err)
}

func TestPagesOfRecordsJoinToTheWhole(t *testing.T) {
	w := newWorld()
	rules := open
	rules.List = "owner"
	w.declare(t, ships(rules))
	var whole []domain.RecordID
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(0, 4).Draw(rt, "more") {
			whole = append(whole, w.add(t, ada, `{"name":"Beagle"}`).ID)
			w.add(t, bob, `{"name":"Fram"}`)
		}
		p := domain.PageRequest{Limit: rapid.IntRange(1, 210).Draw(rt, "limit")}
		var joined []domain.RecordID
		for {
			page, err := w.List(t.Context(), ada, "ships", resources.ListRequest{PageRequest: p})
			if err != nil || len(page.Items) > p.Size() || page.Next != "" && len(page.Items) < p.Size() {
				rt.Fatalf("%d items, %v", len(page.Items), err)
			}
			for _, r := range page.Items {
				joined = append(joined, r.ID)
			}
			if p.Cursor = page.Next; p.Cursor == "" {
				break
			}
		}
		if !slices.Equal(joined, whole) {
			rt.Fatalf("got %v, want %v", joined, whole)
		}
	})
}

func TestACursorOfAnotherListIsRefused(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	yards := ships(open)
	yards.Name = "yards"
	w.declare(t, yards)
	w.add(t, ada, `{"name":"Beagle"}`)
	w.add(t, ada, `{"name":"Fram"}`)
	page, err := w.List(t.Context(), ada, "ships", resources.ListRequest{PageRequest: domain.PageRequest{Limit: 1}})
	ok(t, err)
	_, err = w.List(t.Context(), ada, "ships", resources.ListRequest{PageRequest: domain.PageRequest{Limit: 1, Cursor: page.Next}})
	ok(t, err)
	for _, c := range []struct {
		name   domain.CollectionName
		cursor string
	}{
		{"yards", page.Next}, {"ships", page.Next + "0"}, {"ships", "x"}, {"ships", fake.Cursors{}.Seal("accounts", "x")},
	} {
		_, err = w.List(t.Context(), ada, c.name, resources.ListRequest{PageRequest: domain.PageRequest{Cursor: c.cursor}})
		is(t, err, domain.ErrInvalidCursor)
	}
}

func TestAStoreThatIsAwayIsToldAsUnavailable(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Beagle"}`)
	data := document(t, `{"name":"Fram"}`)
	for warm := range 2 { // the declaration is not remembered, and then it is
		w.store.Fault = func(string) (bool, error) { return false, domain.ErrUnavailable }
		for verb, call := range map[string]func() error{
			"list":        func() error { _, err := w.List(t.Context(), ada, "ships", resources.ListRequest{}); return err },
			"get":         func() error { _, err := w.Get(t.Context(), ada, "ships", r.ID); return err },
			"create":      func() error { _, err := w.Create(t.Context(), ada, "ships", data); return err },
			"replace":     func() error { _, err := w.Replace(t.Context(), ada, "ships", r.ID, 0, data); return err },
			"patch":       func() error { _, err := w.Patch(t.Context(), ada, "ships", r.ID, 0, data); return err },
			"delete":      func() error { return w.Delete(t.Context(), ada, "ships", r.ID, 0) },
			"declare":     func() error { _, err := w.Declare(t.Context(), stranger, ships(open), operator); return err },
			"collections": func() error { _, err := w.Collections(t.Context()); return err },
			"collection":  func() error { _, err := w.Collection(t.Context(), "ships"); return err },
			"fill":        func() error { _, err := w.Fill(t.Context(), "ships", []domain.Document{data}); return err },
		} {
			if err := call(); outcome(err) != "unavailable" {
				t.Errorf("%s: %v", verb, err)
			}
		}
		w.store.Fault = nil
		if now, err := w.Get(t.Context(), ada, "ships", r.ID); err != nil || now != r {
			t.Errorf("round %d: it became %+v (%v)", warm, now, err)
		}
	}
}

func TestAChangeWhoseAnswerIsLostIsSeenByTheNext(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open, domain.Unique{Field: "name"}))
	r := w.add(t, ada, `{"name":"Beagle"}`)
	data := document(t, `{"name":"Fram"}`)
	w.fails("records.replace", 1, true, domain.ErrUnavailable)
	_, err := w.Replace(t.Context(), ada, "ships", r.ID, 1, data)
	is(t, err, domain.ErrUnavailable)
	_, err = w.Replace(t.Context(), ada, "ships", r.ID, 1, data)
	is(t, err, domain.ErrStale)
	now, err := w.Get(t.Context(), ada, "ships", r.ID)
	ok(t, err)
	if now.Revision != 2 || now.Data != data {
		t.Errorf("it is %+v", now)
	}

	w.fails("records.add", 1, true, domain.ErrUnavailable)
	_, err = w.Create(t.Context(), ada, "ships", document(t, `{"name":"Endurance"}`))
	is(t, err, domain.ErrUnavailable)
	_, err = w.Create(t.Context(), ada, "ships", document(t, `{"name":"Endurance"}`))
	is(t, err, domain.ErrNotUnique)

	w.fails("records.remove", 1, true, domain.ErrUnavailable)
	is(t, w.Delete(t.Context(), ada, "ships", r.ID, 2), domain.ErrUnavailable)
	is(t, w.Delete(t.Context(), ada, "ships", r.ID, 2), domain.ErrRecordNotFound)
}
