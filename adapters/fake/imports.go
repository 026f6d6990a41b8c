package fake

import (
	"context"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type imports struct{ desk desk }

func (r imports) ByID(ctx context.Context, id domain.ImportID) (i domain.Import, err error) {
	err = r.desk.do(ctx, "imports.byID", func(t *tables) error {
		found, ok := t.imports[id]
		if !ok {
			return domain.ErrImportNotFound
		}
		i = ownImport(found)
		return nil
	})
	return i, err
}

func (r imports) Advance(ctx context.Context, i domain.Import, from int64) error {
	return r.desk.do(ctx, "imports.advance", func(t *tables) error {
		if t.imports[i.ID].Lines != from {
			return domain.ErrImportMoved
		}
		i = ownImport(i)
		i.Created, i.Changed = stamp(i.Created), stamp(i.Changed)
		t.imports[i.ID] = i
		return nil
	})
}

func (r imports) Forget(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = r.desk.do(ctx, "imports.forget", func(t *tables) error {
		n = forget(t.imports, func(i domain.Import) time.Time { return i.Changed }, before, limit)
		return nil
	})
	return n, err
}

// ownImport returns a copy of i that shares no slice with it.
func ownImport(i domain.Import) domain.Import {
	i.Problems = slices.Clone(i.Problems)
	for n := range i.Problems {
		i.Problems[n].Fields = slices.Clone(i.Problems[n].Fields)
	}
	return i
}
