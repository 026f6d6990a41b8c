package v1

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// A collection is a declaration as everybody may read it.
type collection struct {
	Name      domain.CollectionName `json:"name"`
	Schema    document              `json:"schema" doc:"JSON Schema 2020-12 of a record's data."`
	Rules     rules                 `json:"rules"`
	Unique    []unique              `json:"unique" nullable:"false" doc:"The members of the data that no two records share."`
	Indexes   []string              `json:"indexes" nullable:"false" doc:"The orders, such as -length,model, in which records can be listed, beside those by id and by time."`
	Search    []string              `json:"search" nullable:"false" doc:"The members of the data whose words can be searched."`
	Watch     bool                  `json:"watch" doc:"Whether changes of records can be watched."`
	Managed   bool                  `json:"managed" doc:"Whether it is declared in a file of the operator's: then it cannot be changed here."`
	Building  bool                  `json:"building" doc:"Whether records are still being entered into a new index, or for the search. Lists do without either until then; the end of it makes another revision."`
	Revision  domain.Revision       `json:"revision" doc:"0 in the answer to a dry run, where there is no such collection yet."`
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
		Name: c.Name, Schema: document{c.Schema}, Rules: rules(c.Rules),
		Unique: make([]unique, len(c.Unique)), Indexes: make([]string, len(c.Indexes)), Search: append([]string{}, c.Search...),
		Watch: c.Watch, Managed: c.Managed, Building: !c.Built(),
		Revision: c.Revision, CreatedAt: c.Created, UpdatedAt: c.Changed,
	}
	for i, u := range c.Unique {
		out.Unique[i] = unique{u.Field, "collection"}
		if u.PerOwner {
			out.Unique[i].Per = "owner"
		}
	}
	for i, x := range c.Indexes {
		out.Indexes[i] = x.String()
	}
	return out
}

// OneCollection is embedded in the input of what is done in one collection.
type OneCollection struct {
	Name string `path:"name"`
}

func (d dialect) collections() {
	const all, one = "/v1/collections", "/v1/collections/{name}"
	public(d, operation("list-collections", http.MethodGet, all, "List the declarations of all collections", http.StatusOK), d.listCollections)
	public(d, operation("read-collection", http.MethodGet, one, "Read the declaration of a collection", http.StatusOK, 404), d.readCollection)
	asked(d, operation("create-collection", http.MethodPost, all, "Declare a collection (administrators)", http.StatusCreated, 401, 403, 409), d.createCollection)
	asked(d, operation("replace-collection", http.MethodPut, one, "Declare a collection anew, or for the first time (administrators)", http.StatusOK, 401, 403, 404, 409, 412, 428), d.replaceCollection)
	asked(d, operation("delete-collection", http.MethodDelete, one, "Delete a collection that has no records (administrators)", http.StatusNoContent, 401, 403, 404, 409, 412, 428), d.deleteCollection)
	paths := d.api.OpenAPI().Paths
	alike(paths[all].Post, http.StatusOK, "What would be declared: the answer to a dry run.")
	alike(paths[one].Put, http.StatusCreated, "It is declared for the first time.")
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
	Location     string `header:"Location"`
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
	out := &declared{Status: http.StatusOK, ETag: wire.ETag(c.Revision), CacheControl: "no-cache", Body: viewCollection(c)}
	if !wire.NoneMatch(in.IfNoneMatch, c.Revision) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

// A Trial is embedded in the input of what can be tried without doing it.
type Trial struct {
	DryRun bool `query:"dry_run" doc:"Change nothing, and answer what would be, or the refusal that there would be."`
}

func (d dialect) createCollection(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Trial
	Body struct {
		Name string `json:"name" doc:"A letter, then letters, digits, hyphens and underscores: lower case, and at most 63 in all."`
		Declaration
	}
},
) (*declared, error) {
	name, err := newName(in.Body.Name, "/name")
	if err != nil {
		return nil, err
	}
	how := resources.Declaring{Only: resources.OnlyNew, DryRun: in.DryRun}
	if how.DryRun {
		return d.declare(ctx, who, name, in.Body.Declaration, how)
	}
	right := func(context.Context) error { return who.MustBe(domain.Administer, domain.Administrator) }
	return idempotent(ctx, d, who, right, func(d dialect) (*declared, error) { return d.declare(ctx, who, name, in.Body.Declaration, how) })
}

func (d dialect) replaceCollection(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneCollection
	Placing
	Trial
	Body struct {
		Name string `json:"name,omitempty" doc:"That in the URL, or left out."`
		Declaration
	}
},
) (*declared, error) {
	how := resources.Declaring{Only: resources.OnlyOld, DryRun: in.DryRun}
	match, create, err := in.condition()
	if err != nil {
		return nil, err
	}
	how.Match = match
	parse := domain.ParseCollectionName
	if create {
		how.Only = resources.OnlyNew
		parse = func(s string) (domain.CollectionName, error) { return newName(s, "name") }
	}
	name, err := parse(in.Name)
	if err != nil {
		return nil, err
	}
	if in.Body.Name != "" && in.Body.Name != in.Name {
		return nil, domain.ErrInvalidCollection.At("/name", "contradictory", "want the name in the URL, or none")
	}
	out, err := d.declare(ctx, who, name, in.Body.Declaration, how)
	if errors.Is(err, domain.ErrCollectionExists) {
		err = domain.ErrStale.At("If-None-Match", "exists", "there is a collection of that name")
	}
	return out, err
}

// declare says what has been declared. Of a dry run there is nothing that could have
// an address or a tag.
func (d dialect) declare(ctx context.Context, who domain.Asker, name domain.CollectionName, body Declaration, how resources.Declaring) (*declared, error) {
	c, err := body.collection(name)
	if err != nil {
		return nil, err
	}
	if c, err = d.Resources.Declare(ctx, who, c, how); err != nil {
		return nil, err
	}
	out := &declared{Status: http.StatusOK, Body: viewCollection(c)}
	if how.DryRun {
		return out, nil
	}
	out.ETag = wire.ETag(c.Revision)
	if how.Only == resources.OnlyNew {
		out.Status, out.Location = http.StatusCreated, "/v1/collections/"+string(c.Name)
	}
	return out, nil
}

func (d dialect) deleteCollection(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneCollection
	Condition
},
) (*nothing, error) {
	match, err := wire.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return nil, err
	}
	return &nothing{}, d.Resources.Remove(ctx, who, name, match)
}
