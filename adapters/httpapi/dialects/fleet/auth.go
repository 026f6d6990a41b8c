package fleet

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

// accessLife is the life of an access token.
const accessLife = 15 * time.Minute

// terms are what sessions are opened on here.
var terms = tokens.Terms{Access: accessLife, Max: 30 * 24 * time.Hour, Renewal: domain.Reusable}

// A pair is what a sign-in gives; of a refresh it is the first half.
type pair struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token,omitzero"`
}

// goodbye is what a logout says.
var goodbye = map[string]string{"message": "Successfully logged out."}

func (d dialect) login(w http.ResponseWriter, r *http.Request) error {
	if !isJSON(wire.MediaType(r)) {
		return refusal{status: http.StatusBadRequest}
	}
	members, err := object(w, r)
	if errors.Is(err, domain.Malformed) {
		wire.StatusPage(w, http.StatusBadRequest)
		return nil
	}
	if err != nil {
		return err
	}
	login, password, err := credentials(members)
	if err != nil {
		return err
	}
	ctx := r.Context()
	proof, err := d.Accounts.AuthenticateSpelled(ctx, login, password)
	if err != nil {
		return err
	}
	g, err := d.Tokens.OpenOn(ctx, proof.Account, proof.Credential, wire.ClientOf(r), terms)
	if err != nil {
		return err
	}
	wire.Write(w, http.StatusOK, pair{g.Access.Reveal(), g.Refresh.Reveal()})
	return nil
}

// credentials reads what a sign-in says. Values that cannot be right are as good as
// wrong ones: it fails with domain.ErrInvalidCredentials.
func credentials(members map[string]any) (login domain.Login, password domain.Password, err error) {
	if blank(members["username"]) || blank(members["password"]) {
		return login, password, refusal{status: http.StatusBadRequest, message: "Username or password missing."}
	}
	name, isName := members["username"].(string)
	secret, isSecret := members["password"].(string)
	if !isName || !isSecret {
		return login, password, domain.ErrInvalidCredentials
	}
	if login, err = domain.ParseUsername(name); err != nil {
		return login, password, domain.ErrInvalidCredentials.Because(err)
	}
	return login, domain.NewPassword(secret), nil
}

func blank(v any) bool { return v == nil || v == "" }

func (d dialect) refresh(w http.ResponseWriter, r *http.Request) error {
	return d.spend(r, tokens.LastingToken, func(ctx context.Context, token string) error {
		g, err := d.Tokens.Reuse(ctx, token, accessLife)
		if err == nil {
			wire.Write(w, http.StatusOK, pair{Access: g.Access.Reveal()})
		}
		return err
	})
}

func (d dialect) logout(w http.ResponseWriter, r *http.Request) error {
	return d.spend(r, tokens.AccessToken, func(ctx context.Context, token string) error {
		err := d.Tokens.RefuseToken(ctx, token)
		if err == nil {
			wire.Write(w, http.StatusOK, goodbye)
		}
		return err
	})
}

func (d dialect) logout2(w http.ResponseWriter, r *http.Request) error {
	return d.spend(r, tokens.LastingToken, func(ctx context.Context, token string) error {
		err := d.Tokens.EndLasting(ctx, token, accessLife)
		if err == nil {
			wire.Write(w, http.StatusOK, goodbye)
		}
		return err
	})
}

// spend hands f the token of a request that is about that token itself. Only where f
// refuses it is it looked into, to say why.
func (d dialect) spend(r *http.Request, want tokens.Kind, f func(context.Context, string) error) error {
	token, err := bearer(r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	ctx := r.Context()
	err = f(ctx, token)
	if errors.Is(err, domain.Unauthenticated) {
		if _, told := d.judge(ctx, token, want); told != nil {
			return told
		}
	}
	return err
}

// asker returns who bears the access token of a request.
func (d dialect) asker(r *http.Request) (domain.Asker, error) {
	token, err := bearer(r.Header.Get("Authorization"))
	if err != nil {
		return domain.Asker{}, err
	}
	return d.judge(r.Context(), token, tokens.AccessToken)
}

// What there is to say against a token.
var (
	noToken      = refusal{status: http.StatusUnauthorized, phrase: "Missing Authorization Header"}
	badHeader    = refusal{status: http.StatusUnprocessableEntity, phrase: "Bad Authorization header. Expected value 'Bearer <JWT>'"}
	expired      = refusal{status: http.StatusUnauthorized, phrase: "Token has expired"}
	revoked      = refusal{status: http.StatusUnauthorized, phrase: "Token has been revoked"}
	orphaned     = refusal{status: http.StatusUnauthorized, message: "Unknown user."}
	wantedOthers = map[tokens.Kind]refusal{
		tokens.AccessToken:  {status: http.StatusUnprocessableEntity, phrase: "Only access tokens are allowed"},
		tokens.LastingToken: {status: http.StatusUnprocessableEntity, phrase: "Only refresh tokens are allowed"},
	}
)

// judge returns who bears a token, if it is valid and of the kind that is wanted. It
// fails in the order of the original: what is none of ours, its end, its kind, and
// only then whether it was ended before.
func (d dialect) judge(ctx context.Context, token string, want tokens.Kind) (domain.Asker, error) {
	i, err := d.Tokens.Inspect(ctx, token, wire.RequestOf(ctx).Client)
	switch {
	case err != nil:
		return domain.Asker{}, err
	case i.Condition == tokens.Unknown:
		return domain.Asker{}, refusal{status: http.StatusUnprocessableEntity, phrase: flaw(token)}
	case i.Condition == tokens.Expired:
		return domain.Asker{}, expired
	case i.Kind != want:
		return domain.Asker{}, wantedOthers[want]
	case i.Condition == tokens.Orphaned:
		return domain.Asker{}, orphaned
	case i.Condition != tokens.Valid:
		return domain.Asker{}, revoked
	}
	return i.Who, nil
}

// bearer reads an Authorization header as the original did: of the parts between
// commas it takes the first whose scheme is Bearer, in exactly that case.
func bearer(authorization string) (string, error) {
	if authorization == "" {
		return "", noToken
	}
	for part := range strings.SplitSeq(authorization, ",") {
		if words := strings.Fields(part); len(words) > 0 && words[0] == "Bearer" {
			if len(words) == 2 {
				return words[1], nil
			}
			break
		}
	}
	return "", badHeader
}
