package fleet_test

import (
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/dialects/fleet"
)

var routes = []struct {
	path, allow string
	answers     []string // methods
}{
	{"/auth/login", "POST, OPTIONS", []string{"POST"}},
	{"/auth/refresh", "POST, OPTIONS", []string{"POST"}},
	{"/auth/logout", "DELETE, OPTIONS", []string{"DELETE"}},
	{"/auth/logout2", "DELETE, OPTIONS", []string{"DELETE"}},
	{"/api/users", "GET, HEAD, POST, OPTIONS", []string{"GET", "HEAD", "POST"}},
	{"/api/users/1", "GET, HEAD, PUT, DELETE, OPTIONS", []string{"GET", "HEAD", "PUT", "DELETE"}},
	{"/api/ships", "GET, HEAD, POST, OPTIONS", []string{"GET", "HEAD", "POST"}},
	{"/api/ships/1", "GET, HEAD, PUT, DELETE, OPTIONS", []string{"GET", "HEAD", "PUT", "DELETE"}},
}

func TestEveryRouteSaysWhichMethodsItAnswers(t *testing.T) {
	w := newWorld(t)
	w.user(t, "ada")
	atRoot, below := w.Handler, chi.NewRouter()
	below.Mount("/fleet", fleet.New(fleet.Config{Services: w.Services, Base: "/fleet"}))
	for base, h := range map[string]http.Handler{"": atRoot, "/fleet": below} {
		w.Handler = h
		for _, route := range routes {
			a := w.send(t, "OPTIONS", base+route.path, "", "")
			a.is(t, 200, "")
			if allow := a.Header().Get("Allow"); allow != route.allow {
				t.Errorf("%s%s allows %q, want %q", base, route.path, allow, route.allow)
			}
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
				a := w.send(t, method, base+route.path, "", "")
				answered := false
				for _, m := range route.answers {
					answered = answered || m == method
				}
				if (a.Code != 405) != answered {
					t.Errorf("%s %s%s: %d", method, base, route.path, a.Code)
				}
				if a.Code == 405 && (a.Header().Get("Allow") != route.allow || a.Header().Get("Content-Type") != "text/html; charset=utf-8") {
					t.Errorf("%s %s%s: %s", method, base, route.path, a.Header())
				}
			}
		}
	}
}

func TestWhatIsNoRouteIsAPage(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/", "/auth/login/", "/api/users/", "/api/users/abc", "/api/users/-1", "/api/users/1.0", "/api/users/1/", "/api/users/%31x",
		"/api/ship/1", "/api/ships/abc", "/api/ships/", "/nowhere",
	} {
		for _, method := range []string{"GET", "PUT", "OPTIONS"} {
			a := w.send(t, method, path, "", "")
			if a.Code != 404 || a.Header().Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s %s: %d %s", method, path, a.Code, a.Header())
			}
		}
	}
	for _, path := range []string{"/api/users/0", "/api/users/9", "/api/users/99999999999999999999999", "/api/ships/0", "/api/ships/9"} {
		a := w.send(t, "GET", path, "", "")
		a.is(t, 404, `{"error":"Not Found"}`)
		if media := a.Header().Get("Content-Type"); media != "application/json" {
			t.Errorf("GET %s: as %q", path, media)
		}
	}
}
