package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

const (
	listed     = "https://app.example" // an origin that the operator has listed
	unlisted   = "https://evil.example"
	refreshing = "grant_type=refresh_token"
)

// A site is Keyport behind a proxy that speaks TLS, as browsers meet it.
type site struct {
	url       string
	transport http.RoundTripper
}

func newSite(t *testing.T, env []string) site {
	t.Helper()
	var behind *httputil.ReverseProxy
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { behind.ServeHTTP(w, r) }))
	t.Cleanup(proxy.Close)
	k := start(t, append(env, "KEYPORT_PUBLIC_URL="+proxy.URL, "KEYPORT_CORS_ORIGINS="+listed), "serve")
	target, err := url.Parse(k.URL)
	if err != nil {
		t.Fatal(err)
	}
	behind = httputil.NewSingleHostReverseProxy(target)
	return site{proxy.URL, proxy.Client().Transport}
}

// A browser keeps cookies, and shows pages of one origin.
type browser struct {
	site
	t      *testing.T
	client *http.Client
	page   string // the origin; "" for what tells none
	token  string // in the memory of the page
}

func (s site) browser(t *testing.T, page string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{s, t, &http.Client{Jar: jar, Transport: s.transport}, page, ""}
}

// tab returns another page of the same browser's. It has the cookies, and nothing
// else.
func (b *browser) tab(page string) *browser { return &browser{b.site, b.t, b.client, page, ""} }

// An outcome is what a page learns, and what its browser is told.
type outcome struct {
	status int
	header http.Header
	body   map[string]any
	set    []*http.Cookie
}

// send sends JSON where the body begins so, and a form else. It may be called at
// once by several tabs.
func (b *browser) send(method, path, body string) outcome {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Error(err)
		return outcome{}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	if b.page != "" {
		r.Header.Set("Origin", b.page)
	}
	if b.token != "" {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Error(err)
		return outcome{}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Error(err)
	}
	o := outcome{status: answer.StatusCode, header: answer.Header, set: answer.Cookies()}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &o.body); err != nil {
			b.t.Errorf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return o
}

// want is send, and an error unless the answer has the status.
func (b *browser) want(status int, method, path, body string) outcome {
	b.t.Helper()
	o := b.send(method, path, body)
	if o.status != status {
		b.t.Errorf("%s %s of %q: %d %v, want %d", method, path, b.page, o.status, o.body, status)
	}
	return o
}

// learn keeps the access token of a grant, which must hold no refresh token.
func (b *browser) learn(o outcome) {
	b.t.Helper()
	if _, told := o.body["refresh_token"]; told {
		b.t.Error("the page is told the refresh token")
	}
	b.token, _ = o.body["access_token"].(string)
}

func (b *browser) signIn() outcome {
	b.t.Helper()
	o := b.want(201, "POST", "/v1/sessions", `{"login":"ada","password":"fifteen characters","transport":"cookie"}`)
	b.learn(o)
	return o
}

func (b *browser) refresh() outcome {
	b.t.Helper()
	o := b.want(200, "POST", "/v1/token", refreshing)
	b.learn(o)
	return o
}

// cookie returns what the browser would send to the site, "" for none.
func (b *browser) cookie() string {
	b.t.Helper()
	at, err := url.Parse(b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	var held []string
	for _, c := range b.client.Jar.Cookies(at) {
		held = append(held, c.String())
	}
	return strings.Join(held, "; ")
}

// TestCookies is a page that is never told its refresh token, in a browser that
// keeps it.
func TestCookies(t *testing.T) {
	t.Run("on SQLite", func(t *testing.T) { cookies(t, nil) })
	t.Run("on PostgreSQL", func(t *testing.T) {
		cookies(t, []string{"KEYPORT_DATABASE_URL=" + pgtest.Database(t, nil), "KEYPORT_MASTER_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"})
	})
}

func cookies(t *testing.T, env []string) {
	s := newSite(t, env)
	s.browser(t, "").want(201, "POST", "/v1/accounts", `{"username":"ada","password":"fifteen characters"}`)

	t.Run("it is for the browser alone, and lasts as long as its session", func(t *testing.T) {
		b := s.browser(t, s.url)
		set := b.signIn().set
		if len(set) != 1 {
			t.Fatalf("it sets %v", set)
		}
		c := set[0]
		if c.Name != "__Host-keyport" || !strings.HasPrefix(c.Value, "kpr_") || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("it sets %v", c)
		}
		items, _ := b.want(200, "GET", "/v1/sessions", "").body["items"].([]any)
		for _, item := range items {
			ends, err := time.Parse(time.RFC3339Nano, item.(map[string]any)["ends_at"].(string))
			if err != nil || !c.Expires.Equal(ends.Truncate(time.Second)) {
				t.Errorf("it ends at %v, and the session at %v, %v", c.Expires, ends, err)
			}
		}
		if len(items) != 1 {
			t.Errorf("the sessions are %v", items)
		}
		again := b.refresh().set
		if len(again) != 1 || again[0].Value == c.Value || !again[0].Expires.Equal(c.Expires) || !again[0].HttpOnly || !again[0].Secure || again[0].SameSite != http.SameSiteStrictMode {
			t.Errorf("the next is %v", again)
		}
	})

	for _, origin := range []string{s.url, listed} {
		t.Run("a page of "+strings.Replace(origin, s.url, "the site", 1)+" signs in, is loaded anew, and signs out", func(t *testing.T) {
			b := s.browser(t, origin)
			b.signIn()
			reloaded := b.tab(origin)
			o := reloaded.refresh()
			if got, want := o.header.Get("Access-Control-Allow-Credentials") == "true", origin == listed; got != want {
				t.Errorf("the browser may show it the answer: %t", got)
			}
			reloaded.want(200, "GET", "/v1/me", "")
			held := b.cookie()
			reloaded.want(204, "DELETE", "/v1/sessions/current", "")
			if b.cookie() != "" || held == "" {
				t.Errorf("the cookie was %q, and is %q", held, b.cookie())
			}
			reloaded.want(401, "GET", "/v1/me", "")
			b.want(400, "POST", "/v1/token", refreshing)
			token := strings.TrimPrefix(held, "__Host-keyport=")
			b.want(400, "POST", "/v1/token", refreshing+"&refresh_token="+token)
		})
	}

	t.Run("two tabs refresh at once", func(t *testing.T) {
		b := s.browser(t, s.url)
		b.signIn()
		for range 20 {
			one, other := b.tab(s.url), b.tab(s.url)
			var both sync.WaitGroup
			both.Go(func() { one.refresh() })
			both.Go(func() { other.refresh() })
			both.Wait()
			one.want(200, "GET", "/v1/me", "")
			other.want(200, "GET", "/v1/me", "")
		}
	})

	t.Run("a page signs out that has only the cookie", func(t *testing.T) {
		b := s.browser(t, s.url)
		b.signIn()
		b.tab(s.url).want(200, "POST", "/v1/token/revoke", "")
		if b.cookie() != "" {
			t.Errorf("the cookie is %q", b.cookie())
		}
		b.want(401, "GET", "/v1/me", "")
	})

	t.Run("a cookie whose session was ended elsewhere is cleared", func(t *testing.T) {
		b, elsewhere := s.browser(t, s.url), s.browser(t, s.url)
		b.signIn()
		elsewhere.signIn()
		elsewhere.want(204, "DELETE", "/v1/sessions?except=current", "")
		if b.cookie() == "" {
			t.Error("the cookie is gone too early")
		}
		b.want(400, "POST", "/v1/token", refreshing)
		if b.cookie() != "" {
			t.Errorf("the cookie is %q", b.cookie())
		}
		elsewhere.refresh()
	})

	t.Run("no page of another's has any use of it", func(t *testing.T) {
		b := s.browser(t, s.url)
		b.signIn()
		held := b.cookie()
		for _, origin := range []string{unlisted, "null", "", "http://app.example", listed + ".evil.example", strings.Replace(s.url, "https:", "http:", 1)} {
			evil := b.tab(origin)
			evil.token = b.token // worse than it can be
			for _, request := range [][3]string{
				{"POST", "/v1/sessions", `{"login":"ada","password":"fifteen characters","transport":"cookie"}`},
				{"POST", "/v1/token", refreshing},
				{"POST", "/v1/token", `{"grant_type":"refresh_token"}`},
				{"POST", "/v1/token/revoke", ""},
				{"DELETE", "/v1/sessions/current", ""},
			} {
				o := evil.want(403, request[0], request[1], request[2])
				if o.body["type"] != "/problems/wrong-origin" || len(o.set) != 0 || o.header.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%v of %q: %v %v", request, origin, o.header, o.body)
				}
			}
		}
		if b.cookie() != held {
			t.Errorf("the cookie was %q, and is %q", held, b.cookie())
		}
		b.want(200, "GET", "/v1/me", "")
		b.refresh()
	})

	t.Run("the body is for everybody, and knows of no cookie", func(t *testing.T) {
		for _, origin := range []string{s.url, listed, unlisted, ""} {
			b := s.browser(t, origin)
			o := b.want(201, "POST", "/v1/sessions", `{"login":"ada","password":"fifteen characters"}`)
			refresh, _ := o.body["refresh_token"].(string)
			next := b.want(200, "POST", "/v1/token", refreshing+"&refresh_token="+refresh)
			b.token, _ = next.body["access_token"].(string)
			if len(o.set)+len(next.set) != 0 || next.body["refresh_token"] == nil {
				t.Errorf("%q is told %v and %v", origin, o.set, next.body)
			}
			b.want(400, "POST", "/v1/token", refreshing)
			b.want(204, "DELETE", "/v1/sessions/current", "")
		}
	})
}
