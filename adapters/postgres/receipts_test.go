package postgres_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func TestWhoClaimsAReceiptThatIsHeldIsToldThatItStillRuns(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	id := domain.ReceiptID{1, 2, 3}
	want := domain.Receipt{ID: id, Body: [32]byte{4}, Answer: []byte("answer"), At: noon}
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if _, kept, err := tx.Receipts().Claim(t.Context(), id); err != nil || kept {
			return fmt.Errorf("the first claim finds one: %v (%w)", kept, err)
		}
		_, _, err := s.Receipts().Claim(t.Context(), id)
		is(t, err, domain.ErrStillRunning)
		if _, _, err := s.Receipts().Claim(t.Context(), domain.ReceiptID{9}); err != nil {
			return err // another id is nobody's
		}
		return tx.Receipts().Keep(t.Context(), want)
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, kept, err := s.Receipts().Claim(t.Context(), id); err != nil || !kept || !reflect.DeepEqual(r, want) {
		t.Fatalf("it is %+v, %v (%v), want %+v", r, kept, err, want)
	}
}

func TestAClaimThatIsUndoneLeavesNothing(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	id, undone := domain.ReceiptID{1}, errors.New("undone")
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if _, _, err := tx.Receipts().Claim(t.Context(), id); err != nil {
			return err
		}
		return errors.Join(tx.Receipts().Keep(t.Context(), domain.Receipt{ID: id, At: noon}), undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if _, kept, err := s.Receipts().Claim(t.Context(), id); err != nil || kept {
		t.Fatalf("there is one: %v (%v)", kept, err)
	}
}

// Of many that have one effect at once, each gets one answer or is told to wait.
func TestOneOfManyClaimsHasTheEffect(t *testing.T) {
	s, _ := open(t, postgres.Config{MaxConns: 8})
	const callers = 16
	type outcome struct {
		replayed bool
		err      error
	}
	ended := make(chan outcome)
	for range callers {
		go func() {
			var o outcome
			o.err = s.Atomically(t.Context(), func(tx ports.Repositories) error {
				_, kept, err := tx.Receipts().Claim(t.Context(), domain.ReceiptID{7})
				if o.replayed = kept; err != nil || kept {
					return err
				}
				return tx.Receipts().Keep(t.Context(), domain.Receipt{ID: domain.ReceiptID{7}, At: noon})
			})
			ended <- o
		}()
	}
	effects := 0
	for range callers {
		switch o := <-ended; {
		case o.err == nil && !o.replayed:
			effects++
		case o.err != nil && !errors.Is(o.err, domain.ErrStillRunning):
			t.Error(o.err)
		}
	}
	if effects != 1 {
		t.Fatalf("there are %d effects, want one", effects)
	}
}
