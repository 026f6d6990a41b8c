package wire

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/keyport-go/keyport/domain"
)

// Basic reads the credentials of a request that signs in by HTTP Basic (RFC 7617):
// a name, up to the first colon, and a password, either of which may be empty. It
// reports false where there are none, or none that can be read: of another scheme,
// in other characters than UTF-8, with a NUL. The scheme's case does not matter.
func Basic(r *http.Request) (name string, password domain.Password, ok bool) {
	name, secret, ok := r.BasicAuth()
	if !ok || !legible(name) || !legible(secret) {
		return "", domain.Password{}, false
	}
	return name, domain.NewPassword(secret), true
}

func legible(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
