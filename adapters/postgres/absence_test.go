package postgres_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
)

func TestAHostThatDidNotAnswerIsNotWaitedForAgainUntilItDoes(t *testing.T) {
	const lost, good = "lost:5432", "good:5432"
	away := true
	dial := postgres.Absence(func(ctx context.Context, _, addr string) (net.Conn, error) {
		if addr == lost && away {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		c, other := net.Pipe()
		return c, other.Close()
	})
	// reach dials for as long as the test may take, or as patience.
	reach := func(addr string, patience time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c, err := dial(ctx, "tcp", addr)
		if err == nil {
			err = c.Close()
		}
		if ctx.Err() != nil && patience == time.Hour {
			t.Fatal("it was waited for")
		}
		return err
	}
	if err := reach(lost, time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("err = %v, want that it takes too long", err)
	}
	for range 2 {
		if err := reach(lost, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("err = %v, want that it takes too long", err)
		}
		if err := reach(good, time.Hour); err != nil {
			t.Error("the other host:", err)
		}
	}
	away = false
	if err := reach(lost, time.Hour); err != nil {
		t.Error("the host that came back:", err)
	}
	// A caller who goes away says nothing of the host.
	away = true
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dial(gone, "tcp", lost); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want that the caller went away", err)
	}
}
