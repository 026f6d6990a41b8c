package main_test

import (
	"net/url"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

// TestIntrospection asks, as a gateway does, what each of many tokens is worth.
func TestIntrospection(t *testing.T) {
	t.Run("on SQLite", func(t *testing.T) { introspection(t, nil) })
	t.Run("on PostgreSQL", func(t *testing.T) {
		introspection(t, []string{"KEYPORT_DATABASE_URL=" + pgtest.Database(t, nil), "KEYPORT_MASTER_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"})
	})
}

func introspection(t *testing.T, env []string) {
	k := start(t, env, "serve", "--demo", "--dir", t.TempDir())
	v := visit(t, k)
	v.want(201, "POST", "/v1/accounts", map[string]string{"username": "ada", "password": "fifteen characters"}, nil)
	admin, err := v.SignIn(t.Context(), "admin", k.AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	v.token = admin.AccessToken
	type worth struct {
		Active    bool
		TokenType string `json:"token_type"`
		Session   string `json:"sid"`
	}
	ask := func(token string) (w worth) {
		v.want(200, "POST", "/v1/token/introspect", url.Values{"token": {token}}, &w)
		return w
	}
	for range 10 {
		grant, err := v.SignIn(t.Context(), "ada", "fifteen characters")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := ask(grant.AccessToken), (worth{true, "Bearer", grant.Session}); got != want {
			t.Errorf("an access token: %+v, want %+v", got, want)
		}
		if got, want := ask(grant.RefreshToken), (worth{true, "refresh_token", grant.Session}); got != want {
			t.Errorf("a refresh token: %+v, want %+v", got, want)
		}
		next, err := v.Refresh(t.Context(), grant.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(grant.RefreshToken); got != (worth{}) {
			t.Errorf("a refresh token that was traded: %+v", got)
		}
		if err := v.SignOut(t.Context(), next.AccessToken); err != nil {
			t.Fatal(err)
		}
		for _, dead := range []string{grant.AccessToken, next.AccessToken, next.RefreshToken} {
			if got := ask(dead); got != (worth{}) {
				t.Errorf("a token of a session that ended: %+v", got)
			}
		}
	}
}
