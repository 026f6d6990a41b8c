package postgres

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type collections struct{ on runner }

const collectionColumns = `name, schema, rules, unique_fields, revision, created, changed`

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
	rules, unique, err := writeDeclaration(c)
	if err != nil {
		return err
	}
	written, err := exec(ctx, r.on, `
		INSERT INTO collections (`+collectionColumns+`)
		VALUES ($1::text, $2::json, $3::json, $4::json, 1, $5::timestamptz, $6::timestamptz)
		ON CONFLICT DO NOTHING`,
		string(c.Name), c.Schema.Text(), rules, unique, micro(c.Created), micro(c.Changed))
	if err == nil && written == 0 {
		return domain.ErrCollectionExists
	}
	return err
}

// Replace holds the collection, for which it waits until all writes of records
// under way are done, and looks for records only in the next statement: this one
// would see what there was before it waited.
func (r collections) Replace(ctx context.Context, c domain.Collection) error {
	rules, unique, err := writeDeclaration(c)
	if err != nil {
		return err
	}
	return r.on.unit(ctx, func(in runner) error {
		type judgement struct{ Good, Same bool }
		held, found, err := row(ctx, in, pgx.RowToStructByPos[judgement], `
			SELECT revision = $2::bigint, schema::text = $3::text AND unique_fields::text = $4::text
			FROM collections WHERE name = $1::text FOR UPDATE`,
			string(c.Name), int64(c.Revision), c.Schema.Text(), unique)
		switch {
		case err != nil:
			return err
		case !found:
			return domain.ErrCollectionNotFound
		case !held.Good:
			return domain.ErrStale
		}
		written, err := exec(ctx, in, `
			UPDATE collections
			SET schema = $2::json, rules = $3::json, unique_fields = $4::json, changed = $5::timestamptz, revision = revision + 1
			WHERE name = $1::text AND ($6::boolean OR NOT EXISTS (SELECT FROM records WHERE collection = $1::text))`,
			string(c.Name), c.Schema.Text(), rules, unique, micro(c.Changed), held.Same)
		if err == nil && written == 0 {
			return domain.ErrCollectionInUse
		}
		return err
	})
}

// storedRules and storedUnique are how a declaration rests.
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
)

func writeDeclaration(c domain.Collection) (rules, unique string, err error) {
	fields := make([]storedUnique, len(c.Unique))
	for i, u := range c.Unique {
		fields[i] = storedUnique(u)
	}
	a, err := json.Marshal(storedRules(c.Rules))
	if err != nil {
		return "", "", err
	}
	b, err := json.Marshal(fields)
	return string(a), string(b), err
}

func readCollection(r pgx.CollectableRow) (domain.Collection, error) {
	var c domain.Collection
	var schema string
	var rules storedRules
	var fields []storedUnique
	if err := r.Scan(&c.Name, &schema, &rules, &fields, &c.Revision, &c.Created, &c.Changed); err != nil {
		return domain.Collection{}, err
	}
	c.Schema, c.Rules = domain.RestoreDocument(schema), domain.Rules(rules)
	for _, u := range fields {
		c.Unique = append(c.Unique, domain.Unique(u))
	}
	c.Created, c.Changed = c.Created.UTC(), c.Changed.UTC()
	return c, nil
}
