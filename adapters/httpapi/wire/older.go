package wire

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// Older returns the handler of an older API: the routes that f adds, and for all else
// what such APIs say. GET routes answer HEAD too, every route answers OPTIONS, and a
// slash at the end makes another URL.
func Older(f func(chi.Router)) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.GetHead)
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) { StatusPage(w, http.StatusNotFound) })
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		methods := allowed(r, req)
		if len(methods) == 0 {
			StatusPage(w, http.StatusNotFound)
			return
		}
		w.Header().Set("Allow", strings.Join(methods, ", "))
		if req.Method == http.MethodOptions {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusOK)
			return
		}
		StatusPage(w, http.StatusMethodNotAllowed)
	})
	f(r)
	return r
}

// allowed lists the methods that the URL of r does answer, none where there is no such
// URL: a method that chi has never heard of is not looked up. The routes are asked
// themselves: those of the request's context are of the router above, where this one
// is mounted.
func allowed(routes chi.Routes, r *http.Request) []string {
	path := chi.RouteContext(r.Context()).RoutePath
	if path == "" {
		path = r.URL.Path
	}
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if routes.Match(chi.NewRouteContext(), method, path) {
			methods = append(methods, method)
			if method == http.MethodGet {
				methods = append(methods, http.MethodHead)
			}
		}
	}
	if len(methods) == 0 {
		return nil
	}
	return append(methods, http.MethodOptions)
}

// StatusPage answers with a page that says the status and no more, as older APIs do
// where they have nothing to say in JSON.
func StatusPage(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	text := http.StatusText(status)
	_, _ = fmt.Fprintf(w, "<!doctype html>\n<html lang=en>\n<title>%d %s</title>\n<h1>%s</h1>\n", status, text, text)
}

// Text answers with a text, which older APIs call HTML.
func Text(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, text)
}
