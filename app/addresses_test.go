package app_test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// A session is seen at the address that the log has too: the peer's, or what a
// trusted proxy says of it.
func TestWhereASessionIsSeen(t *testing.T) {
	for _, test := range []struct {
		name, forwarded string
		trusted         []string
		want            string
	}{
		{"without a proxy", "", nil, "192.0.2.1"},
		{"what anybody may claim", "203.0.113.9", nil, "192.0.2.1"},
		{"through a trusted proxy", "203.0.113.9", []string{"192.0.2.0/24"}, "203.0.113.9"},
		{"what was claimed before a trusted proxy", "198.51.100.1, 203.0.113.9", []string{"192.0.2.0/24"}, "203.0.113.9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := defaults()
			c.TrustedProxies = test.trusted
			w := newWorldOf(t, c)
			send := func(method, path, token, body string) string {
				r := httptest.NewRequest(method, path, strings.NewReader(body)) // from 192.0.2.1
				r.Header.Set("Content-Type", "application/json")
				if test.forwarded != "" {
					r.Header.Set("X-Forwarded-For", test.forwarded)
				}
				if token != "" {
					r.Header.Set("Authorization", "Bearer "+token)
				}
				answer := httptest.NewRecorder()
				w.ServeHTTP(answer, r)
				if answer.Code >= 300 {
					t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
				}
				return answer.Body.String()
			}
			token := member.FindStringSubmatch(send("POST", "/v1/sessions", "", `{"login":"root","password":"a password for root"}`))[2]
			if list := send("GET", "/v1/sessions", token, ""); !strings.Contains(list, `"address":"`+test.want+`"`) {
				t.Errorf("it is seen at %s, want %s", list, test.want)
			}
		})
	}
}
