package app_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequest sends whatever there is to send, as a stranger and as an
// administrator: nothing of it makes a 5xx, and each refusal is a problem.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ method, path, mediaType, match, body string }{
		{"GET", "/v1/collections/ships/records?limit=1&cursor=abc", "", "", ""},
		{"POST", "/v1/accounts", "application/json", "", `{"username":"ada","email":"ada@example.com","name":"A","password":"fifteen characters"}`},
		{"POST", "/v1/sessions", "application/json", "", `{"login":"root","password":"a password for root"}`},
		{"POST", "/v1/token", "application/x-www-form-urlencoded", "", "grant_type=refresh_token&refresh_token=kpr_x"},
		{"POST", "/v1/token/revoke", "application/json", "", `{"token":"a.b.c"}`},
		{"PATCH", "/v1/me", "application/json", `"1"`, `{"name":"A"}`},
		{"PUT", "/v1/me/password", "application/json", "", `{"current":"a password for root","new":"a password for none"}`},
		{"POST", "/v1/collections/ships/records", "application/json", "", `{"data":{"model":"A","crew":1e2}}`},
		{"PATCH", "/v1/collections/ships/records/01900000-0000-7000-8000-000000000001", "application/merge-patch+json", "*", `{"data":{"crew":null}}`},
		{"DELETE", "/v1/sessions?except=current", "", `W/"1"`, ""},
		{"OPTIONS", "/%2e%2e/%00", "text/html; charset=\"", "\"", "\xff"},
	} {
		f.Add(seed.method, seed.path, seed.mediaType, seed.match, seed.body, true)
	}
	f.Fuzz(func(t *testing.T, method, path, mediaType, match, body string, known bool) {
		if !isMethod(method) || len(body) > 1<<16 {
			return
		}
		target, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		w := newWorld(t)
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Method, r.URL = method, target
		r.Header.Set("Content-Type", mediaType)
		r.Header.Set("If-Match", match)
		if known {
			r.Header.Set("Authorization", "Bearer "+w.signIn(t))
		}
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code >= 500 {
			t.Errorf("%s %s: %d %s", method, path, rec.Code, rec.Body)
		}
		if mt := rec.Header().Get("Content-Type"); rec.Code >= 400 && method != http.MethodHead && mt != "application/problem+json" && mt != "application/json" {
			t.Errorf("%s %s: %d as %q", method, path, rec.Code, mt)
		}
	})
}

// isMethod reports whether s can stand as a method (RFC 9110, section 5.6.2).
func isMethod(s string) bool {
	for _, c := range s {
		if c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) {
			return false
		}
	}
	return s != ""
}
