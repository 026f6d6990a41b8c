package resources_test

import (
	"fmt"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

const chosen domain.RecordID = "018f0000-0000-7000-8000-00000000cafe"

func TestABatchDoesAllOfIt(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open, domain.Unique{Field: "name"}))
	first, second, third := w.add(t, ada, `{"name":"Beagle"}`), w.add(t, bob, `{"name":"Fram"}`), w.add(t, bob, `{"name":"Erebus"}`)
	got, err := w.Batch(t.Context(), ada, "ships", []resources.Operation{
		{Verb: domain.VerbCreate, Data: document(t, `{"name":"Terror"}`)},
		{Verb: domain.VerbCreate, ID: chosen, Data: document(t, `{"name":"Endurance"}`)},
		{Verb: domain.VerbUpdate, ID: first.ID, Match: 1, Data: document(t, `{"name":"Adventure"}`)},
		{Verb: domain.VerbUpdate, ID: second.ID, Patch: true, Data: document(t, `{"crew":16}`)},
		{Verb: domain.VerbDelete, ID: third.ID, Match: 1},
		{Verb: domain.VerbUpdate, ID: chosen, Match: 1, Patch: true, Data: document(t, `{"name":"Erebus"}`)}, // what is made, and a name that is free, in the same batch
	})
	ok(t, err)
	want := []string{
		`{"name":"Terror"} 1`, `{"name":"Endurance"} 1`, `{"name":"Adventure"} 2`, `{"crew":16,"name":"Fram"} 2`, `{} 0`, `{"name":"Erebus"} 2`,
	}
	for i, r := range got {
		if text := fmt.Sprint(r.Data.Text(), " ", r.Revision); text != want[i] {
			t.Errorf("operation %d left %s, want %s", i, text, want[i])
		}
	}
	if got[0].ID == "" || got[0].Owner != "ada" || got[1].ID != chosen || got[3].Owner != "bob" || got[4] != (domain.Record{}) {
		t.Errorf("they are %+v", got)
	}
	l, err := w.List(t.Context(), ada, "ships", resources.ListRequest{})
	if ok(t, err); names(l.Items) != "Erebus Adventure Fram Terror" {
		t.Errorf("there are %q", names(l.Items))
	}
}

func TestABatchDoesNothingWhereOneOperationFails(t *testing.T) {
	rules := domain.Rules{List: "anyone", Read: `secret=false`, Create: "account", Update: "owner", Delete: "owner"}
	good := document(t, `{"name":"Terror","secret":false}`)
	for _, c := range []struct {
		name string
		op   func(mine, theirs, hidden domain.Record) resources.Operation
		want string
	}{
		{"no verb", func(_, _, _ domain.Record) resources.Operation { return resources.Operation{} }, "invalid-batch /operations/2/op"},
		{"a verb of reading", func(r, _, _ domain.Record) resources.Operation {
			return resources.Operation{Verb: domain.VerbRead, ID: r.ID}
		}, "invalid-batch /operations/2/op"},
		{"data that does not fit", func(_, _, _ domain.Record) resources.Operation {
			return resources.Operation{Verb: domain.VerbCreate, Data: document(t, `{"secret":false}`)}
		}, "invalid-record /operations/2/data/name"},
		{"an id that is taken", func(r, _, _ domain.Record) resources.Operation {
			return resources.Operation{Verb: domain.VerbCreate, ID: r.ID, Data: good}
		}, "record-exists /operations/2"},
		{"a value that is taken", func(_, _, _ domain.Record) resources.Operation {
			return resources.Operation{Verb: domain.VerbCreate, Data: document(t, `{"name":"Fram"}`)}
		}, "not-unique /operations/2/data/name"},
		{"another revision", func(r, _, _ domain.Record) resources.Operation {
			return resources.Operation{Verb: domain.VerbUpdate, ID: r.ID, Match: 7, Data: good}
		}, "stale-revision /operations/2"},
		{"the revision before the batch", func(r, _, _ domain.Record) resources.Operation {
			return resources.Operation{Verb: domain.VerbDelete, ID: r.ID, Match: 1}
		}, "stale-revision /operations/2"},
		{"what another owns", func(_, r, _ domain.Record) resources.Operation {
			return resources.Operation{Verb: domain.VerbDelete, ID: r.ID}
		}, "not-allowed /operations/2"},
		{"what is hidden", func(_, _, r domain.Record) resources.Operation {
			return resources.Operation{Verb: domain.VerbDelete, ID: r.ID}
		}, "record-not-found /operations/2"},
		{"what is not there", func(_, _, _ domain.Record) resources.Operation {
			return resources.Operation{Verb: domain.VerbUpdate, ID: chosen, Data: good}
		}, "record-not-found /operations/2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.declare(t, ships(rules, domain.Unique{Field: "name"}))
			mine, theirs := w.add(t, ada, `{"name":"Beagle","secret":false}`), w.add(t, bob, `{"name":"Fram","secret":false}`)
			hidden := w.add(t, ada, `{"name":"Erebus","secret":true}`)
			got, err := w.Batch(t.Context(), ada, "ships", []resources.Operation{
				{Verb: domain.VerbCreate, Data: document(t, `{"name":"Endurance"}`)},
				{Verb: domain.VerbUpdate, ID: mine.ID, Patch: true, Data: document(t, `{"crew":1}`)},
				c.op(mine, theirs, hidden),
				{Verb: domain.VerbDelete, ID: mine.ID},
			})
			if faults(err) != c.want || got != nil {
				t.Errorf("got %s, want %s, and %+v", faults(err), c.want, got)
			}
			l, err := w.List(t.Context(), ada, "ships", resources.ListRequest{})
			if ok(t, err); len(l.Items) != 3 || l.Items[0] != mine || l.Items[1] != theirs || l.Items[2] != hidden {
				t.Errorf("there are %+v", l.Items)
			}
		})
	}
}

func TestABatchHasBounds(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	some := func(n int) []resources.Operation {
		list := make([]resources.Operation, n)
		for i := range list {
			list[i] = resources.Operation{Verb: domain.VerbCreate, Data: document(t, `{"name":"Fram"}`)}
		}
		return list
	}
	for _, n := range []int{0, resources.MaxBatch + 1} {
		_, err := w.Batch(t.Context(), ada, "ships", some(n))
		if faults(err) != "invalid-batch /operations" {
			t.Errorf("of %d operations: %v", n, err)
		}
	}
	got, err := w.Batch(t.Context(), ada, "ships", some(resources.MaxBatch))
	if ok(t, err); len(got) != resources.MaxBatch {
		t.Errorf("%d are made", len(got))
	}
	_, err = w.Batch(t.Context(), byKey(domain.ReadRecords), "ships", some(1))
	is(t, err, domain.ErrOutOfScope)
	_, err = w.Batch(t.Context(), ada, "yards", some(1))
	is(t, err, domain.ErrCollectionNotFound)
}

// A store that is away is nobody's fault, of the operations least.
func TestABatchThatTheStoreCannotDo(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	for _, op := range []string{"atomically", "records.add"} {
		w.fails(op, 2, false, domain.ErrUnavailable)
		_, err := w.Batch(t.Context(), ada, "ships", []resources.Operation{{Verb: domain.VerbCreate, Data: document(t, `{"name":"Fram"}`)}})
		if faults(err) != "unavailable" {
			t.Errorf("%s: %s", op, faults(err))
		}
	}
	w.store.Fault = nil
	if l, err := w.List(t.Context(), ada, "ships", resources.ListRequest{}); err != nil || len(l.Items) != 0 {
		t.Errorf("there are %+v (%v)", l.Items, err)
	}
}

// Another replica's declaration holds in the middle of a batch, too.
func TestABatchIsJudgedByTheDeclarationThatHolds(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, bob, `{"name":"Fram"}`)
	_, err := w.Get(t.Context(), ada, "ships", r.ID) // now it is remembered
	ok(t, err)
	closed := open
	closed.Delete = "owner"
	_, err = w.service().Declare(t.Context(), stranger, ships(closed), operator)
	ok(t, err)
	_, err = w.Batch(t.Context(), ada, "ships", []resources.Operation{{Verb: domain.VerbDelete, ID: r.ID}})
	is(t, err, domain.ErrNotAllowed)
	_, err = w.service().Declare(t.Context(), stranger, ships(open), operator)
	ok(t, err)
	_, err = w.Batch(t.Context(), ada, "ships", []resources.Operation{{Verb: domain.VerbDelete, ID: r.ID}})
	ok(t, err)
}

func TestARecordIsCreatedUnderAnIdOfItsMakersChoice(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(domain.Rules{List: "anyone", Read: "owner", Create: "account", Update: "owner", Delete: "owner"}, domain.Unique{Field: "name"}))
	r, err := w.CreateAs(t.Context(), ada, "ships", chosen, document(t, `{"name":"Fram"}`))
	if ok(t, err); r.ID != chosen || r.Owner != "ada" || r.Revision != 1 {
		t.Errorf("it is %+v", r)
	}
	for _, c := range []struct {
		name string
		who  domain.Asker
		data string
		want string
	}{
		{"again", ada, `{"name":"Fram"}`, "record-exists"},
		{"by somebody who does not see it", bob, `{"name":"Beagle"}`, "record-exists"},
		{"by a stranger", stranger, `{"name":"Beagle"}`, "unauthenticated"},
		{"by a key that only reads", byKey(domain.ReadRecords), `{"name":"Beagle"}`, "out-of-scope"},
		{"with what does not fit", ada, `{}`, "invalid-record"},
	} {
		got, err := w.CreateAs(t.Context(), c.who, "ships", chosen, document(t, c.data))
		if outcome(err) != c.want || got != (domain.Record{}) {
			t.Errorf("%s: got %v and %+v, want %s", c.name, err, got, c.want)
		}
	}
	if now, err := w.stored(t, chosen); err != nil || now != r {
		t.Errorf("it became %+v (%v)", now, err)
	}
	ok(t, w.Delete(t.Context(), ada, "ships", chosen, 0))
	_, err = w.CreateAs(t.Context(), bob, "ships", chosen, document(t, `{"name":"Fram"}`))
	ok(t, err)
}

func TestWhoeverMayCreateIsTold(t *testing.T) {
	w := newWorld()
	rules := open
	rules.Create = "role:editor"
	w.declare(t, ships(rules))
	for _, c := range []struct {
		who  domain.Asker
		data string
		want string
	}{
		{editor, `{"name":"Fram"}`, "ok"},
		{editor, `{}`, "invalid-record"},
		{ada, `{"name":"Fram"}`, "not-allowed"},
		{stranger, `{"name":"Fram"}`, "unauthenticated"},
		{byKey(domain.ReadRecords), `{"name":"Fram"}`, "out-of-scope"},
	} {
		if err := w.MayCreate(t.Context(), c.who, "ships", document(t, c.data)); outcome(err) != c.want {
			t.Errorf("%+v, %s: got %v, want %s", c.who, c.data, err, c.want)
		}
	}
	is(t, w.MayCreate(t.Context(), ada, "yards", document(t, `{}`)), domain.ErrCollectionNotFound)
	if l, err := w.List(t.Context(), ada, "ships", resources.ListRequest{}); err != nil || len(l.Items) != 0 {
		t.Errorf("there are %+v (%v)", l.Items, err)
	}
}
