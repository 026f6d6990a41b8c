package porttest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingImports = []liar{
	{
		name:   "counts lines through floats",
		open:   onImports(func(r ports.Repositories) ports.Imports { return lineRounder{r.Imports()} }),
		caught: []string{"an import is read as it was stored"},
	},
	{
		name: "finds nothing of an import with success",
		open: onImports(func(r ports.Repositories) ports.Imports { return quietImports{r.Imports()} }),
		caught: []string{
			"a failed transaction leaves nothing",
			"an absent import",
			"an import goes on with its records, or not at all",
			"an import that is elsewhere",
			"imports that do not go on any more are forgotten",
		},
	},
	{
		name: "keeps the problems of before",
		open: onImports(func(r ports.Repositories) ports.Imports { return problemKeeper{r.Imports()} }),
		caught: []string{
			"an import goes on",
			"an import that is elsewhere",
		},
	},
	{
		name: "stores an import wherever it is",
		open: onImports(func(r ports.Repositories) ports.Imports { return blindAdvancer{r.Imports()} }),
		caught: []string{
			"an import goes on with its records, or not at all",
			"an import is taken on once",
			"an import that is elsewhere",
		},
	},
	{
		name: "begins an import anywhere",
		open: onImports(func(r ports.Repositories) ports.Imports { return anywhere{r.Imports()} }),
		caught: []string{
			"an import that is elsewhere",
			"imports that do not go on any more are forgotten",
		},
	},
	{
		name: "looks how far an import is before it goes on",
		open: func() ports.Store {
			one := new(fake.Store)
			return lying{new(fake.Store), lie{imports: func(ports.Repositories) ports.Imports { return lookAdvancer{one.Imports()} }}}
		},
		caught: []string{
			"a failed transaction leaves nothing",
			"an import goes on with its records, or not at all",
			"an import is taken on once",
		},
	},
	{
		name: "goes on past the transaction",
		open: func() ports.Store {
			past := new(fake.Store)
			return lying{new(fake.Store), lie{imports: func(ports.Repositories) ports.Imports { return past.Imports() }}}
		},
		caught: []string{
			"a failed transaction leaves nothing",
			"an import goes on with its records, or not at all",
		},
	},
	{
		name: "hands one import to all",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{imports: func(r ports.Repositories) ports.Imports { return importSharer{r.Imports(), memory} }}}
		},
		caught: []string{"the problems of an import are copied"},
	},
	{
		name:   "forgets imports at the time itself",
		open:   onImports(func(r ports.Repositories) ports.Imports { return earlyImportForgetter{r.Imports()} }),
		caught: []string{"imports that do not go on any more are forgotten"},
	},
	{
		name:   "forgets imports without a limit",
		open:   onImports(func(r ports.Repositories) ports.Imports { return greedyImportForgetter{r.Imports()} }),
		caught: []string{"imports that do not go on any more are forgotten"},
	},
	{
		name:   "does not count the imports that it forgets",
		open:   onImports(func(r ports.Repositories) ports.Imports { return countlessImportForgetter{r.Imports()} }),
		caught: []string{"imports that do not go on any more are forgotten"},
	},
}

type lineRounder struct{ ports.Imports }

func (l lineRounder) Advance(ctx context.Context, i domain.Import, from int64) error {
	i.Lines = int64(float64(i.Lines))
	return l.Imports.Advance(ctx, i, from)
}

type quietImports struct{ ports.Imports }

func (l quietImports) ByID(ctx context.Context, id domain.ImportID) (domain.Import, error) {
	i, err := l.Imports.ByID(ctx, id)
	return i, quiet(err, domain.ErrImportNotFound)
}

type problemKeeper struct{ ports.Imports }

func (l problemKeeper) Advance(ctx context.Context, i domain.Import, from int64) error {
	if old, err := l.ByID(ctx, i.ID); err == nil {
		i.Problems = slices.Concat(old.Problems, i.Problems)
	}
	return l.Imports.Advance(ctx, i, from)
}

// blindAdvancer goes on from wherever an import is.
type blindAdvancer struct{ ports.Imports }

func (l blindAdvancer) Advance(ctx context.Context, i domain.Import, from int64) error {
	if old, err := l.ByID(ctx, i.ID); err == nil {
		from = old.Lines
	}
	return l.Imports.Advance(ctx, i, from)
}

type anywhere struct{ ports.Imports }

func (l anywhere) Advance(ctx context.Context, i domain.Import, from int64) error {
	if _, err := l.ByID(ctx, i.ID); errors.Is(err, domain.ErrImportNotFound) {
		from = 0
	}
	return l.Imports.Advance(ctx, i, from)
}

// lookAdvancer looks first, and writes when others had the time to look too.
type lookAdvancer struct{ ports.Imports }

func (l lookAdvancer) Advance(ctx context.Context, i domain.Import, from int64) error {
	old, err := l.ByID(ctx, i.ID)
	if err != nil && !errors.Is(err, domain.ErrImportNotFound) {
		return err
	}
	if old.Lines != from {
		return domain.ErrImportMoved
	}
	for range 1000 {
		runtime.Gosched()
	}
	return blindAdvancer{l.Imports}.Advance(ctx, i, from)
}

type importSharer struct {
	ports.Imports
	memory *sync.Map
}

func (l importSharer) ByID(ctx context.Context, id domain.ImportID) (domain.Import, error) {
	i, err := l.Imports.ByID(ctx, id)
	if err != nil {
		return i, err
	}
	shared, _ := l.memory.LoadOrStore(spell(i), i)
	return shared.(domain.Import), nil
}

type earlyImportForgetter struct{ ports.Imports }

func (l earlyImportForgetter) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return l.Imports.Forget(ctx, t.Add(time.Microsecond), limit)
}

type greedyImportForgetter struct{ ports.Imports }

func (l greedyImportForgetter) Forget(ctx context.Context, t time.Time, _ int) (int, error) {
	return l.Imports.Forget(ctx, t, 1000)
}

type countlessImportForgetter struct{ ports.Imports }

func (l countlessImportForgetter) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	_, err := l.Imports.Forget(ctx, t, limit)
	return 0, err
}
