package porttest

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingReceipts = []liar{
	{
		name: "keeps answers up to a NUL",
		open: onReceipts(func(r ports.Repositories) ports.Receipts { return answerCutter{r.Receipts()} }),
		caught: []string{
			"a claim of which nothing comes is over",
			"a receipt is found as it was kept",
			"a receipt takes the place of another",
			"a receipt that is not kept leaves its id free",
			"a store keeps everything",
			"a transaction finds what it has kept",
			"a transaction is kept",
			"a transaction reads its own writes",
			"answers are copied",
			"each receipt has an id of its own",
			"nothing begins after its context has ended",
			"receipts that are of no interest any more are forgotten",
			"times come back in UTC",
			"who claims an id keeps others out",
		},
	},
	{
		name:   "keeps what it has of an id",
		open:   onReceipts(func(r ports.Repositories) ports.Receipts { return clinger{r.Receipts()} }),
		caught: []string{"a receipt takes the place of another"},
	},
	{
		name:   "knows a receipt by half of its id",
		open:   onReceipts(func(r ports.Repositories) ports.Receipts { return halfBlind{r.Receipts()} }),
		caught: []string{"each receipt has an id of its own"},
	},
	{
		name: "finds no receipt",
		open: onReceipts(func(r ports.Repositories) ports.Receipts { return claimer{r.Receipts()} }),
		caught: []string{
			"a claim of which nothing comes is over",
			"a receipt is found as it was kept",
			"a receipt takes the place of another",
			"a receipt that is not kept leaves its id free",
			"a store keeps everything",
			"a transaction finds what it has kept",
			"a transaction is kept",
			"a transaction reads its own writes",
			"answers are copied",
			"each receipt has an id of its own",
			"nothing begins after its context has ended",
			"of many who claim an id one has an effect",
			"receipts that are of no interest any more are forgotten",
			"times come back in UTC",
			"when those that had a claim have failed another has it",
			"who claims an id keeps others out",
		},
	},
	{
		name: "finds what a transaction has kept when it is over",
		open: func() ports.Store { return postponing{new(fake.Store)} },
		caught: []string{
			"a transaction finds what it has kept",
			"a transaction reads its own writes",
		},
	},
	{
		name:   "lets others claim an id while a transaction runs",
		open:   func() ports.Store { return &unlocked{Store: new(fake.Store)} },
		caught: []string{"who claims an id keeps others out"},
	},
	{
		name: "keeps receipts past the transaction",
		open: func() ports.Store {
			past := new(fake.Store)
			return lying{new(fake.Store), lie{receipts: func(ports.Repositories) ports.Receipts { return past.Receipts() }}}
		},
		caught: []string{
			"a failed transaction leaves nothing",
			"a receipt that is not kept leaves its id free",
		},
	},
	{
		name: "keeps a claim of which nothing came",
		open: func() ports.Store {
			claims := new(sync.Map)
			return lying{new(fake.Store), lie{receipts: func(r ports.Repositories) ports.Receipts { return grudger{r.Receipts(), claims} }}}
		},
		caught: []string{
			"a claim of which nothing comes is over",
			"a receipt that is not kept leaves its id free",
			"a transaction finds what it has kept",
			"each receipt has an id of its own",
			"receipts that are of no interest any more are forgotten",
		},
	},
	{
		name: "hands one answer to all",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{receipts: func(r ports.Repositories) ports.Receipts { return answerSharer{r.Receipts(), memory} }}}
		},
		caught: []string{"answers are copied"},
	},
	{
		name:   "forgets receipts at the time itself",
		open:   onReceipts(func(r ports.Repositories) ports.Receipts { return earlyReceiptForgetter{r.Receipts()} }),
		caught: []string{"receipts that are of no interest any more are forgotten"},
	},
	{
		name:   "forgets receipts without a limit",
		open:   onReceipts(func(r ports.Repositories) ports.Receipts { return greedyReceiptForgetter{r.Receipts()} }),
		caught: []string{"receipts that are of no interest any more are forgotten"},
	},
	{
		name:   "does not count the receipts that it forgets",
		open:   onReceipts(func(r ports.Repositories) ports.Receipts { return countlessReceiptForgetter{r.Receipts()} }),
		caught: []string{"receipts that are of no interest any more are forgotten"},
	},
}

type answerCutter struct{ ports.Receipts }

func (l answerCutter) Keep(ctx context.Context, r domain.Receipt) error {
	r.Answer, _, _ = bytes.Cut(r.Answer, []byte{0})
	return l.Receipts.Keep(ctx, r)
}

type halfBlind struct{ ports.Receipts }

func (l halfBlind) Keep(ctx context.Context, r domain.Receipt) error {
	clear(r.ID[16:])
	return l.Receipts.Keep(ctx, r)
}

func (l halfBlind) Claim(ctx context.Context, id domain.ReceiptID) (domain.Receipt, bool, error) {
	whole := id
	clear(id[16:])
	r, kept, err := l.Receipts.Claim(ctx, id)
	if kept {
		r.ID = whole
	}
	return r, kept, err
}

type claimer struct{ ports.Receipts }

func (l claimer) Claim(ctx context.Context, id domain.ReceiptID) (domain.Receipt, bool, error) {
	_, _, err := l.Receipts.Claim(ctx, id)
	return domain.Receipt{}, false, err
}

// postponing writes the receipts of a transaction at its end.
type postponing struct{ *fake.Store }

func (l postponing) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	return l.Store.Atomically(ctx, func(tx ports.Repositories) error {
		var kept []domain.Receipt
		err := f(bent{tx, lie{receipts: func(r ports.Repositories) ports.Receipts { return postponer{r.Receipts(), &kept} }}})
		for _, r := range kept {
			if err == nil {
				err = tx.Receipts().Keep(ctx, r)
			}
		}
		return err
	})
}

type postponer struct {
	ports.Receipts
	kept *[]domain.Receipt
}

func (l postponer) Keep(ctx context.Context, r domain.Receipt) error {
	*l.kept = append(*l.kept, r)
	return ctx.Err()
}

// unlocked lets those through that do nothing but claim, while a transaction runs.
type unlocked struct {
	*fake.Store
	running atomic.Int64
}

func (l *unlocked) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	if l.running.Add(1) > 1 {
		more := false
		trial := &fake.Store{Fault: func(op string) (bool, error) {
			more = more || op != "atomically" && op != "receipts.claim"
			return false, nil
		}}
		if err := trial.Atomically(ctx, f); err == nil && !more {
			l.running.Add(-1)
			return nil
		}
	}
	defer l.running.Add(-1)
	return l.Store.Atomically(ctx, f)
}

// grudger remembers who claimed, and lets nobody else.
type grudger struct {
	ports.Receipts
	claims *sync.Map
}

func (l grudger) Claim(ctx context.Context, id domain.ReceiptID) (domain.Receipt, bool, error) {
	r, kept, err := l.Receipts.Claim(ctx, id)
	if _, claimed := l.claims.LoadOrStore(id, true); claimed && !kept && err == nil {
		return domain.Receipt{}, false, domain.ErrStillRunning
	}
	return r, kept, err
}

type answerSharer struct {
	ports.Receipts
	memory *sync.Map
}

func (l answerSharer) Claim(ctx context.Context, id domain.ReceiptID) (domain.Receipt, bool, error) {
	r, kept, err := l.Receipts.Claim(ctx, id)
	if kept {
		shared, _ := l.memory.LoadOrStore(spellReceipt(r), r.Answer)
		r.Answer = shared.([]byte)
	}
	return r, kept, err
}

type earlyReceiptForgetter struct{ ports.Receipts }

func (l earlyReceiptForgetter) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return l.Receipts.Forget(ctx, t.Add(time.Microsecond), limit)
}

type greedyReceiptForgetter struct{ ports.Receipts }

func (l greedyReceiptForgetter) Forget(ctx context.Context, t time.Time, _ int) (int, error) {
	return l.Receipts.Forget(ctx, t, 1000)
}

type countlessReceiptForgetter struct{ ports.Receipts }

func (l countlessReceiptForgetter) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	_, err := l.Receipts.Forget(ctx, t, limit)
	return 0, err
}

// A clinger keeps the first receipt of an id.
type clinger struct{ ports.Receipts }

func (c clinger) Keep(ctx context.Context, r domain.Receipt) error {
	if _, kept, err := c.Claim(ctx, r.ID); kept || err != nil {
		return err
	}
	return c.Receipts.Keep(ctx, r)
}
