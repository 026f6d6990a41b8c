package skeleton_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain"
)

func basic(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

// token buys one.
func (w *world) token(t testing.TB) string {
	t.Helper()
	var sold struct {
		Token string `json:"token"`
	}
	a := w.send(t, "GET", "/api/token", "Authorization", basic("miguel:python"), "")
	if err := json.Unmarshal(a.Body.Bytes(), &sold); err != nil || a.Code != http.StatusOK {
		t.Fatal(a.Code, a.Body, err)
	}
	return sold.Token
}

func TestATokenNeverCostsAHash(t *testing.T) {
	w := newWorld(t)
	token := w.token(t)
	for _, c := range []struct {
		credentials    string
		status, hashes int
	}{
		{"miguel:python", http.StatusOK, 1},
		{"miguel:ruby", http.StatusUnauthorized, 1},
		{"nobody:python", http.StatusUnauthorized, 1},
		{"Miguel:python", http.StatusUnauthorized, 1},
		{token + ":x", http.StatusOK, 0},
		{token + "0:x", http.StatusUnauthorized, 0},
		{"eyJ.a.b:x", http.StatusUnauthorized, 0},
		{"kpk_a:x", http.StatusUnauthorized, 0},
		{":x", http.StatusUnauthorized, 0},
	} {
		w.hashes = 0
		a := w.send(t, "GET", "/api/resource", "Authorization", basic(c.credentials), "")
		if a.Code != c.status || w.hashes != c.hashes {
			t.Errorf("%s: %d, and %d hashes", c.credentials, a.Code, w.hashes)
		}
	}
}

func TestWhatIsBeyondABoundIsAClientsMistake(t *testing.T) {
	w := newWorld(t)
	signUp := func(name, password string) string { return `{"username":"` + name + `","password":"` + password + `"}` }
	for _, c := range []struct {
		name, mediaType, body string
		status                int
	}{
		{"a password of more than 4096 characters", "application/json", signUp("susan", strings.Repeat("x", 4097)), http.StatusBadRequest},
		{"a name of more than 64 characters", "application/json", signUp(strings.Repeat("x", 65), "cat"), http.StatusBadRequest},
		{"a body of more than 1 MiB", "application/json", signUp("susan", strings.Repeat("x", 1<<20)), http.StatusRequestEntityTooLarge},
		{"no type", "", signUp("susan", "cat"), http.StatusUnsupportedMediaType},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/users", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.mediaType)
		a := httptest.NewRecorder()
		w.ServeHTTP(a, r)
		if a.Code != c.status {
			t.Errorf("%s: %d", c.name, a.Code)
		}
	}
}

func TestAStoreThatIsAwayIsToldAsUnavailable(t *testing.T) {
	w := newWorld(t)
	token := w.token(t)
	w.store.Fault = func(string) (bool, error) { return false, domain.ErrUnavailable }
	for _, c := range []struct{ method, target, authorization, body string }{
		{"POST", "/api/users", "", `{"username":"susan","password":"cat"}`},
		{"GET", "/api/users/1", "", ""},
		{"GET", "/api/resource", basic("miguel:python"), ""},
		{"GET", "/api/resource", basic(token + ":"), ""},
		{"GET", "/api/token", basic("miguel:python"), ""},
		{"GET", "/api/token", basic(token + ":"), ""},
	} {
		a := w.send(t, c.method, c.target, "Authorization", c.authorization, c.body)
		if a.Code != http.StatusServiceUnavailable || a.Header().Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %v", c.method, c.target, a.Code, a.Header())
		}
	}
}

// FuzzRequest sends whatever there is to send: nothing of it makes a 5xx.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ method, path, mediaType, authorization, body string }{
		{"POST", "/api/users", "application/json", "", `{"username":"susan","password":"cat"}`},
		{"POST", "/api/users", "application/json; charset=\"", "", `{"username":["susan"],"password":{}}`},
		{"GET", "/api/users/00000000000000000001", "", "", ""},
		{"GET", "/api/resource", "", basic("miguel:python"), ""},
		{"HEAD", "/api/resource", "", basic("eyJ.a.b:"), ""},
		{"GET", "/api/token", "", basic("\x00:\xff"), ""},
		{"OPTIONS", "/%2e%2e/%00", "", "Basic ", "\xff"},
	} {
		f.Add(seed.method, seed.path, seed.mediaType, seed.authorization, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, path, mediaType, authorization, body string) {
		target, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || len(body) > 1<<16 {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", strings.NewReader(body))
		r.Method, r.URL = method, target
		r.Header.Set("Content-Type", mediaType)
		r.Header.Set("Authorization", authorization)
		a := httptest.NewRecorder()
		newWorld(t).ServeHTTP(a, r)
		if a.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s: %d %s", method, path, a.Code, a.Body)
		}
		if a.Code == http.StatusUnauthorized && a.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s %s: a 401 with no challenge", method, path)
		}
	})
}
