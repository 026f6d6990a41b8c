package resources_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

const job domain.ImportID = "018f0000-0000-7000-8000-0000000000aa"

// lines yields lines of an import.
func lines(list ...resources.Arrival) iter.Seq2[resources.Arrival, error] {
	return func(yield func(resources.Arrival, error) bool) {
		for _, a := range list {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// line is one record without an id.
func line(t testing.TB, data string) resources.Arrival {
	t.Helper()
	return resources.Arrival{Data: document(t, data)}
}

// numbered returns that many lines, each with a name of its own.
func numbered(t testing.TB, n int) (list []resources.Arrival) {
	t.Helper()
	for i := range n {
		list = append(list, line(t, fmt.Sprintf(`{"name":"ship %d"}`, i)))
	}
	return list
}

// census counts the ships by name, whosever they are.
func (w *world) census(t testing.TB) map[string]int {
	t.Helper()
	c, err := w.store.Collections().ByName(t.Context(), "ships")
	ok(t, err)
	all, err := w.store.Records().List(t.Context(), c.Ref(), domain.Query{Where: domain.Everything{}, Limit: 1 << 20})
	ok(t, err)
	counts := make(map[string]int)
	for _, r := range all {
		counts[names([]domain.Record{r})]++
	}
	return counts
}

// each fails the test unless there are just the ships of these lines, each once.
func (w *world) hasEach(t testing.TB, list []resources.Arrival) {
	t.Helper()
	counts := w.census(t)
	for _, a := range list {
		name, _ := a.Data.Tree()["name"].(string)
		if counts[name] != 1 {
			t.Errorf("%s is there %d times", name, counts[name])
		}
	}
	if len(counts) != len(list) {
		t.Errorf("there are %d ships, want %d", len(counts), len(list))
	}
}

func TestLinesAreTakenByTheRules(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(domain.Rules{List: "owner", Read: "owner", Create: "small=true", Update: "owner", Delete: "owner"}, domain.Unique{Field: "name"}))
	w.add(t, bob, `{"name":"Fram"}`)
	unreadable := domain.ErrMalformed.At("", "not-json", "want one JSON value and nothing after it")
	got, err := w.Import(t.Context(), same(ada), "ships", job, lines(
		line(t, `{"name":"Beagle","small":true}`),
		resources.Arrival{Blank: true},
		resources.Arrival{ID: chosen, Data: document(t, `{"name":"Erebus","small":true}`)},
		resources.Arrival{Err: unreadable},
		line(t, `{"name":"Terror","small":false}`),
		line(t, `{"small":true}`),
		line(t, `{"name":"Fram","small":true}`),
		line(t, `{"name":"Beagle","small":true}`),
		resources.Arrival{ID: chosen, Data: document(t, `{"name":"Nimrod","small":true}`)},
		resources.Arrival{Blank: true},
		line(t, `{"name":"Discovery","small":true}`),
	))
	ok(t, err)
	taken := []domain.Field{{Path: "/data/name", Code: "not-unique", Problem: "another record has this value"}}
	want := domain.Import{
		ID: job, Account: "ada", Collection: "ships", Lines: 11, Stored: 3, Refused: 6, Done: true, Created: w.clock.Now(), Changed: w.clock.Now(),
		Problems: []domain.ImportProblem{
			{Line: 4, Code: "malformed-request", Detail: unreadable.Detail, Fields: unreadable.Fields},
			{Line: 5, Code: "not-allowed", Detail: domain.ErrNotAllowed.Detail},
			{Line: 6, Code: "invalid-record", Detail: domain.ErrInvalidRecord.Detail, Fields: []domain.Field{{Path: "/data/name", Code: "required", Problem: "it is missing"}}},
			{Line: 7, Code: "not-unique", Detail: domain.ErrNotUnique.Detail, Fields: taken},
			{Line: 8, Code: "not-unique", Detail: domain.ErrNotUnique.Detail, Fields: taken},
			{Line: 9, Code: "record-exists", Detail: domain.ErrRecordExists.Detail},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if kept, err := w.Importing(t.Context(), ada, "ships", job); err != nil || cmp.Diff(want, kept) != "" {
		t.Errorf("it is kept as %+v (%v)", kept, err)
	}
	if l, err := w.List(t.Context(), ada, "ships", resources.ListRequest{}); err != nil || !slices.Equal(strings.Fields(names(l.Items)), []string{"Erebus", "Beagle", "Discovery"}) {
		t.Errorf("ada has %q (%v)", names(l.Items), err)
	}
	w.clock.Advance(time.Hour)
	more := make([]resources.Arrival, 12)
	for i := range more {
		more[i] = line(t, `{"name":"Late","small":true}`)
	}
	again, err := w.Import(t.Context(), same(ada), "ships", job, lines(more...))
	if ok(t, err); cmp.Diff(want, again) != "" || w.census(t)["Late"] != 0 {
		t.Errorf("what is done goes on: %+v", again)
	}
}

// Wherever an import breaks, before a step or with its answer lost, it goes on from
// there: each line has one effect.
func TestAnImportIsResumedWhereverItBreaks(t *testing.T) {
	list := numbered(t, 1001)
	for i := range list {
		if i%2 == 0 {
			list[i].ID = domain.RecordID(fmt.Sprintf("018f0000-0000-7000-8000-%012d", i))
		}
	}
	start := func() *world {
		w := newWorld()
		w.store.Replay = false
		w.declare(t, ships(open, domain.Unique{Field: "name"}))
		return w
	}
	var steps []string
	w := start()
	w.store.Fault = func(op string) (bool, error) {
		steps = append(steps, op)
		return false, nil
	}
	_, err := w.Import(t.Context(), same(ada), "ships", job, lines(list...))
	ok(t, err)
	w.store.Fault = nil
	w.hasEach(t, list)
	breaks := 0
	for step, op := range steps {
		if op == "records.add" && step%167 != 0 {
			continue
		}
		for _, apply := range []bool{false, true} {
			breaks++
			w, n := start(), atomic.Int64{}
			w.store.Fault = func(string) (bool, error) {
				if n.Add(1) == int64(step)+1 {
					return apply, domain.ErrUnavailable
				}
				return false, nil
			}
			before, err := w.Import(t.Context(), same(ada), "ships", job, lines(list...))
			is(t, err, domain.ErrUnavailable)
			if before.Done || before.Lines > 1000 || before.Stored != before.Lines {
				t.Errorf("at %s, %t: it says %+v", op, apply, before)
			}
			w.store.Fault = nil
			w.clock.Advance(time.Minute)
			after, err := w.Import(t.Context(), same(ada), "ships", job, lines(list...))
			if ok(t, err); !after.Done || after.Lines != 1001 || after.Stored != 1001 || after.Refused != 0 {
				t.Errorf("at %s, %t: it ends as %+v", op, apply, after)
			}
			w.hasEach(t, list)
		}
	}
	if breaks < 20 {
		t.Errorf("it was broken %d times only, of the steps %v", breaks, slices.Compact(steps))
	}
}

func TestAnImportOfWholeSwathsEnds(t *testing.T) {
	for _, n := range []int{0, 1, 499, 500, 501, 1000} {
		w := newWorld()
		w.declare(t, ships(open))
		list := numbered(t, n)
		got, err := w.Import(t.Context(), same(ada), "ships", job, lines(list...))
		if ok(t, err); !got.Done || got.Lines != int64(n) || got.Stored != int64(n) {
			t.Errorf("of %d lines: %+v", n, got)
		}
		w.hasEach(t, list)
	}
}

func TestLinesThatBreakOffAreTakenUpAgain(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	list, cut := numbered(t, 1200), errors.New("the client has gone")
	broken := func(after int) iter.Seq2[resources.Arrival, error] {
		return func(yield func(resources.Arrival, error) bool) {
			for _, a := range list[:after] {
				if !yield(a, nil) {
					return
				}
			}
			yield(resources.Arrival{}, cut)
		}
	}
	for _, c := range []struct {
		after int
		lines int64
	}{{0, 0}, {300, 0}, {700, 500}, {700, 500}, {1100, 1000}} {
		got, err := w.Import(t.Context(), same(ada), "ships", job, broken(c.after))
		if !errors.Is(err, cut) || got.Lines != c.lines || got.Done {
			t.Errorf("broken after %d: %+v, %v", c.after, got, err)
		}
	}
	got, err := w.Import(t.Context(), same(ada), "ships", job, lines(list...))
	if ok(t, err); !got.Done || got.Stored != 1200 {
		t.Errorf("it ends as %+v", got)
	}
	w.hasEach(t, list)
}

func TestTheNextLinesAreReadWhileThoseBeforeAreStored(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	list, read := numbered(t, 1200), make(chan struct{})
	awaited := once(func() {
		select {
		case <-read:
		case <-time.After(time.Minute):
			t.Error("nobody reads on")
		}
	})
	w.store.Fault = func(op string) (bool, error) {
		if op == "imports.advance" {
			awaited()
		}
		return false, nil
	}
	got, err := w.Import(t.Context(), same(ada), "ships", job, func(yield func(resources.Arrival, error) bool) {
		for i, a := range list {
			if i == 800 {
				close(read)
			}
			if !yield(a, nil) {
				return
			}
		}
	})
	if ok(t, err); !got.Done || got.Stored != 1200 {
		t.Errorf("it ends as %+v", got)
	}
	w.store.Fault = nil
	w.hasEach(t, list)
}

// A schema that is tightened meanwhile is held against what was written since, by the
// times that records have.
func TestLinesThatWaitedForThoseBeforeAreStoredWithTheirTime(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	ids, drawn, judged := w.newID, atomic.Int64{}, make(chan struct{})
	w.newID = func() string {
		if drawn.Add(1) == 1000 {
			close(judged)
		}
		return ids()
	}
	long := once(func() {
		<-judged
		w.clock.Advance(time.Hour)
	})
	w.store.Fault = func(op string) (bool, error) {
		if op == "imports.advance" {
			long()
		}
		return false, nil
	}
	_, err := w.service().Import(t.Context(), same(ada), "ships", job, lines(numbered(t, 1000)...))
	ok(t, err)
	w.store.Fault = nil
	c, err := w.store.Collections().ByName(t.Context(), "ships")
	ok(t, err)
	all, err := w.store.Records().List(t.Context(), c.Ref(), domain.Query{Where: domain.Everything{}, Limit: 2000})
	ok(t, err)
	late := 0
	for _, r := range all {
		if r.Changed.Equal(w.clock.Now()) {
			late++
		}
	}
	if late != 500 || len(all) != 1000 {
		t.Errorf("of %d records %d have the time at which they were stored, want 500 of 1000", len(all), late)
	}
}

// Whoever serves requests deals with panics of what it calls, on its own goroutine.
func TestAPanicOfTheStoreIsTheImportersOwn(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	w.store.Fault = func(op string) (bool, error) {
		if op == "imports.advance" {
			panic("the store is broken")
		}
		return false, nil
	}
	defer func() {
		if r := recover(); r != "the store is broken" {
			t.Errorf("it panics with %v", r)
		}
	}()
	_, err := w.Import(t.Context(), same(ada), "ships", job, lines(numbered(t, 700)...))
	t.Errorf("it returns (%v)", err)
}

func TestAnImportEndsWithTheRightToIt(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	asked := 0
	caller := func(context.Context) (domain.Asker, error) {
		if asked++; asked == 3 {
			return domain.Asker{}, domain.ErrInvalidToken
		}
		return ada, nil
	}
	list := numbered(t, 1200)
	got, err := w.Import(t.Context(), caller, "ships", job, lines(list...))
	if is(t, err, domain.ErrInvalidToken); got.Lines != 500 || got.Done {
		t.Errorf("it says %+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Import(ctx, same(ada), "ships", job, lines(list...)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	got, err = w.Import(t.Context(), same(ada), "ships", job, lines(list...))
	if ok(t, err); got.Stored != 1200 {
		t.Errorf("it ends as %+v", got)
	}
}

func TestAnImportIsItsMakersOwn(t *testing.T) {
	w := newWorld()
	rules := open
	rules.Create = "account"
	w.declare(t, ships(rules))
	closed := ships(domain.Rules{List: "anyone", Read: "anyone", Create: "role:editor", Update: "anyone", Delete: "anyone"})
	closed.Name = "yards"
	w.declare(t, closed)
	_, err := w.Import(t.Context(), same(ada), "ships", job, lines(numbered(t, 1)...))
	ok(t, err)
	const other domain.ImportID = "018f0000-0000-7000-8000-0000000000bb"
	for _, c := range []struct {
		name string
		who  domain.Asker
		in   domain.CollectionName
		id   domain.ImportID
		want string // of taking it on
		look string // of looking at it
	}{
		{"by its maker", ada, "ships", job, "ok", "ok"},
		{"by another", bob, "ships", job, "import-not-found", "import-not-found"},
		{"of another collection", ada, "yards", job, "import-not-found", "import-not-found"},
		{"by a stranger", stranger, "ships", job, "unauthenticated", "unauthenticated"},
		{"by a key that only reads", byKey(domain.ReadRecords), "ships", job, "out-of-scope", "out-of-scope"},
		{"by a key that writes", byKey(domain.WriteRecords), "ships", job, "ok", "ok"},
		{"one that there is not", ada, "yards", other, "not-allowed", "import-not-found"},
		{"into a collection that there is not", ada, "nowhere", other, "collection-not-found", "import-not-found"},
	} {
		if _, err := w.Import(t.Context(), same(c.who), c.in, c.id, lines()); outcome(err) != c.want {
			t.Errorf("%s: taking it on: got %v, want %s", c.name, err, c.want)
		}
		if _, err := w.Importing(t.Context(), c.who, c.in, c.id); outcome(err) != c.look {
			t.Errorf("%s: looking at it: got %v, want %s", c.name, err, c.look)
		}
	}
}

func TestTwoDoNotTakeOneImportOnAtOnce(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	list := numbered(t, 700)
	meanwhile := once(func() {
		_, err := w.service().Import(t.Context(), same(ada), "ships", job, lines(list...))
		ok(t, err)
	})
	_, err := w.Import(t.Context(), same(ada), "ships", job, func(yield func(resources.Arrival, error) bool) {
		for i, a := range list {
			if i == 300 {
				meanwhile()
			}
			if !yield(a, nil) {
				return
			}
		}
	})
	is(t, err, domain.ErrImportMoved)
	w.hasEach(t, list)
}

// What another replica has declared since holds for lines that are refused, too.
func TestLinesAreJudgedByTheDeclarationThatHolds(t *testing.T) {
	w := newWorld()
	w.declare(t, crewed(t))
	_, err := w.Create(t.Context(), ada, "ships", document(t, `{"name":"Fram","crew":16}`)) // now it is remembered
	ok(t, err)
	_, err = w.service().Declare(t.Context(), stranger, ships(open), operator)
	ok(t, err)
	got, err := w.Import(t.Context(), same(ada), "ships", job, lines(numbered(t, 3)...))
	if ok(t, err); got.Stored != 3 || got.Refused != 0 {
		t.Errorf("it ends as %+v", got)
	}
}
