package porttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var receipts = []clause[ports.Store]{
	{
		"a receipt is found as it was kept",
		"Receipts keeps the answers to requests that are to have one effect.",
		func(ctx context.Context, s ports.Store) error {
			var err error
			for n, answer := range []string{"", "a", "\x00", "a\x00b\x00", "\xff\xfe’\r\n\\x00\\", strings.Repeat("\x00\xff", 1<<15)} {
				r := receiptAt(n)
				r.Answer = []byte(answer)
				err = errors.Join(err, kept(ctx, s, r), finds(r)(claim(ctx, s, r.ID)))
			}
			return err
		},
	},
	{
		"a receipt takes the place of another",
		"Keep stores a receipt, in the place of what was kept for that id.",
		func(ctx context.Context, s ports.Store) error {
			now := receiptAt(2)
			now.ID = receiptAt(1).ID
			return errors.Join(
				kept(ctx, s, receiptAt(1)),
				s.Atomically(ctx, func(tx ports.Repositories) error {
					return errors.Join(finds(receiptAt(1))(tx.Receipts().Claim(ctx, now.ID)), tx.Receipts().Keep(ctx, now))
				}),
				finds(now)(claim(ctx, s, now.ID)),
			)
		},
	},
	{
		"each receipt has an id of its own",
		"Claim returns the receipt of that id, if one is kept",
		func(ctx context.Context, s ports.Store) error {
			ids := []domain.ReceiptID{{}, {31: 1}, {0: 1}, {15: 1, 16: 1}, {31: 0xff}, receiptAt(1).ID}
			var err error
			for i, id := range ids {
				r := receiptAt(i)
				r.ID = id
				err = errors.Join(err, finds()(claim(ctx, s, id)), kept(ctx, s, r))
			}
			for i, id := range ids {
				r := receiptAt(i)
				r.ID = id
				err = errors.Join(err, finds(r)(claim(ctx, s, id)))
			}
			return errors.Join(err, finds()(claim(ctx, s, domain.ReceiptID{30: 1})))
		},
	},
	{
		"a transaction finds what it has kept",
		"Claim returns the receipt of that id, if one is kept",
		func(ctx context.Context, s ports.Store) error {
			return s.Atomically(ctx, func(tx ports.Repositories) error {
				return errors.Join(
					finds()(tx.Receipts().Claim(ctx, receiptAt(1).ID)),
					finds()(tx.Receipts().Claim(ctx, receiptAt(1).ID)), // which is its own already
					tx.Receipts().Keep(ctx, receiptAt(1)),
					finds(receiptAt(1))(tx.Receipts().Claim(ctx, receiptAt(1).ID)),
					finds()(tx.Receipts().Claim(ctx, receiptAt(2).ID)),
				)
			})
		},
	},
	{
		"who claims an id keeps others out",
		"keeps others from claiming the id until the transaction ends. Those wait, or fail with domain.ErrStillRunning.",
		keptOut,
	},
	{
		"of many who claim an id one has an effect",
		"Claim returns the receipt of that id, if one is kept, and keeps others from claiming the id until the transaction ends. Those wait, or fail with domain.ErrStillRunning.",
		func(ctx context.Context, s ports.Store) error {
			return oneEffect(ctx, s, func(int) bool { return false })
		},
	},
	{
		"when those that had a claim have failed another has it",
		"It belongs into the transaction that claimed the id and has the effect, so that there is never one without the other.",
		func(ctx context.Context, s ports.Store) error {
			return oneEffect(ctx, s, func(i int) bool { return i%2 == 1 })
		},
	},
	{
		"a receipt that is not kept leaves its id free",
		"Keep stores a receipt, in the place of what was kept for that id. It belongs into the transaction that claimed the id and has the effect, so that there is never one without the other.",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			if err := declared(ctx, s, ships); err != nil {
				return err
			}
			boom := errors.New("boom")
			effect := func(tx ports.Repositories) error {
				return errors.Join(
					finds()(tx.Receipts().Claim(ctx, receiptAt(1).ID)),
					tx.Records().Add(ctx, ships.Ref(), record(1, ""), domain.Entries{}),
					tx.Receipts().Keep(ctx, receiptAt(1)),
				)
			}
			failed := s.Atomically(ctx, func(tx ports.Repositories) error { return cmp.Or(effect(tx), boom) })
			if !errors.Is(failed, boom) {
				return fmt.Errorf("Atomically did not return the error of f: %w", failed)
			}
			return errors.Join(
				fails[domain.Record](domain.ErrRecordNotFound)(s.Records().Get(ctx, ships.Ref(), recordID(1))),
				s.Atomically(ctx, effect),
				finds(receiptAt(1))(claim(ctx, s, receiptAt(1).ID)),
				reads(record(1, ""))(s.Records().Get(ctx, ships.Ref(), recordID(1))),
			)
		},
	},
	{
		"a claim of which nothing comes is over",
		"keeps others from claiming the id until the transaction ends.",
		func(ctx context.Context, s ports.Store) error {
			return errors.Join(
				finds()(claim(ctx, s, receiptAt(1).ID)),
				finds()(claim(ctx, s, receiptAt(1).ID)),
				finds()(s.Receipts().Claim(ctx, receiptAt(1).ID)), // a transaction of its own
				kept(ctx, s, receiptAt(1)),
				finds(receiptAt(1))(s.Receipts().Claim(ctx, receiptAt(1).ID)),
				finds(receiptAt(1))(claim(ctx, s, receiptAt(1).ID)),
			)
		},
	},
	{
		"receipts that are of no interest any more are forgotten",
		"Forget drops at most limit receipts from before t, and says how many.",
		func(ctx context.Context, s ports.Store) error {
			// Which ones are dropped is the store's to choose.
			left := func() (n int, err error) {
				for i := range 4 {
					_, there, err2 := claim(ctx, s, receiptAt(i).ID)
					err = errors.Join(err, err2)
					if there {
						n++
					}
				}
				return n, err
			}
			return errors.Join(
				kept(ctx, s, receiptAt(3)), kept(ctx, s, receiptAt(1)), kept(ctx, s, receiptAt(2)),
				reads(0)(s.Receipts().Forget(ctx, receiptAt(1).At, 9)),
				reads(0)(s.Receipts().Forget(ctx, receiptAt(3).At, 0)),
				reads(3)(left()),
				reads(1)(s.Receipts().Forget(ctx, receiptAt(3).At, 1)),
				reads(2)(left()),
				reads(1)(s.Receipts().Forget(ctx, receiptAt(3).At, 9)),
				reads(0)(s.Receipts().Forget(ctx, receiptAt(3).At, 9)),
				finds()(claim(ctx, s, receiptAt(1).ID)),
				finds()(claim(ctx, s, receiptAt(2).ID)),
				finds(receiptAt(3))(claim(ctx, s, receiptAt(3).ID)),
				kept(ctx, s, receiptAt(1)), // whose id is free again
				finds(receiptAt(1))(claim(ctx, s, receiptAt(1).ID)),
			)
		},
	},
	{
		"answers are copied",
		"implementations copy slices.",
		func(ctx context.Context, s ports.Store) error {
			in := receiptAt(1)
			err := kept(ctx, s, in)
			in.Answer[0] = 'x'
			out, there, err2 := claim(ctx, s, in.ID)
			if err := errors.Join(err, finds(receiptAt(1))(out, there, err2)); err != nil {
				return err
			}
			out.Answer[0] = 'x'
			return finds(receiptAt(1))(claim(ctx, s, in.ID))
		},
	},
}

// receiptAt returns the nth receipt, kept at the nth time.
func receiptAt(n int) domain.Receipt {
	r := receipt(n)
	r.At = eventTime(n)
	return r
}

// kept keeps a receipt in a transaction that claims its id, and finds nothing.
func kept(ctx context.Context, s ports.Store, r domain.Receipt) error {
	return s.Atomically(ctx, func(tx ports.Repositories) error {
		return errors.Join(finds()(tx.Receipts().Claim(ctx, r.ID)), tx.Receipts().Keep(ctx, r))
	})
}

// claim claims an id in a transaction that does nothing else.
func claim(ctx context.Context, s ports.Store, id domain.ReceiptID) (r domain.Receipt, there bool, err error) {
	err = s.Atomically(ctx, func(tx ports.Repositories) (err error) {
		r, there, err = tx.Receipts().Claim(ctx, id)
		return err
	})
	return r, there, err
}

// finds takes what Claim returned and fails unless it is want, or nothing.
func finds(want ...domain.Receipt) func(domain.Receipt, bool, error) error {
	return func(got domain.Receipt, there bool, err error) error {
		switch {
		case err != nil:
			return err
		case there != (len(want) > 0):
			return fmt.Errorf("found a receipt: %t, want %t", there, !there)
		case !there:
			return same(spellReceipt(got), spellReceipt(domain.Receipt{}))
		}
		return same(spellReceipt(got), spellReceipt(want[0]))
	}
}

func spellReceipt(r domain.Receipt) string {
	return fmt.Sprintf("receipt %x for %x at %v: %q", r.ID, r.Body, r.At, r.Answer)
}

// keptOut claims an id in a transaction, and once more beside it, which must have no
// success before the first has ended. The transaction gives it a while, and no more.
func keptOut(ctx context.Context, s ports.Store) error {
	const while = 200
	for n := range 8 {
		r := receiptAt(n)
		fail := n%2 == 1
		boom := errors.New("boom")
		var beside sync.WaitGroup
		var once sync.Once
		var had atomic.Bool // by the second
		var found domain.Receipt
		var there bool
		var err2 error
		begun := make(chan struct{})
		err := s.Atomically(ctx, func(tx ports.Repositories) error {
			if err := finds()(tx.Receipts().Claim(ctx, r.ID)); err != nil {
				return err
			}
			once.Do(func() {
				beside.Go(func() {
					close(begun)
					err2 = s.Atomically(ctx, func(tx ports.Repositories) (err error) {
						found, there, err = tx.Receipts().Claim(ctx, r.ID)
						had.Store(err == nil)
						return err
					})
				})
			})
			<-begun
			for range while {
				if had.Load() {
					return errors.New("two have claimed one id at once")
				}
				runtime.Gosched()
				if _, err := tx.Accounts().List(ctx, "", 1); err != nil {
					return err
				}
			}
			if fail {
				return boom
			}
			return tx.Receipts().Keep(ctx, r)
		})
		beside.Wait()
		if fail && errors.Is(err, boom) {
			err = nil
		}
		switch {
		case err != nil:
		case err2 != nil:
			err = is(err2, domain.ErrStillRunning)
		case fail:
			err = finds()(found, there, nil)
		default:
			err = finds(r)(found, there, nil)
		}
		if err != nil {
			return fmt.Errorf("round %d: %w", n, err)
		}
	}
	return nil
}

// oneEffect adds a record by each of many in a transaction that claims one id and has
// found nothing, and keeps a receipt for it. Some fail then. It fails unless one
// record is there, and those that have found a receipt have found its.
func oneEffect(ctx context.Context, s ports.Store, failing func(i int) bool) error {
	ships := collection("ships")
	if err := declared(ctx, s, ships); err != nil {
		return err
	}
	boom := errors.New("boom")
	own := func(i int) domain.Receipt {
		r := receiptAt(i)
		r.ID = receiptAt(1).ID
		return r
	}
	var found [contenders]*domain.Receipt
	errs := race(func(i int) error {
		return s.Atomically(ctx, func(tx ports.Repositories) error {
			found[i] = nil
			r, there, err := tx.Receipts().Claim(ctx, own(i).ID)
			if err != nil {
				return err
			}
			if there {
				found[i] = &r
				return nil
			}
			if err := errors.Join(tx.Records().Add(ctx, ships.Ref(), record(i, ""), domain.Entries{}), tx.Receipts().Keep(ctx, own(i))); err != nil {
				return err
			}
			if failing(i) {
				return boom
			}
			return nil
		})
	})
	// Where the others do not wait, all may be refused but those that fail.
	last, there, err := claim(ctx, s, own(0).ID)
	if err != nil {
		return err
	}
	winners := 0
	for i, err := range errs {
		switch {
		case err == nil && found[i] == nil:
			winners++
			if err := finds(own(i))(last, there, nil); err != nil {
				return fmt.Errorf("the receipt of who had an effect: %w", err)
			}
		case err == nil:
			if err := finds(last)(*found[i], there, nil); err != nil {
				return fmt.Errorf("a receipt that was found: %w", err)
			}
		case failing(i) && errors.Is(err, boom):
		default:
			if err := is(err, domain.ErrStillRunning); err != nil {
				return err
			}
		}
	}
	refused := slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, domain.ErrStillRunning) })
	if winners > 1 || winners == 0 && !refused {
		return fmt.Errorf("%d had an effect, want 1", winners)
	}
	var effects []int
	for i := range contenders {
		switch _, err := s.Records().Get(ctx, ships.Ref(), recordID(i)); {
		case err == nil:
			effects = append(effects, i)
		case is(err, domain.ErrRecordNotFound) != nil:
			return err
		}
	}
	if len(effects) != winners || there != (winners == 1) {
		return fmt.Errorf("there are the effects of %v, and a receipt: %t", effects, there)
	}
	return nil
}
