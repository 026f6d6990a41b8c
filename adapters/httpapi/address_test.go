package httpapi

import (
	"net/http"
	"net/netip"
	"testing"
)

// This test is inside the package: what it tests shows in nothing but the log.
func TestTheClientIsWhoeverNoTrustedProxyIs(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		trusted    []netip.Prefix
		want       string
	}{
		{"the peer, where no proxy is trusted", "192.0.2.7:4711", []string{"198.51.100.1"}, nil, "192.0.2.7"},
		{"the peer, where it is none of the proxies", "192.0.2.7:4711", []string{"198.51.100.1"}, proxies, "192.0.2.7"},
		{"whom the proxy names", "10.1.2.3:80", []string{"198.51.100.1"}, proxies, "198.51.100.1"},
		{"the last that the proxy names, not what the client made up", "10.1.2.3:80", []string{"203.0.113.9, 198.51.100.1"}, proxies, "198.51.100.1"},
		{"the last before a second proxy", "10.1.2.3:80", []string{"203.0.113.9, 198.51.100.1, 10.9.9.9"}, proxies, "198.51.100.1"},
		{"the last of several headers", "10.1.2.3:80", []string{"203.0.113.9", "198.51.100.1,10.9.9.9"}, proxies, "198.51.100.1"},
		{"the first of the proxies, where there are only proxies", "10.1.2.3:80", []string{"10.7.7.7, 10.8.8.8"}, proxies, "10.7.7.7"},
		{"the proxy, where it names nobody", "10.1.2.3:80", nil, proxies, "10.1.2.3"},
		{"the proxy, where it names nothing", "10.1.2.3:80", []string{""}, proxies, "10.1.2.3"},
		{"the proxy, where it names what is no address", "10.1.2.3:80", []string{"198.51.100.1, unknown"}, proxies, "10.1.2.3"},
		{"the proxy before what is no address", "10.1.2.3:80", []string{"198.51.100.1, _hidden, 10.9.9.9"}, proxies, "10.9.9.9"},
		{"whom it names beyond IPv4", "[fd00::1]:80", []string{"2001:db8::7"}, proxies, "2001:db8::7"},
		{"an IPv4 address, mapped", "[::ffff:10.1.2.3]:80", []string{"::ffff:198.51.100.1"}, proxies, "198.51.100.1"},
		{"a mapped peer", "[::ffff:192.0.2.7]:80", nil, nil, "192.0.2.7"},
		{"nobody, where the peer has no address", "@", []string{"198.51.100.1"}, proxies, ""},
		{"nobody, where there is no peer", "", nil, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
			if got := clientAddr(r, c.trusted); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
