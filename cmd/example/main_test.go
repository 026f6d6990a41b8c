package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// binary is Keyport, and example this program, each built once for all tests.
var binary, example string

func TestMain(m *testing.M) {
	clean, err := build()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := clean(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

func build() (clean func() error, err error) {
	var remove func() error
	if binary, remove, err = process.Build(context.Background()); err != nil {
		return nil, err
	}
	example = filepath.Join(filepath.Dir(binary), "example")
	if out, err := exec.Command("go", "build", "-o", example, ".").CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("go build: %w\n%s", err, out), remove())
	}
	return remove, nil
}

// A master is the example in a process of its own.
type master struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	client *process.Client
	exit   chan error // gets how it ended
}

// start starts the example, and ends it with the test.
func start(t *testing.T, env ...string) *master {
	t.Helper()
	m := &master{t: t, cmd: exec.Command(example), exit: make(chan error, 1)}
	m.cmd.Env = append(os.Environ(), env...)
	log, err := m.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr := make(chan string, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(addr)
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			if _, at, ok := strings.Cut(lines.Text(), "serving addr="); ok {
				addr <- at
				break
			}
		}
		_, _ = io.Copy(io.Discard, log)
		m.exit <- m.cmd.Wait()
	}()
	t.Cleanup(func() {
		if err := m.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		<-ended
	})
	m.url = "http://" + <-addr
	m.client = process.NewClient(m.url)
	t.Cleanup(m.client.Close)
	return m
}

// becomes waits until the example answers a request for the berths with the status.
func (m *master) becomes(status int, token string) process.Answer {
	m.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for give := time.Now().Add(time.Minute); ; <-tick.C {
		a, err := m.client.Send(m.t.Context(), process.Request{Method: http.MethodGet, Path: "/berths", Token: token})
		if err == nil && a.Status == status {
			return a
		}
		if time.Now().After(give) {
			m.t.Fatalf("it is still %v, %v; want %d", a, err, status)
		}
	}
}

func TestTheHarbourMasterAsksForATokenThatIsStillGood(t *testing.T) {
	h := newHarbour(t)
	m := start(t, "HARBOUR_ADDR=127.0.0.1:0", "HARBOUR_KEYPORT="+h.URL, "HARBOUR_KEY="+h.key("tokens:introspect").Secret)
	id := h.signUp("ada")
	ada := h.signIn("ada", password)
	if a := m.becomes(200, ada.AccessToken); string(a.Body) != "Account "+id+" may moor at berth 7.\n" {
		t.Errorf("it says %q", a.Body)
	}
	if a := m.becomes(401, ""); !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer ") {
		t.Errorf("a stranger is asked for %q", a.Header.Get("WWW-Authenticate"))
	}
	if err := h.client.SignOut(t.Context(), ada.AccessToken); err != nil {
		t.Fatal(err)
	}
	m.becomes(401, ada.AccessToken)
	m.becomes(200, h.signIn("ada", password).AccessToken)
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-m.exit; err != nil {
		t.Errorf("asked to end, it ended with %v", err)
	}
}

func TestTheHarbourMasterDoesNotServeWithoutTheRight(t *testing.T) {
	h := newHarbour(t)
	for name, env := range map[string][]string{
		"no settings":                   {"HARBOUR_KEYPORT=", "HARBOUR_KEY="},
		"an access key of another kind": {"HARBOUR_KEYPORT=" + h.URL, "HARBOUR_KEY=" + h.key("account:read").Secret},
	} {
		m := start(t, append(env, "HARBOUR_ADDR=127.0.0.1:0")...)
		if exit, ok := errors.AsType[*exec.ExitError](<-m.exit); !ok || exit.ExitCode() != 1 {
			t.Errorf("with %s it ended with %v, want code 1", name, exit)
		}
	}
}
