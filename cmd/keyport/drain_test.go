package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// A line is a connection to Keyport that is written to by hand.
type line struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, at string) *line {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(at, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &line{t, conn, bufio.NewReader(conn)}
}

func (l *line) send(text string) {
	l.t.Helper()
	if _, err := io.WriteString(l, text); err != nil {
		l.t.Fatal(err)
	}
}

// answer reads the head of an answer.
func (l *line) answer() *http.Response {
	l.t.Helper()
	a, err := http.ReadResponse(l.in, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return a
}

// whole reads an answer to its end.
func (l *line) whole() (*http.Response, string) {
	l.t.Helper()
	a := l.answer()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return a, string(body)
}

const getLive = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

// term tells the process to end, and returns when /readyz says so.
func term(t *testing.T, k *process.Keyport) string {
	t.Helper()
	signal(t, k)
	c := k.Client()
	defer c.Close()
	for {
		a, err := c.Send(t.Context(), process.Request{Method: http.MethodGet, Path: "/readyz"})
		if err != nil {
			t.Fatal(err)
		}
		if a.Status == http.StatusServiceUnavailable {
			return string(a.Body)
		}
	}
}

func signal(t *testing.T, k *process.Keyport) {
	t.Helper()
	if err := syscall.Kill(k.Pid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end, which is to be a good one.
func ends(t *testing.T, k *process.Keyport) {
	t.Helper()
	<-k.Exited()
	if code, err := k.Stop(); code != 0 || err != nil { // it has gone already
		t.Errorf("it ended with %d, %v:\n%s", code, err, k.Log())
	}
}

func TestDuringTheDelayEachListenerServesAndAsksItsClientsToComeBackElsewhere(t *testing.T) {
	k := start(t, []string{"KEYPORT_DRAIN_DELAY=5s", "KEYPORT_DIALECTS=fleet=127.0.0.1:0"}, "serve", "--demo")
	lines := map[string]*line{}
	for name, at := range map[string]string{"the public listener": k.URL, "an older API's": k.Older["fleet"]} {
		l := dial(t, at)
		l.send(getLive)
		if a, _ := l.whole(); a.Close {
			t.Errorf("%s closes connections when nobody has asked it to", name)
		}
		lines[name] = l
	}
	told := term(t, k)
	if !strings.Contains(told, `"serving","ok":false`) {
		t.Errorf("/readyz gives no reason: %s", told)
	}
	for name, l := range lines {
		l.send(getLive) // on the connection that was there before
		if a, _ := l.whole(); !a.Close || a.StatusCode >= 500 {
			t.Errorf("%s answers %d, and Connection: close is %t", name, a.StatusCode, a.Close)
		}
		if _, err := l.in.ReadByte(); err != io.EOF {
			t.Errorf("%s leaves the connection open: %v", name, err)
		}
	}
	v := visit(t, k) // on a new one
	v.want(201, "POST", "/v1/accounts", map[string]string{"username": "ada", "password": "correct horse battery staple"}, nil)
	live, err := v.Send(t.Context(), process.Request{Method: http.MethodGet, Path: "/livez"})
	if err != nil || live.Status != http.StatusOK {
		t.Errorf("/livez: %s, %v", live, err)
	}
	ends(t, k)
}

// Streams are told when nobody can come back here any more. A request that has not been
// read by then is not answered: the delay is for it to be.
func TestWhoWaitsIsToldToComeAgainElsewhere(t *testing.T) {
	k := start(t, []string{"KEYPORT_DRAIN_DELAY=1s"}, "serve", "--demo")
	c := k.Client()
	defer c.Close()
	admin, err := c.SignIn(t.Context(), "admin", k.AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	stream, poll := dial(t, k.URL), dial(t, k.URL)
	stream.send("GET /v1/collections/ships/records:watch HTTP/1.1\r\nHost: x\r\n\r\n")
	events := stream.answer()
	if events.StatusCode != http.StatusOK {
		t.Fatal(events.Status)
	}
	var feed struct{ Next string }
	err = c.Want(t.Context(), http.StatusOK, process.Request{Method: http.MethodGet, Path: "/v1/revocations", Token: admin.AccessToken}, &feed)
	if err != nil {
		t.Fatal(err)
	}
	poll.send(fmt.Sprintf("GET /v1/revocations?wait=25&cursor=%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", feed.Next, admin.AccessToken))
	signal(t, k)
	if body, err := io.ReadAll(events.Body); err != nil || !strings.HasPrefix(string(body), "retry: ") || !strings.HasSuffix(string(body), "event: end\ndata: {\"code\":\"reconnect\"}\n\n") {
		t.Errorf("the stream ends with %v after %q", err, body)
	}
	a, body := poll.whole()
	if a.StatusCode != http.StatusOK || !a.Close || !json.Valid([]byte(body)) {
		t.Errorf("who waits for revocations gets %d, Connection: close %t, %s", a.StatusCode, a.Close, body)
	}
	ends(t, k)
}

// Nobody holds up the end for longer than the grace, which is long here only for the
// first: clients that are stuck, on any listener, and another signal.
func TestADrainEndsWithinItsGraceWith0WhateverClientsDo(t *testing.T) {
	k := start(t, []string{"KEYPORT_DRAIN_GRACE=1s", "KEYPORT_DIALECTS=fleet=127.0.0.1:0"}, "serve", "--demo")
	half := "HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
	stuck := dial(t, k.URL) // has sent half a body
	stuck.send("POST /v1/sessions " + half)
	if a := stuck.answer(); a.StatusCode != http.StatusContinue {
		t.Fatal(a.Status)
	}
	stuck.send(`{"login":`)
	older := dial(t, k.Older["fleet"])
	older.send("POST /api/login " + half + `{"user`)
	reader := dial(t, k.URL) // reads nothing of what it has asked for, again and again
	reader.send(strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 300))
	idle := dial(t, k.URL)
	idle.send(getLive)
	_, _ = idle.whole()
	dial(t, k.URL).send("GET /livez HT") // half a head
	dial(t, k.URL)                       // and nothing at all
	profile := dial(t, k.OpsURL)
	profile.send("GET /debug/pprof/profile?seconds=60 HTTP/1.1\r\nHost: x\r\n\r\n")

	signal(t, k)
	if _, err := idle.in.ReadByte(); err != io.EOF {
		t.Errorf("a connection on which nothing happens is not closed: %v", err)
	}
	// The rest is open still, and the last figures can be read.
	ops := k.Ops()
	defer ops.Close()
	if a, err := ops.Send(t.Context(), process.Request{Method: http.MethodGet, Path: "/metrics"}); err != nil || a.Status != http.StatusOK {
		t.Errorf("the private listener: %d, %v", a.Status, err)
	}
	signal(t, k)
	ends(t, k)
	if !strings.Contains(k.Log(), "still open are broken off") {
		t.Errorf("the log does not say that requests were broken off:\n%s", k.Log())
	}
}

// A request whose answer takes as long as it takes is not broken off within the grace.
func TestWhatIsOpenWhenTheListenerClosesGetsItsAnswer(t *testing.T) {
	k := start(t, nil, "serve", "--demo")
	l := dial(t, k.URL)
	body := `{"login":"nobody","password":"correct horse battery staple"}`
	l.send("POST /v1/sessions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n")
	if a := l.answer(); a.StatusCode != http.StatusContinue {
		t.Fatal(a.Status)
	}
	signal(t, k)
	for closed := false; !closed; { // until the listener has closed
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(k.URL, "http://"), time.Second)
		if closed = err != nil; !closed {
			_ = c.Close()
		}
	}
	l.send(body)
	if a, text := l.whole(); a.StatusCode != http.StatusUnauthorized || !a.Close {
		t.Errorf("%d %s, Connection: close %t", a.StatusCode, text, a.Close)
	}
	ends(t, k)
}
