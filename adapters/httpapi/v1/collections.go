package v1

import (
	"context"
	"net/http"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// A collection is a declaration as everybody may read it.
type collection struct {
	Name      domain.CollectionName `json:"name"`
	Schema    document              `json:"schema" doc:"JSON Schema 2020-12 of a record's data."`
	Rules     rules                 `json:"rules"`
	Unique    []unique              `json:"unique" nullable:"false" doc:"The members of the data that no two records share."`
	Revision  domain.Revision       `json:"revision"`
	CreatedAt time.Time             `json:"created_at"`
	UpdatedAt time.Time             `json:"updated_at"`
}

type rules struct {
	List   string `json:"list"`
	Read   string `json:"read"`
	Create string `json:"create"`
	Update string `json:"update"`
	Delete string `json:"delete"`
}

type unique struct {
	Field string `json:"field"`
	Per   string `json:"per" enum:"collection,owner"`
}

func viewCollection(c domain.Collection) collection {
	out := collection{
		Name: c.Name, Schema: document{c.Schema}, Rules: rules(c.Rules), Unique: make([]unique, len(c.Unique)),
		Revision: c.Revision, CreatedAt: c.Created, UpdatedAt: c.Changed,
	}
	for i, u := range c.Unique {
		out.Unique[i] = unique{u.Field, "collection"}
		if u.PerOwner {
			out.Unique[i].Per = "owner"
		}
	}
	return out
}

// OneCollection is embedded in the input of what is done in one collection.
type OneCollection struct {
	Name string `path:"name"`
}

func (d dialect) collections() {
	public(d, operation("list-collections", http.MethodGet, "/v1/collections", "List the declarations of all collections", http.StatusOK), d.listCollections)
	public(d, operation("read-collection", http.MethodGet, "/v1/collections/{name}", "Read the declaration of a collection", http.StatusOK, 404), d.readCollection)
}

func (d dialect) listCollections(ctx context.Context, _ *struct{}) (*page[collection], error) {
	all, err := d.Resources.Collections(ctx)
	if err != nil {
		return nil, err
	}
	return pageOf("/v1/collections", domain.PageRequest{}, domain.Page[domain.Collection]{Items: all}, viewCollection), nil
}

type declared struct {
	Status       int
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         collection
}

func (d dialect) readCollection(ctx context.Context, in *struct {
	OneCollection
	Freshness
},
) (*declared, error) {
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return nil, err
	}
	c, err := d.Resources.Collection(ctx, name)
	if err != nil {
		return nil, err
	}
	out := &declared{http.StatusOK, wire.ETag(c.Revision), "no-cache", viewCollection(c)}
	if !wire.NoneMatch(in.IfNoneMatch, c.Revision) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}
