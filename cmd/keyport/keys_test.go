package main_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// The master keys before and after.
const (
	oldMaster = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	newMaster = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
)

// TestKeys turns the keys by command, changes the master key, and retires a key,
// while somebody stays signed in.
func TestKeys(t *testing.T) {
	t.Run("on SQLite", func(t *testing.T) {
		path := t.TempDir() + "/keyport.db"
		keys(t, []string{"KEYPORT_DATABASE_URL=sqlite:" + path}, nil, "KEYPORT_MASTER_KEY_OTHER_FILE="+path+".key")
	})
	t.Run("on PostgreSQL", func(t *testing.T) {
		keys(t, []string{"KEYPORT_DATABASE_URL=" + pgtest.Database(t, nil)}, []string{"KEYPORT_MASTER_KEY=" + oldMaster}, "KEYPORT_MASTER_KEY_OTHER="+oldMaster)
	})
}

func keys(t *testing.T, env, first []string, other string) {
	env = append(env, "KEYPORT_PUBLIC_URL=http://keys.example", "KEYPORT_KEY_SET_MAX_AGE=1s", "KEYPORT_REVOCATION_MAX=1s")
	before := append(env[:len(env):len(env)], first...)
	after := append(env[:len(env):len(env)], "KEYPORT_MASTER_KEY="+newMaster)

	k := start(t, before, "serve")
	v := visit(t, k)
	grant, err := v.SignIn(t.Context(), "root", newPassword(t, before, "admin", "create", "root"))
	if err != nil {
		t.Fatal(err)
	}

	if out := printed(t, before, "keys", "rotate"); strings.Count(out, " signs from ") != 3 {
		t.Errorf("three uses turn:\n%s", out)
	}
	if out := printed(t, before, "keys", "rotate", "sign"); out != "" && strings.Count(out, "\n") != 1 {
		t.Errorf("a key that waits is the one that will sign:\n%s", out)
	}
	if out := printed(t, before, "keys", "list"); strings.Count(out, "waits") != 3 || strings.Count(out, "\n") != 8 {
		t.Errorf("a new key of each use waits:\n%s", out)
	}
	old := kid(t, grant.AccessToken)
	turned := grant
	within(t, func() error {
		if turned, err = v.Refresh(t.Context(), turned.RefreshToken); err != nil {
			t.Fatal(err)
		}
		if kid(t, turned.AccessToken) == old {
			return errors.New("the old key still signs")
		}
		return nil
	})
	me := process.Request{Method: http.MethodGet, Path: "/v1/me"}
	for _, token := range []string{grant.AccessToken, turned.AccessToken} {
		me.Token = token
		if err := v.Want(t.Context(), http.StatusOK, me, nil); err != nil {
			t.Error(err)
		}
	}

	if code, err := k.Stop(); err != nil || code != 0 {
		t.Fatalf("it ended with %d, %v", code, err)
	}
	if _, err := command(t, after, "", "keys", "reseal"); err == nil || !strings.Contains(err.Error(), "master key") {
		t.Errorf("a master key that opens nothing: %v", err)
	}
	if out := printed(t, append(after, other), "keys", "reseal"); !strings.HasPrefix(out, "7 keys") {
		t.Errorf("all keys are sealed anew:\n%s", out)
	}
	k = start(t, after, "serve")
	v = visit(t, k)
	if err := v.Want(t.Context(), http.StatusOK, me, nil); err != nil {
		t.Error(err)
	}
	if turned, err = v.Refresh(t.Context(), turned.RefreshToken); err != nil {
		t.Fatal(err)
	}

	me.Token = turned.AccessToken
	if out := printed(t, after, "keys", "retire", kid(t, turned.AccessToken)); !strings.Contains(out, "is retired") {
		t.Error(out)
	}
	within(t, func() error { return v.Want(t.Context(), http.StatusUnauthorized, me, nil) })
	if turned, err = v.Refresh(t.Context(), turned.RefreshToken); err != nil {
		t.Fatal(err)
	}
	me.Token = turned.AccessToken
	if err := v.Want(t.Context(), http.StatusOK, me, nil); err != nil {
		t.Error(err)
	}

	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"keys", "retire", "nonsense"}, "no such signing key"},
		{[]string{"keys", "retire"}, "usage:"},
		{[]string{"keys", "rotate", "swim"}, `"swim"`},
		{[]string{"keys"}, "usage:"},
	} {
		if _, err := command(t, after, "", c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.args, err)
		}
	}
}

// within tries f until it succeeds, for half a minute at most.
func within(t *testing.T, f func() error) {
	t.Helper()
	for give := time.Now().Add(30 * time.Second); ; {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(give) {
			t.Fatal(err)
		}
		select {
		case <-t.Context().Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// kid returns the key that signed an access token.
func kid(t *testing.T, token string) string {
	t.Helper()
	protected, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(protected)
	var header struct{ Kid string }
	if err == nil {
		err = json.Unmarshal(text, &header)
	}
	if err != nil || header.Kid == "" {
		t.Fatal(fmt.Errorf("%s: %w", text, err))
	}
	return header.Kid
}
