package resources

import (
	"context"
	"errors"
	"slices"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// MaxChecked is the most records that a new schema is held against while somebody
// waits.
const MaxChecked = 100_000

// maxBuilt is the most records that are entered into a new index while somebody waits.
const maxBuilt = 5_000

// A Declaring says how a collection is declared.
type Declaring struct {
	Match  domain.Revision // the revision that is to be replaced; 0: whatever is there, or nothing
	Only   Only            // whether there must be, or must not be, such a collection already
	DryRun bool            // look for what stands in the way, and change nothing

	// Operator is set for whoever has the files: they may change what is declared
	// there, and wait as long as it takes.
	Operator bool
}

// Only restricts a declaration.
type Only int8

// The restrictions.
const (
	NewOrOld Only = iota
	OnlyNew       // else ErrCollectionExists
	OnlyOld       // else ErrCollectionNotFound
)

// Declare makes c a collection, or makes the one of that name what c says: from the
// moment at which it returns, everywhere. Records that are stored already are held
// against a new schema first; readers and writers go on meanwhile. A new index is
// built afterwards (see Build), and used once it is. It fails with
// ErrUnauthenticated, ErrNotAllowed, ErrInvalidCollection, ErrInvalidSchema,
// ErrInvalidRule, ErrCollectionInUse, ErrCollectionManaged, ErrRecordsUnfit,
// ErrTooManyToCheck or ErrStale.
func (s *Service) Declare(ctx context.Context, who domain.Asker, c domain.Collection, how Declaring) (_ domain.Collection, err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Declare")
	defer func() { end(err) }()
	if err := who.MustBe(domain.Administer, domain.Administrator); !how.Operator && err != nil {
		return domain.Collection{}, err
	}
	if err := c.Check(); err != nil {
		return domain.Collection{}, err
	}
	c.Managed = how.Operator && c.Managed
	d, err := s.declared.compile(c)
	if err != nil {
		return domain.Collection{}, err
	}
	for range attempts {
		declared, err := s.declare(ctx, d, how)
		if err == nil && !how.DryRun && !declared.Built() {
			return s.built(ctx, declared, how)
		}
		if how.Match == 0 && (errors.Is(err, domain.ErrStale) || how.Only == NewOrOld && (errors.Is(err, domain.ErrCollectionExists) || errors.Is(err, domain.NotFound))) {
			continue
		}
		return declared, err
	}
	return domain.Collection{}, domain.ErrCollectionChanged
}

// built builds what is small, or what the operator waits for, and returns the
// collection as it is then. The rest is left to Build.
func (s *Service) built(ctx context.Context, c domain.Collection, how Declaring) (domain.Collection, error) {
	n, err := s.c.Store.Records().Count(ctx, c.Ref(), domain.Query{Where: domain.Everything{}, Limit: maxBuilt + 1})
	if err == nil && (n <= maxBuilt || how.Operator) {
		err = s.build(ctx, c)
	}
	if err != nil && !errors.Is(err, domain.ErrStale) && !errors.Is(err, domain.ErrCollectionChanged) {
		return c, err
	}
	return s.c.Store.Collections().ByName(ctx, c.Name)
}

func (s *Service) declare(ctx context.Context, d *declaration, how Declaring) (domain.Collection, error) {
	store, c := s.c.Store.Collections(), d.Collection
	c.Changed = s.c.Now()
	old, err := store.ByName(ctx, c.Name)
	switch {
	case errors.Is(err, domain.NotFound):
		return s.found(ctx, c, how)
	case err != nil:
		return domain.Collection{}, err
	case how.Only == OnlyNew:
		return domain.Collection{}, domain.ErrCollectionExists
	case how.Match != 0 && how.Match != old.Revision:
		return domain.Collection{}, domain.ErrStale
	case old.Managed && !how.Operator:
		return domain.Collection{}, domain.ErrCollectionManaged
	case old.Declares(c):
		return old, nil
	}
	records, err := s.c.Store.Records().Count(ctx, old.Ref(), domain.Query{Where: domain.Everything{}, Limit: MaxChecked + 1})
	if err != nil {
		return domain.Collection{}, stale(err)
	}
	if records == 0 && !how.DryRun {
		next := c.Succeeding(old, false)
		if err := s.supersede(ctx, next, old.Ref()); !errors.Is(err, domain.ErrCollectionInUse) {
			return stored(next, err)
		}
		records = 1 // the first has come since
	}
	d.Collection = c.Succeeding(old, records > 0)
	strict := records > 0 && c.Schema.Text() != old.Schema.Text()
	switch {
	case records > 0 && adds(old.Unique, c.Unique):
		err = domain.ErrCollectionInUse
	case strict && records > MaxChecked && !how.Operator:
		err = domain.ErrTooManyToCheck
	case strict:
		err = s.tighten(ctx, d, old.Ref(), how.DryRun)
	case !how.DryRun:
		err = store.Replace(ctx, d.Collection)
	}
	if err == nil && how.DryRun {
		return d.Collection, nil
	}
	return stored(d.Collection, err)
}

// stored returns a collection as a store leaves it, unless that failed.
func stored(c domain.Collection, err error) (domain.Collection, error) {
	if err != nil {
		return domain.Collection{}, err
	}
	c.Revision++
	return c, nil
}

// supersede puts c in the place of the collection that is stored as old and has no
// records. Where it has one, it fails with ErrCollectionInUse.
func (s *Service) supersede(ctx context.Context, c domain.Collection, old domain.CollectionRef) error {
	return s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		if err := tx.Collections().Hold(ctx, old); err != nil {
			return err
		}
		records, err := tx.Records().Count(ctx, old, domain.Query{Where: domain.Everything{}, Limit: 1})
		switch {
		case err != nil:
			return stale(err)
		case records > 0:
			return domain.ErrCollectionInUse
		}
		return tx.Collections().Replace(ctx, c)
	})
}

// adds reports whether some of the unique fields were none before.
func adds(before, now []domain.Unique) bool {
	return slices.ContainsFunc(now, func(u domain.Unique) bool { return !slices.Contains(before, u) })
}

// found makes a new collection.
func (s *Service) found(ctx context.Context, c domain.Collection, how Declaring) (domain.Collection, error) {
	if how.Match != 0 || how.Only == OnlyOld {
		return domain.Collection{}, domain.ErrCollectionNotFound
	}
	if err := s.room(ctx); err != nil {
		return domain.Collection{}, err
	}
	c = c.Succeeding(domain.Collection{}, false)
	c.Created = c.Changed
	if how.DryRun {
		return c, nil
	}
	return stored(c, s.c.Store.Collections().Add(ctx, c))
}

// stale says of a collection that has changed meanwhile that it is to be read again.
func stale(err error) error {
	if errors.Is(err, domain.ErrCollectionChanged) {
		return domain.ErrStale
	}
	return err
}

// room fails with ErrInvalidCollection where there are as many collections as may
// be. Declarations that race may go beyond by as many as race.
func (s *Service) room(ctx context.Context) error {
	all, err := s.c.Store.Collections().List(ctx)
	if err == nil && len(all) >= domain.MaxCollections {
		err = domain.ErrInvalidCollection.At("/name", "too-many", "there are as many collections as there may be")
	}
	return err
}

// Remove deletes a collection that has no records, if its revision is match; 0
// stands for whatever is there. It fails with ErrUnauthenticated, ErrNotAllowed,
// ErrCollectionNotFound, ErrCollectionManaged, ErrCollectionInUse or ErrStale.
func (s *Service) Remove(ctx context.Context, who domain.Asker, name domain.CollectionName, match domain.Revision) (err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Remove")
	defer func() { end(err) }()
	if err := who.MustBe(domain.Administer, domain.Administrator); err != nil {
		return err
	}
	store := s.c.Store.Collections()
	for range attempts {
		var c domain.Collection
		if c, err = store.ByName(ctx, name); err != nil {
			return err
		}
		switch {
		case c.Managed:
			return domain.ErrCollectionManaged
		case match != 0 && match != c.Revision:
			return domain.ErrStale
		}
		if err = store.Remove(ctx, c.Ref()); match != 0 || !errors.Is(err, domain.ErrStale) {
			break
		}
	}
	return err
}

// Collections returns all declarations in the order of their names.
func (s *Service) Collections(ctx context.Context) ([]domain.Collection, error) {
	return s.c.Store.Collections().List(ctx)
}

// Collection returns a declaration. It fails with ErrCollectionNotFound.
func (s *Service) Collection(ctx context.Context, name domain.CollectionName) (domain.Collection, error) {
	return s.c.Store.Collections().ByName(ctx, name)
}

// Fill stores the data as records of nobody's in a collection that has none, all
// of them or none, and says how many. Where there is a record already it does
// nothing. It is for the operator, who has the data; no route leads here. It
// fails with ErrCollectionNotFound, ErrInvalidRecord or ErrNotUnique.
func (s *Service) Fill(ctx context.Context, name domain.CollectionName, data []domain.Document) (filled int, err error) {
	err = s.declared.use(ctx, s.c.Store.Collections(), name, func(d *declaration) error {
		now := s.c.Now()
		var records []domain.Record
		for _, doc := range data {
			if err := d.schema.Check(doc); err != nil {
				return err
			}
			records = append(records, domain.Record{ID: domain.RecordID(s.c.NewID()), Data: doc, Revision: 1, Created: now, Changed: now})
		}
		return s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
			filled = 0
			there, err := tx.Records().List(ctx, d.Ref(), domain.Query{Where: domain.Everything{}, Limit: 1})
			if err != nil || len(there) > 0 {
				return err
			}
			for _, r := range records {
				if err := tx.Records().Add(ctx, d.Ref(), r, d.Entries(r, now)); err != nil {
					return err
				}
			}
			filled = len(records)
			return nil
		})
	})
	return filled, err
}
