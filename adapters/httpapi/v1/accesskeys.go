package v1

import (
	"context"
	"net/http"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

// An accessKey is how an access key looks to its account. The secret is told when
// it is made, and never again.
type accessKey struct {
	ID        domain.AccessKeyID `json:"id" format:"uuid"`
	Name      string             `json:"name"`
	Scopes    []domain.Scope     `json:"scopes" nullable:"false"`
	Secret    string             `json:"secret,omitempty" doc:"What a program sends as Bearer. It is told this once; keep it."`
	CreatedAt time.Time          `json:"created_at"`
	ExpiresAt time.Time          `json:"expires_at,omitzero" doc:"Left out where the key does not expire by itself."`
	UsedAt    time.Time          `json:"used_at,omitzero" doc:"When it was last used; up to two minutes may be missing. Left out where it never was."`
	Address   string             `json:"address,omitempty" doc:"The network address that it was last used from."`
}

func viewAccessKey(k domain.AccessKey) accessKey {
	return accessKey{
		ID: k.ID, Name: k.Name, Scopes: k.Scopes, CreatedAt: k.Created, ExpiresAt: k.Expires, UsedAt: k.Seen, Address: k.Address,
	}
}

func (d dialect) accessKeys() {
	const all = "/v1/me/keys"
	asked(d, operation("create-access-key", http.MethodPost, all, "Make an access key for a program", http.StatusCreated, 401, 403, 409), d.createAccessKey)
	asked(d, operation("list-access-keys", http.MethodGet, all, "List your access keys", http.StatusOK, 401, 403), d.listAccessKeys)
	asked(d, operation("end-access-key", http.MethodDelete, all+"/{id}", "End one of your access keys", http.StatusNoContent, 401, 403, 404), d.endAccessKey)
	asked(d, operation("end-access-keys", http.MethodDelete, all, "End all your access keys", http.StatusNoContent, 401, 403), d.endAccessKeys)
}

type madeAccessKey struct {
	Location string `header:"Location"`
	Body     accessKey
}

func (d dialect) createAccessKey(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Body struct {
		Name      string     `json:"name" doc:"How you will know it again: 1 to 200 visible characters."`
		Scopes    []string   `json:"scopes" nullable:"false" doc:"What it may do, as far as you may: account:read, admin, records:read, records:write, tokens:introspect."`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When it is to expire. Without it the key lasts until you end it."`
	}
},
) (*madeAccessKey, error) {
	if err := who.InPerson(); err != nil {
		return nil, err
	}
	name, err := domain.ParseAccessKeyName(in.Body.Name)
	if err != nil {
		return nil, err
	}
	scopes, err := domain.ParseScopes(in.Body.Scopes)
	if err != nil {
		return nil, err
	}
	k, secret, err := d.Tokens.CreateAccessKey(ctx, who, tokens.NewAccessKey{Name: name, Scopes: scopes, Expires: in.Body.ExpiresAt})
	if err != nil {
		return nil, err
	}
	out := &madeAccessKey{Location: "/v1/me/keys/" + string(k.ID), Body: viewAccessKey(k)}
	out.Body.Secret = secret.Reveal()
	return out, nil
}

func (d dialect) listAccessKeys(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Paging
},
) (*page[accessKey], error) {
	p, err := d.Tokens.AccessKeys(ctx, who, in.request())
	if err != nil {
		return nil, err
	}
	return pageOf("/v1/me/keys", in.request(), p, viewAccessKey), nil
}

func (d dialect) endAccessKey(ctx context.Context, who domain.Asker, in *struct {
	Caller
	ID string `path:"id"`
},
) (*nothing, error) {
	if err := who.InPerson(); err != nil {
		return nil, err
	}
	id, err := domain.ParseAccessKeyID(in.ID)
	if err != nil {
		return nil, err
	}
	return &nothing{}, d.Tokens.EndAccessKey(ctx, who, id)
}

func (d dialect) endAccessKeys(ctx context.Context, who domain.Asker, _ *struct{ Caller }) (*nothing, error) {
	return &nothing{}, d.Tokens.EndAccessKeys(ctx, who)
}
