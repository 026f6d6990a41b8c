package porttest

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingNumbers = []liar{
	{
		name:   "trims ids",
		open:   onNumbers(func(r ports.Repositories) ports.Numbers { return idTrimmer{r.Numbers()} }),
		caught: []string{"things of all sorts have numbers"},
	},
	{
		name: "counts all series together",
		open: onNumbers(func(r ports.Repositories) ports.Numbers { return oneSeries{r.Numbers()} }),
		caught: []string{
			"a number outlives what it was given to",
			"each series counts by itself",
		},
	},
	{
		name: "numbers things in the order of their ids",
		open: onNumbers(func(r ports.Repositories) ports.Numbers { return idSorter{r.Numbers()} }),
		caught: []string{
			"a thing is found by its number",
			"numbers come in the order of the ids",
			"what has no number gets the next one",
		},
	},
	{
		name: "answers in the order of numbers",
		open: onNumbers(func(r ports.Repositories) ports.Numbers { return numberSorter{r.Numbers()} }),
		caught: []string{
			"numbers come in the order of the ids",
			"what has no number gets the next one",
		},
		maybe: []string{"all agree on a number"},
	},
	{
		name: "begins to count at 0",
		open: onNumbers(func(r ports.Repositories) ports.Numbers { return fromZero{r.Numbers()} }),
		caught: []string{
			"a failed transaction leaves nothing",
			"a number outlives what it was given to",
			"a store keeps everything",
			"a thing is found by its number",
			"a transaction is kept",
			"a transaction reads its own writes",
			"all agree on a number",
			"each series counts by itself",
			"nothing begins after its context has ended",
			"numbers come in the order of the ids",
			"things are listed by number",
			"things of all sorts have numbers",
			"what has no number gets the next one",
		},
	},
	{
		name: "leaves gaps",
		open: onNumbers(func(r ports.Repositories) ports.Numbers { return leaper{r.Numbers()} }),
		caught: []string{
			"a number outlives what it was given to",
			"a thing is found by its number",
			"all agree on a number",
			"each series counts by itself",
			"things of all sorts have numbers",
			"what has no number gets the next one",
		},
	},
	{
		name:   "counts past failed transactions",
		open:   func() ports.Store { return new(ledger).tell() },
		caught: []string{"a failed transaction leaves nothing"},
	},
	{
		name: "gives a number at each call",
		open: onNumbers(func(r ports.Repositories) ports.Numbers { return anew{r.Numbers()} }),
		caught: []string{
			"a number outlives what it was given to",
			"a store keeps everything",
			"a transaction is kept",
			"a transaction reads its own writes",
			"all agree on a number",
			"nothing begins after its context has ended",
			"numbers come in the order of the ids",
			"what has no number gets the next one",
		},
	},
	{
		name: "looks for a number before it gives one",
		open: func() ports.Store { return (&ledger{looks: true}).tell() },
		caught: []string{
			"a failed transaction leaves nothing",
			"all agree on a number",
		},
	},
	{
		name:   "counts only the accounts that are there",
		open:   onRemoved(func(r ports.Repositories, gone *sync.Map) ports.Numbers { return gapCloser{r.Numbers(), gone} }),
		caught: []string{"a number outlives what it was given to"},
	},
	{
		name:   "forgets the numbers of accounts that are gone",
		open:   onRemoved(func(r ports.Repositories, gone *sync.Map) ports.Numbers { return forgetter{r.Numbers(), gone} }),
		caught: []string{"a number outlives what it was given to"},
	},
	{
		name: "finds nothing of a number with success",
		open: onNumbers(func(r ports.Repositories) ports.Numbers { return quietNumbers{r.Numbers()} }),
		caught: []string{
			"a failed transaction leaves nothing",
			"a thing is found by its number",
			"each series counts by itself",
		},
	},
	{
		name:   "reads numbers of 32 bits",
		open:   onNumbers(func(r ports.Repositories) ports.Numbers { return narrowNumbers{r.Numbers()} }),
		caught: []string{"a thing is found by its number"},
	},
	{
		name:   "begins a list of numbers at the given one",
		open:   onNumbers(func(r ports.Repositories) ports.Numbers { return inclusiveNumbers{r.Numbers()} }),
		caught: []string{"things are listed by number"},
	},
	{
		name: "lists things by id",
		open: onNumbers(func(r ports.Repositories) ports.Numbers { return byThing{r.Numbers()} }),
		caught: []string{
			"each series counts by itself",
			"things are listed by number",
		},
		maybe: []string{"all agree on a number"},
	},
}

// onRemoved returns a source of stores whose numbers know which accounts were
// removed.
func onRemoved(f func(r ports.Repositories, gone *sync.Map) ports.Numbers) func() ports.Store {
	return func() ports.Store {
		gone := new(sync.Map)
		return lying{new(fake.Store), lie{
			accounts: func(r ports.Repositories) ports.Accounts { return removals{r.Accounts(), gone} },
			numbers:  func(r ports.Repositories) ports.Numbers { return f(r, gone) },
		}}
	}
}

type removals struct {
	ports.Accounts
	gone *sync.Map
}

func (l removals) Remove(ctx context.Context, id domain.AccountID, rev domain.Revision) error {
	err := l.Accounts.Remove(ctx, id, rev)
	if err == nil {
		l.gone.Store(string(id), true)
	}
	return err
}

type gapCloser struct {
	ports.Numbers
	gone *sync.Map
}

func (l gapCloser) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	list, err := l.Numbers.Of(ctx, s, ids...)
	if err != nil {
		return nil, err
	}
	all, err := l.List(ctx, s, 0, 9999)
	for i, n := range list {
		for _, before := range all {
			if _, is := l.gone.Load(before.ID); is && before.Number < n {
				list[i]--
			}
		}
	}
	return list, err
}

type forgetter struct {
	ports.Numbers
	gone *sync.Map
}

func (l forgetter) ByNumber(ctx context.Context, s domain.Series, n int64) (string, error) {
	id, err := l.Numbers.ByNumber(ctx, s, n)
	if _, is := l.gone.Load(id); is {
		return "", domain.ErrNumberNotFound
	}
	return id, err
}

func (l forgetter) List(ctx context.Context, s domain.Series, after int64, limit int) ([]domain.Numbered, error) {
	list, err := l.Numbers.List(ctx, s, after, limit)
	return slices.DeleteFunc(list, func(n domain.Numbered) bool {
		_, is := l.gone.Load(n.ID)
		return is
	}), err
}

type idTrimmer struct{ ports.Numbers }

func (l idTrimmer) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	ids = slices.Clone(ids)
	for i, id := range ids {
		ids[i] = strings.TrimRight(id, `"%_\`)
	}
	return l.Numbers.Of(ctx, s, ids...)
}

// oneSeries keeps all series as one, and knows its own things again by a mark.
type oneSeries struct{ ports.Numbers }

func (l oneSeries) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	marked := make([]string, len(ids))
	for i, id := range ids {
		marked[i] = string(s) + id
	}
	return l.Numbers.Of(ctx, "", marked...)
}

func (l oneSeries) ByNumber(ctx context.Context, s domain.Series, n int64) (string, error) {
	marked, err := l.Numbers.ByNumber(ctx, "", n)
	id, own := strings.CutPrefix(marked, string(s))
	if err == nil && !own {
		return "", domain.ErrNumberNotFound
	}
	return id, err
}

func (l oneSeries) List(ctx context.Context, s domain.Series, after int64, limit int) ([]domain.Numbered, error) {
	var list []domain.Numbered
	all, err := l.Numbers.List(ctx, "", after, 9999)
	for _, n := range all {
		if id, own := strings.CutPrefix(n.ID, string(s)); own && len(list) < limit {
			list = append(list, domain.Numbered{Number: n.Number, ID: id})
		}
	}
	return list, err
}

type idSorter struct{ ports.Numbers }

func (l idSorter) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	if _, err := l.Numbers.Of(ctx, s, sorted(ids)...); err != nil {
		return nil, err
	}
	return l.Numbers.Of(ctx, s, ids...)
}

type numberSorter struct{ ports.Numbers }

func (l numberSorter) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	list, err := l.Numbers.Of(ctx, s, ids...)
	slices.Sort(list)
	return list, err
}

type fromZero struct{ ports.Numbers }

func (l fromZero) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	list, err := l.Numbers.Of(ctx, s, ids...)
	for i := range list {
		list[i]--
	}
	return list, err
}

func (l fromZero) ByNumber(ctx context.Context, s domain.Series, n int64) (string, error) {
	return l.Numbers.ByNumber(ctx, s, n+1)
}

func (l fromZero) List(ctx context.Context, s domain.Series, after int64, limit int) ([]domain.Numbered, error) {
	list, err := l.Numbers.List(ctx, s, max(0, after), limit)
	for i := range list {
		list[i].Number--
	}
	return list, err
}

// leaper uses up a number at each call of several ids, as an upsert does that draws
// from a sequence.
type leaper struct{ ports.Numbers }

func (l leaper) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	list, err := l.Numbers.Of(ctx, s, ids...)
	if err == nil && len(ids) > 1 {
		_, err = l.Numbers.Of(ctx, s, strings.Join(ids, " "))
	}
	return list, err
}

type anew struct{ ports.Numbers }

func (l anew) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	all, err := l.List(ctx, s, 0, 9999)
	if err != nil {
		return nil, err
	}
	for _, n := range all {
		if i := slices.Index(ids, n.ID); i >= 0 {
			ids = slices.Clone(ids)
			ids[i] += " again"
		}
	}
	return l.Numbers.Of(ctx, s, ids...)
}

type quietNumbers struct{ ports.Numbers }

func (l quietNumbers) ByNumber(ctx context.Context, s domain.Series, n int64) (string, error) {
	id, err := l.Numbers.ByNumber(ctx, s, n)
	return id, quiet(err, domain.ErrNumberNotFound)
}

type narrowNumbers struct{ ports.Numbers }

func (l narrowNumbers) ByNumber(ctx context.Context, s domain.Series, n int64) (string, error) {
	return l.Numbers.ByNumber(ctx, s, int64(int32(n))) //nolint:gosec // which is the lie
}

type inclusiveNumbers struct{ ports.Numbers }

func (l inclusiveNumbers) List(ctx context.Context, s domain.Series, after int64, limit int) ([]domain.Numbered, error) {
	return l.Numbers.List(ctx, s, after-1, limit)
}

type byThing struct{ ports.Numbers }

func (l byThing) List(ctx context.Context, s domain.Series, after int64, limit int) ([]domain.Numbered, error) {
	list, err := l.Numbers.List(ctx, s, after, limit)
	slices.SortFunc(list, func(a, b domain.Numbered) int { return cmp.Compare(a.ID, b.ID) })
	return list, err
}

// ledger counts by itself, past every transaction.
type ledger struct {
	mu     sync.Mutex
	series map[domain.Series][]domain.Numbered

	// looks makes it look what numbers there are, and write the next ones when
	// others had the time to look too.
	looks bool
}

func (l *ledger) tell() ports.Store {
	l.series = make(map[domain.Series][]domain.Numbered)
	return lying{new(fake.Store), lie{numbers: func(ports.Repositories) ports.Numbers { return l }}}
}

func (l *ledger) Of(ctx context.Context, s domain.Series, ids ...string) ([]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var list []int64
	all := slices.Clone(l.series[s])
	for _, id := range ids {
		i := slices.IndexFunc(all, func(n domain.Numbered) bool { return n.ID == id })
		if i < 0 {
			i = len(all)
			all = append(all, domain.Numbered{Number: int64(i + 1), ID: id})
		}
		list = append(list, all[i].Number)
	}
	if l.looks {
		l.mu.Unlock()
		for range 1000 {
			runtime.Gosched()
		}
		l.mu.Lock()
	}
	l.series[s] = all
	return list, nil
}

func (l *ledger) ByNumber(ctx context.Context, s domain.Series, n int64) (string, error) {
	list, err := l.List(ctx, s, n-1, 1)
	if err == nil && (n < 1 || len(list) == 0) {
		return "", domain.ErrNumberNotFound
	}
	if err != nil {
		return "", err
	}
	return list[0].ID, nil
}

func (l *ledger) List(ctx context.Context, s domain.Series, after int64, limit int) ([]domain.Numbered, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.series[s]
	from := int(min(max(after, 0), int64(len(all))))
	return all[from:min(from+limit, len(all))], ctx.Err()
}
