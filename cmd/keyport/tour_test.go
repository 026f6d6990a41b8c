package main_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

var binary string

func TestMain(m *testing.M) { pgtest.Main(m, clean) }

// clean removes the binary, if a test had it built.
func clean() error {
	if binary == "" {
		return nil
	}
	return remove()
}

var remove func() error

// start starts Keyport as a process, and ends it with the test.
func start(t *testing.T, env []string, args ...string) *process.Keyport {
	t.Helper()
	if binary == "" {
		var err error
		if binary, remove, err = process.Build(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	k, err := process.Start(t.Context(), process.Options{Binary: binary, Args: args, Env: env, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if code, err := k.Stop(); err != nil || code != 0 {
			t.Errorf("it ended with %d, %v:\n%s", code, err, k.Log())
		}
	})
	return k
}

// A visitor walks through Keyport, and stops at the first surprise.
type visitor struct {
	t *testing.T
	*process.Client
	token string
}

func visit(t *testing.T, k *process.Keyport) *visitor {
	t.Helper()
	v := &visitor{t: t, Client: k.Client()}
	t.Cleanup(v.Close)
	return v
}

// want sends a request and fails the test unless the answer has the status.
func (v *visitor) want(status int, method, path string, body, into any, headers ...string) process.Answer {
	v.t.Helper()
	h := make(http.Header)
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	a, err := v.Send(v.t.Context(), process.Request{Method: method, Path: path, Token: v.token, Header: h, Body: body})
	if err != nil {
		v.t.Fatal(err)
	}
	if a.Status != status {
		v.t.Fatalf("%s %s: %v, want %d", method, path, a, status)
	}
	if into != nil {
		if err := a.Into(into); err != nil {
			v.t.Fatal(err)
		}
	}
	return a
}

type record struct {
	ID       string
	Revision int
	Data     struct{ Model string }
}

func ship(model string) any {
	return map[string]any{"data": map[string]any{
		"affiliation": "Independent", "category": "Transports", "ship_class": "Freighter",
		"model": model, "manufacturer": "A yard", "crew": 9, "length": 82, "roles": []string{"Transport"},
	}}
}

// TestTour is what a front-end does with Keyport, from the first look to the day
// after a restart. The grace is nothing, so that a spent token is spent at once.
func TestTour(t *testing.T) {
	t.Run("on SQLite", func(t *testing.T) { tour(t, nil) })
	t.Run("on PostgreSQL", func(t *testing.T) {
		tour(t, []string{"KEYPORT_DATABASE_URL=" + pgtest.Database(t, nil), "KEYPORT_MASTER_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"})
	})
}

func tour(t *testing.T, env []string) {
	const ships = "/v1/collections/ships/records"
	args := []string{"serve", "--demo", "--dir", t.TempDir()}
	env = append(env, "KEYPORT_REFRESH_GRACE=0s", "KEYPORT_PUBLIC_URL=https://keyport.example")
	k := start(t, env, args...)
	v := visit(t, k)

	var page struct {
		Items []record
		Next  string
	}
	v.want(200, "GET", ships, nil, &page)
	if len(page.Items) != 15 {
		t.Fatalf("a stranger sees %d ships, want 15", len(page.Items))
	}
	v.want(401, "POST", ships, ship("Firefly"), nil)
	v.want(201, "POST", "/v1/accounts", map[string]string{"username": "ada", "password": "fifteen characters"}, nil)
	v.want(401, "POST", "/v1/sessions", map[string]string{"login": "ada", "password": "fifteen charactars"}, nil)
	first, err := v.SignIn(t.Context(), "ada", "fifteen characters")
	if err != nil {
		t.Fatal(err)
	}
	v.token = first.AccessToken

	var made record
	created := v.want(201, "POST", ships, ship("Firefly"), &made)
	at := created.Header.Get("Location")
	if at != ships+"/"+made.ID || created.Header.Get("ETag") != `"1"` {
		t.Fatalf("created at %q with ETag %q", at, created.Header.Get("ETag"))
	}
	v.want(428, "PUT", at, ship("Firefly II"), nil)
	v.want(200, "PUT", at, ship("Firefly II"), nil, "If-Match", `"1"`)
	v.want(412, "PUT", at, ship("Firefly III"), nil, "If-Match", `"1"`)

	want := map[string]bool{made.ID: true}
	for _, r := range page.Items {
		want[r.ID] = true
	}
	for i := range 984 {
		var r record
		v.want(201, "POST", ships, ship(fmt.Sprint("Number ", i)), &r)
		want[r.ID] = true
	}
	if got := walk(t, v, ships+"?limit=70"); len(got) != 1000 || len(want) != 1000 {
		t.Fatalf("the pages have %d records of %d", len(got), len(want))
	} else {
		for _, id := range got {
			delete(want, id)
		}
	}
	if len(want) != 0 {
		t.Fatalf("the pages leave out %d records", len(want))
	}

	second, err := v.Refresh(t.Context(), first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Refresh(t.Context(), first.RefreshToken); err == nil {
		t.Fatal("a spent refresh token was taken")
	}
	if _, err := v.Refresh(t.Context(), second.RefreshToken); err == nil {
		t.Fatal("the session lives on after a theft")
	}
	v.want(401, "GET", "/v1/me", nil, nil)

	third, err := v.SignIn(t.Context(), "ada", "fifteen characters")
	if err != nil {
		t.Fatal(err)
	}
	v.token = third.AccessToken
	v.want(200, "GET", "/v1/me", nil, nil)
	v.want(204, "DELETE", "/v1/sessions/current", nil, nil)
	v.want(401, "GET", "/v1/me", nil, nil)
	fourth, err := v.SignIn(t.Context(), "ada", "fifteen characters")
	if err != nil {
		t.Fatal(err)
	}

	if code, err := k.Stop(); err != nil || code != 0 {
		t.Fatalf("it ended with %d, %v", code, err)
	}
	v = visit(t, start(t, env, args...))
	v.token = fourth.AccessToken
	v.want(200, "GET", "/v1/me", nil, nil)
	var again record
	v.want(200, "GET", at, nil, &again)
	if again.Revision != 2 || again.Data.Model != "Firefly II" {
		t.Errorf("after the restart the ship is %+v", again)
	}
	if got := walk(t, v, ships+"?limit=200"); len(got) != 1000 {
		t.Errorf("after the restart there are %d ships", len(got))
	}
	v.token = third.AccessToken
	v.want(401, "GET", "/v1/me", nil, nil)
	if _, err := v.Refresh(t.Context(), fourth.RefreshToken); err != nil {
		t.Error(err)
	}
}

// walk follows the Link headers from path, and returns the ids in their order. It
// fails if one comes twice.
func walk(t *testing.T, v *visitor, path string) (ids []string) {
	t.Helper()
	seen := make(map[string]bool)
	for path != "" {
		var page struct{ Items []record }
		a := v.want(200, "GET", path, nil, &page)
		for _, r := range page.Items {
			if seen[r.ID] {
				t.Fatalf("%s comes twice", r.ID)
			}
			seen[r.ID] = true
			ids = append(ids, r.ID)
		}
		path = ""
		if _, err := fmt.Sscanf(a.Header.Get("Link"), "<%s", &path); err == nil {
			path = path[:len(path)-len(">;")]
		}
	}
	return ids
}

func TestFaultsAtStart(t *testing.T) {
	k := start(t, nil, "serve")
	taken := k.URL[len("http://"):]
	for _, test := range []struct {
		name string
		args []string
		env  []string
		want string
	}{
		{"a port that is taken", []string{"serve"}, []string{"KEYPORT_HTTP_ADDR=" + taken}, "set KEYPORT_HTTP_ADDR"},
		{"a private port that is taken", []string{"serve"}, []string{"KEYPORT_OPS_ADDR=" + taken}, "set KEYPORT_OPS_ADDR"},
		{"an address that others reach", []string{"serve"}, []string{"KEYPORT_HTTP_ADDR=0.0.0.0:0"}, "KEYPORT_PUBLIC_URL"},
		{"a demo that others reach", []string{"serve", "--demo"}, []string{"KEYPORT_HTTP_ADDR=0.0.0.0:0", "KEYPORT_PUBLIC_URL=http://demo.example"}, "this machine alone"},
		{"a setting that there is not", []string{"serve"}, []string{"KEYPORT_HTTP_ADR=x"}, "KEYPORT_HTTP_ADR: there is no such setting"},
		{"a server that is away", []string{"serve"}, []string{"KEYPORT_DATABASE_URL=postgres://127.0.0.1:1/x", "KEYPORT_MASTER_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}, "KEYPORT_DATABASE_URL"},
		{"a master key that does not fit", []string{"serve"}, []string{"KEYPORT_MASTER_KEY=abc"}, "KEYPORT_MASTER_KEY"},
		{"no such command", []string{"swim"}, nil, "usage:"},
		{"an account that there is not", []string{"admin", "password", "nobody"}, nil, "no such account"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := process.Start(t.Context(), process.Options{Binary: binary, Args: test.args, Env: test.env, Dir: t.TempDir()})
			if err == nil {
				t.Fatal("it serves")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q is not told in:\n%v", test.want, err)
			}
		})
	}
}

func TestAdministratorsAreMadeByCommand(t *testing.T) {
	dir := t.TempDir()
	env := []string{"KEYPORT_DATABASE_URL=sqlite:" + dir + "/keyport.db"}
	k := start(t, env, "serve")
	v := visit(t, k)
	password := newPassword(t, env, "admin", "create", "root")
	grant, err := v.SignIn(t.Context(), "root", password)
	if err != nil {
		t.Fatal(err)
	}
	v.token = grant.AccessToken
	v.want(200, "GET", "/v1/accounts", nil, nil)
	if _, err := command(t, env, "a password of my own\n", "admin", "password", "--stdin", "root"); err != nil {
		t.Fatal(err)
	}
	// The other process hears of it within the default KEYPORT_REVOCATION_MAX.
	for give := time.Now().Add(5 * time.Second); ; {
		a, err := v.Send(t.Context(), process.Request{Method: "GET", Path: "/v1/accounts", Token: v.token})
		if err != nil {
			t.Fatal(err)
		}
		if a.Status == http.StatusUnauthorized {
			break
		}
		if time.Now().After(give) {
			t.Fatalf("a token of before the change is still taken: %v", a)
		}
	}
	if _, err := v.SignIn(t.Context(), "root", "a password of my own"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir + "/keyport.db.key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the master key's file: %v, %v", info, err)
	}
}
