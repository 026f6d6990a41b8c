package fleet

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// leastPassword is the length of the shortest password, in characters.
const leastPassword = 4

// userForm is what is said of a user.
var userForm = form{
	{name: "id", read: whole, optional: true},
	{name: "name", read: text(2)},
	{name: "password", read: text(leastPassword)},
}

// A user is how an account looks here.
type user struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func viewUser(n int64, a domain.Account) user { return user{n, a.Login(domain.Username).Value()} }

// listUsers shows the accounts that were made or imported by this dialect, and no
// others: anybody may ask.
func (d dialect) listUsers(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	numbered, err := d.Numbers.List(ctx, Users)
	if err != nil {
		return err
	}
	ids := make([]domain.AccountID, len(numbered))
	for i, n := range numbered {
		ids[i] = domain.AccountID(n.ID)
	}
	living, err := d.Accounts.Lookup(ctx, ids...)
	if err != nil {
		return err
	}
	byID := make(map[domain.AccountID]domain.Account, len(living))
	for _, a := range living {
		byID[a.ID] = a
	}
	list := make([]user, 0, len(living))
	for i, n := range numbered {
		if a, lives := byID[ids[i]]; lives {
			list = append(list, viewUser(n.Number, a))
		}
	}
	wire.Write(w, http.StatusOK, list)
	return nil
}

func (d dialect) readUser(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, err := d.Numbers.ID(ctx, Users, number(r))
	if err != nil {
		return err
	}
	found, err := d.Accounts.Lookup(ctx, domain.AccountID(id))
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return domain.ErrAccountNotFound
	}
	return writeUser(w, number(r), found[0])
}

// writeUser shows an account under the number that its URL has.
func writeUser(w http.ResponseWriter, number string, a domain.Account) error {
	n, err := strconv.ParseInt(number, 10, 64)
	if err == nil {
		wire.Write(w, http.StatusOK, viewUser(n, a))
	}
	return err
}

func (d dialect) createUser(w http.ResponseWriter, r *http.Request) error {
	members, err := object(w, r)
	if err != nil {
		return err
	}
	if members, err = userForm.create(members); err != nil {
		return err
	}
	login, password, err := newCredentials(members)
	if err != nil {
		return err
	}
	ctx := r.Context()
	a, err := d.Accounts.Register(ctx, accounts.Registration{Logins: []domain.Login{login}, Password: password, Least: leastPassword, Series: Users})
	if err != nil {
		return err
	}
	ns, err := d.Numbers.Of(ctx, Users, string(a.ID))
	if err != nil {
		return err
	}
	d.created(w, users, ns[0], viewUser(ns[0], a))
	return nil
}

// newCredentials reads what a loaded userForm says. It fails with
// domain.ErrInvalidLogin for a name that Keyport cannot take.
func newCredentials(members map[string]any) (domain.Login, domain.Password, error) {
	name, _ := members["name"].(string)
	password, _ := members["password"].(string)
	login, err := domain.ParseUsername(name)
	return login, domain.NewPassword(password), err
}

func (d dialect) replaceUser(w http.ResponseWriter, r *http.Request, who domain.Asker) error {
	ctx := r.Context()
	if err := d.own(ctx, who, number(r)); err != nil {
		return err
	}
	members, err := object(w, r)
	if err != nil {
		return err
	}
	if members, err = userForm.replace(members, number(r)); err != nil {
		return err
	}
	login, password, err := newCredentials(members)
	if err != nil {
		return err
	}
	a, err := d.Accounts.Resign(ctx, who, login, password, leastPassword)
	if err != nil {
		return err
	}
	return writeUser(w, number(r), a)
}

func (d dialect) deleteUser(w http.ResponseWriter, r *http.Request, who domain.Asker) error {
	ctx := r.Context()
	if err := d.own(ctx, who, number(r)); err != nil {
		return err
	}
	if err := d.Accounts.Close(ctx, who, 0); err != nil {
		return err
	}
	gone(w)
	return nil
}

// own fails with domain.ErrNotAllowed unless the number is that of the asker's own
// account.
func (d dialect) own(ctx context.Context, who domain.Asker, number string) error {
	id, err := d.Numbers.ID(ctx, Users, number)
	if errors.Is(err, domain.NotFound) || err == nil && domain.AccountID(id) != who.Account {
		return domain.ErrNotAllowed
	}
	return err
}
