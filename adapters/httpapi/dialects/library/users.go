package library

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/tokens"
)

func (d dialect) register(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	if err := wire.ReadObject(w, r, &in); err != nil {
		return err
	}
	login, err := domain.ParseUsername(in.Name)
	if err != nil {
		return wire.Moved(err, "/name")
	}
	_, err = d.Accounts.Register(r.Context(), accounts.Registration{
		Logins: []domain.Login{login}, Password: domain.NewPassword(in.Password), Least: 1, Series: Users,
	})
	if err != nil {
		return err
	}
	wire.Say(w, http.StatusOK, "registered successfully")
	return nil
}

func (d dialect) logIn(w http.ResponseWriter, r *http.Request) error {
	name, password, ok := wire.Basic(r)
	if !ok || name == "" || password.Reveal() == "" {
		return domain.ErrInvalidCredentials
	}
	login, err := domain.ParseUsername(name)
	if err != nil {
		return domain.ErrInvalidCredentials.Because(err)
	}
	proof, err := d.Accounts.AuthenticateSpelled(r.Context(), login, password)
	if err != nil {
		return err
	}
	g, err := d.Tokens.OpenOn(r.Context(), proof.Account, proof.Credential, wire.ClientOf(r), tokens.Terms{Access: life, Max: life, Renewal: domain.NoMore})
	if err != nil {
		return err
	}
	wire.Write(w, http.StatusOK, struct {
		Token string `json:"token"`
	}{g.Access.Reveal()})
	return nil
}

// A user is how an account looks to itself and to administrators.
type user struct {
	Admin    bool             `json:"admin"`
	Name     string           `json:"name"`
	PublicID domain.AccountID `json:"public_id"`
}

func (d dialect) users(w http.ResponseWriter, r *http.Request, who domain.Asker) error {
	known, err := d.Known(r.Context(), who, Users)
	if err != nil {
		return err
	}
	list := make([]user, len(known))
	for i, a := range known {
		name := cmp.Or(a.Login(domain.Username).Value(), a.Login(domain.Email).Value())
		list[i] = user{slices.Contains(a.Roles, domain.Administrator), name, a.ID}
	}
	wire.Write(w, http.StatusOK, struct {
		Users []user `json:"users"`
	}{list})
	return nil
}
