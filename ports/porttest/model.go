package porttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// So many rounds of so many moves are played: from the seeds 1, 2, 3 and one
// that chance gives.
const (
	rounds = 4
	moves  = 800
)

// TestModel plays the same random moves on several stores and wants the same
// answers from all: values and the codes of errors, and now and then everything
// that is stored. A move is one method, or a few in a transaction, of which some
// fail on purpose. Each open is called once a round and returns an empty store.
//
// A failure prints the seed of its round. With KEYPORT_TEST_SEED set to it that
// round alone is played again.
func TestModel(t *testing.T, stores ...func(*testing.T) ports.Store) {
	t.Helper()
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			opened := make([]ports.Store, len(stores))
			for i, open := range stores {
				opened[i] = open(t)
			}
			if err := playRound(t.Context(), seed, opened); err != nil {
				t.Errorf("%v\nKEYPORT_TEST_SEED=%d plays this round again.", err, seed)
			}
		})
	}
}

func seeds(t *testing.T) []uint64 {
	t.Helper()
	if text := os.Getenv("KEYPORT_TEST_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("KEYPORT_TEST_SEED: %v", err)
		}
		return []uint64{seed}
	}
	list := []uint64{uint64(rand.Uint32())}
	for i := range uint64(rounds - 1) {
		list = append(list, i+1)
	}
	return list
}

// A move is something to do on a store, and returns what came of it in words.
type move struct {
	text string
	play func(ctx context.Context, r ports.Repositories) string
}

// playRound fails at the first move that two stores answer differently.
func playRound(ctx context.Context, seed uint64, stores []ports.Store) error {
	d := dealer{Rand: rand.New(rand.NewPCG(seed, 0))}
	var played []string
	for n := range moves {
		play, text := d.turn()
		if n%50 == 49 || n == moves-1 {
			play, text = everything, "everything"
		}
		played = append(played, fmt.Sprintf("%d: %s", n, text))
		if err := compare(ctx, stores, play, 1); err != nil {
			return fmt.Errorf("after\n\t%s\n%w", strings.Join(played[max(0, n-12):], "\n\t"), err)
		}
		if n%10 == 9 {
			tell := func(ctx context.Context, s ports.Store) string { return everyEvent(ctx, s) }
			if err := compare(ctx, stores, tell, lateness); err != nil {
				return fmt.Errorf("after\n\t%s\nof events %w", strings.Join(played[max(0, n-12):], "\n\t"), err)
			}
		}
	}
	return nil
}

// lateness is how often a store is asked for events before it is blamed for what it
// does not tell: transactions that are not ours may keep it from telling them yet.
var lateness = 5000

// compare fails if two stores answer differently, at each of so many tries.
func compare(ctx context.Context, stores []ports.Store, play func(context.Context, ports.Store) string, tries int) error {
	want := play(ctx, stores[0])
	for _, s := range stores[1:] {
		got := play(ctx, s)
		for n := 1; got != want && n < tries && ctx.Err() == nil; n++ {
			got = play(ctx, s)
		}
		if got != want {
			return fmt.Errorf("%T answers\n\t%s\nand %T\n\t%s", stores[0], brief(want), s, brief(got))
		}
	}
	return nil
}

// turn deals one move, or a few for one transaction.
func (d *dealer) turn() (play func(context.Context, ports.Store) string, text string) {
	if d.IntN(4) > 0 {
		m := d.deal()
		return func(ctx context.Context, s ports.Store) string { return m.play(ctx, s) }, m.text
	}
	list := make([]move, 1+d.IntN(4))
	texts := make([]string, len(list))
	for i := range list {
		list[i] = d.deal()
		texts[i] = list[i].text
	}
	var purpose error
	if d.IntN(3) == 0 {
		purpose = errors.New("on purpose")
	}
	return func(ctx context.Context, s ports.Store) string {
		var answers []string
		err := s.Atomically(ctx, func(tx ports.Repositories) error {
			answers = nil // of a run in vain
			for _, m := range list {
				answers = append(answers, m.play(ctx, tx))
			}
			return purpose
		})
		if err != purpose { //nolint:errorlint // the very error
			return fmt.Sprintf("%q, then %v", answers, err)
		}
		return fmt.Sprintf("%q, %t", answers, err == nil)
	}, fmt.Sprintf("atomically %v, fails on purpose: %t", texts, purpose != nil)
}

// everything reads all that a store has.
func everything(ctx context.Context, s ports.Store) string {
	var lines []string
	people, err := s.Accounts().List(ctx, "", moves)
	lines = append(lines, answer(people, err))
	for _, a := range people {
		c, err := s.Accounts().Credential(ctx, a.ID)
		lines = append(lines, answer(c, err))
		list, err := s.Sessions().List(ctx, a.ID, noon.AddDate(-1, 0, 0), "", moves)
		lines = append(lines, answer(list, err))
		keys, err := s.AccessKeys().List(ctx, a.ID, noon.AddDate(-1, 0, 0), "", moves)
		lines = append(lines, answer(keys, err))
	}
	all, err := s.Collections().List(ctx)
	lines = append(lines, answer(all, err))
	for _, c := range all {
		list, err := s.Records().List(ctx, c.Ref(), byID(domain.Everything{}, "", moves))
		lines = append(lines, answer(list, err))
		for _, x := range c.Indexes {
			list, err := s.Records().List(ctx, c.Ref(), domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: x.String()}, Where: domain.Everything{}, Limit: moves})
			lines = append(lines, answer(list, err))
		}
	}
	for n := range 20 {
		k, kept, err := s.Receipts().Claim(ctx, receipt(n).ID)
		lines = append(lines, fmt.Sprint(kept), answer(k, err))
		i, err := s.Imports().ByID(ctx, importID(n))
		lines = append(lines, answer(i, err))
	}
	for _, series := range []domain.Series{users, ships} {
		list, err := s.Numbers().List(ctx, series, 0, moves)
		lines = append(lines, answer(list, err))
	}
	lines = append(lines, allKeys(ctx, s), allNews(ctx, s))
	return strings.Join(lines, "\n\t")
}

// answer says what a method returned.
func answer[T any](v T, err error) string {
	if err != nil {
		return outcome(err)
	}
	return spell(v)
}

// outcome says how a method went.
func outcome(err error) string {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return fmt.Sprintf("%s %v", e.Code, blamed(e))
	}
	if err != nil {
		return "an accident: " + err.Error()
	}
	return "done"
}
