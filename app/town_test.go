package app_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
	"github.com/keyport-go/keyport/ports"
)

// A town is Keyport on some store, as it is served but for the hasher, which is quick.
// It has just heard the bulletin and thinks so for ever, so that no check of a token
// asks the store.
type town struct {
	t *testing.T
	http.Handler
	wire.Services
}

func newTown(t *testing.T, store ports.Store, declared ...domain.Collection) *town {
	t.Helper()
	keys := openKeys(t, store, jose.NewMaster(), app.Now)
	p := app.Parts{
		Store: store, Issuer: keys.Tokens(), Refresher: keys.Refresh(), Cursors: keys.Cursors(), Vault: keys.Vault(),
		Hasher: fake.Hasher{}, Blocklist: fake.Blocklist{}, Now: app.Now, NewID: app.NewID, Random: app.Random, Reload: keys.Reload,
		Uptime: func() time.Duration { return 0 }, Log: slog.New(slog.DiscardHandler),
	}
	c := defaults()
	c.RevocationMax, c.RequestTimeout = time.Minute, time.Minute
	w := &town{t: t, Services: app.Services(c, p)}
	if err := w.Tokens.Hear(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, d := range declared {
		if _, err := w.Resources.Declare(t.Context(), domain.Asker{}, d, resources.Declaring{Operator: true}); err != nil {
			t.Fatal(err)
		}
	}
	openRoot(t, w.Services)
	w.Handler = app.Handler(c, p, w.Services)
	return w
}

// send sends a request. headers are names, each with its value; a body is JSON unless
// they say another type.
func (w *town) send(method, path, token, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a := httptest.NewRecorder()
	w.ServeHTTP(a, r)
	return a
}

// want is send for what must have the status. It returns the answer, read.
func (w *town) want(status int, method, path, token, body string, headers ...string) map[string]any {
	w.t.Helper()
	a := w.send(method, path, token, body, headers...)
	if a.Code != status {
		w.t.Fatalf("%s %s: %d %s, want %d", method, path, a.Code, a.Body, status)
	}
	answer := make(map[string]any)
	if a.Body.Len() > 0 {
		if err := json.Unmarshal(a.Body.Bytes(), &answer); err != nil {
			w.t.Fatal(err)
		}
	}
	return answer
}

// settle opens an account, and returns its id and an access token.
func (w *town) settle(name string) (id, token string) {
	w.t.Helper()
	id = w.want(201, "POST", "/v1/accounts", "", object("username", name, "password", longEnough))["id"].(string)
	return id, w.want(201, "POST", "/v1/sessions", "", object("login", name, "password", longEnough))["access_token"].(string)
}

// root returns an access token of the administrator's.
func (w *town) root() string {
	w.t.Helper()
	return w.want(201, "POST", "/v1/sessions", "", object("login", "root", "password", "a password for root"))["access_token"].(string)
}
