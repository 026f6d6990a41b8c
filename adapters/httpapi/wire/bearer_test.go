package wire_test

import (
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

func TestABearerToken(t *testing.T) {
	for _, c := range []struct{ name, header, token, want string }{
		{"is what follows the scheme", "Bearer a.b-c_d", "a.b-c_d", "ok"},
		{"may follow the scheme in another case", "bEARER a.b.c", "a.b.c", "ok"},
		{"is not asked for", "", "", "ok"},
		{"is missing", "Bearer", "", "invalid-token"},
		{"is empty", "Bearer ", "", "invalid-token"},
		{"has a space before it", "Bearer  a", "", "invalid-token"},
		{"has a space behind it", "Bearer a ", "", "invalid-token"},
		{"is followed by another", "Bearer a b", "", "invalid-token"},
		{"is followed by another header's", "Bearer a, Bearer b", "", "invalid-token"},
		{"stands behind a tab", "Bearer\ta", "", "invalid-token"},
		{"is alone", "a.b.c", "", "invalid-token"},
		{"is of another scheme", "Basic YTpi", "", "invalid-token"},
		{"has a scheme that folds to the same", "\u212Aearer a", "", "invalid-token"},
		{"is a space", " ", "", "invalid-token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := wire.Bearer(c.header)
			if got := blamed(err); got != c.want || token != c.token {
				t.Errorf("got %q, %s", token, got)
			}
		})
	}
}

func FuzzBearer(f *testing.F) {
	for _, s := range []string{"", "Bearer a", "bearer  a", "Bearer a,b", "Basic x", "Bearer \xFF"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, err := wire.Bearer(header)
		if err != nil && token != "" || err == nil && (token == "") != (header == "") {
			t.Fatalf("%q: %q, %v", header, token, err)
		}
		if token != "" && (!strings.EqualFold(header, "Bearer "+token) || !strings.HasSuffix(header, " "+token)) {
			t.Fatalf("%q: %q", header, token)
		}
	})
}
