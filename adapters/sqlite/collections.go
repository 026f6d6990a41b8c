package sqlite

import (
	"context"
	"errors"

	"github.com/keyport-go/keyport/domain"
)

type collections struct{ lines lines }

const selectCollection = `SELECT name, schema, rules, uniques, revision, created, changed FROM collections `

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
			INSERT INTO collections (name, schema, rules, uniques, revision, created, changed)
			VALUES (?, ?, ?, ?, 1, ?, ?)`,
			c.Name, c.Schema.Text(), writeRules(c.Rules), writeUniques(c.Unique), micros(c.Created), micros(c.Changed))
		return err
	})
}

func (r collections) Replace(ctx context.Context, c domain.Collection) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`
			UPDATE collections SET schema = ?1, rules = ?2, uniques = ?3, changed = ?4, revision = revision + 1
			WHERE name = ?5 AND revision = ?6
			  AND (schema = ?1 AND uniques = ?3 OR NOT EXISTS (SELECT 1 FROM records WHERE collection = ?5))`,
			c.Schema.Text(), writeRules(c.Rules), writeUniques(c.Unique), micros(c.Changed), c.Name, c.Revision)
		if err != nil || n > 0 {
			return err
		}
		found, err := l.one(`SELECT revision FROM collections WHERE name = ?`, c.Name)
		switch {
		case err != nil:
			return err
		case found == nil:
			return domain.ErrCollectionNotFound
		case domain.Revision(found.number(0)) != c.Revision:
			return domain.ErrStale
		}
		return domain.ErrCollectionInUse
	})
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
	)
	if err := errors.Join(v.list(2, &rules), v.list(3, &uniques)); err != nil {
		return domain.Collection{}, err
	}
	c := domain.Collection{
		Name:     domain.CollectionName(v.text(0)),
		Schema:   domain.RestoreDocument(v.text(1)),
		Rules:    domain.Rules(rules),
		Revision: domain.Revision(v.number(4)),
		Created:  v.time(5),
		Changed:  v.time(6),
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
