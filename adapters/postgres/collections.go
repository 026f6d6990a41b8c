package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type collections struct{ on runner }

const collectionColumns = `name, schema, rules, unique_fields, indexes, search, search_building, watch, managed, revision, created, changed`

func (r collections) ByName(ctx context.Context, name domain.CollectionName) (domain.Collection, error) {
	c, found, err := row(ctx, r.on, readCollection, `SELECT `+collectionColumns+` FROM collections WHERE name = $1::text`, string(name))
	if err == nil && !found {
		err = domain.ErrCollectionNotFound
	}
	return c, err
}

func (r collections) List(ctx context.Context) ([]domain.Collection, error) {
	return rows(ctx, r.on, readCollection,
		`SELECT `+collectionColumns+` FROM collections ORDER BY name LIMIT $1::bigint`, int64(domain.MaxCollections))
}

func (r collections) Add(ctx context.Context, c domain.Collection) error {
	d, err := declarationOf(c)
	if err != nil {
		return err
	}
	written, err := exec(ctx, r.on, `
		INSERT INTO collections (`+collectionColumns+`)
		VALUES ($1::text, $2::json, $3::json, $4::json, $5::json, $6::json, $7::boolean, $8::boolean, $9::boolean, 1, $10::timestamptz, $11::timestamptz)
		ON CONFLICT DO NOTHING`,
		string(c.Name), d.schema, d.rules, d.unique, d.indexes, d.search, c.SearchBuilding, c.Watch, c.Managed, micro(c.Created), micro(c.Changed))
	if err == nil && written == 0 {
		return domain.ErrCollectionExists
	}
	return err
}

// Replace holds the collection, for which it waits until all writes of records
// under way are done, and looks for records only in the next statement: this one
// would see what there was before it waited. So does Remove.
func (r collections) Replace(ctx context.Context, c domain.Collection) error {
	d, err := declarationOf(c)
	if err != nil {
		return err
	}
	return r.on.unit(ctx, func(in runner) error {
		unique, err := collections{in}.hold(ctx, c.Ref())
		if err != nil {
			return err
		}
		fewer := !slices.ContainsFunc(c.Unique, func(u domain.Unique) bool { return !slices.Contains(unique, u) })
		written, err := exec(ctx, in, `
			UPDATE collections
			SET schema = $2::json, rules = $3::json, unique_fields = $4::json, indexes = $5::json, search = $6::json,
				search_building = $7::boolean, watch = $8::boolean, managed = $9::boolean, changed = $10::timestamptz, revision = revision + 1
			WHERE name = $1::text AND ($11::boolean OR NOT EXISTS (SELECT FROM records WHERE collection = $1::text))`,
			string(c.Name), d.schema, d.rules, d.unique, d.indexes, d.search, c.SearchBuilding, c.Watch, c.Managed, micro(c.Changed), fewer)
		if err == nil && written == 0 {
			return domain.ErrCollectionInUse
		}
		return err
	})
}

func (r collections) Hold(ctx context.Context, c domain.CollectionRef) error {
	_, err := r.hold(ctx, c)
	return err
}

// hold is Hold, and returns the unique fields. Writers share the row: who wants it
// alone would wait for as long as one of them comes before the last has gone. For a
// table there is a queue, in which they stand behind.
func (r collections) hold(ctx context.Context, c domain.CollectionRef) ([]domain.Unique, error) {
	if _, lasting := r.on.(transaction); lasting {
		if _, err := exec(ctx, r.on, `LOCK TABLE collections IN EXCLUSIVE MODE`); err != nil {
			return nil, err
		}
	}
	type held struct {
		Current bool
		Unique  []storedUnique
	}
	h, found, err := row(ctx, r.on, pgx.RowToStructByPos[held],
		`SELECT revision = $2::bigint, unique_fields FROM collections WHERE name = $1::text FOR UPDATE`, string(c.Name), int64(c.Revision))
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, domain.ErrCollectionNotFound
	case !h.Current:
		return nil, domain.ErrStale
	}
	return restore(h.Unique, func(u storedUnique) domain.Unique { return domain.Unique(u) }), nil
}

func (r collections) Remove(ctx context.Context, c domain.CollectionRef) error {
	return r.on.unit(ctx, func(in runner) error {
		if err := (collections{in}).Hold(ctx, c); err != nil {
			return err
		}
		written, err := exec(ctx, in, `
			DELETE FROM collections WHERE name = $1::text AND NOT EXISTS (SELECT FROM records WHERE collection = $1::text)`, string(c.Name))
		if err == nil && written == 0 {
			return domain.ErrCollectionInUse
		}
		return err
	})
}

// storedRules, storedUnique and storedIndex are how a declaration rests.
type (
	storedRules struct {
		List   string `json:"list"`
		Read   string `json:"read"`
		Create string `json:"create"`
		Update string `json:"update"`
		Delete string `json:"delete"`
	}
	storedUnique struct {
		Field    string `json:"field"`
		PerOwner bool   `json:"per_owner"`
	}
	storedIndex struct {
		Order    string `json:"order"`
		Building bool   `json:"building"`
	}
)

// A declaration is the part of a collection that is kept as JSON.
type declaration struct{ schema, rules, unique, indexes, search string }

func declarationOf(c domain.Collection) (declaration, error) {
	d := declaration{schema: c.Schema.Text()}
	var faults []error
	write := func(to *string, v any) {
		text, err := json.Marshal(v)
		*to, faults = string(text), append(faults, err)
	}
	write(&d.rules, storedRules(c.Rules))
	write(&d.unique, store(c.Unique, func(u domain.Unique) storedUnique { return storedUnique(u) }))
	write(&d.indexes, store(c.Indexes, func(x domain.Index) storedIndex { return storedIndex{x.String(), x.Building} }))
	write(&d.search, texts(c.Search))
	return d, errors.Join(faults...)
}

// store returns a list for JSON, which is not null.
func store[T, S any](list []T, one func(T) S) []S {
	stored := make([]S, len(list))
	for i := range list {
		stored[i] = one(list[i])
	}
	return stored
}

// restore is the inverse of store.
func restore[S, T any](stored []S, one func(S) T) (list []T) {
	for _, s := range stored {
		list = append(list, one(s))
	}
	return list
}

func readCollection(r pgx.CollectableRow) (domain.Collection, error) {
	var c domain.Collection
	var schema string
	var rules storedRules
	var unique []storedUnique
	var indexes []storedIndex
	var search []string
	err := r.Scan(&c.Name, &schema, &rules, &unique, &indexes, &search, &c.SearchBuilding, &c.Watch, &c.Managed, &c.Revision, &c.Created, &c.Changed)
	if err != nil {
		return domain.Collection{}, err
	}
	c.Schema, c.Rules = domain.RestoreDocument(schema), domain.Rules(rules)
	c.Unique = restore(unique, func(u storedUnique) domain.Unique { return domain.Unique(u) })
	for _, x := range indexes {
		order, err := domain.ParseSort(x.Order)
		if err != nil {
			return domain.Collection{}, err
		}
		c.Indexes = append(c.Indexes, domain.Index{Sort: order, Building: x.Building})
	}
	c.Search = append(c.Search, search...)
	c.Created, c.Changed = c.Created.UTC(), c.Changed.UTC()
	return c, nil
}
