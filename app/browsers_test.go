package app_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/app"
)

func TestOnlyListedOriginsMayCall(t *testing.T) {
	c := defaults()
	c.CORSOrigins = []string{"https://app.example"}
	p := app.Parts{
		Store: new(fake.Store), Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Vault: fake.Vault{}, Hasher: fake.Hasher{},
		Blocklist: fake.Blocklist{}, Now: app.Now, NewID: fake.UUIDs(), Log: slog.New(slog.DiscardHandler),
	}
	h := app.Handler(c, p, app.Services(c, p))
	for _, test := range []struct {
		name, origin, method string
		allowed              bool
	}{
		{"a listed origin", "https://app.example", "GET", true},
		{"a listed origin asks first", "https://app.example", "OPTIONS", true},
		{"another origin", "https://evil.example", "GET", false},
		{"another origin asks first", "https://evil.example", "OPTIONS", false},
		{"a listed origin by another scheme", "http://app.example", "GET", false},
		{"an origin that begins like a listed one", "https://app.example.evil.example", "GET", false},
		{"no origin at all", "null", "GET", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "/v1/collections", nil)
			r.Header.Set("Origin", test.origin)
			if test.method == http.MethodOptions {
				r.Header.Set("Access-Control-Request-Method", "POST")
				r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,if-match")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			got := w.Header().Get("Access-Control-Allow-Origin")
			if test.allowed && got != test.origin || !test.allowed && got != "" {
				t.Errorf("Access-Control-Allow-Origin is %q", got)
			}
			if got := w.Header().Get("Access-Control-Allow-Credentials") == "true"; got != test.allowed {
				t.Errorf("credentials are allowed: %t", got)
			}
			if !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Origin") {
				t.Errorf("Vary is %v", w.Header().Values("Vary"))
			}
		})
	}
}

// Browsers take the cookie over https, and from their own machine without.
func TestTheCookieIsGivenWhereBrowsersTakeIt(t *testing.T) {
	for _, test := range []struct {
		publicURL, origin string
		want              int
	}{
		{"https://keyport.example", "https://keyport.example", 201},
		{"https://Keyport.Example:443", "https://keyport.example", 201},
		{"https://keyport.example:8443", "https://keyport.example:8443", 201},
		{"https://keyport.example:8443", "https://keyport.example", 403},
		{"https://keyport.example", "https://app.example", 201},
		{"https://keyport.example", "https://second.example", 201},
		{"https://keyport.example", "http://keyport.example", 403},
		{"https://keyport.example", "https://keyport.example.evil.example", 403},
		{"https://keyport.example", "https://app.example,https://keyport.example", 403},
		{"https://keyport.example", "null", 403},
		{"https://keyport.example", "", 403},
		{"http://localhost:8080", "http://localhost:8080", 201},
		{"http://app.localhost", "http://app.localhost", 201},
		{"http://127.0.0.1:80", "http://127.0.0.1", 201},
		{"http://[::1]:8080", "http://[::1]:8080", 201},
		{"http://keyport.example", "http://keyport.example", 422},
		{"http://keyport.example", "https://app.example", 422},
		{"http://localhost.example", "http://localhost.example", 422},
		{"http://192.0.2.1", "http://192.0.2.1", 422},
	} {
		t.Run(test.publicURL+" from "+test.origin, func(t *testing.T) {
			c := defaults()
			c.PublicURL, c.CORSOrigins = test.publicURL, []string{"https://app.example", "https://Second.example:443"}
			p := app.Parts{
				Store: new(fake.Store), Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Vault: fake.Vault{}, Hasher: fake.Hasher{},
				Blocklist: fake.Blocklist{}, Now: app.Now, NewID: fake.UUIDs(), Log: slog.New(slog.DiscardHandler),
			}
			w := world{Handler: app.Handler(c, p, app.Services(c, p))}
			w.ask(t, route{method: "POST"}, "/v1/accounts", "application/json", `{"username":"ada","password":"fifteen characters"}`, "")
			signIn := func(transport string) *httptest.ResponseRecorder {
				return w.ask(t, route{method: "POST"}, "/v1/sessions", "application/json", `{"login":"ada","password":"fifteen characters","transport":"`+transport+`"}`, "", "Origin", test.origin)
			}
			got := signIn("cookie")
			if got.Code != test.want || (len(got.Result().Cookies()) == 1) != (test.want == 201) {
				t.Errorf("%d %v %s, want %d", got.Code, got.Header(), got.Body, test.want)
			}
			if got := signIn("body"); got.Code != 201 || len(got.Result().Cookies()) != 0 {
				t.Errorf("in the body: %d %v %s", got.Code, got.Header(), got.Body)
			}
		})
	}
}

// Every route is asked by a page of another's, with the cookie: those that would
// read it refuse to, the others do not know that it is there.
func TestNoRouteReadsTheCookieForAnothersPage(t *testing.T) {
	w := newWorld(t)
	readers := []string{"POST /v1/token", "POST /v1/token/revoke", "DELETE /v1/sessions/{id}"}
	before := w.contents(t)
	for _, r := range routes(t, w) {
		body := ""
		if r.takesBody() {
			body = `{"grant_type":"refresh_token"}`
		}
		rec := w.ask(t, r, r.at("current"), "application/json", body, "", "Origin", "https://evil.example", "Cookie", "__Host-keyport=kpr_x")
		reads := slices.Contains(readers, r.method+" "+r.path)
		if refused := rec.Code == http.StatusForbidden && strings.Contains(rec.Body.String(), "/problems/wrong-origin"); refused != reads {
			t.Errorf("%s %s: %d %s", r.method, r.path, rec.Code, rec.Body)
		}
		if len(rec.Result().Cookies()) != 0 {
			t.Errorf("%s %s sets a cookie: %v", r.method, r.path, rec.Header())
		}
	}
	if after := w.contents(t); after != before {
		t.Errorf("something was changed: %s", after)
	}
}

// Everything secret that goes in or comes out is looked for in the log.
func TestNoSecretIsLogged(t *testing.T) {
	var log bytes.Buffer
	p := app.Parts{
		Store: new(fake.Store), Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Vault: fake.Vault{}, Hasher: fake.Hasher{},
		Blocklist: fake.Blocklist{}, Now: app.Now, NewID: fake.UUIDs(), Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	c := &client{t: t, Handler: app.Handler(defaults(), p, app.Services(defaults(), p))}
	c.json(201, "POST", "/v1/accounts", `{"username":"ada","password":"hunter2hunter2hunter2"}`)
	c.json(422, "POST", "/v1/accounts", `{"username":"ada","password":["hunter2hunter2hunter2"]}`)
	c.json(401, "POST", "/v1/sessions", `{"login":"ada","password":"hunter2hunter2hunter3"}`)
	grant := c.json(201, "POST", "/v1/sessions", `{"login":"ada","password":"hunter2hunter2hunter2"}`)
	c.token = grant["access_token"].(string)
	c.json(403, "PUT", "/v1/me/password", `{"current":"hunter2","new":"hunter2hunter2hunter4"}`)
	c.json(422, "GET", "/v1/me?access_token="+c.token, "")
	c.send(400, "POST", "/v1/token", "application/x-www-form-urlencoded", "grant_type=refresh_token&refresh_token="+grant["refresh_token"].(string)+"x")
	r := httptest.NewRequest(http.MethodPost, "/v1/token", strings.NewReader("grant_type=refresh_token"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", defaults().PublicURL)
	r.Header.Set("Cookie", "__Host-keyport="+grant["refresh_token"].(string))
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	cookies := w.Result().Cookies()
	if w.Code != http.StatusOK || len(cookies) != 1 {
		t.Fatalf("by cookie: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 8 {
		t.Errorf("the log has %d lines for 8 requests:\n%s", lines, &log)
	}
	for _, secret := range []string{"hunter2", c.token, grant["refresh_token"].(string), cookies[0].Value} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, &log)
		}
	}
}
