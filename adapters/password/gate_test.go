package password

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/keyport-go/keyport/domain"
)

func TestOfAThousandCallersAtOnceAFewRunAFewWaitAndTheRestAreTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(3, 10)
		release := make(chan struct{})
		var admitted, refused, other atomic.Int64
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				switch err := g.enter(t.Context()); {
				case err == nil:
					admitted.Add(1)
					<-release
					g.leave()
				case errors.Is(err, domain.ErrBusy):
					refused.Add(1)
				default:
					other.Add(1)
				}
			})
		}
		synctest.Wait()
		if got, want := g.stats(), (Stats{Running: 3, Waiting: 10, Highest: 3, Refused: 987}); got != want {
			t.Errorf("while three hold on: got %+v, want %+v", got, want)
		}
		close(release)
		callers.Wait()
		if admitted.Load() != 13 || refused.Load() != 987 || other.Load() != 0 {
			t.Errorf("got %d admitted, %d refused, %d other errors, want 13, 987, 0", admitted.Load(), refused.Load(), other.Load())
		}
		if got, want := g.stats(), (Stats{Highest: 3, Refused: 987}); got != want {
			t.Errorf("when all have left: got %+v, want %+v", got, want)
		}
	})
}

func TestAContextThatEndsGivesUpItsPlaceInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 1)
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- g.enter(ctx) }()
		synctest.Wait()
		if err := g.enter(t.Context()); !errors.Is(err, domain.ErrBusy) {
			t.Fatalf("with the queue full: got %v, want ErrBusy", err)
		}
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Fatalf("when its context ended: got %v, want context.Canceled", err)
		}
		go func() { left <- g.enter(t.Context()) }()
		synctest.Wait()
		g.leave()
		if err := <-left; err != nil {
			t.Fatalf("the place that was given up: got %v, want to enter", err)
		}
	})
}

func TestAContextThatHasEndedDoesNotEnter(t *testing.T) {
	g := newGate(1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.enter(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	if got := g.stats(); got != (Stats{}) {
		t.Fatalf("got %+v, want nobody inside", got)
	}
}

func TestTheQueueIsServedInTheOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 5)
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		var order []int // guarded by the gate, which lets one run at a time
		var callers sync.WaitGroup
		for i := range 5 {
			callers.Go(func() {
				if err := g.enter(t.Context()); err != nil {
					t.Error(err)
					return
				}
				order = append(order, i)
				g.leave()
			})
			synctest.Wait() // until it stands in the queue
		}
		g.leave()
		callers.Wait()
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(order, want) {
			t.Errorf("got %v, want %v", order, want)
		}
	})
}
