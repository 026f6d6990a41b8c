package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyport-go/keyport/domain"
)

type collections struct{ lines lines }

const selectCollection = `
	SELECT name, schema, rules, uniques, indexes, search, search_building, watch, managed, revision, created, changed FROM collections `

func (r collections) ByName(ctx context.Context, name domain.CollectionName) (domain.Collection, error) {
	found, err := r.some(ctx, selectCollection+`WHERE name = ?`, name)
	if err != nil {
		return domain.Collection{}, err
	}
	if len(found) == 0 {
		return domain.Collection{}, domain.ErrCollectionNotFound
	}
	return found[0], nil
}

func (r collections) List(ctx context.Context) ([]domain.Collection, error) {
	return r.some(ctx, selectCollection+`ORDER BY name LIMIT ?`, domain.MaxCollections)
}

func (r collections) Add(ctx context.Context, c domain.Collection) error {
	return r.lines.write(ctx, func(l *line) error {
		_, err := l.exec(`
			INSERT INTO collections (name, schema, rules, uniques, indexes, search, search_building, watch, managed, revision, created, changed)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)`,
			c.Name, c.Schema.Text(), writeRules(c.Rules), writeUniques(c.Unique), writeIndexes(c.Indexes), writeSearch(c.Search),
			c.SearchBuilding, c.Watch, c.Managed, micros(c.Created), micros(c.Changed))
		return err
	})
}

// Replace implements ports.Collections. Whatever was entered of an index or a unique
// field that is left out stays, until its record is written anew: it bars nothing.
func (r collections) Replace(ctx context.Context, c domain.Collection) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`
			UPDATE collections SET schema = ?3, rules = ?4, uniques = ?5, indexes = ?6, search = ?7, search_building = ?8,
			       watch = ?9, managed = ?10, changed = ?11, revision = revision + 1
			WHERE name = ?1 AND revision = ?2
			  AND (NOT EXISTS (SELECT 1 FROM records WHERE collection = ?1)
			       OR NOT EXISTS (SELECT 1 FROM json_each(?5) wanted
			                      WHERE wanted.value NOT IN (SELECT value FROM json_each(collections.uniques))))`,
			c.Name, c.Revision, c.Schema.Text(), writeRules(c.Rules), writeUniques(c.Unique), writeIndexes(c.Indexes), writeSearch(c.Search),
			c.SearchBuilding, c.Watch, c.Managed, micros(c.Changed))
		if err == nil && n == 0 {
			err = inUse(l, c.Ref())
		}
		return err
	})
}

// Hold implements ports.Collections. There is one writer, so a transaction is alone
// anyhow; so is what another process writes, since a transaction begins by taking the
// lock.
func (r collections) Hold(ctx context.Context, c domain.CollectionRef) error {
	return r.lines.read(ctx, func(l *line) error { return current(l, c) })
}

func (r collections) Remove(ctx context.Context, c domain.CollectionRef) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`
			DELETE FROM collections
			WHERE name = ?1 AND revision = ?2 AND NOT EXISTS (SELECT 1 FROM records WHERE collection = ?1)`, c.Name, c.Revision)
		if err == nil && n == 0 {
			err = inUse(l, c)
		}
		return err
	})
}

// inUse says why a conditional write of a collection found nothing to write.
func inUse(l *line, c domain.CollectionRef) error {
	if err := current(l, c); err != nil {
		return err
	}
	return domain.ErrCollectionInUse
}

// current fails unless c is the stored revision.
func current(l *line, c domain.CollectionRef) error {
	found, err := l.one(`SELECT revision FROM collections WHERE name = ?`, c.Name)
	switch {
	case err != nil:
		return err
	case found == nil:
		return domain.ErrCollectionNotFound
	case domain.Revision(found.number(0)) != c.Revision:
		return domain.ErrStale
	}
	return nil
}

// some runs a query of selectCollection.
func (r collections) some(ctx context.Context, query string, args ...any) ([]domain.Collection, error) {
	var all []domain.Collection
	err := r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			c, err := readCollection(v)
			all = append(all, c)
			return err
		}, query, args...)
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// readCollection reads a row of selectCollection.
func readCollection(v row) (domain.Collection, error) {
	var (
		rules   storedRules
		uniques []storedUnique
		indexes []storedIndex
		search  []string
	)
	if err := errors.Join(v.list(2, &rules), v.list(3, &uniques), v.list(4, &indexes), v.list(5, &search)); err != nil {
		return domain.Collection{}, err
	}
	c := domain.Collection{
		Name:     domain.CollectionName(v.text(0)),
		Schema:   domain.RestoreDocument(v.text(1)),
		Rules:    domain.Rules(rules),
		Watch:    v.number(7) != 0,
		Managed:  v.number(8) != 0,
		Revision: domain.Revision(v.number(9)),
		Created:  v.time(10),
		Changed:  v.time(11),

		SearchBuilding: v.number(6) != 0,
	}
	if len(search) > 0 {
		c.Search = search
	}
	for _, x := range indexes {
		order, err := domain.ParseSort(x.Sort)
		if err != nil {
			return domain.Collection{}, fmt.Errorf("sqlite: an index that is not as it was written: %w", err)
		}
		c.Indexes = append(c.Indexes, domain.Index{Sort: order, Building: x.Building})
	}
	for _, u := range uniques {
		c.Unique = append(c.Unique, domain.Unique(u))
	}
	return c, nil
}

// storedRules are rules as a column spells them.
type storedRules struct {
	List   string `json:"list"`
	Read   string `json:"read"`
	Create string `json:"create"`
	Update string `json:"update"`
	Delete string `json:"delete"`
}

func writeRules(r domain.Rules) string { return list(storedRules(r)) }

// storedUnique is a unique field as a column spells it.
type storedUnique struct {
	Field    string `json:"field"`
	PerOwner bool   `json:"per_owner"`
}

func writeUniques(uniques []domain.Unique) string {
	stored := make([]storedUnique, len(uniques))
	for i, u := range uniques {
		stored[i] = storedUnique(u)
	}
	return list(stored)
}

// storedIndex is an index as a column spells it.
type storedIndex struct {
	Sort     string `json:"sort"`
	Building bool   `json:"building"`
}

func writeIndexes(indexes []domain.Index) string {
	stored := make([]storedIndex, len(indexes))
	for i, x := range indexes {
		stored[i] = storedIndex{x.String(), x.Building}
	}
	return list(stored)
}

func writeSearch(fields []string) string { return list(append([]string{}, fields...)) }
