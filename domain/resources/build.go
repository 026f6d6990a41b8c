package resources

import (
	"context"
	"errors"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Build enters the records of all collections into indexes that were declared after
// them, so that lists may rely on these. Whatever is written meanwhile is entered by
// its writer. Several may build at once, and it may be broken off at any time: it
// begins anew.
func (s *Service) Build(ctx context.Context) error {
	all, err := s.c.Store.Collections().List(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range all {
		if c.Built() {
			continue
		}
		if err := s.build(ctx, c); err != nil && !errors.Is(err, domain.ErrStale) && !errors.Is(err, domain.ErrCollectionNotFound) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// build builds one collection. It fails with ErrStale where that is declared anew
// meanwhile.
func (s *Service) build(ctx context.Context, c domain.Collection) error {
	q := domain.Query{Where: domain.Everything{}, Limit: swath}
	for {
		page, err := s.c.Store.Records().List(ctx, c.Ref(), q)
		if err != nil {
			return stale(err)
		}
		filings := make([]ports.Filing, len(page))
		for i, r := range page {
			filings[i] = ports.Filing{ID: r.ID, Revision: r.Revision, Entries: c.Entries(r, s.c.Now())}
		}
		if len(page) > 0 {
			if err := s.c.Store.Records().Enter(ctx, c.Ref(), filings); err != nil {
				return stale(err)
			}
		}
		if len(page) < swath {
			return s.c.Store.Collections().Replace(ctx, c.Finished())
		}
		q.After = domain.Place{ID: page[len(page)-1].ID}
	}
}
