package fleet_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequest sends whatever there is to send, as a stranger and with tokens of both
// kinds: nothing of it makes a 5xx.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ method, path, mediaType, authorization, body string }{
		{"POST", "/auth/login", "application/json", "", `{"username":"ada","password":"password"}`},
		{"POST", "/auth/login", "application/json", "", `{"username":["ada"],"password":{"a":1}}`},
		{"POST", "/auth/refresh", "", "refresh", ""},
		{"DELETE", "/auth/logout", "", "access", ""},
		{"DELETE", "/auth/logout2", "", "refresh", ""},
		{"GET", "/api/users/01", "", "Bearer a.b.c", ""},
		{"POST", "/api/users", "text/plain", ",Bearer", `{"name":"bob","password":"1234"}`},
		{"PUT", "/api/users/1", "", "access", `{"id":1,"name":"bob","password":"1234"}`},
		{"DELETE", "/api/users/1", "", "access", ""},
		{"POST", "/api/ships", "", "access", aShip},
		{"PUT", "/api/ships/1", "", "access", `{"roles":["",1,null]}`},
		{"PUT", "/api/ships/00", "", "access", `{"id":"1","crew":1e1001}`},
		{"DELETE", "/api/ships/99999999999999999999", "", "access", ""},
		{"OPTIONS", "/%2e%2e/%00", "text/html; charset=\"", "Bearer \x00", "\xff"},
	} {
		f.Add(seed.method, seed.path, seed.mediaType, seed.authorization, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, path, mediaType, authorization, body string) {
		target, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || len(body) > 1<<16 {
			return
		}
		w := newWorld(t)
		p := w.user(t, "ada")
		switch authorization {
		case "access":
			authorization = p.access
		case "refresh":
			authorization = p.refresh
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", strings.NewReader(body))
		r.Method, r.URL = method, target
		r.Header.Set("Content-Type", mediaType)
		r.Header.Set("Authorization", authorization)
		a := w.do(r)
		if a.Code >= 500 {
			t.Errorf("%s %s: %d %s", method, path, a.Code, a.text)
		}
		if a.Code == 401 && a.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s %s: a 401 with no challenge", method, path)
		}
	})
}
