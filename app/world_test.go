package app_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/resources"
)

// A world is Keyport on fakes, at the stroke of 2030: ids count, the clock
// stands, and tokens can be read by eye.
type world struct {
	http.Handler
	clock *fake.Clock
	store *fake.Store
}

func defaults() app.Config {
	return app.Config{
		AccessTTL: 10 * time.Minute, SessionIdle: 720 * time.Hour, SessionMax: 2160 * time.Hour, RefreshGrace: time.Minute,
		PasswordMin: 15, KeySetMaxAge: 5 * time.Minute, SigningAlg: "ES256", RequestTimeout: 10 * time.Second, PublicURL: "https://keyport.example",
	}
}

func newWorld(tb testing.TB) world {
	tb.Helper()
	return newWorldOf(tb, defaults())
}

// worldOf returns the world in which a dialect is spoken. In that of an older API,
// which stands at the root, /v1 is a listener away.
func worldOf(tb testing.TB, dialect string) world {
	tb.Helper()
	if dialect == "v1" {
		return newWorld(tb)
	}
	w, p := parts(tb)
	s := app.Services(defaults(), p)
	if err := app.LoadDemo(tb.Context(), s); err != nil {
		tb.Fatal(err)
	}
	openRoot(tb, s)
	older, main := app.Apart(defaults(), p, s, dialect), app.Handler(defaults(), p, s)
	w.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			main.ServeHTTP(w, r)
			return
		}
		older.ServeHTTP(w, r)
	})
	return w
}

// openRoot opens an administrator's account.
func openRoot(tb testing.TB, s wire.Services) {
	tb.Helper()
	root, err := domain.ParseUsername("root")
	if err != nil {
		tb.Fatal(err)
	}
	_, err = s.Accounts.Register(tb.Context(), accounts.Registration{
		Logins: []domain.Login{root}, Roles: []domain.Role{domain.Administrator}, Password: domain.NewPassword("a password for root"),
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// parts returns a world without a handler, and what it is made of.
func parts(tb testing.TB) (world, app.Parts) {
	tb.Helper()
	clock, store := fake.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)), new(fake.Store)
	return world{nil, clock, store}, app.Parts{
		Store: store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Vault: fake.Vault{},
		Hasher: fake.Hasher{}, Blocklist: fake.Blocklist{"correct horse battery staple"},
		Now: clock.Now, NewID: fake.UUIDs(), Uptime: func() time.Duration { return 0 }, Random: fake.Randoms(), Log: slog.New(slog.DiscardHandler),
	}
}

// owned is the rule of what only its owner may touch.
const owned = "account != null && record.owner == account.id"

func newWorldOf(tb testing.TB, c app.Config) world {
	tb.Helper()
	w, p := parts(tb)
	s := app.Services(c, p)
	for _, declared := range []domain.Collection{
		{
			Name:   "ships",
			Schema: document(tb, `{"type":"object","required":["model","crew"],"additionalProperties":false,"properties":{"model":{"type":"string"},"crew":{"type":"integer","minimum":1}}}`),
			Rules:  domain.Rules{List: "true", Read: "true", Create: "account != null", Update: "account != null", Delete: "account != null"},
		},
		{
			Name:   "notes",
			Schema: document(tb, `{"type":"object","properties":{"title":{"type":"string"}}}`),
			Rules:  domain.Rules{List: owned, Read: owned, Create: "account != null", Update: owned, Delete: owned},
			Unique: []domain.Unique{{Field: "title", PerOwner: true}},
		},
	} {
		if _, err := s.Resources.Declare(tb.Context(), domain.Asker{}, declared, resources.Declaring{Operator: true}); err != nil {
			tb.Fatal(err)
		}
	}
	openRoot(tb, s)
	w.Handler = app.Handler(c, p, s)
	return w
}

func document(tb testing.TB, text string) domain.Document {
	tb.Helper()
	d, err := domain.ParseDocument([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return d
}
