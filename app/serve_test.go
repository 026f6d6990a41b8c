package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/app"
)

// A running is Keyport in this process, on ports of its own.
type running struct {
	url, ops string
	stop     context.CancelFunc
	done     chan error
}

// run starts serve on a new database, and returns when it serves. TestMain looks
// for what it leaves behind.
func run(t *testing.T) *running {
	t.Helper()
	return runWith(t, filepath.Join(t.TempDir(), "keyport.db"), io.Discard, "serve")
}

// runWith is run with a database, a place for answers and arguments.
func runWith(t *testing.T, database string, out io.Writer, args ...string) *running {
	t.Helper()
	t.Setenv("KEYPORT_HTTP_ADDR", "127.0.0.1:0")
	t.Setenv("KEYPORT_OPS_ADDR", "127.0.0.1:0")
	t.Setenv("KEYPORT_LOG_FORMAT", "json")
	t.Setenv("KEYPORT_DATABASE_URL", "sqlite:"+database)
	ctx, stop := context.WithCancel(t.Context())
	log, lines := io.Pipe()
	r := &running{stop: stop, done: make(chan error, 1)}
	go func() {
		err := app.Run(ctx, args, app.Streams{In: strings.NewReader(""), Out: out, Err: lines})
		_ = lines.CloseWithError(io.EOF)
		r.done <- err
	}()
	told := bufio.NewScanner(log)
	for told.Scan() {
		var line struct{ Msg, URL, Ops string }
		if err := json.Unmarshal(told.Bytes(), &line); err == nil && line.Msg == "serving" {
			r.url, r.ops = line.URL, "http://"+line.Ops
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	if r.url == "" {
		t.Fatal(<-r.done)
	}
	return r
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(body)
}

func TestServeAnswersOnBothListenersAndStops(t *testing.T) {
	r := run(t)
	for path, want := range map[string]string{"/livez": "live", "/readyz": "ready", "/openapi.json": `"openapi":"3.1.0"`, "/docs": "/v1/sessions", "/.well-known/jwks.json": `"crv":"P-256"`} {
		if status, body := get(t, r.url+path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
	_, figures := get(t, r.ops+"/metrics")
	for _, want := range []string{
		`keyport_http_requests_total{method="GET",route="/livez",status="200"} 1`, "keyport_hashes_running 0", "keyport_sqlite_groups_total", "keyport_build_info",
		"keyport_token_signatures_total", "go_goroutines",
	} {
		if !strings.Contains(figures, want) {
			t.Errorf("%q is no metric of:\n%s", want, figures)
		}
	}
	if status, _ := get(t, r.url+"/metrics"); status != 404 {
		t.Errorf("the public listener answers %d on /metrics", status)
	}
	r.stop()
	if err := <-r.done; err != nil {
		t.Error(err)
	}
	if _, err := http.Get(r.url + "/livez"); err == nil {
		t.Error("it answers after the end")
	}
}

// A request whose body is still on its way when the end comes gets its answer.
func TestServeDrains(t *testing.T) {
	r := run(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const body = `{"login":"ada","password":"fifteen characters"}`
	if _, err := io.WriteString(conn, "POST /v1/sessions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatal(line, err) // now the handler has begun to read
	}
	r.stop()
	for { // until it listens no more, which is when draining has begun
		c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			break
		}
		_ = c.Close()
	}
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	if _, err := answers.ReadString('\n'); err != nil { // the empty line behind 100
		t.Fatal(err)
	}
	if line, err := answers.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 401") {
		t.Errorf("the answer is %q, %v", line, err)
	}
	if err := <-r.done; err != nil {
		t.Error(err)
	}
}

// The demo prints a password when it makes the account, and afterwards the command
// for another: one that leads to the database that is served.
func TestTheDemoTellsHowToGetIn(t *testing.T) {
	database := filepath.Join(t.TempDir(), "mine.db")
	for _, want := range []string{"administrator  admin, password ", "administrator  admin; a new password: go run ./cmd/keyport admin password admin\n"} {
		var told strings.Builder
		r := runWith(t, database, &told, "serve", "--demo", "--dir", filepath.Join(t.TempDir(), "unused"))
		if status, body := get(t, r.url+"/v1/collections/ships/records?limit=200"); status != 200 || strings.Count(body, `"data"`) != 15 {
			t.Errorf("the demo's ships: %d %.200s", status, body)
		}
		r.stop()
		if err := <-r.done; err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(told.String(), want) || strings.Contains(told.String(), "unused") {
			t.Errorf("%q is not told, or a folder that is not used is, in:\n%s", want, &told)
		}
	}
}
