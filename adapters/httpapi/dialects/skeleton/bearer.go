package skeleton

import (
	"net/http"
	"strings"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/tokens"
)

// A bearer is who gave credentials: a living token, or a name and its password.
type bearer struct {
	asker domain.Asker   // by a token; otherwise a stranger
	proof accounts.Proof // by a name and its password
	login domain.Login   // that name
}

// bearer reads who is asking. The user name is a token where it looks like one, or
// where it is one of ours: then whatever is wrong with it, it is never tried as a
// name, which would cost a hash. It fails with an error of the kind
// domain.Unauthenticated, with domain.ErrAccountSuspended for whoever knows the
// password, with domain.ErrBusy and domain.ErrUnavailable.
func (d dialect) bearer(r *http.Request) (bearer, error) {
	name, password, ok := wire.Basic(r)
	if !ok {
		return bearer{}, domain.ErrUnauthenticated
	}
	i, err := d.Tokens.Inspect(r.Context(), name, wire.RequestOf(r.Context()).Client)
	if err != nil {
		return bearer{}, err
	}
	if i.Kind != tokens.NoToken || presentsToken(name) {
		who, err := wire.Bearing(i)
		return bearer{asker: who}, err
	}
	login, err := domain.ParseUsername(name)
	if err != nil {
		return bearer{}, domain.ErrInvalidCredentials.Because(err)
	}
	proof, err := d.Accounts.AuthenticateSpelled(r.Context(), login, password)
	return bearer{proof: proof, login: login}, err
}

// presentsToken reports whether a user name is to be judged as a token alone: it
// is an access key, which nobody signs in by here, or has the looks of a JWS (RFC
// 7515, section 7.1), whose header is a JSON object and so begins with eyJ.
func presentsToken(name string) bool {
	if domain.IsAccessKey(name) {
		return true
	}
	parts := strings.Split(name, ".")
	return len(parts) == 3 && strings.HasPrefix(name, "eyJ") && !strings.ContainsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
	})
}
