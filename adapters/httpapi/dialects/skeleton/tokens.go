package skeleton

import (
	"errors"
	"net/http"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

func (d dialect) resource(w http.ResponseWriter, r *http.Request) error {
	b, err := d.bearer(r)
	if err != nil {
		return err
	}
	name := b.login.Value()
	if b.login.IsZero() {
		a, err := d.account(r, b.asker.Account)
		if errors.Is(err, domain.NotFound) {
			err = domain.ErrInvalidToken.Because(err)
		}
		if err != nil {
			return err
		}
		name = nameOf(a)
	}
	wire.Write(w, http.StatusOK, struct {
		Data string `json:"data"`
	}{"Hello, " + name + "!"})
	return nil
}

// token sells a token. One that is bought with another belongs to the same session,
// and so ends with it at the latest: its duration may be less than life.
func (d dialect) token(w http.ResponseWriter, r *http.Request) error {
	b, err := d.bearer(r)
	if err != nil {
		return err
	}
	var g domain.Grant
	if b.asker.Stranger() {
		g, err = d.Tokens.OpenOn(r.Context(), b.proof.Account, b.proof.Credential, wire.ClientOf(r), tokens.Terms{Access: life, Renewal: domain.NoMore})
	} else {
		g, err = d.Tokens.Reissue(r.Context(), b.asker, life)
	}
	if err != nil {
		return err
	}
	wire.Write(w, http.StatusOK, struct {
		Duration int64  `json:"duration"` // seconds
		Token    string `json:"token"`
	}{int64(g.Life / time.Second), g.Access.Reveal()})
	return nil
}
