package porttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var imports = []clause[ports.Store]{
	{
		"an import is read as it was stored",
		"Imports keeps how far imports of records are.",
		func(ctx context.Context, s ports.Store) error {
			fresh := domain.Import{ID: importID(2), Account: accountID(1), Collection: "authors", Created: noon, Changed: noon}
			large := importingTo(3, 1<<53+1) // which no float has
			large.Stored, large.Refused = 1<<53-1, 2
			troubled := importingTo(4, 1000)
			troubled.Problems, troubled.Refused, troubled.Done = nil, domain.MaxImportProblems, true
			for n := range domain.MaxImportProblems {
				troubled.Problems = append(troubled.Problems, importProblem(n))
			}
			err := errors.Join(
				s.Imports().Advance(ctx, importingTo(1, 7), 0),
				s.Imports().Advance(ctx, fresh, 0),
				s.Imports().Advance(ctx, large, 0),
				s.Imports().Advance(ctx, troubled, 0),
			)
			for _, want := range []domain.Import{importingTo(1, 7), fresh, large, troubled} {
				err = errors.Join(err, reads(want)(s.Imports().ByID(ctx, want.ID)))
			}
			return err
		},
	},
	{
		"an absent import",
		"ByID returns the import, or domain.ErrImportNotFound.",
		func(ctx context.Context, s ports.Store) error {
			absent := fails[domain.Import](domain.ErrImportNotFound)
			return errors.Join(
				absent(s.Imports().ByID(ctx, importID(1))),
				s.Imports().Advance(ctx, importingTo(1, 7), 0),
				reads(importingTo(1, 7))(s.Imports().ByID(ctx, importID(1))),
				absent(s.Imports().ByID(ctx, importID(2))),
				absent(s.Imports().ByID(ctx, "")),
			)
		},
	},
	{
		"an import goes on",
		"Advance stores the import if so many lines are dealt with by what is stored; with from 0 it may also be new.",
		func(ctx context.Context, s ports.Store) error {
			begun := importingTo(1, 0)
			begun.Stored, begun.Refused, begun.Problems = 0, 0, nil
			mid, end := importingTo(1, 7), importingTo(1, 19)
			mid.Problems = append(mid.Problems, importProblem(5))
			mid.Changed = noon.Add(time.Minute)
			end.Done, end.Changed, end.Problems = true, noon.Add(time.Hour), []domain.ImportProblem{importProblem(5)}
			other := importingTo(2, 3)
			return errors.Join(
				s.Imports().Advance(ctx, begun, 0),
				s.Imports().Advance(ctx, begun, 0), // no line is dealt with yet
				s.Imports().Advance(ctx, other, 0),
				reads(begun)(s.Imports().ByID(ctx, begun.ID)),
				s.Imports().Advance(ctx, mid, 0),
				reads(mid)(s.Imports().ByID(ctx, begun.ID)),
				s.Imports().Advance(ctx, end, 7),
				reads(end)(s.Imports().ByID(ctx, begun.ID)),
				reads(other)(s.Imports().ByID(ctx, other.ID)),
			)
		},
	},
	{
		"an import that is elsewhere",
		"Otherwise it fails with domain.ErrImportMoved.",
		func(ctx context.Context, s ports.Store) error {
			moved := func(i domain.Import, from int64) error {
				if err := is(s.Imports().Advance(ctx, i, from), domain.ErrImportMoved); err != nil {
					return fmt.Errorf("%d lines from %d: %w", i.Lines, from, err)
				}
				return nil
			}
			other := importingTo(1, 30)
			other.Account, other.Problems = accountID(9), nil
			return errors.Join(
				moved(importingTo(1, 7), 1), // it is new
				moved(importingTo(1, 7), 7),
				moved(importingTo(1, 7), -1),
				fails[domain.Import](domain.ErrImportNotFound)(s.Imports().ByID(ctx, importID(1))),
				s.Imports().Advance(ctx, importingTo(1, 7), 0),
				moved(other, 0),
				moved(other, 6),
				moved(other, 8),
				moved(other, 30),
				moved(importingTo(1, 7), 0),
				moved(importingTo(2, 14), 7), // another one
				reads(importingTo(1, 7))(s.Imports().ByID(ctx, importID(1))),
				fails[domain.Import](domain.ErrImportNotFound)(s.Imports().ByID(ctx, importID(2))),
				s.Imports().Advance(ctx, other, 7),
				moved(importingTo(1, 14), 7),
				reads(other)(s.Imports().ByID(ctx, importID(1))),
			)
		},
	},
	{
		"an import is taken on once",
		"Of any number of calls with one id and from exactly one succeeds, if each brings more lines.",
		func(ctx context.Context, s ports.Store) error {
			var from int64
			for round := range 4 {
				var ways [contenders]domain.Import
				errs := race(func(i int) error {
					ways[i] = importingTo(1, from+int64(i)+1)
					if i%2 == 0 {
						return s.Imports().Advance(ctx, ways[i], from)
					}
					return s.Atomically(ctx, func(tx ports.Repositories) error { return tx.Imports().Advance(ctx, ways[i], from) })
				})
				if err := oneWinner(errs, domain.ErrImportMoved); err != nil {
					return fmt.Errorf("round %d: %w", round, err)
				}
				won := ways[slices.Index(errs, nil)]
				if err := reads(won)(s.Imports().ByID(ctx, won.ID)); err != nil {
					return fmt.Errorf("round %d: %w", round, err)
				}
				from = won.Lines
			}
			return nil
		},
	},
	{
		"an import goes on with its records, or not at all",
		"If f returns nil the writes become visible together; otherwise none do",
		func(ctx context.Context, s ports.Store) error {
			ships := collection("ships")
			if err := declared(ctx, s, ships); err != nil {
				return err
			}
			boom := errors.New("boom")
			step := func(tx ports.Repositories) error {
				return errors.Join(
					tx.Records().Add(ctx, ships.Ref(), record(1, ""), domain.Entries{}),
					tx.Imports().Advance(ctx, importingTo(1, 7), 0),
					reads(importingTo(1, 7))(tx.Imports().ByID(ctx, importID(1))),
					is(tx.Imports().Advance(ctx, importingTo(1, 14), 0), domain.ErrImportMoved), // which f passes over
				)
			}
			failed := s.Atomically(ctx, func(tx ports.Repositories) error { return cmp.Or(step(tx), boom) })
			if !errors.Is(failed, boom) {
				return fmt.Errorf("Atomically did not return the error of f: %w", failed)
			}
			return errors.Join(
				fails[domain.Import](domain.ErrImportNotFound)(s.Imports().ByID(ctx, importID(1))),
				s.Atomically(ctx, step),
				reads(importingTo(1, 7))(s.Imports().ByID(ctx, importID(1))),
				reads(record(1, ""))(s.Records().Get(ctx, ships.Ref(), recordID(1))),
			)
		},
	},
	{
		"imports that do not go on any more are forgotten",
		"Forget drops at most limit imports that last changed before t, and says how many.",
		func(ctx context.Context, s ports.Store) error {
			// Which ones are dropped is the store's to choose. When they began says nothing.
			at := func(n int) domain.Import {
				i := importingTo(n, 7)
				i.Created, i.Changed = eventTime(-n), eventTime(n)
				return i
			}
			left := func() (n int, err error) {
				for i := range 4 {
					switch _, err2 := s.Imports().ByID(ctx, importID(i)); {
					case err2 == nil:
						n++
					case is(err2, domain.ErrImportNotFound) != nil:
						err = errors.Join(err, err2)
					}
				}
				return n, err
			}
			return errors.Join(
				s.Imports().Advance(ctx, at(3), 0), s.Imports().Advance(ctx, at(1), 0), s.Imports().Advance(ctx, at(2), 0),
				reads(0)(s.Imports().Forget(ctx, at(1).Changed, 9)),
				reads(0)(s.Imports().Forget(ctx, at(3).Changed, 0)),
				reads(3)(left()),
				reads(1)(s.Imports().Forget(ctx, at(3).Changed, 1)),
				reads(2)(left()),
				reads(1)(s.Imports().Forget(ctx, at(3).Changed, 9)),
				reads(0)(s.Imports().Forget(ctx, at(3).Changed, 9)),
				reads(1)(left()),
				reads(at(3))(s.Imports().ByID(ctx, importID(3))),
				is(s.Imports().Advance(ctx, importingTo(1, 14), 7), domain.ErrImportMoved), // it is new
				s.Imports().Advance(ctx, importingTo(1, 14), 0),
			)
		},
	},
	{
		"the problems of an import are copied",
		"implementations copy slices.",
		func(ctx context.Context, s ports.Store) error {
			in := importingTo(1, 7)
			err := s.Imports().Advance(ctx, in, 0)
			spoil := func(i domain.Import) { i.Problems[1].Code, i.Problems[0].Fields[0].Path = "spoilt", "/spoilt" }
			spoil(in)
			out, err2 := s.Imports().ByID(ctx, in.ID)
			if err := errors.Join(err, reads(importingTo(1, 7))(out, err2)); err != nil {
				return err
			}
			spoil(out)
			return reads(importingTo(1, 7))(s.Imports().ByID(ctx, in.ID))
		},
	},
}

// importingTo returns the nth import as it is read when so many lines are dealt with.
func importingTo(n int, lines int64) domain.Import {
	i := importing(n, account(n), lines)
	i.Problems = append(i.Problems, importProblem(2))
	return i
}

// importProblem returns what is wrong with the nth line.
func importProblem(n int) domain.ImportProblem {
	return domain.ImportProblem{
		Line: int64(n), Code: "malformed", Detail: "\"It\" is no JSON\n’", Fields: []domain.Field{{Path: "/a~0b", Code: "type", Problem: `\x00`}, {Path: ""}},
	}
}
