package process_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// binary is built once for all tests.
var binary string

func TestMain(m *testing.M) {
	built, cleanup, err := process.Build(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = built
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := cleanup(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// start starts a demo in a folder of the test's, with a public URL that stays.
func start(t *testing.T, dir string) (*process.Keyport, *process.Client) {
	t.Helper()
	k, err := process.Start(t.Context(), process.Options{
		Binary: binary, Args: []string{"serve", "--demo"}, Dir: dir,
		Env: []string{"KEYPORT_DATABASE_URL=sqlite:keyport.db", "KEYPORT_PUBLIC_URL=http://keyport.test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := k.Client()
	t.Cleanup(func() {
		c.Close()
		if err := k.Kill(); err != nil {
			t.Error(err)
		}
	})
	return k, c
}

func TestAStartedKeyportIsReadyAndTellsWhereItIs(t *testing.T) {
	k, c := start(t, t.TempDir())
	if k.AdminPassword == "" {
		t.Error("the demo's password was not read")
	}
	if _, err := c.SignIn(t.Context(), "admin", k.AdminPassword); err != nil {
		t.Error(err)
	}
	ops := k.Ops()
	defer ops.Close()
	a, err := ops.Send(t.Context(), process.Request{Method: http.MethodGet, Path: "/metrics"})
	if err != nil || a.Status != http.StatusOK {
		t.Errorf("the private listener: %s, %v", a, err)
	}
	if rss, err := k.RSS(); err != nil || rss < 1<<20 {
		t.Errorf("its memory is %d bytes, %v", rss, err)
	}
	if _, err := k.CPU(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(k.Log(), `"serving"`) {
		t.Errorf("its log: %s", k.Log())
	}
}

func TestASessionLivesFromSignUpToSignOut(t *testing.T) {
	_, c := start(t, t.TempDir())
	ctx := t.Context()
	const password = "correct horse battery staple"
	if err := c.SignUp(ctx, "ada", password); err != nil {
		t.Fatal(err)
	}
	first, err := c.SignIn(ctx, "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Refresh(ctx, first.RefreshToken)
	if err != nil || second.RefreshToken == first.RefreshToken || second.Session != first.Session {
		t.Fatalf("refreshed: %v", err)
	}
	if err := c.SignOut(ctx, second.AccessToken); err != nil {
		t.Fatal(err)
	}
	_, err = c.Refresh(ctx, second.RefreshToken)
	if refusal, ok := errors.AsType[*process.Refusal](err); !ok || refusal.Status != http.StatusBadRequest {
		t.Errorf("a refresh after the sign-out: %v", err)
	}
}

func TestACollectionIsDeclaredAndItsRecordsImported(t *testing.T) {
	k, c := start(t, t.TempDir())
	ctx := t.Context()
	admin, err := c.SignIn(ctx, "admin", k.AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	const notes = `{"name":"notes","schema":{"type":"object"},"rules":{"list":"true","read":"true","create":"account != null","update":"false","delete":"false"}}`
	if err := c.Declare(ctx, admin.AccessToken, notes); err != nil {
		t.Fatal(err)
	}
	done, err := c.Import(ctx, admin.AccessToken, "notes", strings.NewReader("{\"data\":{\"n\":1}}\n{\"data\":2}\n"))
	if err != nil || !done.Done || done.Stored != 1 || done.Refused != 1 || len(done.Problems) != 1 {
		t.Errorf("imported: %+v, %v", done, err)
	}
	err = c.Declare(ctx, admin.AccessToken, notes)
	if refusal, ok := errors.AsType[*process.Refusal](err); !ok || refusal.Status != http.StatusConflict {
		t.Errorf("declared again: %v", err)
	}
	_, err = c.Import(ctx, "", "notes", strings.NewReader(""))
	if refusal, ok := errors.AsType[*process.Refusal](err); !ok || refusal.Status != http.StatusUnauthorized {
		t.Errorf("imported by a stranger: %v", err)
	}
}

func TestAKilledKeyportIsGoneAndItsDataIsNot(t *testing.T) {
	dir := t.TempDir()
	k, c := start(t, dir)
	if err := c.SignUp(t.Context(), "ada", "correct horse battery staple"); err != nil {
		t.Fatal(err)
	}
	if err := k.Kill(); err != nil {
		t.Fatal(err)
	}
	<-k.Exited()
	if _, err := c.Send(t.Context(), process.Request{Method: http.MethodGet, Path: "/livez"}); err == nil {
		t.Error("it still answers")
	}
	again, c := start(t, dir)
	if _, err := c.SignIn(t.Context(), "ada", "correct horse battery staple"); err != nil {
		t.Error(err)
	}
	if again.AdminPassword != "" {
		t.Error("a password was read where none is printed")
	}
}

func TestAStoppedKeyportEndsWith0(t *testing.T) {
	k, c := start(t, t.TempDir())
	c.Close()
	for range 2 { // the second time it has gone already
		if code, err := k.Stop(); code != 0 || err != nil {
			t.Errorf("it ended with %d, %v\n%s", code, err, k.Log())
		}
	}
}

func TestAStartThatFailsTellsTheLog(t *testing.T) {
	_, err := process.Start(t.Context(), process.Options{
		Binary: binary, Args: []string{"serve"}, Dir: t.TempDir(), Env: []string{"KEYPORT_NO_SUCH_SETTING=1"},
	})
	if err == nil || !strings.Contains(err.Error(), "KEYPORT_NO_SUCH_SETTING") {
		t.Errorf("started: %v", err)
	}
}

func TestAStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := process.Start(ctx, process.Options{
		Binary: binary, Args: []string{"serve", "--demo"}, Dir: t.TempDir(),
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("started: %v", err)
	}
}
