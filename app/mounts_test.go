package app_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/app"
)

// everywhere has each older API at a path of the public listener.
var everywhere = []string{"fleet=/fleet", "skeleton=/older/skeleton", "signup=/signup-api", "library=/lib_2"}

// Each value is refused at start, with what is wrong with it.
func TestBadMountsAreRefused(t *testing.T) {
	const (
		unknown = "there is no such older API: want fleet, library, signup, skeleton"
		noPath  = "it cannot stand at that path: want one such as /fleet, which is not Keyport's own"
		neither = "want fleet=/fleet, or fleet=127.0.0.1:5000"
		open    = "is an address that others can reach: set KEYPORT_PUBLIC_URL, or listen on 127.0.0.1"
	)
	for _, test := range []struct{ name, value, at, want string }{
		{"an API that there is not", "hangar=/hangar", "hangar=/hangar", unknown},
		{"an API in other letters", "Fleet=/fleet", "Fleet=/fleet", unknown},
		{"an API with a space before it", "fleet=/fleet, signup=/signup", " signup=/signup", unknown},
		{"no API", "=/fleet", "=/fleet", unknown},
		{"nothing between two commas", "fleet=/fleet,,signup=/signup", "", unknown},
		{"an API and no place", "fleet", "fleet", neither},
		{"an API and an empty place", "fleet=", "fleet=", neither},
		{"a path without its slash", "fleet=fleet", "fleet=fleet", neither},
		{"the root of the public listener", "fleet=/", "fleet=/", noPath},
		{"a slash at the end", "fleet=/fleet/", "fleet=/fleet/", noPath},
		{"two slashes", "fleet=//fleet", "fleet=//fleet", noPath},
		{"a capital letter", "fleet=/Fleet", "fleet=/Fleet", noPath},
		{"a parameter", "fleet=/{name}", "fleet=/{name}", noPath},
		{"a wildcard", "fleet=/fleet/*", "fleet=/fleet/*", noPath},
		{"a step up", "fleet=/fleet/../v1", "fleet=/fleet/../v1", noPath},
		{"an escape", "fleet=/%66leet", "fleet=/%66leet", noPath},
		{"a query", "fleet=/fleet?x", "fleet=/fleet?x", noPath},
		{"Keyport's API", "fleet=/v1", "fleet=/v1", noPath},
		{"a path below Keyport's API", "fleet=/v1/accounts", "fleet=/v1/accounts", noPath},
		{"the reference", "fleet=/docs", "fleet=/docs", noPath},
		{"the problems", "fleet=/problems/fleet", "fleet=/problems/fleet", noPath},
		{"whether it lives", "fleet=/livez", "fleet=/livez", noPath},
		{"whether it is ready", "fleet=/readyz", "fleet=/readyz", noPath},
		{"the OpenAPI document", "fleet=/openapi.json", "fleet=/openapi.json", noPath},
		{"the metadata", "fleet=/.well-known", "fleet=/.well-known", noPath},
		{"an address without its port", "fleet=127.0.0.1", "fleet=127.0.0.1", neither},
		{"an address with an empty port", "fleet=127.0.0.1:", "fleet=127.0.0.1:", neither},
		{"a URL", "fleet=http://127.0.0.1:5000", "fleet=http://127.0.0.1:5000", neither},
		{"all addresses", "fleet=:5000", "fleet=:5000", ":5000 " + open},
		{"an address of the network", "fleet=192.0.2.1:5000", "fleet=192.0.2.1:5000", "192.0.2.1:5000 " + open},
		{"a path that is taken", "fleet=/api,signup=/api", "signup=/api", "fleet stands there already"},
		{"an address that is taken", "fleet=127.0.0.1:5000,signup=127.0.0.1:5000", "signup=127.0.0.1:5000", "fleet stands there already"},
		{"the same twice", "fleet=/fleet,fleet=/fleet", "fleet=/fleet", "fleet stands there already"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KEYPORT_DIALECTS", test.value)
			_, err := app.Load()
			if want := `KEYPORT_DIALECTS: "` + test.at + `": ` + test.want; err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func TestAllBadMountsAreToldAtOnce(t *testing.T) {
	t.Setenv("KEYPORT_DIALECTS", "hangar=/hangar,fleet=/v1,signup=:5002,library=/library")
	_, err := app.Load()
	if err == nil {
		t.Fatal("they were loaded")
	}
	for _, want := range []string{`"hangar=/hangar"`, `"fleet=/v1"`, `"signup=:5002"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not told in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "library=") {
		t.Errorf("what is right is told in:\n%v", err)
	}
}

func TestGoodMountsAreTaken(t *testing.T) {
	for _, test := range []struct{ name, value, publicURL string }{
		{"none", "", ""},
		{"each at a path", strings.Join(everywhere, ","), ""},
		{"each at an address", "fleet=127.0.0.1:5000,skeleton=localhost:5001,signup=[::1]:5002,library=127.0.0.1:5003", ""},
		{"one at two paths", "fleet=/fleet,fleet=/api", ""},
		{"one below another", "fleet=/api,signup=/api/signup", ""},
		{"free ports of the system", "fleet=127.0.0.1:0,signup=127.0.0.1:0", ""},
		{"an address that others reach, where they are told the URL", "fleet=:5000", "https://keyport.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KEYPORT_DIALECTS", test.value)
			t.Setenv("KEYPORT_PUBLIC_URL", test.publicURL)
			if _, err := app.Load(); err != nil {
				t.Error(err)
			}
		})
	}
}

// An address that is well written, and where nobody can listen, is told when serve
// tries it.
func TestAddressesWhereNobodyCanListenAreRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("KEYPORT_HTTP_ADDR", "127.0.0.1:0")
	t.Setenv("KEYPORT_OPS_ADDR", "127.0.0.1:0")
	t.Setenv("KEYPORT_DATABASE_URL", "sqlite:"+filepath.Join(t.TempDir(), "keyport.db"))
	for _, test := range []struct{ name, addr, want string }{
		{"a port that is taken", l.Addr().String(), l.Addr().String() + " is taken by another program: set KEYPORT_DIALECTS to another address"},
		{"a port that there is not", "127.0.0.1:99999", "KEYPORT_DIALECTS: listen tcp: address 99999: invalid port"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KEYPORT_DIALECTS", "signup=127.0.0.1:0,fleet="+test.addr)
			err := app.Run(t.Context(), []string{"serve"}, app.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// prefixed has a world's older API at a path of the public listener, and speaks to it
// as if it stood at the root: the path goes before each URL but those of Keyport's
// own, and must come back in each Location.
func prefixed(t *testing.T, dialect, path string) world {
	t.Helper()
	w, p := parts(t)
	c := defaults()
	c.Dialects = everywhere
	s := app.Services(c, p)
	if err := app.LoadDemo(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	openRoot(t, s)
	main := app.Handler(c, p, s)
	w.Handler = http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			main.ServeHTTP(answer, r)
			return
		}
		r.URL.Path = path + r.URL.Path
		main.ServeHTTP(answer, r)
		if at := answer.Header().Get("Location"); at != "" {
			rest, ours := strings.CutPrefix(at, path+"/")
			if !ours {
				t.Errorf("%s %s: Location is %s, outside of %s", r.Method, r.URL.Path, at, path)
			}
			answer.Header().Set("Location", "/"+rest)
		}
	})
	return w
}

// At a path, an older API answers as at the root of a listener of its own, its pages
// for what it does not know, HEAD and OPTIONS included.
func TestAPathAnswersAsTheRootDoes(t *testing.T) {
	for _, mounted := range everywhere {
		dialect, path, _ := strings.Cut(mounted, "=")
		files, err := filepath.Glob("testdata/" + dialect + "/*.http")
		if err != nil || len(files) == 0 {
			t.Fatal("no transcripts", err)
		}
		for _, file := range files {
			t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".http"), func(t *testing.T) {
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				p := player{world: prefixed(t, dialect, path), heard: make(map[string][]string)}
				if got := p.play(t, string(want)); got != string(want) {
					t.Errorf("at %s it answers:\n%s", path, got)
				}
			})
		}
	}
}

// A method of which nobody has heard is like any other that a URL does not answer, at
// the root and at a path.
func TestMethodsThatNobodyKnows(t *testing.T) {
	for _, mounted := range everywhere {
		dialect, path, _ := strings.Cut(mounted, "=")
		known := map[string]string{"fleet": "/auth/login", "skeleton": "/api/users", "signup": "/login", "library": "/register"}[dialect]
		for where, w := range map[string]world{"the root": worldOf(t, dialect), path: prefixed(t, dialect, path)} {
			if a := answerOf(w, "BREW", known); a.Code != http.StatusMethodNotAllowed || a.Header().Get("Allow") != "POST, OPTIONS" || !isPage(a) {
				t.Errorf("BREW %s at %s of %s: %d %v", known, where, dialect, a.Code, a.Header())
			}
			for _, unknown := range []string{"/nowhere", "/"} {
				if a := answerOf(w, "BREW", unknown); a.Code != http.StatusNotFound || !isPage(a) {
					t.Errorf("BREW %s at %s of %s: %d %v", unknown, where, dialect, a.Code, a.Header())
				}
			}
		}
	}
	c := defaults()
	c.Dialects = everywhere
	for path, want := range map[string]string{"/v1/sessions": "GET, POST, DELETE", "/fleets": ""} {
		a := answerOf(newWorldOf(t, c), "BREW", path)
		if got := strings.ReplaceAll(strings.Join(a.Header().Values("Allow"), ", "), "HEAD, ", ""); got != want || a.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("BREW %s: %d %v", path, a.Code, a.Header())
		}
	}
}

// isPage reports whether an answer is a page, as older APIs have them.
func isPage(a *httptest.ResponseRecorder) bool {
	return a.Header().Get("Content-Type") == "text/html; charset=utf-8" && strings.HasPrefix(a.Body.String(), "<!doctype html>")
}

// What is Keyport's own answers as if no older API stood beside it.
func TestOlderAPIsLeaveTheirNeighbourAlone(t *testing.T) {
	c := defaults()
	c.Dialects = everywhere
	files, err := filepath.Glob("testdata/v1/*.http")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := player{world: newWorldOf(t, c), heard: make(map[string][]string)}
		if got := p.play(t, string(want)); got != string(want) {
			t.Errorf("%s: it answers:\n%s", file, got)
		}
	}
	alone, beside := newWorld(t), newWorldOf(t, c)
	for _, path := range []string{"/openapi.json", "/docs", "/livez", "/readyz", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"} {
		a, b := answerOf(alone, "GET", path), answerOf(beside, "GET", path)
		if a.Code != http.StatusOK || a.Code != b.Code || !bytes.Equal(a.Body.Bytes(), b.Body.Bytes()) {
			t.Errorf("%s is not the same beside older APIs", path)
		}
	}
	for _, path := range []string{"/", "/nowhere", "/fleets/api/users", "/older", "/older/skeletons", "/api/users"} {
		isProblem(t, beside, path)
	}
}

// One may stand below another, and one at two places.
func TestOlderAPIsFindTheirPlaces(t *testing.T) {
	w, p := parts(t)
	c := defaults()
	c.Dialects = []string{"fleet=/a", "signup=/a/b", "library=/a/b/c", "fleet=/z"}
	w.Handler = app.Handler(c, p, app.Services(c, p))
	for path, want := range map[string]int{
		"/a/api/users": 200, "/z/api/users": 200, "/a/b/user": 401, "/a/b/c/users": 401,
		"/a/user": 404, "/a/b/api/users": 404, "/a/b/c/user": 404, "/a/b/users": 404,
	} {
		if a := answerOf(w, "GET", path); a.Code != want || a.Header().Get("Content-Type") == "application/problem+json" {
			t.Errorf("%s: %d %v, want %d", path, a.Code, a.Header(), want)
		}
	}
}

// Where no setting has them there is none.
func TestOlderAPIsAreOffByDefault(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/fleet", "/fleet/api/users", "/fleet/auth/login", "/skeleton/api/resource", "/signup/user", "/library/login",
		"/api/users", "/api/ships", "/auth/login", "/api/resource", "/api/token", "/signup", "/login", "/user", "/register", "/users", "/authors",
	} {
		isProblem(t, w, path)
	}
}

// isProblem fails the test unless the path is none of Keyport's, and told so in its
// own words.
func isProblem(t *testing.T, w world, path string) {
	t.Helper()
	a := answerOf(w, "GET", path)
	if a.Code != http.StatusNotFound || a.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %v", path, a.Code, a.Header())
	}
}

func answerOf(h http.Handler, method, path string) *httptest.ResponseRecorder {
	a := httptest.NewRecorder()
	h.ServeHTTP(a, httptest.NewRequest(method, path, nil))
	return a
}

// Who watches is told routes, of which there are few, and not what clients make up.
func TestRoutesOfOlderAPIsAreFew(t *testing.T) {
	_, p := parts(t)
	c := defaults()
	c.Dialects = everywhere
	told := make(map[string]bool)
	p.Observe = func(route, _ string, _ int, _ time.Duration) { told[route] = true }
	s := app.Services(c, p)
	if err := app.LoadDemo(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, h := range []http.Handler{app.Handler(c, p, s), app.Apart(c, p, s, "fleet")} {
		for _, path := range []string{"/fleet/api/users/1", "/fleet/api/users/2", "/fleet/made/up", "/fleet/made", "/fleet", "/api/users/1", "/api/users/2", "/made/up", "/made"} {
			for _, method := range []string{"GET", "HEAD", "OPTIONS", "PATCH"} {
				answerOf(h, method, path)
			}
		}
	}
	for route := range told {
		if strings.Contains(route, "made") || strings.Contains(route, "users/1") {
			t.Errorf("%q is told as a route", route)
		}
	}
	if !told["/fleet/api/users/{number:[0-9]+}"] || !told["/api/users/{number:[0-9]+}"] {
		t.Errorf("the routes of an older API are not told: %v", told)
	}
}
