package main_test

import (
	"context"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A pageServer shows one page of testdata/browser, and hears what it says.
type pageServer struct {
	*httptest.Server
	about struct{ Keyport, Next string } // what the page is told
}

func newPageServer(t *testing.T, page string, hear func(said string)) *pageServer {
	t.Helper()
	text, err := template.ParseFiles(filepath.Join("testdata", "browser", page))
	if err != nil {
		t.Fatal(err)
	}
	s := new(pageServer)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		if err := text.Execute(w, s.about); err != nil {
			hear("fault: " + err.Error())
		}
	})
	mux.HandleFunc("POST /said", func(_ http.ResponseWriter, r *http.Request) {
		said, err := io.ReadAll(io.LimitReader(r.Body, 1<<10))
		if err != nil {
			said = []byte("fault: " + err.Error())
		}
		hear(string(said))
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// TestChromium has a page of a listed origin sign in, load anew, and sign out.
// Between, pages of two other origins try what they can: one is of the same site,
// so that its requests carry the cookie; the other is not.
func TestChromium(t *testing.T) {
	heard := make(chan string, 64) // more than all pages say
	hear := func(who string) func(string) {
		return func(said string) { heard <- who + ": " + said }
	}
	listed := newPageServer(t, "listed.html", hear("listed"))
	sameSite := newPageServer(t, "unlisted.html", hear("same site"))
	elsewhere := newPageServer(t, "unlisted.html", hear("another site"))
	k := start(t, []string{"KEYPORT_CORS_ORIGINS=" + listed.URL}, "serve")
	listed.about.Next = sameSite.URL
	sameSite.about.Next = strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
	elsewhere.about.Next = listed.URL
	for _, s := range []*pageServer{listed, sameSite, elsewhere} {
		s.about.Keyport = k.URL
	}
	visit(t, k).want(201, "POST", "/v1/accounts", map[string]string{"username": "ada", "password": "fifteen characters"}, nil)

	log := chromium(t, listed.URL)
	want := []string{
		"listed: sign in: 201",
		"listed: scripts see: nothing",
		"listed: without a token: 401",
		"listed: refresh: 200",
		"listed: with a token: 200",
	}
	for _, who := range []string{"same site: ", "another site: "} {
		for _, said := range []string{"sign in: refused", "refresh: refused", "refresh, blindly: unseen", "revoke: refused", "revoke, blindly: unseen", "sign out: refused"} {
			want = append(want, who+said)
		}
	}
	want = append(want, "listed: refresh: 200", "listed: sign out: 204", "listed: refresh: 400", "listed: end")
	var got []string
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(got) < len(want) {
		select {
		case said := <-heard:
			got = append(got, said)
			if strings.Contains(said, ": fault: ") {
				t.Fatalf("%v", got)
			}
		case <-ctx.Done():
			text, err := os.ReadFile(log)
			t.Fatalf("no more is said than %q: %v\n%s%v", got, ctx.Err(), text, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// chromium opens a page in Chromium, with nothing of any user's, and ends it with
// the test. It returns the file of its log.
func chromium(t *testing.T, page string) (log string) {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatal("there is no Chromium here; type: make chromium")
	}
	home := t.TempDir()
	out, err := os.Create(filepath.Join(home, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	c := exec.CommandContext(ctx, "chromium",
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-proxy-server", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-breakpad",
		"--user-data-dir="+filepath.Join(home, "profile"), page)
	c.Env = append(os.Environ(), "HOME="+home)
	c.Stdout, c.Stderr = out, out
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) } // it ends its own processes
	c.WaitDelay = 20 * time.Second
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := c.Wait(); errors.Is(err, exec.ErrWaitDelay) {
			t.Error("Chromium did not end after SIGTERM")
		}
	})
	return out.Name()
}
