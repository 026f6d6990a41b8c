package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/domain"
)

// A route is an operation of the OpenAPI document.
type route struct {
	method, path string
	form         bool // whether the body is a form
	lines        bool // whether it is lines, of which each is judged by itself
}

// routes reads the document that the handler serves, so that no route is left
// out of what is asked of all.
func routes(t testing.TB, h http.Handler) []route {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody struct{ Content map[string]any }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var all []route
	for path, item := range doc.Paths {
		for method, op := range item {
			_, form := op.RequestBody.Content["application/x-www-form-urlencoded"]
			_, lines := op.RequestBody.Content["application/x-ndjson"]
			all = append(all, route{strings.ToUpper(method), path, form, lines})
		}
	}
	slices.SortFunc(all, func(a, b route) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	if len(all) < 40 {
		t.Fatalf("the document has %d operations; there are more", len(all))
	}
	return all
}

// at returns the route's path with its parameters filled in.
func (r route) at(id string) string {
	return strings.NewReplacer("{name}", "ships", "{id}", id).Replace(r.path)
}

func (r route) takesBody() bool {
	return r.method == http.MethodPost || r.method == http.MethodPut || r.method == http.MethodPatch
}

// ask sends one request as an administrator, and fails unless a refusal is a
// problem in the form of its route. headers are names, each with its value.
func (w world) ask(t testing.TB, r route, path, mediaType, body, token string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(r.method, path, strings.NewReader(body))
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("If-Match", "*")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, req)
	if rec.Code < 400 {
		return rec
	}
	var problem struct {
		Type     string `json:"type"`
		Title    string `json:"title"`
		Status   int    `json:"status"`
		Instance string `json:"instance"`
		Error    string `json:"error"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &problem); err != nil {
		t.Fatalf("%s %s: %d with a body that is no JSON: %q", r.method, path, rec.Code, rec.Body)
	}
	named := strings.HasPrefix(problem.Type, "/problems/") && strings.HasPrefix(problem.Instance, "urn:uuid:")
	if r.form {
		named = named && problem.Error != "" && rec.Header().Get("Content-Type") == "application/json"
	} else {
		named = named && problem.Status == rec.Code && problem.Title != "" && rec.Header().Get("Content-Type") == "application/problem+json"
	}
	if !named || rec.Code >= 500 {
		t.Errorf("%s %s: %d %v %s", r.method, path, rec.Code, rec.Header(), rec.Body)
	}
	page := httptest.NewRecorder()
	w.ServeHTTP(page, httptest.NewRequest(http.MethodGet, problem.Type, nil))
	if page.Code != http.StatusOK {
		t.Errorf("%s has no page: %d", problem.Type, page.Code)
	}
	return rec
}

// signIn returns an access token of the administrator's.
func (w world) signIn(t testing.TB) string {
	t.Helper()
	rec := w.ask(t, route{method: http.MethodPost}, "/v1/sessions", "application/json", `{"login":"root","password":"a password for root"}`, "")
	var grant struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &grant); err != nil || rec.Code != http.StatusCreated {
		t.Fatalf("signing in: %d %s", rec.Code, rec.Body)
	}
	return grant.AccessToken
}

// contents is all that a request could have changed.
func (w world) contents(t testing.TB) string {
	t.Helper()
	ctx := t.Context()
	accounts, err := w.store.Accounts().List(ctx, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	collections, err := w.store.Collections().List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, a := range accounts {
		sessions, err := w.store.Sessions().List(ctx, a.ID, w.clock.Now(), "", 1000)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := w.store.AccessKeys().List(ctx, a.ID, w.clock.Now(), "", 1000)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, a, sessions, keys)
	}
	for _, c := range collections {
		records, err := w.store.Records().List(ctx, c.Ref(), domain.Query{Where: domain.Everything{}, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, c, records)
	}
	return b.String()
}

func TestBadBodiesAreRefusedOnEveryRoute(t *testing.T) {
	w := newWorld(t)
	token := w.signIn(t)
	before := w.contents(t)
	deep := strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)
	for _, bad := range []struct {
		name, mediaType, body string
		want                  []int
	}{
		{"nothing at all", "application/json", "", []int{400}},
		{"no JSON", "application/json", "{not json", []int{400}},
		{"two values", "application/json", "{} {}", []int{400}},
		{"a name twice", "application/json", `{"login":"a","login":"b","data":{},"data":{}}`, []int{400}},
		{"a name twice in what is nested", "application/json", `{"data":{"crew":1,"crew":2}}`, []int{400}},
		{"bad UTF-8", "application/json", "{\"login\":\"\xff\xfe\"}", []int{400}},
		{"a lone surrogate", "application/json", `{"login":"\ud800"}`, []int{400}},
		{"NUL", "application/json", `{"login":"a\u0000b"}`, []int{400}},
		{"NUL in a name", "application/json", `{"\u0000":1}`, []int{400}},
		{"a thousand levels", "application/json", deep, []int{400}},
		{"2 MiB", "application/json", `{"login":"` + strings.Repeat("a", 2<<20) + `"}`, []int{413}},
		{"an array", "application/json", "[]", []int{422}},
		{"a text", "application/json", `"x"`, []int{422}},
		{"null", "application/json", "null", []int{422}},
		{"members of wrong types", "application/json", `{"login":1,"password":[],"username":{},"data":7,"name":false,"current":1,"new":1,"grant_type":{},"token":0}`, []int{422}},
		{"unknown members", "application/json", `{"surprise":1}`, []int{422}},
		{"members in another case", "application/json", `{"Login":"a","PASSWORD":"b","Data":{},"NAME":"x","Current":"x","New":"y","Roles":[]}`, []int{422}},
		{"a text instead of a body", "text/plain", `{}`, []int{415}},
		{"no media type", "", `{}`, []int{415}},
		{"another charset", "application/json; charset=latin1", `{}`, []int{415}},
	} {
		for _, r := range routes(t, w) {
			if !r.takesBody() || r.lines {
				continue
			}
			t.Run(bad.name+"/"+r.method+" "+r.path, func(t *testing.T) {
				rec := w.ask(t, r, r.at("01900000-0000-7000-8000-000000000001"), bad.mediaType, bad.body, token)
				want := bad.want
				if r.form && want[0] == 422 { // RFC 6749, section 5.2, has one status for all of it
					want = []int{400}
				}
				if !slices.Contains(want, rec.Code) {
					t.Errorf("%d %s, want %v", rec.Code, rec.Body, want)
				}
			})
		}
	}
	if diff := cmp.Diff(before, w.contents(t)); diff != "" {
		t.Errorf("something was stored:\n%s", diff)
	}
}

func TestStrangeURLsAreRefused(t *testing.T) {
	w := newWorld(t)
	token := w.signIn(t)
	for _, r := range routes(t, w) {
		for _, id := range []string{"0", "-1", "abc", "%00", "..%2f..", "01900000-0000-7000-8000-00000000ZZZZ", strings.Repeat("9", 2000), "01900000-0000-7000-8000-999999999999"} {
			if !strings.Contains(r.path, "{id}") {
				continue
			}
			body := ""
			if r.takesBody() {
				body = `{"data":{"model":"A","crew":1}}`
				if strings.HasPrefix(r.path, "/v1/accounts") {
					body = `{"name":"A"}`
				}
			}
			if rec := w.ask(t, r, r.at(id), "application/json", body, token); rec.Code != http.StatusNotFound {
				t.Errorf("%s %s: %d, want 404", r.method, r.at(id), rec.Code)
			}
		}
		if r.method == http.MethodGet && strings.HasPrefix(r.path, "/v1/") {
			if rec := w.ask(t, r, r.at("current")+"?surprise=1", "", "", token); rec.Code != http.StatusUnprocessableEntity {
				t.Errorf("%s with an unknown parameter: %d, want 422", r.path, rec.Code)
			}
		}
	}
	for path, want := range map[string]int{
		"/v1/collections/SHIPS/records":                 404,
		"/v1/collections/ships/records?limit=0":         422,
		"/v1/collections/ships/records?limit=201":       422,
		"/v1/collections/ships/records?limit=many":      422,
		"/v1/collections/ships/records?cursor=x":        422,
		"/v1/collections/ships/records?cursor=%00":      400,
		"/v1/collections/ships/records?limit=%zz":       400,
		"/v1/collections/ships/records?limit=1&limit=2": 422,
		"/v1/nothing":                                    404,
		"/v1/collections/ships/records/":                 404,
		"/problems/nothing":                              404,
		"/v1/sessions?except=others":                     405,
		"/v1/collections/ships/records?cursor=" + longID: 422,
	} {
		r := route{method: http.MethodGet}
		if strings.Contains(path, "except") {
			r.method = http.MethodPut
		}
		if rec := w.ask(t, r, path, "", "", token); rec.Code != want {
			t.Errorf("%s: %d %s, want %d", path, rec.Code, rec.Body, want)
		}
	}
}

var longID = strings.Repeat("A", 5000)

func TestWrongMethodsAreRefusedOnEveryRoute(t *testing.T) {
	w := newWorld(t)
	answers := make(map[string][]string)
	all := routes(t, w)
	for _, r := range all {
		answers[r.path] = append(answers[r.path], r.method)
	}
	for path, allowed := range answers {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodTrace, "BREW"} {
			if slices.Contains(allowed, method) {
				continue
			}
			rec := w.ask(t, route{method: method}, route{path: path}.at("current"), "application/json", "{}", "")
			if rec.Code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d, want 405", method, path, rec.Code)
			}
			for _, a := range allowed {
				if !slices.Contains(rec.Header().Values("Allow"), a) {
					t.Errorf("%s %s: Allow is %v, want %s in it", method, path, rec.Header().Values("Allow"), a)
				}
			}
		}
	}
}

func TestEveryAnswerBearsTheHeadersOfSafety(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/livez", "/readyz", "/docs", "/openapi.json", "/problems", "/v1/collections", "/v1/me", "/nothing", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"} {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		h := rec.Header()
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Request-Id") == "" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") ||
			h.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}
