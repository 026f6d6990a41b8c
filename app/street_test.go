package app_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A street is Keyport with every older API at a path beside /v1: two replicas on one
// store, with keys of their own making, and the demo in it.
type street struct {
	t           *testing.T
	here, there replica
	clock       *fake.Clock
	hashes      *tally
}

func newStreet(t *testing.T, store ports.Store) *street {
	t.Helper()
	w := &street{t: t, clock: fake.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)), hashes: new(tally)}
	id, random, master := fake.UUIDs(), fake.Randoms(), jose.NewMaster()
	c := defaults()
	c.RevocationMax, c.Dialects = 5*time.Second, everywhere
	start := func(name string) replica {
		keys := openKeys(t, store, master, w.clock.Now)
		p := app.Parts{
			Store: store, Issuer: keys.Tokens(), Refresher: keys.Refresh(), Cursors: keys.Cursors(), Hasher: w.hashes, Blocklist: fake.Blocklist{},
			Now: w.clock.Now, NewID: id, Random: random, Reload: keys.Reload, Log: slog.New(slog.DiscardHandler),
			Uptime: func() time.Duration { return 0 },
		}
		s := app.Services(c, p)
		if err := s.Tokens.Hear(t.Context()); err != nil {
			t.Fatal(err)
		}
		return replica{name, s, onDemand(func() http.Handler { return app.Handler(c, p, s) }), keys}
	}
	w.here, w.there = start("the replica that did it"), start("a replica that has heard")
	if err := app.LoadDemo(t.Context(), w.here.Services); err != nil {
		t.Fatal(err)
	}
	openRoot(t, w.here.Services)
	return w
}

// heard has the other replica hear of what was done, and returns both.
func (w *street) heard() []replica {
	w.t.Helper()
	if err := w.there.Tokens.Hear(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return []replica{w.here, w.there}
}

// A tally hashes as the fake does, and counts how often.
type tally struct {
	fake.Hasher
	n atomic.Int64
}

func (h *tally) Hash(ctx context.Context, p domain.Password) (domain.PasswordHash, error) {
	h.n.Add(1)
	return h.Hasher.Hash(ctx, p)
}

func (h *tally) Matches(ctx context.Context, p domain.Password, hash domain.PasswordHash) (ok, stale bool, err error) {
	h.n.Add(1)
	return h.Hasher.Matches(ctx, p, hash)
}

// A request is what somebody sends: a method and a path, a header as a transcript has
// it or "", and a body, which is JSON or a form.
type request struct{ line, header, body string }

func (r request) at(h http.Handler) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(r.line, " ")
	q := httptest.NewRequest(method, path, strings.NewReader(r.body))
	switch {
	case strings.HasPrefix(r.body, "{"):
		q.Header.Set("Content-Type", "application/json")
	case r.body != "":
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if name, value, there := strings.Cut(r.header, ": "); there {
		q.Header.Set(name, encoded(value))
	}
	a := httptest.NewRecorder()
	h.ServeHTTP(a, q)
	return a
}

// want sends a request to the replica, and fails the test unless the answer has the
// status.
func (w *street) want(r replica, status int, q request) *httptest.ResponseRecorder {
	w.t.Helper()
	a := q.at(r)
	if a.Code != status {
		w.t.Fatalf("%s at %s: %d %s, want %d", q.line, r.name, a.Code, a.Body, status)
	}
	return a
}

// A house is one of the APIs: how somebody signs up and in, and a request that shows
// whether an access token is good there.
type house struct {
	name string

	signUp   func(name, password string) request
	signedUp int
	signIn   func(name, password string) request
	signedIn int

	show  func(token string) request
	shown int // otherwise 401, or 422
}

func object(pairs ...string) string {
	members := make(map[string]string)
	for i := 0; i+1 < len(pairs); i += 2 {
		members[pairs[i]] = pairs[i+1]
	}
	text, _ := json.Marshal(members) // of texts: never fails
	return string(text)
}

var houses = []house{
	{
		"/v1",
		func(name, password string) request {
			return request{"POST /v1/accounts", "", object("username", name, "password", password)}
		}, 201,
		func(name, password string) request {
			return request{"POST /v1/sessions", "", object("login", name, "password", password)}
		}, 201,
		func(token string) request { return request{"GET /v1/me", "Authorization: Bearer " + token, ""} }, 200,
	},
	{
		"fleet",
		func(name, password string) request {
			return request{"POST /fleet/api/users", "", object("name", name, "password", password)}
		}, 201,
		func(name, password string) request {
			return request{"POST /fleet/auth/login", "", object("username", name, "password", password)}
		}, 200,
		func(token string) request {
			return request{"DELETE /fleet/api/ships/999", "Authorization: Bearer " + token, ""}
		}, 404,
	},
	{
		"skeleton",
		func(name, password string) request {
			return request{"POST /older/skeleton/api/users", "", object("username", name, "password", password)}
		}, 201,
		func(name, password string) request {
			return request{"GET /older/skeleton/api/token", "Authorization: Basic " + name + ":" + password, ""}
		}, 200,
		func(token string) request {
			return request{"GET /older/skeleton/api/resource", "Authorization: Basic " + token + ":x", ""}
		}, 200,
	},
	{
		"signup",
		func(name, password string) request {
			return request{"POST /signup-api/signup", "", url.Values{"name": {"A name"}, "email": {name}, "password": {password}}.Encode()}
		}, 201,
		func(name, password string) request {
			return request{"POST /signup-api/login", "", url.Values{"email": {name}, "password": {password}}.Encode()}
		}, 201,
		func(token string) request { return request{"GET /signup-api/user", "x-access-token: " + token, ""} }, 200,
	},
	{
		"library",
		func(name, password string) request {
			return request{"POST /lib_2/register", "", object("name", name, "password", password)}
		}, 200,
		func(name, password string) request {
			return request{"POST /lib_2/login", "Authorization: Basic " + name + ":" + password, ""}
		}, 200,
		func(token string) request { return request{"GET /lib_2/users", "x-access-tokens: " + token, ""} }, 200,
	},
}

func houseOf(name string) house {
	return houses[slices.IndexFunc(houses, func(h house) bool { return h.name == name })]
}

// A ring holds the tokens of one session.
type ring struct{ access, refresh string }

func ringOf(t *testing.T, a *httptest.ResponseRecorder) (k ring) {
	t.Helper()
	var in struct {
		Token   string `json:"token"`
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(a.Body.Bytes(), &in); err != nil || in.Token+in.Access == "" {
		t.Fatalf("no token in %s: %v", a.Body, err)
	}
	return ring{in.Token + in.Access, in.Refresh}
}

const longEnough = "fifteen characters"

func (w *street) signUp(h house, name string) {
	w.t.Helper()
	w.want(w.here, h.signedUp, h.signUp(name, longEnough))
}

func (w *street) signIn(h house, name string) ring {
	w.t.Helper()
	return ringOf(w.t, w.want(w.here, h.signedIn, h.signIn(name, longEnough)))
}

func (w *street) root() ring {
	w.t.Helper()
	return ringOf(w.t, w.want(w.here, 201, houseOf("/v1").signIn("root", "a password for root")))
}

// opens fails the test unless an access token is good, or is not, in every house at
// each of the replicas.
func (w *street) opens(what, token string, good bool, replicas ...replica) {
	w.t.Helper()
	for _, r := range replicas {
		for _, h := range houses {
			a := h.show(token).at(r)
			if refused := a.Code == 401 || a.Code == 422; a.Code != h.shown && !refused || refused == good {
				w.t.Errorf("%s in %s at %s: %d %s", what, h.name, r.name, a.Code, a.Body)
			}
		}
	}
}

// onEachStreet runs f once a kind of store.
func onEachStreet(t *testing.T, f func(w *street)) {
	for _, store := range slices.Sorted(maps.Keys(stores)) {
		t.Run(store, func(t *testing.T) { f(newStreet(t, stores[store](t))) })
	}
}
