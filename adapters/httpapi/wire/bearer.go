package wire

import (
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// Bearer reads an Authorization header (RFC 6750, section 2.1). It returns "" if
// there is none, and fails with domain.ErrInvalidToken if there is one that
// carries no bearer token. The scheme's case does not matter (RFC 9110, section
// 11.1).
func Bearer(authorization string) (string, error) {
	if authorization == "" {
		return "", nil
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " \t,") {
		return "", domain.ErrInvalidToken
	}
	return token, nil
}
