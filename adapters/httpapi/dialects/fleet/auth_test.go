package fleet_test

import (
	"encoding/base64"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
)

const aShip = `{"affiliation":"","category":"","crew":1,"length":7,"manufacturer":"","model":"TIE","roles":[],"ship_class":""}`

const (
	expired  = `{"error":"Token has expired"}`
	revoked  = `{"error":"Token has been revoked"}`
	noHeader = `{"error":"Missing Authorization Header"}`
	goodbye  = `{"message":"Successfully logged out."}`
)

func TestAuthorizationHeadersAreReadAsFlaskReadThem(t *testing.T) {
	w := newWorld(t)
	token := strings.TrimPrefix(w.user(t, "ada").access, "Bearer ")
	const bad = `{"error":"Bad Authorization header. Expected value 'Bearer <JWT>'"}`
	for _, c := range []struct {
		name, header string
		status       int
		body         string
	}{
		{"none", "", 401, noHeader},
		{"a token", "Bearer " + token, 404, `{"error":"Not Found"}`},
		{"more space", " Bearer \t " + token + " ", 404, `{"error":"Not Found"}`},
		{"behind another scheme", "Basic abc, Bearer " + token, 404, `{"error":"Not Found"}`},
		{"before another scheme", "Bearer " + token + ",Basic abc", 404, `{"error":"Not Found"}`},
		{"among nothing", ", ,Bearer " + token, 404, `{"error":"Not Found"}`},
		{"the first of two", "Bearer x.y, Bearer " + token, 422, `{"error":"Not enough segments"}`},
		{"another scheme", "Basic YWRhOnBhc3N3b3Jk", 422, bad},
		{"the scheme in lower case", "bearer " + token, 422, bad},
		{"the scheme in upper case", "BEARER " + token, 422, bad},
		{"a scheme of the sort", "Token " + token, 422, bad},
		{"no scheme", token, 422, bad},
		{"no token", "Bearer", 422, bad},
		{"two tokens", "Bearer a b", 422, bad},
		{"the first of two has no token", "Bearer, Bearer " + token, 422, bad},
		{"commas", ",,", 422, bad},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.send(t, "DELETE", "/api/ships/99", c.header, "")
			a.is(t, c.status, c.body)
			if challenge := a.Header().Get("WWW-Authenticate"); (challenge == "Bearer") != (c.status == 401) {
				t.Errorf("a %d with the challenge %q", a.Code, challenge)
			}
		})
	}
}

func TestWhatIsNoTokenOfOursIsToldByItsShape(t *testing.T) {
	w := newWorld(t)
	jwt := func(header, payload string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "."
	}
	for _, c := range []struct{ name, token, wrong string }{
		{"garbage", "garbage", "Not enough segments"},
		{"two segments", "e30.e30", "Not enough segments"},
		{"four segments", "e30.e30.e30.e30", "Not enough segments"},
		{"a broken header", "e.e30.AAAA", "Invalid header padding"},
		{"a header that is no object", jwt(`[]`, `{}`) + "AAAA", "Invalid header string: must be a json object"},
		{"a broken payload", "e30.e.AAAA", "Invalid payload padding"},
		{"a payload that is no object", jwt(`{"alg":"HS256"}`, `1`) + "AAAA", "Invalid payload string: must be a json object"},
		{"a broken signature", jwt(`{"alg":"HS256"}`, `{}`) + "A", "Invalid crypto padding"},
		{"no algorithm", jwt(`{"typ":"JWT"}`, `{}`) + "AAAA", "The specified alg value is not allowed"},
		{"none", jwt(`{"alg":"none"}`, `{}`), "The specified alg value is not allowed"},
		{"none, in another case", jwt(`{"alg":"None"}`, `{}`), "The specified alg value is not allowed"},
		{"HS384", jwt(`{"alg":"HS384"}`, `{}`) + "AAAA", "The specified alg value is not allowed"},
		{"HS512", jwt(`{"alg":"HS512"}`, `{}`) + "AAAA", "The specified alg value is not allowed"},
		{"RS256", jwt(`{"alg":"RS256"}`, `{}`) + "AAAA", "The specified alg value is not allowed"},
		{"an algorithm that is no text", jwt(`{"alg":256}`, `{}`) + "AAAA", "The specified alg value is not allowed"},
		{"a forged signature", jwt(`{"alg":"HS256"}`, `{"identity":1,"type":"access"}`) + "AAAA", "Signature verification failed"},
		{"a forged signature of Keyport's", jwt(`{"alg":"ES256"}`, `{}`) + "AAAA", "Signature verification failed"},
		{"segments with padding", "eyJhbGciOiJIUzI1NiJ9.e30=.AAA=", "Signature verification failed"},
		{"an access key", "kpk_x", "Not enough segments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, route := range []struct{ method, target string }{
				{"POST", "/auth/refresh"}, {"DELETE", "/auth/logout"}, {"DELETE", "/auth/logout2"}, {"DELETE", "/api/users/1"}, {"POST", "/api/ships"},
			} {
				w.send(t, route.method, route.target, "Bearer "+c.token, "").is(t, 422, `{"error":"`+c.wrong+`"}`)
			}
		})
	}
}

func TestARefreshTokenIsUsedAgainAndAgainUntilItEnds(t *testing.T) {
	w := newWorld(t)
	p := w.user(t, "ada")
	for range 3 {
		w.clock.Advance(9 * 24 * time.Hour)
		if a := w.send(t, "POST", "/auth/refresh", p.refresh, ""); a.Code != 200 || strings.Contains(a.text, "refresh_token") {
			t.Fatal(a.Code, a.text)
		}
	}
	w.clock.Advance(3 * 24 * time.Hour)
	w.send(t, "POST", "/auth/refresh", p.refresh, "").is(t, 401, expired)
	w.send(t, "DELETE", "/auth/logout2", p.refresh, "").is(t, 401, expired)
	w.send(t, "DELETE", "/auth/logout", p.refresh, "").is(t, 401, expired)
}

func TestAnAccessTokenLivesForAQuarterOfAnHour(t *testing.T) {
	w := newWorld(t)
	p := w.user(t, "ada")
	w.clock.Advance(15*time.Minute - time.Second)
	w.taken(t, p.access)
	w.clock.Advance(time.Second)
	w.send(t, "POST", "/api/ships", p.access, "{}").is(t, 401, expired)
	w.send(t, "DELETE", "/auth/logout", p.access, "").is(t, 401, expired)
	w.send(t, "POST", "/auth/refresh", p.access, "").is(t, 401, expired)
}

func TestEachTokenIsEndedByItself(t *testing.T) {
	w := newWorld(t)
	one := w.user(t, "ada")
	other := w.signIn(t, "ada")
	w.send(t, "DELETE", "/auth/logout", one.access, "").is(t, 200, goodbye)
	for _, route := range []struct{ method, target string }{{"DELETE", "/auth/logout"}, {"PUT", "/api/users/1"}, {"POST", "/api/ships"}} {
		w.send(t, route.method, route.target, one.access, "{}").is(t, 401, revoked)
	}
	for name, p := range map[string]pair{"the refresh token goes on": one, "so does another session": other} {
		if a := w.send(t, "POST", "/auth/refresh", p.refresh, ""); a.Code != 200 {
			t.Error(name, a.Code, a.text)
		}
	}
	w.send(t, "DELETE", "/auth/logout2", other.refresh, "").is(t, 200, goodbye)
	w.send(t, "POST", "/auth/refresh", other.refresh, "").is(t, 401, revoked)
	w.send(t, "DELETE", "/auth/logout2", other.refresh, "").is(t, 401, revoked)
	w.taken(t, other.access)
}

func TestAnotherKindOfTokenIsNotTaken(t *testing.T) {
	const onlyAccess, onlyRefresh = `{"error":"Only access tokens are allowed"}`, `{"error":"Only refresh tokens are allowed"}`
	w := newWorld(t)
	p := w.user(t, "ada")
	w.send(t, "POST", "/auth/refresh", p.access, "").is(t, 422, onlyRefresh)
	w.send(t, "DELETE", "/auth/logout2", p.access, "").is(t, 422, onlyRefresh)
	w.send(t, "DELETE", "/auth/logout", p.refresh, "").is(t, 422, onlyAccess)
	w.send(t, "PUT", "/api/users/1", p.refresh, "{}").is(t, 422, onlyAccess)
	w.send(t, "DELETE", "/api/users/1", p.refresh, "").is(t, 422, onlyAccess)
	w.send(t, "POST", "/api/ships", p.refresh, "{}").is(t, 422, onlyAccess)
	w.send(t, "DELETE", "/auth/logout", p.access, "").is(t, 200, goodbye)
}

func TestAnAccessTokenOfAnySessionIsTakenAndItsRotatingRefreshTokenIsNot(t *testing.T) {
	w := newWorld(t)
	w.signUp(t, "ada")
	login, err := domain.ParseUsername("ada")
	ok(t, err)
	proof, err := w.Accounts.Authenticate(t.Context(), login, domain.NewPassword("password"))
	ok(t, err)
	g, err := w.Tokens.Open(t.Context(), proof.Account, proof.Credential, domain.Client{})
	ok(t, err)
	w.taken(t, "Bearer "+g.Access.Reveal())
	w.send(t, "POST", "/auth/refresh", "Bearer "+g.Refresh.Reveal(), "").is(t, 422, `{"error":"Not enough segments"}`)
}

func TestSignInsTellOfTheirClient(t *testing.T) {
	w := newWorld(t)
	w.signUp(t, "ada")
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/auth/login", strings.NewReader(`{"username":"ada","password":"password"}`))
	r.Header.Set("Content-Type", "application/vnd.api+json")
	r.Header.Set("User-Agent", "HTTPie/2.0")
	if a := w.do(r); a.Code != 200 {
		t.Fatal(a.Code, a.text)
	}
	id, err := w.Numbers.ID(t.Context(), "fleet users", "1")
	ok(t, err)
	page, err := w.Tokens.List(t.Context(), domain.Asker{Account: domain.AccountID(id), Session: "any"}, domain.PageRequest{})
	ok(t, err)
	if len(page.Items) != 1 || page.Items[0].Device != "HTTPie/2.0" || page.Items[0].Renewal != domain.Reusable ||
		!page.Items[0].Ends.Equal(w.clock.Now().Add(30*24*time.Hour)) {
		t.Errorf("got %+v", page.Items)
	}
}

func TestAStoreThatIsAwayIsNoFaultOfTheClient(t *testing.T) {
	w := newWorld(t)
	p := w.user(t, "ada")
	w.store.Fault = func(string) (bool, error) { return false, domain.ErrUnavailable }
	for _, c := range []struct{ method, target, token, body string }{
		{"POST", "/auth/login", "", `{"username":"ada","password":"password"}`},
		{"POST", "/auth/refresh", p.refresh, ""},
		{"DELETE", "/auth/logout", p.access, ""},
		{"DELETE", "/auth/logout2", p.refresh, ""},
		{"GET", "/api/users", "", ""},
		{"GET", "/api/users/1", "", ""},
		{"POST", "/api/users", "", `{"name":"bob","password":"password"}`},
		{"PUT", "/api/users/1", p.access, `{"name":"bob","password":"password"}`},
		{"DELETE", "/api/users/1", p.access, ""},
		{"GET", "/api/ships", "", ""},
		{"GET", "/api/ships/1", "", ""},
		{"POST", "/api/ships", p.access, aShip},
		{"PUT", "/api/ships/1", p.access, aShip},
		{"DELETE", "/api/ships/1", p.access, ""},
	} {
		a := w.send(t, c.method, c.target, c.token, c.body)
		if a.Code != 503 || a.Header().Get("Retry-After") == "" || !strings.HasPrefix(a.text, `{"error":"Service Unavailable","message":"`) {
			t.Errorf("%s %s: got %d %s %s", c.method, c.target, a.Code, a.Header(), a.text)
		}
	}
}
