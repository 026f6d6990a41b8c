package resources_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
	"github.com/keyport-go/keyport/ports"
)

// A world is a Service over fakes, and the levers that move them.
type world struct {
	*resources.Service
	store *fake.Store
	clock *fake.Clock
	newID func() string

	meanwhile func() // what happens once between a record's reading and its writing
}

func newWorld() *world {
	w := &world{
		store: &fake.Store{Replay: true}, clock: fake.NewClock(time.Date(2030, 1, 2, 12, 0, 0, 123456000, time.UTC)), newID: fake.UUIDs(),
	}
	w.Service = w.service()
	return w
}

// service returns another Service over the same store, as another replica is.
func (w *world) service() *resources.Service { return w.over(w.store) }

// over returns a Service over another store.
func (w *world) over(store ports.Store) *resources.Service {
	return resources.New(resources.Config{
		Store: store, Rules: words{}, Schemas: required{&w.meanwhile}, Cursors: fake.Cursors{}, Now: w.clock.Now, NewID: w.newID,
	})
}

var (
	stranger domain.Asker
	ada      = domain.Asker{Account: "ada"}
	bob      = domain.Asker{Account: "bob"}
	editor   = domain.Asker{Account: "eve", Roles: []domain.Role{"editor"}}
	admin    = domain.Asker{Account: "root", Roles: []domain.Role{domain.Administrator}}
)

// operator is how whoever has the files declares.
var operator = resources.Declaring{Operator: true}

// open are rules that let anyone do anything.
var open = domain.Rules{List: "anyone", Read: "anyone", Create: "anyone", Update: "anyone", Delete: "anyone"}

// ships returns the declaration of a collection whose records need a name.
func ships(rules domain.Rules, unique ...domain.Unique) domain.Collection {
	return domain.Collection{Name: "ships", Schema: domain.RestoreDocument(`{"required":["name"]}`), Rules: rules, Unique: unique}
}

func (w *world) declare(t testing.TB, c domain.Collection) domain.Collection {
	t.Helper()
	c, err := w.Declare(t.Context(), stranger, c, operator)
	ok(t, err)
	return c
}

// add stores a record of somebody's, whatever the rules say.
func (w *world) add(t testing.TB, owner domain.Asker, data string) domain.Record {
	t.Helper()
	c, err := w.store.Collections().ByName(t.Context(), "ships")
	ok(t, err)
	r := domain.Record{
		ID: domain.RecordID(w.newID()), Owner: owner.Account, Data: document(t, data), Revision: 1, Created: w.clock.Now(), Changed: w.clock.Now(),
	}
	ok(t, w.store.Records().Add(t.Context(), c.Ref(), r, c.Entries(r, r.Created)))
	return r
}

// stored returns a record as the store has it.
func (w *world) stored(t testing.TB, id domain.RecordID) (domain.Record, error) {
	t.Helper()
	c, err := w.store.Collections().ByName(t.Context(), "ships")
	ok(t, err)
	return w.store.Records().Get(t.Context(), c.Ref(), id)
}

// calls counts what the store is asked from now on.
func (w *world) calls() *atomic.Int64 {
	var n atomic.Int64
	w.store.Fault = func(string) (bool, error) {
		n.Add(1)
		return false, nil
	}
	return &n
}

// fails makes an operation fail some times: before it happens, or with its answer
// lost.
func (w *world) fails(op string, times int64, apply bool, err error) {
	var n atomic.Int64
	w.store.Fault = func(asked string) (bool, error) {
		if asked == op && n.Add(1) <= times {
			return apply, err
		}
		return false, nil
	}
}

// interrupted is a Store at which something happens before a collection is written,
// and before a transaction begins.
type interrupted struct {
	ports.Store
	before func()
}

func (s interrupted) Collections() ports.Collections {
	return interruptedCollections{s.Store.Collections(), s.before}
}

func (s interrupted) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	s.before()
	return s.Store.Atomically(ctx, f)
}

type interruptedCollections struct {
	ports.Collections
	before func()
}

func (c interruptedCollections) Replace(ctx context.Context, with domain.Collection) error {
	c.before()
	return c.Collections.Replace(ctx, with)
}

// once returns f as it happens the first time alone.
func once(f func()) func() { return sync.OnceFunc(f) }

// sorted reads indexes.
func sorted(t testing.TB, orders ...string) (list []domain.Index) {
	t.Helper()
	for _, order := range orders {
		list = append(list, domain.Index{Sort: sortOf(t, order)})
	}
	return list
}

func sortOf(t testing.TB, order string) domain.Sort {
	t.Helper()
	s, err := domain.ParseSort(order)
	ok(t, err)
	return s
}

// faults returns a failure's code, and the inputs that it blames.
func faults(err error) string {
	e, known := errors.AsType[*domain.Error](err)
	if !known {
		return fmt.Sprint(err)
	}
	text := e.Code
	for _, f := range e.Fields {
		text += " " + f.Path
	}
	return text
}

// names returns the names of ships, in their order.
func names(list []domain.Record) string {
	var all []string
	for _, r := range list {
		name, _ := r.Data.Tree()["name"].(string)
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func document(t testing.TB, text string) domain.Document {
	t.Helper()
	d, err := domain.ParseDocument([]byte(text))
	ok(t, err)
	return d
}

// outcome is a failure's code, or "ok".
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	if e, known := errors.AsType[*domain.Error](err); known {
		return e.Code
	}
	return err.Error()
}

// is fails the test unless err is the failure want.
func is(t testing.TB, err error, want *domain.Error) {
	t.Helper()
	if got := outcome(err); got != want.Code {
		t.Errorf("got %s, want %s", got, want.Code)
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
