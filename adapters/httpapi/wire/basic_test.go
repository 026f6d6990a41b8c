package wire_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

func basic(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

func withHeader(value string) *http.Request {
	r := &http.Request{Header: http.Header{}}
	if value != "" {
		r.Header.Set("Authorization", value)
	}
	return r
}

func TestBasicCredentials(t *testing.T) {
	for _, c := range []struct {
		name, header   string
		user, password string
		ok             bool
	}{
		{"are a name and a password", basic("miguel:python"), "miguel", "python", true},
		{"may follow the scheme in another case", "bAsIc bWlndWVsOnB5dGhvbg==", "miguel", "python", true},
		{"may have a colon in the password", basic("miguel:py:thon"), "miguel", "py:thon", true},
		{"may have spaces in the name", basic("Ada King:x"), "Ada King", "x", true},
		{"may have no password", basic("token:"), "token", "", true},
		{"may have no name", basic(":python"), "", "python", true},
		{"may be UTF-8", basic("Zoë:ß"), "Zoë", "ß", true},
		{"are not given", "", "", "", false},
		{"are missing", "Basic", "", "", false},
		{"are empty", "Basic ", "", "", false},
		{"have no colon", basic("miguel"), "", "", false},
		{"are no base64", "Basic miguel:python", "", "", false},
		{"are cut off", "Basic bWlndWVsOnB5dGhvbg", "", "", false},
		{"are followed by others", basic("a:b") + ", Bearer x", "", "", false},
		{"are of another scheme", "Bearer bWlndWVsOnB5dGhvbg==", "", "", false},
		{"are in Latin-1", basic("Zo\xEB:x"), "", "", false},
		{"have a password in Latin-1", basic("x:\xDF"), "", "", false},
		{"hold a NUL", basic("miguel:python\x00"), "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			user, password, ok := wire.Basic(withHeader(c.header))
			if user != c.user || password.Reveal() != c.password || ok != c.ok {
				t.Errorf("got %q, %q, %t", user, password.Reveal(), ok)
			}
		})
	}
}

func FuzzBasic(f *testing.F) {
	for _, s := range []string{"", "Basic", "Basic bWlndWVsOnB5dGhvbg==", "basic Og==", "Basic :", "Bearer a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		user, password, ok := wire.Basic(withHeader(header))
		text := user + ":" + password.Reveal()
		if !ok && text != ":" {
			t.Fatalf("%q is refused, and tells %q", header, text)
		}
		if ok && (!utf8.ValidString(text) || strings.ContainsAny(user, ":\x00") || !strings.EqualFold(header[:6], "Basic ")) {
			t.Fatalf("%q: %q", header, text)
		}
	})
}
