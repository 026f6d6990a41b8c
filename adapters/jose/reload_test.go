package jose_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func TestWhatWasReadBeforeIsNotOpenedAgain(t *testing.T) {
	c, _ := timed()
	k := open(t, c)
	token := issue(t, k, claims())
	for range 3 {
		if _, err := k.Tokens().Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		ok(t, k.Reload(t.Context()))
	}
	// A key that was opened anew would have had to check it anew.
	if got, want := k.Stats(), (jose.Stats{Signatures: 1, Recalled: 2, Remembered: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestKeysThatCannotBeReadLeaveThoseThatWere(t *testing.T) {
	c, _ := timed()
	var fault atomic.Pointer[error]
	store := &fake.Store{Fault: func(string) (bool, error) {
		if err := fault.Load(); err != nil {
			return false, *err
		}
		return false, nil
	}}
	c.Store = store
	k := open(t, c)
	token, set := issue(t, k, claims()), keySet(t, k)

	fault.Store(&[]error{domain.ErrUnavailable}[0])
	if err := k.Reload(t.Context()); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("from a store that fails: got %v, want ErrUnavailable", err)
	}
	fault.Store(nil)
	settle(t, store, jose.Seal(jose.NewMaster(), domain.Key{ID: "foreign", Use: "cursor", Number: 2, Algorithm: "HS256"}, make([]byte, 32)))
	if err := k.Reload(t.Context()); !errors.Is(err, jose.ErrMasterKey) {
		t.Errorf("a key of another master key: got %v, want ErrMasterKey", err)
	}
	if _, err := k.Tokens().Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	if got := keySet(t, k); got != set {
		t.Errorf("got the key set %s, want %s", got, set)
	}
	ok(t, store.Keys().Drop(t.Context(), "foreign"))
	ok(t, k.Reload(t.Context()))
}

// held is a store whose listings are held back after they have been taken.
type held struct {
	ports.Store
	taken chan<- struct{}
	give  <-chan struct{}
	count *atomic.Int64
}

func (h held) Keys() ports.Keys { return heldKeys{h.Store.Keys(), h} }

type heldKeys struct {
	ports.Keys
	store held
}

func (h heldKeys) List(ctx context.Context) ([]domain.Key, error) {
	list, err := h.Keys.List(ctx)
	h.store.count.Add(1)
	if h.store.taken != nil {
		h.store.taken <- struct{}{}
		<-h.store.give
	}
	return list, err
}

func TestCallsAtOnceShareAReadingThatBeganAfterThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed()
		store := new(fake.Store)
		c.Store = store
		seed := open(t, c)
		taken, give := make(chan struct{}), make(chan struct{})
		gate := &gated{Store: store}
		c.Store = gate
		k := open(t, c)
		count := new(atomic.Int64)
		gate.held.Store(&held{store, taken, give, count})

		var early, late sync.WaitGroup
		early.Go(func() {
			if err := k.Reload(t.Context()); err != nil {
				t.Error(err)
			}
		})
		<-taken
		// The first reading has its list, and this key is not on it.
		_, err := seed.Rotate(t.Context(), "sign")
		ok(t, err)
		for range 16 {
			late.Go(func() {
				if err := k.Reload(t.Context()); err != nil {
					t.Error(err)
				}
				if got, want := published(t, k), published(t, seed); len(got) != len(want) {
					t.Errorf("got %q published, want %q", got, want)
				}
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		late.Go(func() {
			if err := k.Reload(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("who goes away meanwhile: got %v, want context.Canceled", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		give <- struct{}{}
		early.Wait()
		<-taken
		give <- struct{}{}
		late.Wait()
		if got := count.Load(); got != 2 {
			t.Errorf("the store was read %d times, want twice", got)
		}
	})
}

// Where the store is silent, nobody waits for the vain waits of all others.
func TestAReadingThatFailsAnswersAllWhoWaitedForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed()
		store := new(fake.Store)
		gate := &gated{Store: store}
		c.Store = gate
		k := open(t, c)
		taken, give := make(chan struct{}), make(chan struct{})
		count := new(atomic.Int64)
		gate.held.Store(&held{failing{store}, taken, give, count})

		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				if err := k.Reload(t.Context()); !errors.Is(err, domain.ErrUnavailable) {
					t.Errorf("got %v, want unavailable", err)
				}
			})
		}
		<-taken
		synctest.Wait()
		give <- struct{}{}
		callers.Wait()
		if got := count.Load(); got != 1 {
			t.Errorf("the store was read %d times, want once", got)
		}
		gate.held.Store(nil)
		ok(t, k.Reload(t.Context()))
	})
}

func TestWhoGoesAwayWhileReadingAnswersNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed()
		store := new(fake.Store)
		gate := &gated{Store: store}
		c.Store = gate
		k := open(t, c)
		taken, give := make(chan struct{}), make(chan struct{})
		gate.held.Store(&held{failing{store}, taken, give, new(atomic.Int64)})

		gone, leave := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		callers.Go(func() {
			if err := k.Reload(gone); err == nil {
				t.Error("who has gone is told that all is well")
			}
		})
		<-taken
		for range 3 {
			callers.Go(func() {
				if err := k.Reload(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		leave()
		gate.held.Store(nil)
		give <- struct{}{}
		callers.Wait()
	})
}

// gated is a store that can be made a held one.
type gated struct {
	ports.Store
	held atomic.Pointer[held]
}

func (g *gated) Keys() ports.Keys {
	if h := g.held.Load(); h != nil {
		return h.Keys()
	}
	return g.Store.Keys()
}

// failing is a store whose keys cannot be listed.
type failing struct{ ports.Store }

func (f failing) Keys() ports.Keys { return failingKeys{f.Store.Keys()} }

type failingKeys struct{ ports.Keys }

func (failingKeys) List(context.Context) ([]domain.Key, error) { return nil, domain.ErrUnavailable }
