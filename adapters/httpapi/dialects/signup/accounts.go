package signup

import (
	"cmp"
	"net/http"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/tokens"
)

// signUp opens an account. What stands in the field email is a user name where
// there is no @ in it: the services before never looked.
func (d dialect) signUp(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	login, err := domain.ParseLogin(form.Get("email"))
	if err != nil {
		return wire.Moved(err, "/email")
	}
	name, err := domain.ParseName(form.Get("name"))
	if err != nil {
		return err
	}
	_, err = d.Accounts.Register(r.Context(), accounts.Registration{
		Logins: []domain.Login{login}, Name: name, Password: domain.NewPassword(form.Get("password")), Least: 1, Series: Users,
	})
	if err != nil {
		return err
	}
	wire.Text(w, http.StatusCreated, "Successfully registered.")
	return nil
}

func (d dialect) logIn(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	email, password := form.Get("email"), form.Get("password")
	if email == "" || password == "" {
		return domain.ErrInvalidCredentials
	}
	login, err := domain.ParseLogin(email)
	if err != nil {
		return domain.ErrInvalidCredentials.Because(err)
	}
	proof, err := d.Accounts.AuthenticateSpelled(r.Context(), login, domain.NewPassword(password))
	if err != nil {
		return err
	}
	g, err := d.Tokens.OpenOn(r.Context(), proof.Account, proof.Credential, wire.ClientOf(r), tokens.Terms{Access: life, Max: life, Renewal: domain.NoMore})
	if err != nil {
		return err
	}
	wire.Write(w, http.StatusCreated, struct {
		Token string `json:"token"`
	}{g.Access.Reveal()})
	return nil
}

// An entry is how an account looks to itself and to administrators.
type entry struct {
	Email    string           `json:"email"`
	Name     string           `json:"name"`
	PublicID domain.AccountID `json:"public_id"`
}

func (d dialect) user(w http.ResponseWriter, r *http.Request) error {
	who, err := d.Asker(r, r.Header.Get("x-access-token"))
	if err != nil {
		return err
	}
	known, err := d.Known(r.Context(), who, Users)
	if err != nil {
		return err
	}
	entries := make([]entry, len(known))
	for i, a := range known {
		entries[i] = entry{cmp.Or(a.Login(domain.Email).Value(), a.Login(domain.Username).Value()), a.Name, a.ID}
	}
	wire.Write(w, http.StatusOK, struct {
		Users []entry `json:"users"`
	}{entries})
	return nil
}
