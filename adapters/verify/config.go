package verify

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// Config is what a Verifier is made of.
type Config struct {
	// Issuer is Keyport's public URL, and the iss of its tokens; required. It is a
	// scheme and a host and no more: https, or http on a loopback address.
	Issuer string

	// Audience is the aud that tokens must have; "" stands for Issuer, as it does
	// at Keyport.
	Audience string

	// Key is an access key with the scope tokens:introspect, of an account with the
	// role introspect or admin; required. It is sent to Issuer alone.
	Key domain.Secret

	// Client sends the requests. Its Timeout, if it has one, bounds the feed too,
	// and is best above half a minute. nil stands for one that follows redirects
	// within Issuer alone, and bounds the time to connect.
	Client *http.Client

	// RevocationMax is how old the news may be that a token is taken on. 0 stands
	// for what Keyport promises itself, keyport_revocation_max in its metadata;
	// more than that is cut down to it.
	RevocationMax time.Duration

	// Log is told when something cannot be had from Keyport any more, and when it
	// can be again. nil stands for nobody.
	Log *slog.Logger
}

// complete returns c with what its zero values stand for, or tells every fault.
func (c Config) complete() (Config, error) {
	var faults []error
	issuer, err := url.Parse(c.Issuer)
	switch {
	case err != nil || issuer.Host == "" || issuer.Scheme+"://"+issuer.Host != c.Issuer:
		faults = append(faults, fmt.Errorf("verify: Issuer is %q: want https://, a host, and no more", c.Issuer))
	case !private(issuer):
		faults = append(faults, fmt.Errorf("verify: Issuer is %q: want https, or a loopback address", c.Issuer))
	}
	if _, _, ok := domain.ParseAccessKey(c.Key.Reveal()); !ok {
		faults = append(faults, errors.New("verify: Key is no access key of Keyport: want kpk_ and what follows it"))
	}
	if c.RevocationMax < 0 {
		faults = append(faults, fmt.Errorf("verify: RevocationMax is %v: want 0 or more", c.RevocationMax))
	}
	c.Audience = cmp.Or(c.Audience, c.Issuer)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, errors.Join(faults...)
}

// private reports whether what is sent to u cannot be read on the way.
func private(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && local
}

// newClient returns the client that a nil Config.Client stands for.
func newClient() *http.Client {
	// HTTP/1.1, because there a request that is given up takes its connection with
	// it. On HTTP/2 the next one would hang on the same.
	only := new(http.Protocols)
	only.SetHTTP1(true)
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connecting, KeepAlive: connecting}).DialContext,
			TLSHandshakeTimeout: connecting,
			Protocols:           only,
			MaxIdleConns:        4,
			IdleConnTimeout:     90 * time.Second,
		},
		CheckRedirect: stay,
	}
}

// connecting bounds each step of making a connection.
const connecting = 5 * time.Second

const maxRedirects = 3

// stay follows redirects to the same scheme and host alone.
func stay(next *http.Request, before []*http.Request) error {
	if first := before[0].URL; next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return errors.New("it redirects to another host")
	}
	if len(before) > maxRedirects {
		return errors.New("it redirects too often")
	}
	return nil
}
