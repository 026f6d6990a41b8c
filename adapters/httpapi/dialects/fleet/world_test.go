package fleet_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/dialects/fleet"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/numbers"
	"github.com/keyport-go/keyport/domain/resources"
	"github.com/keyport-go/keyport/domain/tokens"
)

// A world is the dialect over services on fakes. There are no ships in it: what becomes
// of them is told by the transcripts in app/testdata/fleet.
type world struct {
	http.Handler
	wire.Services
	store *fake.Store
	clock *fake.Clock
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{store: new(fake.Store), clock: fake.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))}
	newID := fake.UUIDs()
	w.Tokens = tokens.New(tokens.Config{
		Store: w.store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{},
		AccessTTL: 10 * time.Minute, Sessions: domain.SessionPolicy{Idle: 720 * time.Hour, Max: 2160 * time.Hour, Grace: time.Minute},
		Now: w.clock.Now, NewID: newID, Uptime: func() time.Duration { return 0 }, Random: fake.Randoms(),
	})
	w.Accounts = accounts.New(accounts.Config{
		Store: w.store, Hasher: fake.Hasher{}, Cursors: fake.Cursors{}, Now: w.clock.Now, NewID: newID,
		Policy: domain.PasswordPolicy{Common: fake.Common.Contains}, Told: w.Tokens.Learn,
	})
	w.Numbers = numbers.New(w.store)
	w.Resources = resources.New(resources.Config{Store: w.store, Cursors: fake.Cursors{}, Now: w.clock.Now, NewID: newID})
	w.Handler = fleet.New(fleet.Config{Services: w.Services})
	return w
}

// An answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	text string // the body without its line feed
}

// send sends a request, with the Authorization header unless it is "".
func (w *world) send(t testing.TB, method, target, authorization, body string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return w.do(r)
}

func (w *world) do(r *http.Request) answer {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return answer{rec, strings.TrimSuffix(rec.Body.String(), "\n")}
}

// is fails the test unless the answer has the status and the body.
func (a answer) is(t testing.TB, status int, body string) {
	t.Helper()
	if a.Code != status || a.text != body {
		t.Errorf("got %d %s, want %d %s", a.Code, a.text, status, body)
	}
}

// A pair is what a sign-in gives, each as an Authorization header has it.
type pair struct{ access, refresh string }

// signUp makes a user, whose password is "password".
func (w *world) signUp(t testing.TB, name string) {
	t.Helper()
	if a := w.send(t, "POST", "/api/users", "", `{"name":"`+name+`","password":"password"}`); a.Code != http.StatusCreated {
		t.Fatal(a.Code, a.text)
	}
}

func (w *world) signIn(t testing.TB, name string) pair {
	t.Helper()
	a := w.send(t, "POST", "/auth/login", "", `{"username":"`+name+`","password":"password"}`)
	var in struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal([]byte(a.text), &in); err != nil || a.Code != http.StatusOK {
		t.Fatal(a.Code, a.text, err)
	}
	return pair{"Bearer " + in.Access, "Bearer " + in.Refresh}
}

// user signs up and in.
func (w *world) user(t testing.TB, name string) pair {
	t.Helper()
	w.signUp(t, name)
	return w.signIn(t, name)
}

// taken fails the test unless the access token is taken: for it there is only no such
// ship.
func (w *world) taken(t testing.TB, access string) {
	t.Helper()
	w.send(t, "DELETE", "/api/ships/99", access, "").is(t, 404, `{"error":"Not Found"}`)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
