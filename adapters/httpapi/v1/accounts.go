package v1

import (
	"context"
	"net/http"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// An account is how an account looks to itself and to administrators.
type account struct {
	ID        domain.AccountID `json:"id" format:"uuid"`
	Name      string           `json:"name,omitempty"`
	Username  string           `json:"username,omitempty"`
	Email     string           `json:"email,omitempty"`
	Roles     []domain.Role    `json:"roles" nullable:"false"`
	Status    domain.Status    `json:"status" enum:"active,suspended"`
	Revision  domain.Revision  `json:"revision"`
	CreatedAt time.Time        `json:"created_at"`
	UpdatedAt time.Time        `json:"updated_at"`
}

func viewAccount(a domain.Account) account {
	return account{
		ID: a.ID, Name: a.Name, Username: a.Login(domain.Username).Value(), Email: a.Login(domain.Email).Value(),
		Roles: append([]domain.Role{}, a.Roles...), Status: a.Status,
		Revision: a.Revision, CreatedAt: a.Created, UpdatedAt: a.Changed,
	}
}

// A found is one account with its entity tag.
type found struct {
	Status   int
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     account
}

func foundAccount(a domain.Account) *found {
	return &found{Status: http.StatusOK, ETag: wire.ETag(a.Revision), Body: viewAccount(a)}
}

// unless answers 304 where the caller has what is there.
func (f *found) unless(noneMatch string) *found {
	if !wire.NoneMatch(noneMatch, f.Body.Revision) {
		f.Status = http.StatusNotModified
	}
	return f
}

// Freshness is embedded in the input of what reads one thing.
type Freshness struct {
	IfNoneMatch string `header:"If-None-Match"`
}

// A Condition is embedded in the input of what changes one thing.
type Condition struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the last read, or *."`
}

// OneAccount is embedded in the input of what is done to one account.
type OneAccount struct {
	ID string `path:"id"`
}

// OneChange is embedded in the input of what changes one account.
type OneChange struct {
	Caller
	OneAccount
	Condition
}

// target reads which account is meant, and at which revision.
func (in OneChange) target() (domain.AccountID, domain.Revision, error) {
	id, err := domain.ParseAccountID(in.ID)
	if err != nil {
		return "", 0, err
	}
	match, err := wire.OptionalIfMatch(in.IfMatch)
	return id, match, err
}

func (d dialect) accounts() {
	const one = "/v1/accounts/{id}"
	public(d, operation("register", http.MethodPost, "/v1/accounts", "Open an account", http.StatusCreated, 409), d.register)
	asked(d, operation("list-accounts", http.MethodGet, "/v1/accounts", "List all accounts (administrators)", http.StatusOK, 401, 403), d.listAccounts)
	asked(d, operation("read-account", http.MethodGet, one, "Read an account (administrators)", http.StatusOK, 401, 403, 404), d.readAccount)
	asked(d, operation("change-account", http.MethodPatch, one, "Rename, suspend or restore an account, or set its roles (administrators)", http.StatusOK, 401, 403, 404, 412), d.changeAccount)
	asked(d, operation("delete-account", http.MethodDelete, one, "Delete an account (administrators)", http.StatusNoContent, 401, 403, 404, 412), d.deleteAccount)
	asked(d, operation("read-me", http.MethodGet, "/v1/me", "Read your own account", http.StatusOK, 401, 403), d.readMe)
	asked(d, operation("change-me", http.MethodPatch, "/v1/me", "Rename yourself", http.StatusOK, 401, 403, 412), d.changeMe)
	asked(d, operation("delete-me", http.MethodDelete, "/v1/me", "Delete your own account", http.StatusNoContent, 401, 403, 412), d.deleteMe)
	asked(d, operation("change-password", http.MethodPut, "/v1/me/password", "Change your password, and end your other sessions", http.StatusNoContent, 401, 403, 409), d.changePassword)
}

type registration struct {
	Body struct {
		Username string `json:"username,omitempty" doc:"1 to 64 visible characters, no @ and no colon."`
		Email    string `json:"email,omitempty" doc:"An ASCII e-mail address."`
		Name     string `json:"name,omitempty" doc:"For display, at most 200 characters."`
		Password string `json:"password" doc:"15 characters or more, unless the operator has set another bound."`
	}
}

func (d dialect) register(ctx context.Context, in *registration) (*found, error) {
	r := accounts.Registration{Password: domain.NewPassword(in.Body.Password)}
	var err error
	if r.Name, err = domain.ParseName(in.Body.Name); err != nil {
		return nil, err
	}
	for _, login := range []struct {
		text  string
		parse func(string) (domain.Login, error)
	}{{in.Body.Username, domain.ParseUsername}, {in.Body.Email, domain.ParseEmail}} {
		if login.text == "" {
			continue
		}
		l, err := login.parse(login.text)
		if err != nil {
			return nil, err
		}
		r.Logins = append(r.Logins, l)
	}
	applicant, err := d.Accounts.Apply(ctx, r) // a hash is no part of a transaction
	if err != nil {
		return nil, err
	}
	anybody := func(context.Context) error { return nil }
	return idempotent(ctx, d, domain.Asker{}, anybody, func(d dialect) (*found, error) {
		a, err := d.Accounts.Open(ctx, applicant)
		if err != nil {
			return nil, err
		}
		out := foundAccount(a)
		out.Status, out.Location = http.StatusCreated, "/v1/accounts/"+string(a.ID)
		return out, nil
	})
}

func (d dialect) listAccounts(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Paging
},
) (*page[account], error) {
	p, err := d.Accounts.List(ctx, who, in.request())
	if err != nil {
		return nil, err
	}
	return pageOf("/v1/accounts", in.request(), p, viewAccount), nil
}

func (d dialect) readAccount(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneAccount
	Freshness
},
) (*found, error) {
	id, err := domain.ParseAccountID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := d.Accounts.Account(ctx, who, id)
	if err != nil {
		return nil, err
	}
	return foundAccount(a).unless(in.IfNoneMatch), nil
}

func (d dialect) changeAccount(ctx context.Context, who domain.Asker, in *struct {
	OneChange
	Body struct {
		Name   *string   `json:"name,omitempty"`
		Roles  *[]string `json:"roles,omitempty" doc:"Replaces all roles."`
		Status *string   `json:"status,omitempty" doc:"active or suspended"`
	}
},
) (*found, error) {
	id, match, err := in.target()
	if err != nil {
		return nil, err
	}
	var change domain.AccountChange
	if change.Name, err = optional(in.Body.Name, domain.ParseName); err != nil {
		return nil, err
	}
	if change.Roles, err = optional(in.Body.Roles, domain.ParseRoles); err != nil {
		return nil, err
	}
	if change.Status, err = optional(in.Body.Status, domain.ParseStatus); err != nil {
		return nil, err
	}
	a, err := d.Accounts.Change(ctx, who, id, match, change)
	if err != nil {
		return nil, err
	}
	return foundAccount(a), nil
}

// optional parses what was sent, and leaves out what was not.
func optional[S, T any](sent *S, parse func(S) (T, error)) (*T, error) {
	if sent == nil {
		return nil, nil
	}
	v, err := parse(*sent)
	return &v, err
}

func (d dialect) deleteAccount(ctx context.Context, who domain.Asker, in *OneChange) (*nothing, error) {
	id, match, err := in.target()
	if err != nil {
		return nil, err
	}
	return &nothing{}, d.Accounts.Delete(ctx, who, id, match)
}

func (d dialect) readMe(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Freshness
},
) (*found, error) {
	a, err := d.Accounts.Me(ctx, who)
	if err != nil {
		return nil, err
	}
	return foundAccount(a).unless(in.IfNoneMatch), nil
}

func (d dialect) changeMe(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Condition
	Body struct {
		Name string `json:"name" doc:"For display, at most 200 characters; empty for none."`
	}
},
) (*found, error) {
	match, err := wire.OptionalIfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	name, err := domain.ParseName(in.Body.Name)
	if err != nil {
		return nil, err
	}
	a, err := d.Accounts.Rename(ctx, who, match, name)
	if err != nil {
		return nil, err
	}
	return foundAccount(a), nil
}

func (d dialect) deleteMe(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Condition
},
) (*nothing, error) {
	match, err := wire.OptionalIfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return &nothing{}, d.Accounts.Close(ctx, who, match)
}

func (d dialect) changePassword(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Body struct {
		Current string `json:"current"`
		New     string `json:"new"`
	}
},
) (*nothing, error) {
	err := d.Accounts.ChangePassword(ctx, who, domain.NewPassword(in.Body.Current), domain.NewPassword(in.Body.New))
	return &nothing{}, moved(err, domain.ErrWeakPassword, "/new")
}
