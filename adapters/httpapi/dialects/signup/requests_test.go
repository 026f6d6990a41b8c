package signup_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain"
)

// token signs in.
func (w *world) token(t testing.TB) string {
	t.Helper()
	var in struct {
		Token string `json:"token"`
	}
	a := w.send(t, "POST", "/login", "", "", "email=ada%40example.com&password=1234")
	if err := json.Unmarshal(a.Body.Bytes(), &in); err != nil || a.Code != http.StatusCreated {
		t.Fatal(a.Code, a.Body, err)
	}
	return in.Token
}

func TestWhoHasAnAccountIsNotTold(t *testing.T) {
	w := newWorld(t)
	var first *httptest.ResponseRecorder
	for _, form := range []string{"email=ada%40example.com&password=4321", "email=nobody%40example.com&password=1234", "email=ADA%40example.com&password=1234", "email=nobody&password=1234"} {
		w.hashes = 0
		a := w.send(t, "POST", "/login", "", "", form)
		if first == nil {
			first = a
		}
		if a.Code != http.StatusUnauthorized || a.Body.String() != first.Body.String() ||
			a.Header().Get("WWW-Authenticate") != first.Header().Get("WWW-Authenticate") || w.hashes != 1 {
			t.Errorf("%s: %d %q %v, and %d hashes", form, a.Code, a.Body, a.Header(), w.hashes)
		}
	}
}

func TestAStoreThatIsAwayIsToldAsUnavailable(t *testing.T) {
	w := newWorld(t)
	token := w.token(t)
	w.store.Fault = func(string) (bool, error) { return false, domain.ErrUnavailable }
	for _, c := range []struct{ method, target, body string }{
		{"POST", "/signup", "email=bob%40example.com&password=1234"},
		{"POST", "/login", "email=ada%40example.com&password=1234"},
		{"GET", "/user", ""},
	} {
		a := w.send(t, c.method, c.target, "x-access-token", token, c.body)
		if a.Code != http.StatusServiceUnavailable || a.Header().Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %v", c.method, c.target, a.Code, a.Header())
		}
	}
}

// FuzzRequest sends whatever there is to send: nothing of it makes a 5xx.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ method, path, mediaType, token, body string }{
		{"POST", "/signup", "application/x-www-form-urlencoded", "", "name=Bob&email=bob%40example.com&password=1234"},
		{"POST", "/signup", "multipart/form-data; boundary=b", "", "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nbob\r\n--b--"},
		{"POST", "/signup", "multipart/form-data; boundary=\"", "", "--"},
		{"POST", "/login", "application/x-www-form-urlencoded", "", "email=ada%40example.com&password=%00"},
		{"POST", "/login?email=a", "application/json", "", "{}"},
		{"GET", "/user", "", "access", ""},
		{"HEAD", "/user", "", "eyJ.a.b", ""},
		{"OPTIONS", "/%2e%2e/%00", "", "\x00", "\xff"},
	} {
		f.Add(seed.method, seed.path, seed.mediaType, seed.token, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, path, mediaType, token, body string) {
		target, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || len(body) > 1<<16 {
			return
		}
		w := newWorld(t)
		if token == "access" {
			token = w.token(t)
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", strings.NewReader(body))
		r.Method, r.URL = method, target
		r.Header.Set("Content-Type", mediaType)
		r.Header.Set("x-access-token", token)
		a := httptest.NewRecorder()
		w.ServeHTTP(a, r)
		if a.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s: %d %s", method, path, a.Code, a.Body)
		}
		if a.Code == http.StatusUnauthorized && a.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s %s: a 401 with no challenge", method, path)
		}
	})
}
