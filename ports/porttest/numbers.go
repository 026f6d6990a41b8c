package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var numbers = []clause[ports.Store]{
	{
		"things of all sorts have numbers",
		"Numbers gives small numbers to things, for dialects whose clients know no other ids.",
		func(ctx context.Context, s ports.Store) error {
			ids := []string{string(accountID(1)), string(recordID(1)), "Zoë’s \"ship\"%_\\"}
			listed := []domain.Numbered{{Number: 1, ID: ids[0]}, {Number: 2, ID: ids[1]}, {Number: 3, ID: ids[2]}}
			err := errors.Join(
				reads([]int64{1, 2, 3})(s.Numbers().Of(ctx, users, ids...)),
				reads(listed)(s.Numbers().List(ctx, users, 0, 9)),
			)
			for i, id := range ids {
				err = errors.Join(err, reads(id)(s.Numbers().ByNumber(ctx, users, int64(i+1))))
			}
			return err
		},
	},
	{
		"each series counts by itself",
		"Each series counts by itself.",
		func(ctx context.Context, s ports.Store) error {
			one, two := thing(1), thing(2)
			return errors.Join(
				reads([]int64{1, 2})(s.Numbers().Of(ctx, users, one, two)),
				reads([]int64{1})(s.Numbers().Of(ctx, ships, two)),
				reads([]int64{2})(s.Numbers().Of(ctx, ships, one)),
				reads([]int64{3})(s.Numbers().Of(ctx, users, thing(3))),
				reads(two)(s.Numbers().ByNumber(ctx, users, 2)),
				reads(one)(s.Numbers().ByNumber(ctx, ships, 2)),
				fails[string](domain.ErrNumberNotFound)(s.Numbers().ByNumber(ctx, ships, 3)),
				reads([]domain.Numbered{{Number: 1, ID: two}, {Number: 2, ID: one}})(s.Numbers().List(ctx, ships, 0, 9)),
			)
		},
	},
	{
		"numbers come in the order of the ids",
		"Of returns the numbers that the ids have in the series, in the order of the ids, which are different.",
		func(ctx context.Context, s ports.Store) error {
			// More ids than a statement of some databases may have parameters.
			many, want := make([]string, 1000), make([]int64, 1000)
			for i := range many {
				many[i], want[i] = thing(len(many)-i), int64(i+1)
			}
			slices.Reverse(want)
			back := slices.Clone(many)
			slices.Reverse(back)
			return errors.Join(
				given(s.Numbers().Of(ctx, users, many...)),
				reads(want)(s.Numbers().Of(ctx, users, back...)),
				reads([]int64{7, 3, 5})(s.Numbers().Of(ctx, users, many[6], many[2], many[4])),
			)
		},
	},
	{
		"what has no number gets the next one",
		"Those that have none get the next ones, in that order: one more than the greatest that the series ever gave, beginning at 1.",
		func(ctx context.Context, s ports.Store) error {
			return errors.Join(
				reads([]int64{1})(s.Numbers().Of(ctx, users, thing(5))),
				reads([]int64{2, 1, 3})(s.Numbers().Of(ctx, users, thing(9), thing(5), thing(7))),
				reads([]int64{2, 3})(s.Numbers().Of(ctx, users, thing(9), thing(7))),
				reads([]int64{4, 3, 5, 6})(s.Numbers().Of(ctx, users, thing(8), thing(7), thing(1), thing(6))),
			)
		},
	},
	{
		"a number outlives what it was given to",
		"No number is given twice, to whatever happens to its id.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob, fleet := account(1, "ada"), account(2, "bob"), collection("ships")
			a, b, ship := string(ada.ID), string(bob.ID), string(recordID(1))
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Collections().Add(ctx, fleet),
				s.Records().Add(ctx, fleet.Ref(), record(1, bob.ID), entries()),
				reads([]int64{1, 2})(s.Numbers().Of(ctx, users, a, b)),
				reads([]int64{1})(s.Numbers().Of(ctx, ships, ship)),
				s.Accounts().Remove(ctx, bob.ID, 0),
				s.Records().Remove(ctx, fleet.Ref(), recordID(1), 1, time.Time{}),
				reads([]int64{3})(s.Numbers().Of(ctx, users, thing(3))),
				reads([]int64{2})(s.Numbers().Of(ctx, users, b)),
				reads([]int64{2})(s.Numbers().Of(ctx, ships, thing(3))),
				reads(b)(s.Numbers().ByNumber(ctx, users, 2)),
				reads([]domain.Numbered{{Number: 1, ID: a}, {Number: 2, ID: b}, {Number: 3, ID: thing(3)}})(s.Numbers().List(ctx, users, 0, 9)),
			)
		},
	},
	{
		"all agree on a number",
		"Of any number of calls for one id all return the same number.",
		agreed,
	},
	{
		"a thing is found by its number",
		"ByNumber returns the id that has the number, or domain.ErrNumberNotFound.",
		func(ctx context.Context, s ports.Store) error {
			absent := fails[string](domain.ErrNumberNotFound)
			return errors.Join(
				absent(s.Numbers().ByNumber(ctx, users, 1)),
				given(s.Numbers().Of(ctx, users, thing(2), thing(1))),
				reads(thing(2))(s.Numbers().ByNumber(ctx, users, 1)),
				reads(thing(1))(s.Numbers().ByNumber(ctx, users, 2)),
				absent(s.Numbers().ByNumber(ctx, users, 0)),
				absent(s.Numbers().ByNumber(ctx, users, -1)),
				absent(s.Numbers().ByNumber(ctx, users, 3)),
				absent(s.Numbers().ByNumber(ctx, users, 1<<32+1)),
				absent(s.Numbers().ByNumber(ctx, users, 1<<63-1)),
			)
		},
	},
	{
		"things are listed by number",
		"List returns at most limit ids that have numbers in the series, ordered by number, beginning after the given one; 0 is before the first.",
		func(ctx context.Context, s ports.Store) error {
			all := make([]domain.Numbered, 12)
			for i := range all {
				all[i] = domain.Numbered{Number: int64(i + 1), ID: thing(len(all) - i)}
				if err := given(s.Numbers().Of(ctx, users, all[i].ID)); err != nil {
					return err
				}
			}
			none := reads([]domain.Numbered(nil))
			return errors.Join(
				reads(all)(s.Numbers().List(ctx, users, 0, len(all))),
				reads(all[:3])(s.Numbers().List(ctx, users, 0, 3)),
				reads(all[3:6])(s.Numbers().List(ctx, users, 3, 3)),
				reads(all[9:])(s.Numbers().List(ctx, users, 9, 9)),
				none(s.Numbers().List(ctx, users, 12, 9)),
				none(s.Numbers().List(ctx, users, 0, 0)),
				none(s.Numbers().List(ctx, ships, 0, 9)),
			)
		},
	},
}

// Two series.
const (
	users domain.Series = "fleet users"
	ships domain.Series = "fleet ships"
)

// thing returns the id of the nth thing.
func thing(n int) string { return uuid(5, n) }

// given drops what Of returned but for the error.
func given(_ []int64, err error) error { return err }

// agreed asks for the numbers of things from many sides at once: each for four of
// them, which others ask for too, half of them in the other order, and a quarter in
// a transaction.
func agreed(ctx context.Context, s ports.Store) error {
	const things, share = contenders, 4
	var got [contenders][]int64
	asked := func(i int) []string {
		ids := make([]string, share)
		for k := range ids {
			ids[k] = thing((i + k) % things)
		}
		if i%2 == 1 {
			slices.Reverse(ids)
		}
		return ids
	}
	errs := race(func(i int) (err error) {
		ask := func(r ports.Repositories) (err error) {
			got[i], err = r.Numbers().Of(ctx, users, asked(i)...)
			return err
		}
		if i%4 == 3 {
			return s.Atomically(ctx, ask)
		}
		return ask(s)
	})
	list, err := s.Numbers().List(ctx, users, 0, 2*things)
	if err := errors.Join(errors.Join(errs...), err); err != nil {
		return err
	}
	numbers := make(map[string]int64)
	for i, n := range list {
		numbers[n.ID] = n.Number
		if n.Number != int64(i+1) {
			return fmt.Errorf("%d things have the numbers %+v", things, list)
		}
	}
	if len(list) != things || len(numbers) != things {
		return fmt.Errorf("%d things have the numbers %+v", things, list)
	}
	for i, answer := range got {
		want := make([]int64, share)
		for k, id := range asked(i) {
			want[k] = numbers[id]
		}
		if err := same(answer, want); err != nil {
			return err
		}
	}
	return nil
}
