package resources

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Declare makes c a collection, or makes the one of that name what c says. It is
// for the operator, who has the declarations; no route leads here. It fails with
// ErrInvalidCollection, ErrInvalidSchema, ErrInvalidRule or ErrCollectionInUse.
func (s *Service) Declare(ctx context.Context, c domain.Collection) (domain.Collection, error) {
	if err := c.Check(); err != nil {
		return domain.Collection{}, err
	}
	if _, err := s.declared.compile(c); err != nil {
		return domain.Collection{}, err
	}
	store := s.c.Store.Collections()
	for range attempts {
		now := s.c.Now()
		old, err := store.ByName(ctx, c.Name)
		c.Created, c.Revision, c.Changed = old.Created, old.Revision, now
		switch {
		case errors.Is(err, domain.NotFound):
			if err := s.room(ctx); err != nil {
				return domain.Collection{}, err
			}
			c.Created = now
			err = store.Add(ctx, c)
		case err != nil:
			return domain.Collection{}, err
		case same(old, c):
			return old, nil
		default:
			err = store.Replace(ctx, c)
		}
		if errors.Is(err, domain.ErrStale) || errors.Is(err, domain.ErrCollectionExists) || errors.Is(err, domain.NotFound) {
			continue
		}
		c.Revision++
		return c, err
	}
	return domain.Collection{}, domain.ErrCollectionChanged
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

// same reports whether a and b declare the same, whenever they did.
func same(a, b domain.Collection) bool {
	return a.Schema.Text() == b.Schema.Text() && a.Rules == b.Rules && slices.Equal(a.Unique, b.Unique)
}

// Collections returns all declarations in the order of their names.
func (s *Service) Collections(ctx context.Context) ([]domain.Collection, error) {
	return s.c.Store.Collections().List(ctx)
}

// Collection returns a declaration. It fails with ErrCollectionNotFound.
func (s *Service) Collection(ctx context.Context, name domain.CollectionName) (domain.Collection, error) {
	return s.c.Store.Collections().ByName(ctx, name)
}

// A declaration is a collection that is ready to judge.
type declaration struct {
	domain.Collection
	schema                             ports.Schema
	list, read, create, update, remove ports.Rule
}

// declarations remembers those that were used, at most one a collection. What is
// remembered may be old: the store tells, on each use, whether it still holds.
type declarations struct {
	c     Config
	mu    sync.RWMutex
	known map[domain.CollectionName]*declaration
}

// use runs f with the declaration of a collection, and again with a fresh one if
// the remembered one no longer holds. The store says so when f asks it; a refusal
// may come before that, and is looked into.
func (ds *declarations) use(ctx context.Context, name domain.CollectionName, f func(*declaration) error) (err error) {
	for range attempts {
		ds.mu.RLock()
		d := ds.known[name]
		ds.mu.RUnlock()
		remembered := d != nil
		if !remembered {
			if d, err = ds.read(ctx, name); err != nil {
				return err
			}
		}
		err = f(d)
		if remembered && refusal(err) {
			c, gone := ds.c.Store.Collections().ByName(ctx, name)
			switch {
			case gone != nil:
				err = gone
			case c.Ref() != d.Ref():
				err = domain.ErrCollectionChanged
			}
		}
		if !errors.Is(err, domain.ErrCollectionChanged) && !errors.Is(err, domain.ErrCollectionNotFound) {
			return err
		}
		ds.forget(d)
	}
	return err
}

// refusal reports whether err can be the word of a declaration alone.
func refusal(err error) bool {
	return errors.Is(err, domain.Unauthenticated) || errors.Is(err, domain.Forbidden) || errors.Is(err, domain.Invalid)
}

func (ds *declarations) read(ctx context.Context, name domain.CollectionName) (*declaration, error) {
	c, err := ds.c.Store.Collections().ByName(ctx, name)
	if err != nil {
		return nil, err
	}
	d, err := ds.compile(c)
	if err != nil {
		return nil, err
	}
	ds.mu.Lock()
	defer ds.mu.Unlock()
	if newer := ds.known[name]; newer != nil && newer.Revision > c.Revision {
		return newer, nil
	}
	ds.known[name] = d
	return d, nil
}

func (ds *declarations) forget(d *declaration) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	if ds.known[d.Name] == d {
		delete(ds.known, d.Name)
	}
}

func (ds *declarations) compile(c domain.Collection) (*declaration, error) {
	d := &declaration{Collection: c}
	var err error
	if d.schema, err = ds.c.Schemas.Compile(c.Schema); err != nil {
		return nil, err
	}
	for _, rule := range []struct {
		verb string
		text string
		into *ports.Rule
	}{
		{"list", c.Rules.List, &d.list},
		{"read", c.Rules.Read, &d.read},
		{"create", c.Rules.Create, &d.create},
		{"update", c.Rules.Update, &d.update},
		{"delete", c.Rules.Delete, &d.remove},
	} {
		if *rule.into, err = ds.c.Rules.Compile(rule.text, c.Schema); err != nil {
			if e, ok := errors.AsType[*domain.Error](err); ok {
				return nil, e.At("/rules/"+rule.verb, "invalid-rule", "it cannot be read as a rule")
			}
			return nil, err
		}
	}
	return d, nil
}

// Fill stores the data as records of nobody's in a collection that has none, all
// of them or none, and says how many. Where there is a record already it does
// nothing. It is for the operator, who has the data; no route leads here. It
// fails with ErrCollectionNotFound, ErrInvalidRecord or ErrNotUnique.
func (s *Service) Fill(ctx context.Context, name domain.CollectionName, data []domain.Document) (filled int, err error) {
	err = s.declared.use(ctx, name, func(d *declaration) error {
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
			there, err := tx.Records().List(ctx, d.Ref(), domain.Everything{}, "", 1)
			if err != nil || len(there) > 0 {
				return err
			}
			for _, r := range records {
				if err := tx.Records().Add(ctx, d.Ref(), r, d.Keys(r)); err != nil {
					return err
				}
			}
			filled = len(records)
			return nil
		})
	})
	return filled, err
}
