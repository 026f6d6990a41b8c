package app_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// BenchmarkHandler measures the hot paths without the network, on SQLite.
func BenchmarkHandler(b *testing.B) {
	store, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "keyport.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	keyring := openKeys(b, store, jose.NewMaster(), app.Now)
	p := app.Parts{
		Store: store, Issuer: keyring.Tokens(), Refresher: keyring.Refresh(), Cursors: keyring.Cursors(), Vault: keyring.Vault(),
		Hasher: password.New(password.Config{Cost: password.Cost{Memory: 64, Time: 1, Lanes: 1}}), Blocklist: password.Blocklist{},
		Now: app.Now, NewID: app.NewID, Random: app.Random, Reload: keyring.Reload, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	}
	s := app.Services(defaults(), p)
	_, err = s.Resources.Declare(b.Context(), domain.Asker{}, domain.Collection{
		Name: "ships", Schema: document(b, `{"type":"object","properties":{"crew":{"type":"integer"}},"required":["crew"]}`),
		Rules: domain.Rules{List: "true", Read: "true", Create: "true", Update: "account != null", Delete: "account != null"},
	}, resources.Declaring{Operator: true})
	if err != nil {
		b.Fatal(err)
	}
	const ship = `{"affiliation":"Rebel Alliance","category":"Starfighters","crew":1,"length":13,"manufacturer":"Incom Corporation","model":"T-65 X-Wing","roles":["Space Superiority Starfighter","Escort"],"ship_class":"Starfighter"}`
	var id string
	for range 100 {
		r, err := s.Resources.Create(b.Context(), domain.Asker{}, "ships", document(b, ship))
		if err != nil {
			b.Fatal(err)
		}
		id = string(r.ID)
	}
	h := app.Handler(defaults(), p, s)
	const records = "/v1/collections/ships/records"
	for _, bench := range []struct{ name, method, path, body string }{
		{"nothing", "GET", "/livez", ""},
		{"a record", "GET", records + "/" + id, ""},
		{"a page of 30", "GET", records + "?limit=30", ""},
		{"creating", "POST", records, `{"data":` + ship + `}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(bench.method, bench.path, strings.NewReader(bench.body))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code >= http.StatusBadRequest {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
