package verify_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/adapters/verify"
	"github.com/keyport-go/keyport/domain"
)

func TestARequestIsLetThroughWithAGoodTokenAlone(t *testing.T) {
	const (
		plain = `Bearer realm="https://keyport.example"`
		blame = plain + `, error="invalid_token"`
	)
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		synctest.Wait()
		token := s.token(t, bearer{kid: "k1"})
		passed := 0
		door := p.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			passed++
			claims, ok := verify.ClaimsOf(r.Context())
			if !ok || claims.Subject != ada {
				t.Errorf("it is let through as %+v, %t", claims, ok)
			}
			w.WriteHeader(http.StatusNoContent)
		}))
		knock := func(headers ...string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/berths", nil)
			r.Header["Authorization"] = headers
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			return w
		}
		for _, test := range []struct {
			name    string
			headers []string
			status  int
			problem string
			asks    string // WWW-Authenticate
		}{
			{"a good token", []string{"Bearer " + token}, 204, "", ""},
			{"a good token, and the scheme in another case", []string{"bearer " + token}, 204, "", ""},
			{"nothing", nil, 401, "unauthenticated", plain},
			{"another scheme", []string{"Basic YTpi"}, 401, "invalid-token", blame},
			{"the scheme alone", []string{"Bearer"}, 401, "invalid-token", blame},
			{"the token alone", []string{token}, 401, "invalid-token", blame},
			{"a token that is none", []string{"Bearer x"}, 401, "invalid-token", blame},
			{"two tokens", []string{"Bearer " + token + ", Bearer " + token}, 401, "invalid-token", blame},
			{"two headers", []string{"Bearer " + token, "Bearer " + token}, 401, "invalid-token", blame},
		} {
			w := knock(test.headers...)
			if w.Code != test.status || w.Header().Get("WWW-Authenticate") != test.asks {
				t.Errorf("%s: %d, and %q is asked for", test.name, w.Code, w.Header().Get("WWW-Authenticate"))
			}
			if test.problem != "" {
				isProblem(t, test.name, w, test.problem)
			}
		}
		if passed != 2 {
			t.Errorf("%d requests were let through, want 2", passed)
		}

		s.fault(feedAt, isCut)
		pass(10 * p.State().RevocationMax)
		w := knock("Bearer " + token)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("where nothing was heard: %d, %v", w.Code, w.Header())
		}
		isProblem(t, "where nothing was heard", w, domain.ErrUnavailable.Code)
		if w := knock(); w.Code != http.StatusUnauthorized {
			t.Errorf("nothing, where nothing was heard: %d", w.Code)
		}
	})
}

func isProblem(t *testing.T, name string, w *httptest.ResponseRecorder, code string) {
	t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%s: %v in %s", name, err, w.Body)
	}
	if p.Type != issuer+"/problems/"+code || p.Status != w.Code || p.Title == "" || p.Detail == "" {
		t.Errorf("%s: the problem is %+v", name, p)
	}
	want := http.Header{"Content-Type": {"application/problem+json"}, "Cache-Control": {"no-store"}}
	got := w.Header().Clone()
	got.Del("WWW-Authenticate")
	got.Del("Retry-After")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

func TestARequestThatWasNotLetThroughHasNoClaims(t *testing.T) {
	if claims, ok := verify.ClaimsOf(t.Context()); ok {
		t.Errorf("it bears %+v", claims)
	}
}
