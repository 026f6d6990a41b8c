package resources

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

const (
	maxUnfit = 20               // records that are named when they do not fit
	skew     = 10 * time.Second // by how much the clocks of replicas may differ
	swath    = 500              // records that are read, or entered, at a time
)

// tighten puts d in the place of the collection that is stored as old, once each of
// its records fits the schema of d. Most are judged while everything goes on; then
// writers are held, and those that were written since are judged. With dryRun it
// only judges. It fails with ErrRecordsUnfit or ErrStale.
func (s *Service) tighten(ctx context.Context, d *declaration, old domain.CollectionRef, dryRun bool) error {
	begun := s.c.Now()
	if err := unfit(ctx, s.c.Store, d, old, time.Time{}); err != nil || dryRun {
		return err
	}
	// Each further pass is shorter, and leaves less for the time in which writers wait.
	for range attempts {
		next := s.c.Now()
		if next.Sub(begun) < skew {
			break
		}
		if err := unfit(ctx, s.c.Store, d, old, begun.Add(-skew)); err != nil {
			return err
		}
		begun = next
	}
	return s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		if err := tx.Collections().Hold(ctx, old); err != nil {
			return err
		}
		if err := unfit(ctx, tx, d, old, begun.Add(-skew)); err != nil {
			return err
		}
		return tx.Collections().Replace(ctx, d.Collection)
	})
}

// unfit fails with ErrRecordsUnfit, and names the first, if some of the records do not
// fit the schema of d: of all, or of those that were written since.
func unfit(ctx context.Context, in ports.Repositories, d *declaration, old domain.CollectionRef, since time.Time) error {
	refused, found := domain.ErrRecordsUnfit, 0
	q := domain.Query{Where: domain.Everything{}, Limit: swath}
	if !since.IsZero() {
		q.Walk = domain.Walk{Order: domain.ByChanged, Backward: true}
	}
pages:
	for found < maxUnfit {
		page, err := in.Records().List(ctx, old, q)
		if err != nil {
			return stale(err)
		}
		for _, r := range page {
			if r.Changed.Before(since) {
				break pages
			}
			err := d.schema.Check(r.Data)
			if err == nil {
				continue
			}
			e, ok := errors.AsType[*domain.Error](err)
			if !ok {
				return err
			}
			for _, f := range e.Fields {
				refused = refused.At("/records/"+string(r.ID)+f.Path, f.Code, f.Problem)
			}
			if found++; found == maxUnfit {
				break
			}
		}
		if len(page) < swath {
			break
		}
		q.After = d.PlaceOf(q.Walk, page[len(page)-1])
	}
	if found > 0 {
		return refused
	}
	return nil
}
