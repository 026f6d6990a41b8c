package app_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/resources"
	"github.com/keyport-go/keyport/ports"
)

// A client speaks to a handler, and remembers what it was given.
type client struct {
	t *testing.T
	http.Handler
	token string
}

func (c *client) send(want int, method, path, mediaType, body string) map[string]any {
	c.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("If-Match", "*")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	if w.Code != want {
		c.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, want)
	}
	answer := make(map[string]any)
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			c.t.Fatal(err)
		}
	}
	return answer
}

func (c *client) json(want int, method, path, body string) map[string]any {
	c.t.Helper()
	return c.send(want, method, path, "application/json", body)
}

// administrator returns an access token of a new administrator's.
func (c *client) administrator(s wire.Services) string {
	c.t.Helper()
	root, err := domain.ParseUsername("root")
	if err != nil {
		c.t.Fatal(err)
	}
	_, err = s.Accounts.Register(c.t.Context(), accounts.Registration{
		Logins: []domain.Login{root}, Roles: []domain.Role{domain.Administrator}, Password: adasPassword,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.json(201, "POST", "/v1/sessions", `{"login":"root","password":"fifteen characters"}`)["access_token"].(string)
}

// TestStatementsOfARequest counts what each request asks of a real store, with
// everything else real too. A check of an access token asks it nothing.
func TestStatementsOfARequest(t *testing.T) {
	for name, open := range map[string]func(*testing.T, *ledger) ports.Store{"SQLite": countedSQLite, "PostgreSQL": countedPostgres} {
		t.Run(name, func(t *testing.T) {
			l := new(ledger)
			store := open(t, l)
			keyring := openKeys(t, store, jose.NewMaster(), app.Now)
			p := app.Parts{
				Store: store, Issuer: keyring.Tokens(), Refresher: keyring.Refresh(), Cursors: keyring.Cursors(), Vault: keyring.Vault(),
				Hasher: password.New(password.Config{Cost: password.Cost{Memory: 64, Time: 1, Lanes: 1}}), Blocklist: password.Blocklist{},
				Now: app.Now, NewID: app.NewID, Random: app.Random, Reload: keyring.Reload, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
			}
			config, start := defaults(), time.Now()
			config.RevocationMax, p.Uptime = time.Minute, func() time.Duration { return time.Since(start) }
			s := app.Services(config, p)
			if err := s.Tokens.Hear(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := s.Resources.Declare(t.Context(), domain.Asker{}, domain.Collection{
				Name: "ships", Schema: document(t, `{"type":"object"}`),
				Rules: domain.Rules{List: "true", Read: "true", Create: "account != null", Update: "account != null", Delete: "account != null"},
			}, resources.Declaring{Operator: true})
			if err != nil {
				t.Fatal(err)
			}
			c := &client{t: t, Handler: app.Handler(config, p, s)}
			const records = "/v1/collections/ships/records"
			c.json(201, "POST", "/v1/accounts", `{"username":"ada","password":"fifteen characters"}`)
			grant := c.json(201, "POST", "/v1/sessions", `{"login":"ada","password":"fifteen characters"}`)
			c.token = grant["access_token"].(string)
			ship := c.json(201, "POST", records, `{"data":{"crew":1}}`)["id"].(string)
			refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {grant["refresh_token"].(string)}}.Encode()

			key := c.json(201, "POST", "/v1/me/keys", `{"name":"nightly","scopes":["records:read","tokens:introspect"]}`)["secret"].(string)
			bearers := map[string]string{"": "", "token": c.token, "key": key, "root": c.administrator(s)}
			inspected := url.Values{"token": {c.token}}.Encode()

			for _, step := range []struct {
				name   string
				bearer string
				most   int
				method string
				path   string
				form   bool
				body   string
				status int
			}{
				{"a stranger reads a record", "", 1, "GET", records + "/" + ship, false, "", 200},
				{"an account reads a record", "token", 1, "GET", records + "/" + ship, false, "", 200},
				{"a stranger reads a page", "", 1, "GET", records + "?limit=30", false, "", 200},
				{"an account reads a page", "token", 1, "GET", records + "?limit=30", false, "", 200},
				{"an account creates a record", "token", 1, "POST", records, false, `{"data":{"crew":2}}`, 201},
				{"an account changes a record", "token", 2, "PATCH", records + "/" + ship, false, `{"data":{"crew":3}}`, 200},
				{"a client refreshes", "", 1, "POST", "/v1/token", true, refresh, 200},
				{"somebody signs in", "", 3, "POST", "/v1/sessions", false, `{"login":"ada","password":"fifteen characters"}`, 201},
				{"somebody fails to sign in", "", 1, "POST", "/v1/sessions", false, `{"login":"ada","password":"fifteen chars"}`, 401},
				{"a program reads a record by its key", "key", 2, "GET", records + "/" + ship, false, "", 200},
				{"an account makes a key", "token", 4, "POST", "/v1/me/keys", false, `{"name":"weekly","scopes":["records:read"]}`, 201},
				{"a service asks what a token is worth", "root", 0, "POST", "/v1/token/introspect", true, inspected, 200},
				{"a service hears what was revoked", "root", 1, "GET", "/v1/revocations", false, "", 200},
				{"an account signs out", "token", 2, "DELETE", "/v1/sessions/current", false, "", 204},
			} {
				asks := *c
				asks.token = bearers[step.bearer]
				mediaType := "application/json"
				if step.form {
					mediaType = "application/x-www-form-urlencoded"
				}
				l.take()
				asks.send(step.status, step.method, step.path, mediaType, step.body)
				sent := l.take()
				if len(sent) == 0 && step.most > 0 || len(sent) > step.most {
					t.Errorf("%s: %d statements, want %d at most:\n%s", step.name, len(sent), step.most, strings.Join(sent, "\n"))
				}
			}
		})
	}
}

// TestStatementsOfResources counts likewise what records cost that have more to them: two
// indexes, a filter, a key that makes a request safe to repeat.
func TestStatementsOfResources(t *testing.T) {
	for name, at := range map[string]int{"SQLite": 0, "PostgreSQL": 1} {
		t.Run(name, func(t *testing.T) {
			l := new(ledger)
			w := newTown(t, countedStores[name](t, l), domain.Collection{
				Name: "ships", Schema: document(t, `{"type":"object","properties":{"model":{"type":"string"},"crew":{"type":"integer"}}}`),
				Rules:   domain.Rules{List: "true", Read: "true", Create: "account != null", Update: owned, Delete: owned},
				Indexes: []domain.Index{{Sort: domain.Sort{{Field: "crew", Descending: true}}}, {Sort: domain.Sort{{Field: "model"}, {Field: "crew"}}}},
			})
			const records = "/v1/collections/ships/records"
			_, ada := w.settle("ada")
			var ship string
			for range 3 {
				ship = w.want(201, "POST", records, ada, `{"data":{"model":"A","crew":1}}`)["id"].(string)
			}
			page := w.want(200, "GET", records+"?limit=2&sort=-crew&filter=record.data.crew%3E0.0", "", "")
			replace := `{"operations":[{"op":"create","data":{"crew":4}},{"op":"patch","id":"` + ship + `","if_match":"*","data":{"crew":5}}]}`
			for _, step := range []struct {
				name         string
				most         [2]int // on SQLite and on PostgreSQL
				method, path string
				token, body  string
				key          string
				status       int
			}{
				{"a page by index with a filter", [2]int{1, 1}, "GET", records + "?limit=2&sort=-crew&filter=record.data.crew%3E0.0", "", "", "", 200},
				{"the page behind it", [2]int{1, 1}, "GET", records + "?limit=2&sort=-crew&filter=record.data.crew%3E0.0&cursor=" + page["next"].(string), "", "", "", 200},
				{"a page that is counted", [2]int{2, 2}, "GET", records + "?limit=2&count=exact", "", "", "", 200},
				{"an export of one page", [2]int{1, 1}, "GET", records + ":export?filter=record.id==%22" + ship + "%22", "", "", "", 200},
				{"a create with two indexes", [2]int{2, 1}, "POST", records, ada, `{"data":{"model":"B","crew":2}}`, "", 201},
				{"a create with a key", [2]int{4, 4}, "POST", records, ada, `{"data":{"model":"C","crew":3}}`, "once", 201},
				{"the same again", [2]int{2, 3}, "POST", records, ada, `{"data":{"model":"C","crew":3}}`, "once", 201},
				{"a batch of two with a key", [2]int{8, 6}, "POST", records + ":batch", ada, replace, "both", 200},
				{"the same batch again", [2]int{4, 5}, "POST", records + ":batch", ada, replace, "both", 200},
				{"a question about a list", [2]int{3, 3}, "POST", "/v1/authorize:check", ada, `{"action":"list","collection":"ships"}`, "", 200},
				{"a question about a record", [2]int{3, 3}, "POST", "/v1/authorize:check", ada, `{"action":"update","collection":"ships","id":"` + ship + `","data":{"crew":6}}`, "", 200},
				{"a question about a record that is not there", [2]int{3, 3}, "POST", "/v1/authorize:check", ada, `{"action":"read","collection":"ships","id":"01900000-0000-7000-8000-000000000000"}`, "", 200},
			} {
				headers := []string{}
				if step.key != "" {
					headers = []string{"Idempotency-Key", step.key}
				}
				l.take()
				a := w.send(step.method, step.path, step.token, step.body, headers...)
				sent := l.take()
				if a.Code != step.status {
					t.Errorf("%s: %d %s, want %d", step.name, a.Code, a.Body, step.status)
				}
				if len(sent) == 0 || len(sent) > step.most[at] {
					t.Errorf("%s: %d statements, want %d at most:\n%s", step.name, len(sent), step.most[at], strings.Join(sent, "\n"))
				}
			}
		})
	}
}
