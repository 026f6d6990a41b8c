package app_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/app"
)

func TestHealthSaysWhatReadyzSays(t *testing.T) {
	status := http.StatusOK
	keyport := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("it asks %s", r.URL.Path)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "the reasons\n")
	}))
	defer keyport.Close()
	addr := keyport.Listener.Addr().String()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEYPORT_PUBLIC_URL", "https://keyport.example.com")
	for _, listener := range []string{addr, ":" + port, "0.0.0.0:" + port, "[::]:" + port} {
		t.Setenv("KEYPORT_HTTP_ADDR", listener)
		for _, c := range []struct {
			status int
			fault  string // "" for none
		}{{http.StatusOK, ""}, {http.StatusServiceUnavailable, "503"}, {http.StatusNotFound, "404"}} {
			status = c.status
			var out bytes.Buffer
			err := app.Run(t.Context(), []string{"health"}, app.Streams{Out: &out, Err: io.Discard})
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) || out.String() != "the reasons\n" {
				t.Errorf("%s answers %d: %q, %v", listener, c.status, &out, err)
			}
		}
	}
	keyport.Close()
	if err := app.Run(t.Context(), []string{"health"}, app.Streams{Out: io.Discard, Err: io.Discard}); err == nil {
		t.Error("nobody listens, and that is healthy")
	}
	t.Setenv("KEYPORT_HTTP_ADDR", "127.0.0.1:0")
	if err := app.Run(t.Context(), []string{"health"}, app.Streams{Out: io.Discard, Err: io.Discard}); err == nil || !strings.Contains(err.Error(), "KEYPORT_HTTP_ADDR") {
		t.Error(err)
	}
}
