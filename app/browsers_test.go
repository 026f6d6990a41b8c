package app_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/app"
)

func TestOnlyListedOriginsMayCall(t *testing.T) {
	c := defaults()
	c.CORSOrigins = []string{"https://app.example"}
	p := app.Parts{
		Store: new(fake.Store), Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Hasher: fake.Hasher{},
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
			if w.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Error("credentials are allowed")
			}
			if !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Origin") {
				t.Errorf("Vary is %v", w.Header().Values("Vary"))
			}
		})
	}
}

// Everything secret that goes in or comes out is looked for in the log.
func TestNoSecretIsLogged(t *testing.T) {
	var log bytes.Buffer
	p := app.Parts{
		Store: new(fake.Store), Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Hasher: fake.Hasher{},
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
	if lines := strings.Count(log.String(), "\n"); lines != 7 {
		t.Errorf("the log has %d lines for 7 requests:\n%s", lines, &log)
	}
	for _, secret := range []string{"hunter2", c.token, grant["refresh_token"].(string)} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, &log)
		}
	}
}
