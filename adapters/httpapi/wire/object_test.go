package wire_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

func TestAnObjectOfAnOlderAPI(t *testing.T) {
	for _, c := range []struct{ name, media, body, want string }{
		{"is JSON", "application/json", `{"name":"ada"}`, "ok ada"},
		{"may say how it is written", "application/json; charset=UTF-8", `{"name":"ada"}`, "ok ada"},
		{"may be of a type that is JSON too", "application/vnd.api+json", `{"name":"ada"}`, "ok ada"},
		{"may hold what nobody asked for", "application/json", `{"name":"ada","admin":true}`, "ok ada"},
		{"may lack a member", "application/json", `{"Name":"ada"}`, "ok "},
		{"may have null in its place", "application/json", `{"name":null}`, "ok "},
		{"may be null", "application/json", `null`, "ok "},
		{"has no type", "", `{"name":"ada"}`, "415"},
		{"is of another type", "text/plain", `{"name":"ada"}`, "415"},
		{"is a picture", "image/svg+json", `{"name":"ada"}`, "415"},
		{"is in other characters", "application/json; charset=latin1", `{"name":"ada"}`, "415"},
		{"is empty", "application/json", ``, "malformed-request"},
		{"breaks off", "application/json", `{"name":"a`, "malformed-request"},
		{"is not alone", "application/json", `{} {}`, "malformed-request"},
		{"says a thing twice", "application/json", `{"name":"a","name":"b"}`, "malformed-request"},
		{"holds a NUL", "application/json", `{"name":"\u0000"}`, "malformed-request"},
		{"is a list", "application/json", `[]`, "invalid-request"},
		{"is a text", "application/json", `"ada"`, "invalid-request"},
		{"has a number for a text", "application/json", `{"name":1}`, "invalid-request"},
		{"has a list for a text", "application/json", `{"name":["ada"]}`, "invalid-request"},
		{"is beyond the bound", "application/json", `{"name":"` + strings.Repeat("a", wire.MaxBody) + `"}`, "too-large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.media)
			var v struct {
				Name string `json:"name"`
			}
			err := wire.ReadObject(httptest.NewRecorder(), r, &v)
			got, _, _ := strings.Cut(blamed(err), " ")
			if p, told := errors.AsType[wire.Problem](err); told && p.Status == http.StatusUnsupportedMediaType {
				got = "415"
			}
			if err == nil {
				got += " " + v.Name
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
