package signup_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/dialects/signup"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/numbers"
	"github.com/keyport-go/keyport/domain/tokens"
)

// A world is the dialect over services on fakes, in which one user has signed up.
type world struct {
	http.Handler
	store  *fake.Store
	hashes int // how often a password was compared
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{store: new(fake.Store)}
	clock, newID := fake.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)), fake.UUIDs()
	s := wire.Services{Numbers: numbers.New(w.store)}
	s.Tokens = tokens.New(tokens.Config{
		Store: w.store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{},
		AccessTTL: 10 * time.Minute, Sessions: domain.SessionPolicy{Idle: time.Hour, Max: time.Hour},
		Now: clock.Now, NewID: newID, Uptime: func() time.Duration { return 0 },
	})
	s.Accounts = accounts.New(accounts.Config{
		Store: w.store, Hasher: &hasher{hashes: &w.hashes}, Cursors: fake.Cursors{}, Now: clock.Now, NewID: newID, Told: s.Tokens.Learn,
	})
	w.Handler = signup.New(signup.Config{Services: s})
	if a := w.send(t, "POST", "/signup", "", "", "name=Ada&email=ada%40example.com&password=1234"); a.Code != http.StatusCreated {
		t.Fatal(a.Code, a.Body)
	}
	return w
}

// A hasher counts what it compares.
type hasher struct {
	fake.Hasher
	hashes *int
}

func (h *hasher) Matches(ctx context.Context, p domain.Password, stored domain.PasswordHash) (ok, stale bool, err error) {
	*h.hashes++
	return h.Hasher.Matches(ctx, p, stored)
}

func (w *world) send(t testing.TB, method, target, name, value, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if name != "" {
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}
