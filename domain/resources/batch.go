package resources

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// MaxBatch is the most operations of one batch.
const MaxBatch = 100

// An Operation is one of the things that a batch does.
type Operation struct {
	Verb  domain.Verb     // VerbCreate, VerbUpdate or VerbDelete
	ID    domain.RecordID // of the record; "" in VerbCreate: a new one
	Match domain.Revision // as in Replace; not in VerbCreate
	Patch bool            // whether VerbUpdate merges Data, and does not replace
	Data  domain.Document // not in VerbDelete
}

// Batch does all of the operations, one after the other, or none of them. It returns
// the records as each operation left them; a deleted one is zero. It fails with
// ErrInvalidBatch, and as the first operation that fails, of which each blame begins
// with "/operations/" and its place.
func (s *Service) Batch(ctx context.Context, who domain.Asker, name domain.CollectionName, operations []Operation) (results []domain.Record, err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Batch")
	defer func() { end(err) }()
	if err := who.May(domain.WriteRecords); err != nil {
		return nil, err
	}
	if len(operations) == 0 || len(operations) > MaxBatch {
		return nil, domain.ErrInvalidBatch.At("/operations", "too-many", fmt.Sprintf("want 1 to %d operations", MaxBatch))
	}
	err = s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		in := s.On(ports.Within(tx))
		results = make([]domain.Record, len(operations))
		for i, o := range operations {
			r, err := in.operate(ctx, who, name, o)
			if err != nil {
				return within(fmt.Sprintf("/operations/%d", i), err)
			}
			results[i] = r
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func (s *Service) operate(ctx context.Context, who domain.Asker, name domain.CollectionName, o Operation) (domain.Record, error) {
	switch {
	case o.Verb == domain.VerbCreate && o.ID == "":
		return s.Create(ctx, who, name, o.Data)
	case o.Verb == domain.VerbCreate:
		return s.CreateAs(ctx, who, name, o.ID, o.Data)
	case o.Verb == domain.VerbUpdate && o.Patch:
		return s.Patch(ctx, who, name, o.ID, o.Match, o.Data)
	case o.Verb == domain.VerbUpdate:
		return s.Replace(ctx, who, name, o.ID, o.Match, o.Data)
	case o.Verb == domain.VerbDelete:
		return domain.Record{}, s.Delete(ctx, who, name, o.ID, o.Match)
	}
	return domain.Record{}, domain.ErrInvalidBatch.At("/op", "invalid-operation", "want create, replace, patch or delete")
}

// within says where in a request that has many parts a failure was, if that part is to
// blame for it.
func within(path string, err error) error {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Kind == domain.Unavailable || e.Kind == domain.Internal || errors.Is(e, domain.ErrCollectionNotFound) || errors.Is(e, domain.ErrCollectionChanged) {
		return err
	}
	if len(e.Fields) == 0 {
		return e.At(path, e.Code, e.Detail)
	}
	placed := *e
	placed.Fields = nil
	for _, f := range e.Fields {
		placed.Fields = append(placed.Fields, domain.Field{Path: path + f.Path, Code: f.Code, Problem: f.Problem})
	}
	return &placed
}
