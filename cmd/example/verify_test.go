package main_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/verify"
	"github.com/keyport-go/keyport/cmd/internal/process"
	"github.com/keyport-go/keyport/domain"
)

// These tests run a Verifier beside Keyport itself, over the network. Those of its
// own package have a Keyport that can be made to fail.

const password = "fifteen characters"

// A harbour is a Keyport in a process of its own, with an administrator, and an
// account called harbour that may hear the feed.
type harbour struct {
	t   *testing.T
	env []string
	*process.Keyport
	client *process.Client
	root   process.Grant
	person process.Grant // harbour's
}

func newHarbour(t *testing.T) *harbour {
	t.Helper()
	h := &harbour{t: t, env: []string{"KEYPORT_DATABASE_URL=sqlite:" + t.TempDir() + "/keyport.db", "KEYPORT_REVOCATION_MAX=2s"}}
	_, made, _ := strings.Cut(h.command("admin", "create", "root"), "password ")
	h.start()
	h.root = h.signIn("root", strings.TrimSpace(made))
	h.promote(h.signUp("harbour"), "introspect")
	h.person = h.signIn("harbour", password)
	return h
}

// command runs a command of Keyport's beside what serves, and returns what it
// printed.
func (h *harbour) command(args ...string) string {
	h.t.Helper()
	c := exec.CommandContext(h.t.Context(), binary, args...)
	c.Env = append(os.Environ(), h.env...)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		h.t.Fatalf("keyport %s: %v\n%s", strings.Join(args, " "), err, &said)
	}
	return string(out)
}

// start starts Keyport, where it was before if it was. It ends with the test.
func (h *harbour) start() {
	h.t.Helper()
	env := h.env
	if h.Keyport != nil {
		env = append(slices.Clone(env), "KEYPORT_HTTP_ADDR="+strings.TrimPrefix(h.URL, "http://"))
	}
	k, err := process.Start(h.t.Context(), process.Options{Binary: binary, Args: []string{"serve"}, Env: env, Dir: h.t.TempDir()})
	if err != nil {
		h.t.Fatal(err)
	}
	h.Keyport, h.client = k, k.Client()
	h.t.Cleanup(func() {
		h.client.Close()
		if err := k.Kill(); err != nil {
			h.t.Error(err)
		}
	})
}

func (h *harbour) want(status int, method, path, token string, body, into any) {
	h.t.Helper()
	if err := h.client.Want(h.t.Context(), status, process.Request{Method: method, Path: path, Token: token, Body: body}, into); err != nil {
		h.t.Fatal(err)
	}
}

// signUp opens an account and returns its id.
func (h *harbour) signUp(username string) string {
	h.t.Helper()
	var account struct{ ID string }
	h.want(201, "POST", "/v1/accounts", "", map[string]string{"username": username, "password": password}, &account)
	return account.ID
}

func (h *harbour) signIn(login, password string) process.Grant {
	h.t.Helper()
	g, err := h.client.SignIn(h.t.Context(), login, password)
	if err != nil {
		h.t.Fatal(err)
	}
	return g
}

func (h *harbour) promote(account string, roles ...string) {
	h.t.Helper()
	h.want(200, "PATCH", "/v1/accounts/"+account, h.root.AccessToken, map[string]any{"roles": roles}, nil)
}

// A madeKey is an access key as it is told once.
type madeKey struct{ ID, Secret string }

// key makes harbour an access key.
func (h *harbour) key(scopes ...string) (k madeKey) {
	h.t.Helper()
	h.want(201, "POST", "/v1/me/keys", h.person.AccessToken, map[string]any{"name": "berths", "scopes": scopes}, &k)
	return k
}

// A post is a Verifier that runs.
type post struct {
	*verify.Verifier
	t   *testing.T
	log *journal
	end <-chan error // gets what Run returns
}

// guard runs a Verifier with the access key, and ends it with the test.
func (h *harbour) guard(k madeKey) *post {
	h.t.Helper()
	log := new(journal)
	v, err := verify.New(verify.Config{Issuer: h.URL, Key: domain.NewSecret(k.Secret), Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(h.t.Context())
	end, ended := make(chan error, 1), make(chan struct{})
	go func() {
		end <- v.Run(ctx)
		close(ended)
	}()
	h.t.Cleanup(func() { stop(); <-ended })
	return &post{v, h.t, log, end}
}

// becomes waits until the token is judged as want, which may be nil.
func (p *post) becomes(token string, want error) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for give := time.Now().Add(time.Minute); ; <-tick.C {
		_, err := p.Verify(p.t.Context(), token)
		if errors.Is(err, want) {
			return
		}
		if time.Now().After(give) {
			p.t.Fatalf("it is still %v, want %v; %+v\n%s", err, want, p.State(), p.log)
		}
	}
}

func TestASignOutIsHeard(t *testing.T) {
	h := newHarbour(t)
	p := h.guard(h.key("tokens:introspect"))
	id := h.signUp("ada")
	left, stays := h.signIn("ada", password), h.signIn("ada", password)
	p.becomes(left.AccessToken, nil)
	claims, err := p.Verify(t.Context(), left.AccessToken)
	if err != nil || string(claims.Subject) != id || string(claims.Session) != left.Session {
		t.Errorf("it reads %+v, %v; ada is %s, in session %s", claims, err, id, left.Session)
	}
	if err := h.client.SignOut(t.Context(), left.AccessToken); err != nil {
		t.Fatal(err)
	}
	p.becomes(left.AccessToken, domain.ErrInvalidToken)
	p.becomes(stays.AccessToken, nil)
	if s := p.State(); s.RevocationMax != 2*time.Second || s.Keys == 0 || s.Changes == 0 {
		t.Errorf("it stands at %+v", s)
	}
	// Who begins later hears it too.
	late := h.guard(h.key("tokens:introspect"))
	late.becomes(stays.AccessToken, nil)
	late.becomes(left.AccessToken, domain.ErrInvalidToken)
}

func TestNewRolesAreHeard(t *testing.T) {
	h := newHarbour(t)
	p := h.guard(h.key("tokens:introspect"))
	id := h.signUp("ada")
	before := h.signIn("ada", password)
	p.becomes(before.AccessToken, nil)
	h.promote(id, "pilot")
	p.becomes(before.AccessToken, domain.ErrInvalidToken)
	after, err := h.client.Refresh(t.Context(), before.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	p.becomes(after.AccessToken, nil)
	claims, err := p.Verify(t.Context(), after.AccessToken)
	if err != nil || !slices.Equal(claims.Roles, []domain.Role{"pilot"}) {
		t.Errorf("the roles are %v, %v", claims.Roles, err)
	}
	h.want(200, "PATCH", "/v1/accounts/"+id, h.root.AccessToken, map[string]string{"status": "suspended"}, nil)
	p.becomes(after.AccessToken, domain.ErrInvalidToken)
}

func TestAKeyportThatStandsStillIsNotBelieved(t *testing.T) {
	h := newHarbour(t)
	p := h.guard(h.key("tokens:introspect"))
	ada := h.signIn("harbour", password)
	p.becomes(ada.AccessToken, nil)
	signal := func(s syscall.Signal) {
		if err := syscall.Kill(h.Pid(), s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	p.becomes(ada.AccessToken, domain.ErrUnavailable)
	signal(syscall.SIGCONT)
	p.becomes(ada.AccessToken, nil)
	if err := h.client.SignOut(t.Context(), ada.AccessToken); err != nil {
		t.Fatal(err)
	}
	p.becomes(ada.AccessToken, domain.ErrInvalidToken)
}

func TestAKeyportThatDiesIsFoundAgain(t *testing.T) {
	h := newHarbour(t)
	p := h.guard(h.key("tokens:introspect"))
	stays, leaves := h.signIn("harbour", password), h.signIn("harbour", password)
	p.becomes(stays.AccessToken, nil)
	p.becomes(leaves.AccessToken, nil)
	if err := h.client.SignOut(t.Context(), leaves.AccessToken); err != nil {
		t.Fatal(err)
	}
	if err := h.Kill(); err != nil {
		t.Fatal(err)
	}
	p.becomes(stays.AccessToken, domain.ErrUnavailable)
	h.start()
	p.becomes(stays.AccessToken, nil)
	p.becomes(leaves.AccessToken, domain.ErrInvalidToken)
	// A moment later the log is told of the end of it.
	for give := time.Now().Add(time.Minute); !strings.Contains(p.log.String(), "can be had from Keyport again"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(give) {
			t.Fatalf("the log was told:\n%s", p.log)
		}
	}
	if log := p.log.String(); !strings.Contains(log, "cannot be had") || strings.Contains(log, "kpk_") {
		t.Errorf("the log was told:\n%s", log)
	}
}

func TestAKeyThatIsRetiredIsHeard(t *testing.T) {
	h := newHarbour(t)
	p := h.guard(h.key("tokens:introspect"))
	before := h.signIn("harbour", password)
	p.becomes(before.AccessToken, nil)
	h.command("keys", "retire", keyOf(t, before.AccessToken))
	p.becomes(before.AccessToken, domain.ErrInvalidToken)
	// Keyport, too, hears of it a moment later.
	for give := time.Now().Add(time.Minute); ; {
		after := h.signIn("harbour", password)
		if keyOf(t, after.AccessToken) != keyOf(t, before.AccessToken) {
			p.becomes(after.AccessToken, nil)
			break
		}
		if time.Now().After(give) {
			t.Fatal("Keyport still signs with a key that was retired")
		}
	}
	p.becomes(before.AccessToken, domain.ErrInvalidToken)
}

// keyOf returns the key that a token names.
func keyOf(t *testing.T, token string) string {
	t.Helper()
	first, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(first)
	var head struct{ Kid string }
	if err != nil || json.Unmarshal(text, &head) != nil || head.Kid == "" {
		t.Fatalf("a token with the header %q, %v", text, err)
	}
	return head.Kid
}

func TestAnAccessKeyThatMayNotOrMayNoMoreEndsTheRun(t *testing.T) {
	h := newHarbour(t)
	never, _ := domain.NewAccessKeyText("0198c0de-0000-7000-8000-0000000000cc", [32]byte{1, 2, 3})
	for name, k := range map[string]madeKey{
		"one without the scope": h.key("account:read"),
		"one that never was":    {Secret: never.Reveal()},
	} {
		p := h.guard(k)
		if err := <-p.end; !errors.Is(err, verify.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	k := h.key("tokens:introspect")
	p := h.guard(k)
	p.becomes(h.person.AccessToken, nil)
	h.want(204, "DELETE", "/v1/me/keys/"+k.ID, h.person.AccessToken, nil, nil)
	if err := <-p.end; !errors.Is(err, verify.ErrRefused) || strings.Contains(err.Error(), k.Secret) {
		t.Errorf("its key has ended, and it with %v", err)
	}
	p.becomes(h.person.AccessToken, domain.ErrUnavailable)
}

// A journal is a log that can be read meanwhile.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
