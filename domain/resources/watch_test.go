package resources_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watched declares ships whose changes are told.
func watched(rules domain.Rules) domain.Collection {
	c := ships(rules)
	c.Watch = true
	return c
}

// A watching is a call of Watch that goes on.
type watching struct {
	w       *world
	s       *resources.Service
	notices chan resources.Notice
	ended   chan error
	cancel  context.CancelFunc
	first   resources.Notice
	after   string // what was gone on from
}

// watch begins to watch, or goes on from the notice whose ID is after: it has begun when
// watch returns.
func (w *world) watch(t testing.TB, s *resources.Service, caller resources.Caller, filter, after string) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	o := &watching{w: w, s: s, notices: make(chan resources.Notice), ended: make(chan error, 1), cancel: cancel}
	go func() {
		o.ended <- s.Watch(ctx, caller, "ships", filter, after, func(n resources.Notice) error {
			select {
			case o.notices <- n:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	t.Cleanup(cancel)
	o.first = o.next(t)
	if n := o.first; n.Kind != "" || n.Reset && after == "" || n.ID == "" || !n.Reset && after != "" && n.ID != after {
		t.Errorf("it begins with %+v", n)
	}
	return o
}

// next returns what is told next.
func (o *watching) next(t testing.TB) resources.Notice {
	t.Helper()
	select {
	case n := <-o.notices:
		if n.Kind == "" && !n.Reset && n.ID == o.after { // they who come back are told at once that they are heard
			return o.next(t)
		}
		return n
	case err := <-o.ended:
		t.Fatalf("it has ended: %v", err)
		return resources.Notice{}
	}
}

// end ends the watching, and returns how it ended.
func (o *watching) end() error {
	o.cancel()
	return o.wait()
}

// wait returns how it ended by itself.
func (o *watching) wait() error { return <-o.ended }

// said writes a notice in short, such as "created Fram".
func said(n resources.Notice) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s", n.Kind, names([]domain.Record{n.Record})))
}

// until hears what is new, and returns what is told before the ship of that name.
func (o *watching) until(t testing.TB, last string) string {
	t.Helper()
	ok(t, o.s.Hear(t.Context()))
	var told []string
	for {
		text := said(o.next(t))
		if text == "created "+last {
			return strings.Join(told, ", ")
		}
		told = append(told, text)
	}
}

// make stores a ship of ada's, of which everybody is told who may know.
func (w *world) make(t testing.TB, data string) domain.Record {
	t.Helper()
	r, err := w.Create(t.Context(), ada, "ships", document(t, data))
	ok(t, err)
	return r
}

// become changes a ship, whatever the rules say.
func (w *world) become(t testing.TB, id domain.RecordID, patch string) {
	t.Helper()
	c, err := w.store.Collections().ByName(t.Context(), "ships")
	ok(t, err)
	r, err := w.stored(t, id)
	ok(t, err)
	r.Data, err = r.Data.Merge(document(t, patch))
	ok(t, err)
	ok(t, w.store.Records().Replace(t.Context(), c.Ref(), r, c.Entries(r, w.clock.Now())))
}

// sink removes a ship, whatever the rules say.
func (w *world) sink(t testing.TB, id domain.RecordID) {
	t.Helper()
	c, err := w.store.Collections().ByName(t.Context(), "ships")
	ok(t, err)
	r, err := w.stored(t, id)
	ok(t, err)
	ok(t, w.store.Records().Remove(t.Context(), c.Ref(), id, r.Revision, w.clock.Now()))
}

func TestChangesAreTold(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	w.add(t, ada, `{"name":"Before"}`)
	o := w.watch(t, w.Service, same(ada), "", "")
	r, err := w.Create(t.Context(), bob, "ships", document(t, `{"name":"Fram"}`))
	ok(t, err)
	ok(t, w.Hear(t.Context()))
	if n := o.next(t); n.Kind != domain.RecordCreated || n.Record != r || n.Reset || n.ID == "" {
		t.Errorf("it is told as %+v", n)
	}
	changed, err := w.Patch(t.Context(), bob, "ships", r.ID, 0, document(t, `{"crew":16}`))
	ok(t, err)
	ok(t, w.Hear(t.Context()))
	if n := o.next(t); n.Kind != domain.RecordChanged || n.Record != changed {
		t.Errorf("it is told as %+v", n)
	}
	ok(t, w.Delete(t.Context(), bob, "ships", r.ID, 0))
	ok(t, w.Hear(t.Context()))
	if n := o.next(t); n.Kind != domain.RecordDeleted || n.Record != (domain.Record{ID: r.ID}) {
		t.Errorf("it is told as %+v", n)
	}
	_, err = w.Create(t.Context(), bob, "ships", document(t, `{}`)) // refused: nobody hears of it
	is(t, err, domain.ErrInvalidRecord)
	_, err = w.Batch(t.Context(), ada, "ships", []resources.Operation{
		{Verb: domain.VerbCreate, Data: document(t, `{"name":"Erebus"}`)}, {Verb: domain.VerbCreate, Data: document(t, `{"name":"Terror"}`)},
	})
	ok(t, err)
	w.make(t, `{"name":"End"}`)
	if told := o.until(t, "End"); told != "created Erebus, created Terror" {
		t.Errorf("it is told %q", told)
	}
	if err := o.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

func TestAChangeIsToldAsFarAsItShows(t *testing.T) {
	for _, c := range []struct {
		name, read, filter string
		end                string // a ship that shows
		want               string
	}{
		{"to the owner", "owner", "", `{"name":"End"}`, "created Fram, changed Fram, changed Fram, deleted"},
		{"by a rule on the data", "public=true", "", `{"name":"End","public":true}`, "created Fram, deleted"},
		{"by a filter", "anyone", "public=true", `{"name":"End","public":true}`, "created Fram, deleted"},
		{"by a rule and a filter", "owner", "public=true", `{"name":"End","public":true}`, "created Fram, deleted"},
		{"by a filter that picks nothing of it", "anyone", `name="End"`, `{"name":"End"}`, ""},
		{"by a filter that picks all of it", "anyone", "owner", `{"name":"End"}`, "created Fram, changed Fram, changed Fram, deleted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			rules := open
			rules.Read = c.read
			w.declare(t, watched(rules))
			o := w.watch(t, w.Service, same(ada), c.filter, "")
			_, err := w.Create(t.Context(), bob, "ships", document(t, `{"name":"Beagle"}`))
			ok(t, err)
			r := w.make(t, `{"name":"Fram"}`)
			w.become(t, r.ID, `{"public":true}`)
			w.become(t, r.ID, `{"public":false}`)
			w.sink(t, r.ID)
			w.make(t, c.end)
			got := o.until(t, "End")
			if c.read == "anyone" && c.filter == "" {
				c.want = "created Beagle, " + c.want
			}
			if got != c.want {
				t.Errorf("it is told %q, want %q", got, c.want)
			}
			_ = o.end()
		})
	}
}

// Whoever goes on from any notice, on any replica, is told the rest: nothing is left
// out, and nothing told twice.
func TestAWatchGoesOnFromAnyNotice(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	o := w.watch(t, w.Service, same(ada), "", "")
	var ids []string
	for n := range 5 {
		w.make(t, fmt.Sprintf(`{"name":"%d"}`, n))
		ok(t, w.Hear(t.Context()))
		ids = append(ids, o.next(t).ID)
	}
	w.make(t, `{"name":"End"}`)
	for n, id := range ids {
		want := ""
		for next := n + 1; next < 5; next++ {
			want += fmt.Sprintf(", created %d", next)
		}
		for name, s := range map[string]*resources.Service{"this replica": w.Service, "another": w.service()} {
			o := w.watch(t, s, same(ada), "", id)
			if got := o.until(t, "End"); ", "+got != want && got != strings.TrimPrefix(want, ", ") {
				t.Errorf("from the notice of %d, on %s: %q", n, name, got)
			}
			_ = o.end()
		}
	}
	_ = o.end()
}

// Events that come while somebody catches up are told once: not by the store, and then
// again by this replica when it hears of them.
func TestEventsThatComeWhileSomebodyCatchesUpAreToldOnce(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	o := w.watch(t, w.Service, same(ada), "", "")
	w.make(t, `{"name":"first"}`)
	ok(t, w.Hear(t.Context()))
	from := o.next(t).ID
	_ = o.end()
	for n := range 501 { // more than are read at once
		w.make(t, fmt.Sprintf(`{"name":"ship %d"}`, n))
	}
	asked := make(chan string, 100)
	w.store.Fault = func(op string) (bool, error) {
		if op == "events.news" {
			asked <- op
		}
		return false, nil
	}
	o = w.watch(t, w.service(), same(ada), "", from)
	if got := said(o.next(t)); got != "created ship 0" {
		t.Errorf("it goes on with %s", got)
	}
	w.make(t, `{"name":"meanwhile"}`)
	for said(o.next(t)) != "created meanwhile" {
	}
	for range 3 { // the store has been asked whether there is more
		<-asked
	}
	w.make(t, `{"name":"End"}`)
	if told := o.until(t, "End"); told != "" {
		t.Errorf("then it is told %q", told)
	}
	_ = o.end()
}

func TestWhoeverComesBackTooLateBeginsAnew(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	o := w.watch(t, w.Service, same(ada), "", "")
	w.make(t, `{"name":"first"}`)
	ok(t, w.Hear(t.Context()))
	from := o.next(t).ID
	_ = o.end()
	w.make(t, `{"name":"second"}`)
	w.clock.Advance(domain.EventRetention - 2*time.Minute)
	o = w.watch(t, w.Service, same(ada), "", from)
	if n := o.next(t); o.first.Reset || n.Reset || said(n) != "created second" {
		t.Errorf("in time: %+v, %+v", o.first, n)
	}
	_ = o.end()
	w.clock.Advance(time.Minute + time.Second)
	o = w.watch(t, w.Service, same(ada), "", from)
	if !o.first.Reset {
		t.Errorf("too late: %+v", o.first)
	}
	w.make(t, `{"name":"End"}`)
	if told := o.until(t, "End"); told != "" {
		t.Errorf("then it is told %q", told)
	}
	_ = o.end()
}

// A notice that is told late is no younger for it: what follows it may be gone.
func TestANoticeIsAsOldAsItsEvent(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	o := w.watch(t, w.Service, same(ada), "", "")
	w.make(t, `{"name":"first"}`)
	ok(t, w.Hear(t.Context()))
	from := o.next(t).ID
	_ = o.end()
	w.make(t, `{"name":"second"}`)
	w.make(t, `{"name":"third"}`)
	w.clock.Advance(domain.EventRetention - 10*time.Minute)
	o = w.watch(t, w.Service, same(ada), "", from)
	second := o.next(t)
	_ = o.end()
	w.clock.Advance(20 * time.Minute)
	ok(t, w.Prune(t.Context())) // now the third is gone
	o = w.watch(t, w.Service, same(ada), "", second.ID)
	if !o.first.Reset {
		t.Error("the third is left out in silence")
	}
	_ = o.end()
}

func TestHushedWatchersComeBackElsewhere(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	o, p := w.watch(t, w.Service, same(ada), "", ""), w.watch(t, w.Service, same(bob), "", "")
	if n := w.Watching(); n != 2 {
		t.Errorf("%d watch", n)
	}
	w.Hush()
	for _, x := range []*watching{o, p} {
		ok(t, x.wait())
	}
	if n := w.Watching(); n != 0 {
		t.Errorf("%d watch still", n)
	}
	err := w.Watch(t.Context(), same(ada), "ships", "", "", func(resources.Notice) error { return nil })
	is(t, err, domain.ErrTooManyWatchers)
	w.Hush()
	o = w.watch(t, w.service(), same(ada), "", "")
	_ = o.end()
}

// Each watches from within the first word to the one before.
func TestSoManyMayWatch(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	enough := errors.New("enough")
	var refused error
	var watch func() error
	watch = func() error {
		return w.Watch(t.Context(), same(ada), "ships", "", "", func(resources.Notice) error {
			if err := watch(); !errors.Is(err, enough) {
				refused = err
			}
			return enough
		})
	}
	if err := watch(); !errors.Is(err, enough) {
		t.Error(err)
	}
	is(t, refused, domain.ErrTooManyWatchers)
	if n := w.Watching(); n != 0 {
		t.Errorf("%d watch still", n)
	}
}

func TestWhoMayNotWatchIsTold(t *testing.T) {
	w := newWorld()
	c := watched(domain.Rules{List: "nobody", Read: "account", Create: "anyone", Update: "anyone", Delete: "anyone"})
	w.declare(t, c)
	c.Name, c.Watch = "yards", false
	w.declare(t, c)
	c.Name, c.Watch, c.Rules.Read = "docks", true, "role:editor"
	w.declare(t, c)
	sealed := func(collection, text string) string { return fake.Cursors{}.Seal("watch "+collection, text) }
	now := fmt.Sprint(w.clock.Now().Unix())
	for _, x := range []struct {
		name          string
		who           domain.Asker
		in            domain.CollectionName
		filter, after string
		want          string
	}{
		{"an account", ada, "ships", "", "", "ok"},
		{"a stranger", stranger, "ships", "", "", "unauthenticated"},
		{"an account without the role", ada, "docks", "", "", "not-allowed"},
		{"an account with the role", editor, "docks", "", "", "ok"},
		{"a key that only writes", byKey(domain.WriteRecords), "ships", "", "", "out-of-scope"},
		{"a key that reads", byKey(domain.ReadRecords), "ships", "", "", "ok"},
		{"where nobody is told", ada, "yards", "", "", "not-watched"},
		{"where nobody is told, a stranger", stranger, "yards", "", "", "unauthenticated"},
		{"where there is no collection", ada, "nowhere", "", "", "collection-not-found"},
		{"by what is no filter", ada, "ships", "everybody", "", "invalid-filter"},
		{"by a filter", ada, "ships", "owner", "", "ok"},
		{"after a notice", ada, "ships", "", sealed("ships", now+" 0"), "ok"},
		{"after no notice", ada, "ships", "", "x", "invalid-cursor"},
		{"after a notice of another collection", ada, "ships", "", sealed("docks", now+" 0"), "invalid-cursor"},
		{"after a notice of no time", ada, "ships", "", sealed("ships", "yesterday 0"), "invalid-cursor"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		w.make(t, `{"name":"Fram"}`)
		got := "ok"
		caller := func(context.Context) (domain.Asker, error) {
			if w.Watching() > 0 {
				cancel() // it was let in
			}
			return x.who, nil
		}
		err := w.Watch(ctx, caller, x.in, x.filter, x.after, func(resources.Notice) error { cancel(); return nil })
		if !errors.Is(err, context.Canceled) {
			got = outcome(err)
		}
		if got != x.want {
			t.Errorf("%s: got %s, want %s", x.name, got, x.want)
		}
		cancel()
	}
}

func TestADeclarationMayChangeWhileSomebodyWatches(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	o := w.watch(t, w.Service, same(ada), "", "")
	closed := open
	closed.Read = "public=true"
	_, err := w.service().Declare(t.Context(), stranger, watched(closed), operator)
	ok(t, err)
	w.clock.Advance(2 * time.Second)
	ok(t, w.Hear(t.Context()))
	other := &world{Service: w.service(), store: w.store, clock: w.clock, newID: w.newID}
	other.make(t, `{"name":"Hidden"}`)
	other.make(t, `{"name":"End","public":true}`)
	if told := o.until(t, "End"); told != "" {
		t.Errorf("it is told %q", told)
	}
	_ = o.end()
}

func TestAnotherReplicaMayLetThemWatch(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	err := w.Watch(t.Context(), same(ada), "ships", "", "", func(resources.Notice) error { return nil })
	is(t, err, domain.ErrNotWatched)
	_, err = w.service().Declare(t.Context(), stranger, watched(open), operator)
	ok(t, err)
	_ = w.watch(t, w.Service, same(ada), "", "").end()
}

func TestNobodyIsToldOfAnotherCollection(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	yards := watched(open)
	yards.Name = "yards"
	w.declare(t, yards)
	o := w.watch(t, w.Service, same(ada), "", "")
	_, err := w.Create(t.Context(), ada, "yards", document(t, `{"name":"Deptford"}`))
	ok(t, err)
	w.make(t, `{"name":"End"}`)
	if told := o.until(t, "End"); told != "" {
		t.Errorf("it is told %q", told)
	}
	_ = o.end()
}

// A collection that is gone has no events more, so that those of another must wake
// whoever watches it, or the time.
func TestAWatchEndsWithItsCollection(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*resources.Service) error
		want string
	}{
		{"which is removed", func(s *resources.Service) error { return s.Remove(t.Context(), admin, "ships", 0) }, "ok"},
		{"which is watched no more", func(s *resources.Service) error {
			_, err := s.Declare(t.Context(), admin, ships(open), resources.Declaring{})
			return err
		}, "not-watched"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.declare(t, watched(open))
			yards := watched(open)
			yards.Name = "yards"
			w.declare(t, yards)
			o := w.watch(t, w.Service, same(ada), "", "")
			other := w.service()
			ok(t, c.do(other))
			w.clock.Advance(2 * time.Second)
			ok(t, w.Hear(t.Context()))
			_, err := other.Create(t.Context(), ada, "yards", document(t, `{"name":"Deptford"}`))
			ok(t, err)
			ok(t, w.Hear(t.Context()))
			if got := outcome(o.wait()); got != c.want {
				t.Errorf("it ends with %s, want %s", got, c.want)
			}
		})
	}
}

func TestWhoWatchesIsAskedBeforeEachNotice(t *testing.T) {
	w := newWorld()
	rules := open
	rules.Read = "owner"
	w.declare(t, watched(rules))
	var mu sync.Mutex
	who, gone := ada, error(nil)
	be := func(a domain.Asker, err error) {
		mu.Lock()
		defer mu.Unlock()
		who, gone = a, err
	}
	o := w.watch(t, w.Service, func(context.Context) (domain.Asker, error) {
		mu.Lock()
		defer mu.Unlock()
		return who, gone
	}, "", "")
	w.make(t, `{"name":"first"}`)
	if told := o.until(t, "first"); told != "" {
		t.Errorf("it is told %q", told)
	}
	be(bob, nil)
	w.make(t, `{"name":"hidden"}`)
	_, err := w.Create(t.Context(), bob, "ships", document(t, `{"name":"End"}`))
	ok(t, err)
	if told := o.until(t, "End"); told != "" {
		t.Errorf("it is told %q", told)
	}
	be(domain.Asker{}, domain.ErrInvalidToken)
	w.make(t, `{"name":"late"}`)
	ok(t, w.Hear(t.Context()))
	is(t, o.wait(), domain.ErrInvalidToken)
}

func TestAWatchEndsWhereNobodyListens(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	deaf := errors.New("the client has gone")
	if err := w.Watch(t.Context(), same(ada), "ships", "", "", func(resources.Notice) error { return deaf }); !errors.Is(err, deaf) {
		t.Errorf("at the first word: %v", err)
	}
	n, begun := 0, make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- w.Watch(t.Context(), same(ada), "ships", "", "", func(resources.Notice) error {
			if n++; n == 1 {
				close(begun)
				return nil
			}
			return deaf
		})
	}()
	<-begun
	w.make(t, `{"name":"Fram"}`)
	ok(t, w.Hear(t.Context()))
	if err := <-ended; !errors.Is(err, deaf) {
		t.Errorf("at the second: %v", err)
	}
	if n := w.Watching(); n != 0 {
		t.Errorf("%d watch still", n)
	}
}

// Whoever is slow is told of what this replica has in mind no more, from the store.
func TestASlowReaderMissesNothing(t *testing.T) {
	w := newWorld()
	w.store.Replay = false
	w.declare(t, watched(open))
	o := w.watch(t, w.Service, same(ada), "", "")
	const many = 5000
	for n := range many {
		w.make(t, fmt.Sprintf(`{"name":"ship %d"}`, n))
		if n%100 == 0 {
			ok(t, w.Hear(t.Context()))
		}
	}
	ok(t, w.Hear(t.Context()))
	for n := range many {
		if got, want := said(o.next(t)), fmt.Sprintf("created ship %d", n); got != want {
			t.Fatalf("it is told %s, want %s", got, want)
		}
	}
	w.make(t, `{"name":"End"}`)
	if told := o.until(t, "End"); told != "" {
		t.Errorf("then it is told %q", told)
	}
	_ = o.end()
}

func TestWhileNobodyWatchesNothingIsAsked(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	w.make(t, `{"name":"Fram"}`)
	calls := w.calls()
	ok(t, w.Hear(t.Context()))
	if n := calls.Load(); n != 0 {
		t.Errorf("the store is asked %d times", n)
	}
	w.store.Fault = nil
	_ = w.watch(t, w.Service, same(ada), "", "").end()
	w.make(t, `{"name":"Beagle"}`)
	ok(t, w.Hear(t.Context()))
	o := w.watch(t, w.Service, same(ada), "", "") // from now on: nothing of what was before
	w.make(t, `{"name":"End"}`)
	if told := o.until(t, "End"); told != "" {
		t.Errorf("it is told %q", told)
	}
	_ = o.end()
}

func TestAStoreThatIsAwayIsHeardLater(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	o := w.watch(t, w.Service, same(ada), "", "")
	w.make(t, `{"name":"Fram"}`)
	w.fails("events.news", 2, false, domain.ErrUnavailable)
	is(t, w.Hear(t.Context()), domain.ErrUnavailable)
	is(t, w.Hear(t.Context()), domain.ErrUnavailable)
	w.make(t, `{"name":"End"}`)
	if told := o.until(t, "End"); told != "created Fram" {
		t.Errorf("it is told %q", told)
	}
	_ = o.end()
	w.fails("events.latest", 1, false, domain.ErrUnavailable)
	err := w.service().Watch(t.Context(), same(ada), "ships", "", "", func(resources.Notice) error { return nil })
	is(t, err, domain.ErrUnavailable)
}

func TestWhatHasHadItsTimeIsDropped(t *testing.T) {
	w := newWorld()
	w.declare(t, watched(open))
	_, err := w.Import(t.Context(), same(ada), "ships", job, lines(numbered(t, 3)...))
	ok(t, err)
	kept := func() (events int, job bool) {
		all, err := w.store.Events().News(t.Context(), "", 100)
		ok(t, err)
		_, err = w.store.Imports().ByID(t.Context(), "018f0000-0000-7000-8000-0000000000aa")
		return len(all), err == nil
	}
	for _, x := range []struct {
		after  time.Duration
		events int
		job    bool
	}{
		{domain.EventRetention, 3, true}, {time.Microsecond, 0, true}, {domain.ImportRetention - domain.EventRetention - time.Microsecond, 0, true}, {time.Microsecond, 0, false},
	} {
		w.clock.Advance(x.after)
		ok(t, w.Prune(t.Context()))
		if events, job := kept(); events != x.events || job != x.job {
			t.Errorf("%v later %d events are kept, and the import: %t", x.after, events, job)
		}
	}
}

// THE LAW of watching: with two replicas that hear when they hear, and a watcher that
// leaves and comes back to either at any time, what is told joins to what happened.
func TestNoticesJoinToWhatHappened(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld()
		w.declare(t, watched(open))
		replicas := []*resources.Service{w.Service, w.service()}
		pick := func(name string) *resources.Service { return rapid.SampledFrom(replicas).Draw(rt, name) }
		var happened, told []string
		o := w.watch(t, pick("first"), same(ada), "", "")
		steady := w.watch(t, pick("steady"), same(bob), "", "")
		from := ""
		made := 0
		write := func() {
			name := fmt.Sprint("ship ", made)
			made++
			_, err := pick("writer").Create(t.Context(), ada, "ships", document(t, fmt.Sprintf(`{"name":%q}`, name)))
			ok(t, err)
			happened = append(happened, "created "+name)
		}
		write()
		hear := func() {
			for _, s := range replicas {
				ok(t, s.Hear(t.Context()))
			}
		}
		hear()
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0, 1:
				write()
			case 2:
				ok(t, pick("hears").Hear(t.Context()))
			case 3:
				if len(told) < len(happened) {
					hear()
					n := o.next(t)
					told, from = append(told, said(n)), n.ID
				}
			case 4:
				if from != "" {
					_ = o.end()
					o = w.watch(t, pick("comes back"), same(ada), "", from)
				}
			}
		}
		write()
		hear()
		for len(told) < len(happened) {
			told = append(told, said(o.next(t)))
		}
		for _, want := range happened {
			if got := said(steady.next(t)); got != want {
				rt.Fatalf("whoever stays is told %s, want %s", got, want)
			}
		}
		if strings.Join(told, ", ") != strings.Join(happened, ", ") {
			rt.Fatalf("told is %q, and it happened %q", told, happened)
		}
		write()
		hear()
		if got := said(o.next(t)); got != happened[len(happened)-1] {
			rt.Fatalf("in the end it is told %s", got)
		}
		_, _ = o.end(), steady.end()
	})
}
