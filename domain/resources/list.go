package resources

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/keyport-go/keyport/domain"
)

// The bounds of a list.
const (
	MaxScan      = 20_000    // records that are looked at for one page, or one estimate, of those that a condition picks
	MaxCountScan = 100_000   // records that are looked at for an exact count of such
	MaxCount     = 1_000_000 // of an exact count, where all records of a walk are wanted
	Estimate     = 1_000     // up to which an estimate is exact
)

// A Counting says whether a list is to be counted.
type Counting int8

// The ways to count.
const (
	NoCount Counting = iota
	EstimateCount
	ExactCount
)

// A ListRequest asks for one stretch of a list.
type ListRequest struct {
	domain.PageRequest
	Filter string // in the language of the rules; "": all that may be listed
	Sort   domain.Sort
	Search string // words that the records have; "": any
	Count  Counting
}

// A Listing is one stretch of a list.
type Listing struct {
	domain.Page[domain.Record]
	Count *Count // of the whole list; nil unless it was asked for
}

// A Count is how many records there are: just so many, or at least.
type Count struct {
	Value int
	Exact bool
}

// List returns a page of the records that the asker may list. It fails with
// ErrCollectionNotFound, ErrUnauthenticated, ErrNotAllowed, ErrInvalidCursor,
// ErrInvalidFilter, ErrNotSorted, ErrInvalidSearch, ErrNotSearched or ErrTooBroad.
func (s *Service) List(ctx context.Context, who domain.Asker, name domain.CollectionName, r ListRequest) (l Listing, err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.List")
	defer func() { end(err) }()
	if err := who.May(domain.ReadRecords); err != nil {
		return l, err
	}
	err = s.declared.use(ctx, s.c.Store.Collections(), name, func(d *declaration) error {
		l = Listing{}
		q, err := s.query(d, who, r)
		if err != nil {
			return err
		}
		scope := placeScope(name, who, r, q.Walk)
		if r.Cursor != "" {
			if q.After, err = s.openPlace(scope, r.Cursor); err != nil {
				return err
			}
		}
		q.Limit = r.Size() + 1
		items, err := s.c.Store.Records().List(ctx, d.Ref(), q)
		if err != nil {
			return err
		}
		l.Page = domain.PageOf(items, r.Size(), func(last domain.Record) string {
			return s.sealPlace(scope, d.PlaceOf(q.Walk, last))
		})
		if r.Count != NoCount {
			l.Count, err = s.count(ctx, d, q, r.Count)
		}
		return err
	})
	return l, err
}

// query returns what a list wants of the store: whatever both the rule and the
// filter pick.
func (s *Service) query(d *declaration, who domain.Asker, r ListRequest) (q domain.Query, err error) {
	now := s.c.Now()
	q.Where = d.list.Where(who, now)
	if q.Where == (domain.Nothing{}) {
		return q, denied(who)
	}
	if r.Filter != "" {
		filter, err := d.filters.read(r.Filter)
		if err != nil {
			return q, err
		}
		q.Where = domain.Both(q.Where, filter.Where(who, now))
	}
	if r.Search != "" {
		if len(d.Search) == 0 || d.SearchBuilding {
			return q, domain.ErrNotSearched
		}
		if q.Words, err = domain.ParseSearch(r.Search); err != nil {
			return q, err
		}
	}
	q.Scan = MaxScan
	q.Walk, err = d.PlanWalk(q.Where, r.Sort)
	return q, err
}

// count counts the whole list of which q is a stretch.
func (s *Service) count(ctx context.Context, d *declaration, q domain.Query, how Counting) (*Count, error) {
	walk, err := d.PlanWalk(q.Where, nil)
	if err != nil {
		return nil, err
	}
	q.Walk, q.After, q.Limit = walk, domain.Place{}, Estimate+1
	if how == ExactCount {
		q.Limit, q.Scan = MaxCount+1, MaxCountScan
	}
	if q.Where == (domain.Everything{}) && len(q.Words) == 0 {
		q.Scan = 0 // each record counts, so none is looked at in vain
	}
	n, err := s.c.Store.Records().Count(ctx, d.Ref(), q)
	if err != nil {
		return nil, err
	}
	return &Count{min(n, q.Limit-1), n < q.Limit}, nil
}

// placeScope is the scope of the cursors of a list: the same for the same account,
// parameters and walk, wherever that begins and ends. What the condition says of the
// time moves from page to page.
func placeScope(name domain.CollectionName, who domain.Asker, r ListRequest, w domain.Walk) string {
	w.Low, w.High = "", ""
	return fmt.Sprintf("records %s %x", name, sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %+v", who.Account, r.Filter, r.Sort, r.Search, w)))
}

// idSize is the length of a record's id, in bytes.
const idSize = 36

func (s *Service) sealPlace(scope string, p domain.Place) string {
	return s.c.Cursors.Seal(scope, string(p.ID)+p.Key)
}

func (s *Service) openPlace(scope, cursor string) (p domain.Place, err error) {
	text, err := s.c.Cursors.Open(scope, cursor)
	if err != nil || len(text) < idSize {
		return p, domain.ErrInvalidCursor
	}
	return domain.Place{Key: text[idSize:], ID: domain.RecordID(text[:idSize])}, nil
}

// Each yields the records that the asker may list, in the order of their ids, until
// yield fails. caller says before each page who asks: where it fails, so does Each.
// A record that is there all along is yielded, whatever else is written meanwhile.
// Each fails as List does.
func (s *Service) Each(ctx context.Context, caller Caller, name domain.CollectionName, filter string, yield func(domain.Record) error) (err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Each")
	defer func() { end(err) }()
	for after := (domain.Place{}); ; {
		who, err := caller(ctx)
		if err != nil {
			return err
		}
		page, err := s.stretch(ctx, who, name, filter, after)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := yield(r); err != nil {
				return err
			}
		}
		if len(page) < domain.MaxLimit {
			return nil
		}
		after = domain.Place{ID: page[len(page)-1].ID}
	}
}

// stretch returns the records behind a place, in the order of their ids.
func (s *Service) stretch(ctx context.Context, who domain.Asker, name domain.CollectionName, filter string, after domain.Place) (page []domain.Record, err error) {
	if err := who.May(domain.ReadRecords); err != nil {
		return nil, err
	}
	err = s.declared.use(ctx, s.c.Store.Collections(), name, func(d *declaration) error {
		q, err := s.query(d, who, ListRequest{Filter: filter})
		if err != nil {
			return err
		}
		q.Walk, q.After, q.Limit, q.Scan = domain.Walk{Owner: q.Owner}, after, domain.MaxLimit, 0
		page, err = s.c.Store.Records().List(ctx, d.Ref(), q)
		return err
	})
	return page, err
}

// A Caller says who asks, while something goes on that takes long. It fails once they
// may ask no more.
type Caller func(context.Context) (domain.Asker, error)
