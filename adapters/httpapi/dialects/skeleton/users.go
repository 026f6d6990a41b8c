package skeleton

import (
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// A user is how an account looks to anybody.
type user struct {
	Username string `json:"username"`
}

func (d dialect) register(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if err := wire.ReadObject(w, r, &in); err != nil {
		return err
	}
	login, err := domain.ParseUsername(in.Username)
	if err != nil {
		return err
	}
	if presentsToken(in.Username) {
		return domain.ErrInvalidLogin.At("/username", "looks-like-token", "want no name that is read as a token at each sign-in")
	}
	a, err := d.Accounts.Register(r.Context(), accounts.Registration{
		Logins: []domain.Login{login}, Password: domain.NewPassword(in.Password), Least: 1, Series: Users,
	})
	if err != nil {
		return err
	}
	numbers, err := d.Numbers.Of(r.Context(), Users, string(a.ID))
	if err != nil {
		return err
	}
	w.Header().Set("Location", d.base+"/api/users/"+strconv.FormatInt(numbers[0], 10))
	wire.Write(w, http.StatusCreated, user{login.Value()})
	return nil
}

func (d dialect) user(w http.ResponseWriter, r *http.Request) error {
	id, err := d.Numbers.ID(r.Context(), Users, chi.URLParam(r, "number"))
	if err != nil {
		return err
	}
	a, err := d.account(r, domain.AccountID(id))
	if err != nil {
		return err
	}
	wire.Write(w, http.StatusOK, user{nameOf(a)})
	return nil
}

// account fails with domain.ErrAccountNotFound.
func (d dialect) account(r *http.Request, id domain.AccountID) (domain.Account, error) {
	found, err := d.Accounts.Lookup(r.Context(), id)
	if err != nil {
		return domain.Account{}, err
	}
	if len(found) == 0 {
		return domain.Account{}, domain.ErrAccountNotFound
	}
	return found[0], nil
}

// nameOf returns what the account is called here: by its user name, or by its
// e-mail address where that is all it has.
func nameOf(a domain.Account) string {
	if username := a.Login(domain.Username); !username.IsZero() {
		return username.Value()
	}
	return a.Login(domain.Email).Value()
}
