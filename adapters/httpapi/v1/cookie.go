package v1

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// cookieName is the cookie that holds a refresh token where a page is not to hold
// one. Its prefix binds it to this host: browsers take it with Secure, with Path=/
// and without Domain alone (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2).
const cookieName = "__Host-keyport"

// byCookie is the transport by which the refresh token travels in the cookie.
const byCookie = "cookie"

// A Page is embedded in the input of what may set the cookie.
type Page struct {
	Origin string `header:"Origin" doc:"Whose page asks, as browsers tell it. Where the cookie is read or set it must be the server's own or one that is listed."`
}

// A Keeper is embedded in the input of what may clear the cookie.
type Keeper struct {
	Page
	Cookie string `cookie:"__Host-keyport" doc:"A refresh token, where the cookie transport was asked for."`
}

// cookies is the rule of who may have the cookie. A browser sends it along
// whatever page makes it ask; so no request reads or sets it but from a page that
// is known, by the Origin header, which pages cannot forge.
type cookies struct {
	origins []string // that may, as browsers write them
	taken   bool     // whether browsers take the cookie from the public URL
}

// newCookies returns the rule for a server at publicURL, to which the pages of
// the listed origins may speak too.
func newCookies(publicURL string, listed []string) cookies {
	c := cookies{taken: strings.HasPrefix(publicURL, "https:") || local(publicURL)}
	for _, u := range append([]string{publicURL}, listed...) {
		c.origins = append(c.origins, origin(u))
	}
	return c
}

// origin returns a scheme and a host as browsers write them in an Origin header:
// in lower case, and without the port that the scheme stands for (RFC 6454,
// section 6.2).
func origin(u string) string {
	u = strings.ToLower(u)
	if strings.HasPrefix(u, "https:") {
		return strings.TrimSuffix(u, ":443")
	}
	return strings.TrimSuffix(u, ":80")
}

// local reports whether u is on the machine of whoever reads it: there browsers
// do without TLS.
func local(u string) bool {
	parsed, err := url.Parse(u)
	if err != nil {
		return false
	}
	host := strings.ToLower(parsed.Hostname())
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// offered fails with wire.NoCookies where browsers would not take the cookie, and
// as known does.
func (c cookies) offered(origin string) error {
	if !c.taken {
		return wire.NoCookies
	}
	return c.known(origin)
}

// known fails with wire.WrongOrigin unless origin may read and set the cookie.
func (c cookies) known(origin string) error {
	if !slices.Contains(c.origins, origin) {
		return wire.WrongOrigin
	}
	return nil
}

// held returns what the cookie of r holds, "" where there is none. It fails as
// known does where there is one.
func (c cookies) held(r *http.Request) (token string, err error) {
	sent := r.CookiesNamed(cookieName)
	if len(sent) == 0 || sent[0].Value == "" {
		return "", nil
	}
	return sent[0].Value, c.known(r.Header.Get("Origin"))
}

// setting returns the Set-Cookie header that keeps the refresh token of g as long
// as its session can last.
func setting(g domain.Grant) string { return cookie(g.Refresh.Reveal(), g.Ends) }

// clearing is the Set-Cookie header that ends the cookie.
var clearing = cookie("", time.Unix(1, 0))

func cookie(value string, expires time.Time) string {
	c := http.Cookie{
		Name: cookieName, Value: value, Path: "/", Expires: expires.UTC(),
		HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode,
	}
	return c.String()
}
