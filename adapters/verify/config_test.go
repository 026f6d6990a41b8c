package verify_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/verify"
	"github.com/keyport-go/keyport/domain"
)

func TestAConfigurationIsRefused(t *testing.T) {
	good := verify.Config{Issuer: issuer, Key: accessKey}
	for _, test := range []struct {
		name   string
		change func(*verify.Config)
		want   string
	}{
		{"without an issuer", func(c *verify.Config) { c.Issuer = "" }, "Issuer"},
		{"with an issuer without a scheme", func(c *verify.Config) { c.Issuer = "keyport.example" }, "Issuer"},
		{"with an issuer of another scheme", func(c *verify.Config) { c.Issuer = "ftp://keyport.example" }, "https"},
		{"with an issuer that others can overhear", func(c *verify.Config) { c.Issuer = "http://keyport.example" }, "https"},
		{"with an issuer that only looks local", func(c *verify.Config) { c.Issuer = "http://localhost.example" }, "https"},
		{"with an issuer with a slash", func(c *verify.Config) { c.Issuer = "https://keyport.example/" }, "no more"},
		{"with an issuer with a query", func(c *verify.Config) { c.Issuer = "https://keyport.example?x" }, "no more"},
		{"with an issuer with a password", func(c *verify.Config) { c.Issuer = "https://ada:x@keyport.example" }, "no more"},
		{"with an issuer that is no URL", func(c *verify.Config) { c.Issuer = "https://key port\x00" }, "Issuer"},
		{"without an access key", func(c *verify.Config) { c.Key = domain.Secret{} }, "Key"},
		{"with an access token for the access key", func(c *verify.Config) { c.Key = domain.NewSecret("eyJhbGciOiJFUzI1NiJ9.e30.AAAA") }, "Key"},
		{"with an access key with a line's end", func(c *verify.Config) { c.Key = domain.NewSecret(accessKey.Reveal() + "\n") }, "Key"},
		{"with a bound below nothing", func(c *verify.Config) { c.RevocationMax = -1 }, "RevocationMax"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := good
			test.change(&c)
			_, err := verify.New(c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want a word on %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "kpk_AZ") {
				t.Errorf("it tells the key: %v", err)
			}
		})
	}
	for _, local := range []string{"http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost:8080", "https://keyport.example:8443"} {
		if _, err := verify.New(verify.Config{Issuer: local, Key: accessKey}); err != nil {
			t.Errorf("%s: %v", local, err)
		}
	}
	_, err := verify.New(verify.Config{RevocationMax: -1})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("three faults at once: %v", err)
	}
}

// The client that is made where none is given follows no redirect to another host,
// and so takes no document and no key from there.
func TestAnotherHostIsNotAsked(t *testing.T) {
	asked := make(chan string, 100)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer other.Close()
	redirected := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusFound)
		redirected <- struct{}{}
	}))
	defer server.Close()
	run(t, verify.Config{Issuer: server.URL, Key: accessKey})
	<-redirected
	<-redirected // it has been tried again
	select {
	case path := <-asked:
		t.Errorf("another host was asked for %s", path)
	default:
	}
}

// The same client stays with a host that moves its documents, but not for ever.
func TestARedirectToTheSameHostIsFollowed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case metadataAt:
			http.Redirect(w, r, "/moved", http.StatusFound)
		case "/moved":
			write(w, map[string]any{"issuer": "https://another.example"})
		}
	}))
	defer server.Close()
	p := run(t, verify.Config{Issuer: server.URL, Key: accessKey})
	err := <-p.end
	p.end <- nil
	if !errors.Is(err, verify.ErrIssuer) {
		t.Errorf("it ended with %v, want what the metadata say where they have moved", err)
	}
}
