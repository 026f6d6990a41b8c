package receipts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/receipts"
	"github.com/keyport-go/keyport/ports"
)

// A world is a Service over fakes, and the levers that move them.
type world struct {
	*receipts.Service
	store *fake.Store
	clock *fake.Clock
}

func newWorld() *world {
	w := &world{store: &fake.Store{Replay: true}, clock: fake.NewClock(time.Date(2030, 1, 2, 12, 0, 0, 123456000, time.UTC))}
	w.Service = w.service(fake.Vault{})
	return w
}

func (w *world) service(vault ports.Vault) *receipts.Service {
	return receipts.New(receipts.Config{Store: w.store, Vault: vault, Now: w.clock.Now})
}

var (
	ada   = domain.Asker{Account: "ada"}
	bob   = domain.Asker{Account: "bob"}
	order = receipts.Request{Key: "k", Caller: ada, Route: "POST /v1/ships", Body: []byte(`{"name":"Fram"}`)}
)

// effect stores one thing more, and answers with its number.
func effect(ctx context.Context) func(receipts.Store) ([]byte, error) {
	return func(s receipts.Store) (answer []byte, err error) {
		err = s.Atomically(ctx, func(tx ports.Repositories) error {
			all, err := tx.Collections().List(ctx)
			if err != nil {
				return err
			}
			answer = fmt.Appendf(nil, "effect %d", len(all)+1)
			return tx.Collections().Add(ctx, domain.Collection{Name: domain.CollectionName(fmt.Sprint("c", len(all)+1))})
		})
		return answer, err
	}
}

// allowed is the right to an answer.
func allowed(context.Context) error { return nil }

// effects returns how many there were.
func (w *world) effects(t testing.TB) int {
	t.Helper()
	w.store.Fault = nil
	all, err := w.store.Collections().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// once sends a request, and says what it came to, such as "effect 1" or "effect 1
// again".
func (w *world) once(t testing.TB, r receipts.Request) string {
	t.Helper()
	answer, replayed, err := w.Once(t.Context(), r, allowed, effect(t.Context()))
	if e, known := errors.AsType[*domain.Error](err); known {
		if answer != nil || replayed {
			t.Errorf("an answer came with the error: %q, %t", answer, replayed)
		}
		return e.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	if replayed {
		return string(answer) + " again"
	}
	return string(answer)
}

func TestARequestThatIsSentAgainHasOneEffect(t *testing.T) {
	w := newWorld()
	for i, want := range []string{"effect 1", "effect 1 again", "effect 1 again"} {
		if got := w.once(t, order); got != want {
			t.Errorf("sent %d times: %s, want %s", i+1, got, want)
		}
	}
	if n := w.effects(t); n != 1 {
		t.Errorf("it had %d effects", n)
	}
}

func TestAKeyIsForOneRequest(t *testing.T) {
	w := newWorld()
	other := func(edit func(*receipts.Request)) receipts.Request {
		r := order
		edit(&r)
		return r
	}
	for _, c := range []struct {
		name string
		r    receipts.Request
		want string
	}{
		{"the first", order, "effect 1"},
		{"with another body", other(func(r *receipts.Request) { r.Body = []byte(`{"name":"Beagle"}`) }), "idempotency-key-reused"},
		{"with no body", other(func(r *receipts.Request) { r.Body = nil }), "idempotency-key-reused"},
		{"with another key", other(func(r *receipts.Request) { r.Key = "K" }), "effect 2"},
		{"by another caller", other(func(r *receipts.Request) { r.Caller = bob }), "effect 3"},
		{"by another caller, again", other(func(r *receipts.Request) { r.Caller = bob }), "effect 3 again"},
		{"by a stranger", other(func(r *receipts.Request) { r.Caller = domain.Asker{} }), "effect 4"},
		{"by another stranger", other(func(r *receipts.Request) { r.Caller = domain.Asker{} }), "effect 4 again"},
		{"on another route", other(func(r *receipts.Request) { r.Route = "POST /v1/yards" }), "effect 5"},
		{"on a route that ends with the key's beginning", other(func(r *receipts.Request) { r.Route, r.Key = "POST /v1/shipsk", "k" }), "effect 6"},
		{"by the same account with a key", other(func(r *receipts.Request) { r.Caller.Key = "nightly" }), "effect 1 again"},
		{"the first again", order, "effect 1 again"},
	} {
		if got := w.once(t, c.r); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestOfManyAtOnceOneHasTheEffect(t *testing.T) {
	w := newWorld()
	var all sync.WaitGroup
	var first atomic.Int64
	for range 32 {
		all.Go(func() {
			switch got := w.once(t, order); got {
			case "effect 1":
				first.Add(1)
			case "effect 1 again":
			default:
				t.Errorf("got %s", got)
			}
		})
	}
	all.Wait()
	if n := w.effects(t); n != 1 || first.Load() != 1 {
		t.Errorf("%d effects, and %d had it", n, first.Load())
	}
}

// Wherever a request fails, before a step or with its answer lost, it is sent again, and
// has one effect.
func TestWhateverFailsItHasOneEffect(t *testing.T) {
	var steps []string
	w := newWorld()
	w.store.Fault = func(op string) (bool, error) {
		steps = append(steps, op)
		return false, nil
	}
	w.once(t, order)
	if len(steps) < 5 {
		t.Fatalf("it takes the steps %v", steps)
	}
	for step, op := range steps {
		for _, apply := range []bool{false, true} {
			w, n := newWorld(), atomic.Int64{}
			w.store.Fault = func(string) (bool, error) {
				if n.Add(1) == int64(step)+1 {
					return apply, domain.ErrUnavailable
				}
				return false, nil
			}
			got := w.once(t, order)
			w.store.Fault = nil
			want := "effect 1"
			if lost := op == "atomically" && apply; lost || got == "effect 1" {
				want = "effect 1 again"
			}
			if got != "unavailable" && got != "effect 1" {
				t.Errorf("at %s, %t: %s", op, apply, got)
			}
			if again := w.once(t, order); again != want {
				t.Errorf("at %s, %t: sent again it comes to %s, want %s", op, apply, again, want)
			}
			if n := w.effects(t); n != 1 {
				t.Errorf("at %s, %t: it has %d effects", op, apply, n)
			}
		}
	}
}

func TestAnAnswerIsKeptForADay(t *testing.T) {
	w := newWorld()
	w.once(t, order)
	w.clock.Advance(domain.ReceiptRetention - time.Microsecond)
	if got := w.once(t, order); got != "effect 1 again" {
		t.Errorf("within the day: %s", got)
	}
	w.clock.Advance(time.Microsecond)
	other := order
	other.Body = []byte("another")
	for i, want := range []string{"effect 2", "effect 2 again"} {
		if got := w.once(t, other); got != want {
			t.Errorf("after the day, sent %d times: %s", i+1, got)
		}
	}
	if got := w.once(t, order); got != "idempotency-key-reused" {
		t.Errorf("what was sent the day before: %s", got)
	}
}

func TestWhatHasHadItsTimeIsDropped(t *testing.T) {
	w := newWorld()
	var ids []domain.ReceiptID
	keep := func(n byte) {
		id := domain.ReceiptID{n}
		ids = append(ids, id)
		if err := w.store.Receipts().Keep(t.Context(), domain.Receipt{ID: id, At: w.clock.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	kept := func() (n int) {
		for _, id := range ids {
			if _, there, err := w.store.Receipts().Claim(t.Context(), id); err != nil {
				t.Fatal(err)
			} else if there {
				n++
			}
		}
		return n
	}
	keep(1)
	w.clock.Advance(time.Hour)
	keep(2)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{domain.ReceiptRetention - time.Hour, 2}, {time.Microsecond, 1}, {time.Hour, 0}} {
		w.clock.Advance(c.after)
		if err := w.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := kept(); n != c.want {
			t.Errorf("%v later %d are kept, want %d", c.after, n, c.want)
		}
	}
}

func TestTheRightToAnAnswerIsAskedAgain(t *testing.T) {
	w := newWorld()
	asked, verdict := 0, error(domain.ErrNotAllowed)
	right := func(context.Context) error {
		asked++
		return verdict
	}
	answer, replayed, err := w.Once(t.Context(), order, right, effect(t.Context()))
	if err != nil || replayed || string(answer) != "effect 1" || asked != 0 {
		t.Errorf("at first: %q, %t, %v, and it was asked %d times", answer, replayed, err, asked)
	}
	answer, replayed, err = w.Once(t.Context(), order, right, effect(t.Context()))
	if !errors.Is(err, domain.ErrNotAllowed) || replayed || answer != nil {
		t.Errorf("without the right: %q, %t, %v", answer, replayed, err)
	}
	verdict = nil
	answer, replayed, err = w.Once(t.Context(), order, right, effect(t.Context()))
	if err != nil || !replayed || string(answer) != "effect 1" || asked != 2 {
		t.Errorf("with the right: %q, %t, %v", answer, replayed, err)
	}
	if n := w.effects(t); n != 1 {
		t.Errorf("there were %d effects", n)
	}
}

func TestWhatFailsIsJudgedAnew(t *testing.T) {
	w := newWorld()
	_, _, err := w.Once(t.Context(), order, allowed, func(s receipts.Store) ([]byte, error) {
		if _, err := effect(t.Context())(s); err != nil {
			return nil, err
		}
		return []byte("nothing"), domain.ErrInvalidRecord
	})
	if !errors.Is(err, domain.ErrInvalidRecord) || w.effects(t) != 0 {
		t.Errorf("%v, and it had %d effects", err, w.effects(t))
	}
	other := order
	other.Body = []byte("mended")
	if got := w.once(t, other); got != "effect 1" {
		t.Errorf("mended it comes to %s", got)
	}
}

func TestAnAnswerIsSealed(t *testing.T) {
	w := newWorld()
	secret := []byte("nobody else is to read this")
	_, _, err := w.Once(t.Context(), order, allowed, func(receipts.Store) ([]byte, error) { return secret, nil })
	if err != nil {
		t.Fatal(err)
	}
	id := domain.ReceiptID(fake.Vault{}.Digest("receipt", []byte("ada\x00POST /v1/ships\x00k\x00")))
	r, there, err := w.store.Receipts().Claim(t.Context(), id)
	if err != nil || !there {
		t.Fatalf("it is kept under another id (%v)", err)
	}
	if bytes.Contains(r.Answer, secret) || bytes.Contains([]byte(fmt.Sprintf("%s%x", r.Body, r.Body)), order.Body) {
		t.Errorf("it is kept as %q", r.Answer)
	}

	// Nor can it be put in another's place.
	theirs := order
	theirs.Caller = bob
	r.ID = domain.ReceiptID(fake.Vault{}.Digest("receipt", []byte("bob\x00POST /v1/ships\x00k\x00")))
	r.Body = fake.Vault{}.Digest("receipt body", append(r.ID[:], order.Body...))
	if err := w.store.Receipts().Keep(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	answer, _, err := w.Once(t.Context(), theirs, allowed, effect(t.Context()))
	if err == nil || answer != nil {
		t.Errorf("bob gets %q, %v", answer, err)
	}
}
