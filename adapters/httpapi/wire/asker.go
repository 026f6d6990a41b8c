package wire

import (
	"net/http"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

// ClientOf returns what is known of the program that sent r, for the session that
// it opens.
func ClientOf(r *http.Request) domain.Client {
	return domain.Client{Device: r.UserAgent(), Address: RequestOf(r.Context()).Client}
}

// Asker returns who bears a living access token, wherever an older API has it in
// r. No access key and no refresh token is one. It fails with
// domain.ErrUnauthenticated where token is "", with domain.ErrInvalidToken, and
// with domain.ErrUnavailable.
func (s Services) Asker(r *http.Request, token string) (domain.Asker, error) {
	if token == "" {
		return domain.Asker{}, domain.ErrUnauthenticated
	}
	i, err := s.Tokens.Inspect(r.Context(), token, RequestOf(r.Context()).Client)
	if err != nil {
		return domain.Asker{}, err
	}
	return Bearing(i)
}

// Bearing returns who bears the token that was inspected, if it is a living access
// token. It fails with domain.ErrInvalidToken.
func Bearing(i tokens.Inspection) (domain.Asker, error) {
	if i.Kind != tokens.AccessToken || i.Condition != tokens.Valid {
		return domain.Asker{}, domain.ErrInvalidToken
	}
	return i.Who, nil
}
