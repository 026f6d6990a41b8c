package resources

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A declaration is a collection that is ready to judge.
type declaration struct {
	domain.Collection
	schema                       ports.Schema
	list                         ports.Selector
	read, create, update, remove ports.Rule
	filters                      filters
}

// rule returns the rule for a verb.
func (d *declaration) rule(v domain.Verb) ports.Rule {
	switch v {
	case domain.VerbList:
		return d.list
	case domain.VerbRead:
		return d.read
	case domain.VerbCreate:
		return d.create
	case domain.VerbUpdate:
		return d.update
	case domain.VerbDelete:
	}
	return d.remove
}

// declarations remembers those that were used, at most one a collection. What is
// remembered may be old: the store tells, on each use, whether it still holds.
type declarations struct {
	rules   ports.RuleCompiler
	schemas ports.SchemaCompiler
	mu      sync.RWMutex
	known   map[domain.CollectionName]*declaration
}

// use runs f with the declaration of a collection, and again with a fresh one if
// the remembered one no longer holds. The store says so when f asks it; a refusal
// may come before that, and is looked into.
func (ds *declarations) use(ctx context.Context, store ports.Collections, name domain.CollectionName, f func(*declaration) error) (err error) {
	for range attempts {
		d, remembered := ds.remembered(name)
		if !remembered {
			if d, err = ds.read(ctx, store, name); err != nil {
				return err
			}
		}
		err = f(d)
		if remembered && refusal(err) {
			c, gone := store.ByName(ctx, name)
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
	return errors.Is(err, domain.Unauthenticated) || errors.Is(err, domain.Forbidden) || errors.Is(err, domain.Invalid) || errors.Is(err, domain.ErrNotWatched)
}

func (ds *declarations) remembered(name domain.CollectionName) (*declaration, bool) {
	ds.mu.RLock()
	defer ds.mu.RUnlock()
	d, ok := ds.known[name]
	return d, ok
}

// read returns the declaration as it is stored now.
func (ds *declarations) read(ctx context.Context, store ports.Collections, name domain.CollectionName) (*declaration, error) {
	c, err := store.ByName(ctx, name)
	if err != nil {
		return nil, err
	}
	if d, ok := ds.remembered(name); ok && d.Ref() == c.Ref() {
		return d, nil
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
	d := &declaration{Collection: c, filters: filters{rules: ds.rules, schema: c.Schema, known: make(map[string]ports.Selector)}}
	var err error
	if d.schema, err = ds.schemas.Compile(c.Schema); err != nil {
		return nil, err
	}
	if d.list, err = ds.rules.Select(c.Rules.List, c.Schema); err != nil {
		return nil, blame(err, domain.VerbList)
	}
	for verb, rule := range map[domain.Verb]*ports.Rule{
		domain.VerbRead: &d.read, domain.VerbCreate: &d.create, domain.VerbUpdate: &d.update, domain.VerbDelete: &d.remove,
	} {
		if *rule, err = ds.rules.Compile(verb, c.Rules.Of(verb), c.Schema); err != nil {
			return nil, blame(err, verb)
		}
	}
	return d, nil
}

// blame says which rule it was that could not be read.
func blame(err error, verb domain.Verb) error {
	e, ok := errors.AsType[*domain.Error](err)
	switch {
	case !ok:
		return err
	case len(e.Fields) == 0:
		return e.At("/rules/"+string(verb), "invalid-rule", "it cannot be read as a rule")
	}
	return e.Moved("/rules/" + string(verb))
}

// maxFilters is how many filters a declaration remembers.
const maxFilters = 64

// filters remembers some that were used.
type filters struct {
	rules  ports.RuleCompiler
	schema domain.Document
	mu     sync.RWMutex
	known  map[string]ports.Selector
}

// read returns a filter. It fails with domain.ErrInvalidFilter.
func (fs *filters) read(text string) (ports.Selector, error) {
	fs.mu.RLock()
	f, ok := fs.known[text]
	fs.mu.RUnlock()
	if ok {
		return f, nil
	}
	f, err := fs.rules.Select(text, fs.schema)
	if e, ok := errors.AsType[*domain.Error](err); ok {
		if len(e.Fields) == 0 {
			return nil, domain.ErrInvalidFilter.At("filter", "invalid-filter", "it cannot be read as a filter")
		}
		invalid := *domain.ErrInvalidFilter
		invalid.Fields = e.Fields
		return nil, invalid.Moved("filter")
	}
	if err != nil {
		return nil, err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if len(fs.known) >= maxFilters {
		for old := range maps.Keys(fs.known) { // any of them
			delete(fs.known, old)
			break
		}
	}
	fs.known[text] = f
	return f, nil
}
