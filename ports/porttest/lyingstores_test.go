package porttest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingStores = []liar{
	{
		name: "keeps what a failed transaction wrote",
		open: func() ports.Store { return careless{new(fake.Store)} },
		caught: []string{
			"a change is told if it is to be",
			"a failed transaction leaves nothing",
			"a failure of a method is handed on unchanged",
			"a receipt that is not kept leaves its id free",
			"a transaction can be part of another",
			"a transaction stops when its context ends",
			"an import goes on with its records, or not at all",
			"there is no change without its cause, nor a cause without its change",
			"there is no ending without its news",
			"what failed is no news",
			"what failed is told to nobody",
			"what is kept beside a record comes and goes with it",
			"who claims an id keeps others out",
			"who goes from mark to mark while many post hears all",
		},
		maybe: []string{
			"a collection is held",
			"a transaction is seen whole",
			"who waits for another stops when its context ends",
		},
	},
	{
		name: "drops every transaction",
		open: func() ports.Store { return dropper{new(fake.Store)} },
		caught: []string{
			"a change is told if it is to be",
			"a change whose transaction takes long is heard",
			"a claim of which nothing comes is over",
			"a condition is judged when the write happens",
			"a declaration waits for records",
			"a failure that f passes over spoils nothing",
			"a receipt is found as it was kept",
			"a receipt takes the place of another",
			"a receipt that is not kept leaves its id free",
			"a sign-in does not survive a suspension",
			"a sign-in with an old password does not survive its change",
			"a transaction can be part of another",
			"a transaction is kept",
			"a transaction is seen whole",
			"a verdict is no error",
			"all agree on a number",
			"an access key that is refused is not stored",
			"an account has so many access keys and no more",
			"an ending is news",
			"an event whose transaction takes long is heard",
			"an import goes on with its records, or not at all",
			"answers are copied",
			"each receipt has an id of its own",
			"however many access keys are added at once, there are no more than there may be",
			"it is known what was posted",
			"many use a store at once",
			"not more than so many collections are listed",
			"receipts that are of no interest any more are forgotten",
			"there is no change without its cause, nor a cause without its change",
			"transactions that collide all end",
			"what failed is told to nobody",
			"who claims an id keeps others out",
			"who goes from mark to mark while many post hears all",
			"who goes on from a mark hears the rest",
			"who holds a collection has waited for what was under way",
			"who is being signed out makes no access key",
			"who is being suspended or removed makes no access key",
			"words are few up to a bound",
		},
	},
	{
		name: "drops the second write of a transaction",
		open: func() ports.Store { return sloppy{new(fake.Store)} },
		caught: []string{
			"a failure that f passes over spoils nothing",
			"a transaction can be part of another",
			"a transaction is seen whole",
		},
	},
	{
		name: "wraps errors",
		open: func() ports.Store { return wrapper{new(fake.Store)} },
		caught: []string{
			"a failed transaction leaves nothing",
			"a failure of a method is handed on unchanged",
		},
	},
	{
		name:   "breaks a transaction off at a failure",
		open:   func() ports.Store { return brittle{new(fake.Store)} },
		caught: []string{"a failure that f passes over spoils nothing"},
	},
	{
		name:   "does not answer",
		open:   func() ports.Store { return mute{new(fake.Store)} },
		caught: []string{"a store answers"},
	},
	{
		name:   "always answers",
		open:   func() ports.Store { return talkative{new(fake.Store)} },
		caught: []string{"a store that is not waited for does not answer"},
	},
}

// careless runs f outside any transaction.
type careless struct{ *fake.Store }

func (l careless) Atomically(_ context.Context, f func(ports.Repositories) error) error { return f(l) }

// dropper keeps no transaction.
type dropper struct{ *fake.Store }

func (l dropper) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	dropped := errors.New("dropped")
	err := l.Store.Atomically(ctx, func(tx ports.Repositories) error {
		if err := f(tx); err != nil {
			return err
		}
		return dropped
	})
	if errors.Is(err, dropped) {
		return nil
	}
	return err
}

// sloppy adds only the first account of a transaction.
type sloppy struct{ *fake.Store }

func (l sloppy) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	return l.Store.Atomically(ctx, func(tx ports.Repositories) error {
		var n atomic.Int64
		return f(bent{tx, lie{accounts: func(r ports.Repositories) ports.Accounts { return firstAdder{r.Accounts(), &n} }}})
	})
}

type firstAdder struct {
	ports.Accounts
	n *atomic.Int64
}

func (l firstAdder) Add(ctx context.Context, a domain.Account, h domain.PasswordHash) error {
	if l.n.Add(1) > 1 && ctx.Err() == nil {
		return nil
	}
	return l.Accounts.Add(ctx, a, h)
}

// wrapper says where an error came from.
type wrapper struct{ *fake.Store }

func (l wrapper) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	if err := l.Store.Atomically(ctx, f); err != nil {
		return fmt.Errorf("transaction: %w", err)
	}
	return nil
}

// brittle cannot go on after a login that is taken, as a database cannot whose
// statement has failed.
type brittle struct{ *fake.Store }

func (l brittle) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	return l.Store.Atomically(ctx, func(tx ports.Repositories) error {
		var broken atomic.Bool
		err := f(bent{tx, lie{accounts: func(r ports.Repositories) ports.Accounts { return breaker{r.Accounts(), &broken} }}})
		if err == nil && broken.Load() {
			return errors.New("the transaction is broken")
		}
		return err
	})
}

type breaker struct {
	ports.Accounts
	broken *atomic.Bool
}

func (l breaker) Add(ctx context.Context, a domain.Account, h domain.PasswordHash) error {
	err := l.Accounts.Add(ctx, a, h)
	if err != nil {
		l.broken.Store(true)
	}
	return err
}

type mute struct{ *fake.Store }

func (mute) Ping(context.Context) error { return domain.ErrUnavailable }

type talkative struct{ *fake.Store }

func (talkative) Ping(context.Context) error { return nil }
