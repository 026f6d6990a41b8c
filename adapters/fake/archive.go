package fake

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/keyport-go/keyport/ports"
)

// An Archive is a ports.Archive in memory. Unlike others it has no Store behind it.
type Archive struct {
	Cellar *Cellar // required
	holds  bool
}

// A Cellar is where any number of Archives keep their rows.
type Cellar struct {
	tables map[string][]ports.Row // nil: there is no store
	source string                 // from which it is filled; "": none
	held   bool                   // by an Archive
}

var _ ports.Archive = (*Archive)(nil)

// Read implements ports.Archive.
func (a *Archive) Read(ctx context.Context, f func(ports.Tables) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.Cellar.tables == nil {
		return ports.ErrNoArchive
	}
	return f(tablesOf(maps.Clone(a.Cellar.tables)))
}

type tablesOf map[string][]ports.Row

// Rows implements ports.Tables.
func (t tablesOf) Rows(ctx context.Context, of ports.Table, visit func(ports.Row) error) error {
	for _, r := range t[of.Name] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(copied(r)); err != nil {
			return err
		}
	}
	return nil
}

func copied(r ports.Row) ports.Row {
	r = slices.Clone(r)
	for i, v := range r {
		if b, ok := v.([]byte); ok {
			r[i] = slices.Clone(b)
		}
	}
	return r
}

// Reserve implements ports.Archive.
func (a *Archive) Reserve(ctx context.Context, source string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.Cellar.held || a.Cellar.source != "" && a.Cellar.source != source {
		return ports.ErrReserved
	}
	if a.Cellar.source == "" {
		for _, rows := range a.Cellar.tables {
			if len(rows) > 0 {
				return ports.ErrOccupied
			}
		}
	}
	if a.Cellar.tables == nil {
		a.Cellar.tables = make(map[string][]ports.Row)
	}
	a.Cellar.source, a.Cellar.held, a.holds = source, true, true
	return nil
}

var errNotReserved = errors.New("fake: the archive is not reserved")

// Add implements ports.Archive.
func (a *Archive) Add(ctx context.Context, t ports.Table, rows []ports.Row) error {
	if !a.holds {
		return errNotReserved
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	has := slices.Clone(a.Cellar.tables[t.Name])
	for _, r := range rows {
		for i, c := range t.Columns {
			if r[i] == nil && !c.Optional {
				return errors.New("fake: " + t.Name + "." + c.Name + " is missing")
			}
		}
		has = append(has, copied(r))
	}
	a.Cellar.tables[t.Name] = has
	return nil
}

// Clear implements ports.Archive.
func (a *Archive) Clear(ctx context.Context, tables []ports.Table) error {
	if !a.holds {
		return errNotReserved
	}
	for _, t := range tables {
		delete(a.Cellar.tables, t.Name)
	}
	return ctx.Err()
}

// Release implements ports.Archive.
func (a *Archive) Release(ctx context.Context) error {
	if !a.holds {
		return errNotReserved
	}
	a.Cellar.source = ""
	return errors.Join(ctx.Err(), a.Close())
}

// Close implements ports.Archive.
func (a *Archive) Close() error {
	if a.holds {
		a.Cellar.held, a.holds = false, false
	}
	return nil
}
