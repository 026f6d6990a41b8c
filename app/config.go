package app

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/keyport-go/keyport/domain"
)

// Prefix starts the name of every variable: KEYPORT_HTTP_ADDR.
const Prefix = "KEYPORT"

// Config is all that can be set, and its tags are the manual: Usage prints them,
// and docs/configuration.md is that print.
type Config struct {
	HTTPAddr           string        `split_words:"true" default:"127.0.0.1:8080" desc:"Public listener, host:port. Port 0 takes a free one."`
	OpsAddr            string        `split_words:"true" default:"127.0.0.1:8081" desc:"Private listener for metrics and profiles, host:port."`
	DatabaseURL        Secret        `split_words:"true" default:"sqlite:keyport.db" desc:"sqlite:PATH, or a postgres:// URL."`
	DatabaseConns      int32         `split_words:"true" default:"0" desc:"Most connections to PostgreSQL, but the one more by which serve hears of news; 0 stands for four a processor, at least 16."`
	Pgbouncer          bool          `default:"false" desc:"Whether the URL of the database leads to a PgBouncer in transaction mode. Then replicas hear of news four times a second, and no sooner."`
	PublicURL          string        `split_words:"true" desc:"Where clients reach Keyport: issuer of tokens, base of links. Without it serve listens on loopback only, and uses that address."`
	Audience           string        `desc:"The aud of access tokens (RFC 7519, section 4.1.3). Without it, the public URL."`
	MasterKey          Secret        `split_words:"true" desc:"Seals the keys at rest: 32 bytes in base64url or hexadecimal. Without it and its file, one is made next to an SQLite database."`
	MasterKeyFile      string        `split_words:"true" desc:"A file that holds the master key."`
	MasterKeyOther     Secret        `split_words:"true" desc:"Another master key that opens stored keys, while the master key changes: the coming one, then the old one. See keyport keys reseal."`
	MasterKeyOtherFile string        `split_words:"true" desc:"A file that holds the other master key."`
	AccessTTL          time.Duration `split_words:"true" default:"10m" desc:"Life of an access token; 1s to 1h."`
	SessionIdle        time.Duration `split_words:"true" default:"720h" desc:"A session that was not refreshed for as long is over; at least the life of an access token."`
	SessionMax         time.Duration `split_words:"true" default:"2160h" desc:"A session that was opened as long ago is over."`
	RefreshGrace       time.Duration `split_words:"true" default:"1m" desc:"How long after a rotation its lost answer may be asked for again; 0 is strict rotation; at most a quarter of the life of an access token."`
	RevocationMax      time.Duration `split_words:"true" default:"5s" desc:"The longest that a revoked access token may be taken on another replica. A replica that has not heard from the store for longer asks it on each request. 1s to 1m."`
	SigningAlg         string        `split_words:"true" default:"ES256" desc:"How new keys sign access tokens: ES256, EdDSA or RS256. Tokens of keys that are there already stay valid."`
	KeyRotation        time.Duration `split_words:"true" default:"720h" desc:"How long a key signs before its successor does; at least 1h. 0 stands for until keyport keys rotate."`
	KeySetMaxAge       time.Duration `split_words:"true" default:"5m" desc:"How long others may keep the key set; 1s to 24h, whole seconds. A new key is published for twice as long and KEYPORT_REVOCATION_MAX before it signs."`
	PasswordMin        int           `split_words:"true" default:"15" desc:"Least length of a new password in characters; 8 to 64."`
	HashesRunning      int           `split_words:"true" default:"0" desc:"Password hashes that may run at once, 19 MiB each; 0 stands for one a processor."`
	HashesWaiting      int           `split_words:"true" default:"0" desc:"Password hashes that may wait; beyond it the answer is 503. 0 stands for eight a processor."`
	CORSOrigins        []string      `split_words:"true" desc:"Exact origins whose pages may call, and use the cookie, with commas between: https://app.example.com"`
	TrustedProxies     []string      `split_words:"true" desc:"CIDRs of proxies whose X-Forwarded-For is believed, with commas between."`
	HSTS               bool          `default:"false" desc:"Whether browsers are told to use TLS alone, for a year."`
	RequestTimeout     time.Duration `split_words:"true" default:"10s" desc:"The longest that a request may take."`
	DrainDelay         time.Duration `split_words:"true" default:"0s" desc:"How long requests are still served after SIGTERM, when /readyz has failed already: longer than it takes whoever spreads requests over replicas to learn of it. Up to 10m."`
	DrainGrace         time.Duration `split_words:"true" default:"15s" desc:"Time that open requests get then. The delay, the grace and 5s together stay below the pod's terminationGracePeriodSeconds."`
	Dialects           []string      `desc:"Older APIs that are served too, each at a path of the public listener or at an address of its own, with commas between: fleet=/fleet,signup=127.0.0.1:5002. There are fleet, library, signup, skeleton."`
	Collections        string        `desc:"A folder of declarations of collections, each a file .yaml, .yml or .json. They are applied at start; the API shows them, and changes nothing in them."`
	LogLevel           string        `split_words:"true" default:"info" desc:"debug, info, warn or error."`
	LogFormat          string        `split_words:"true" default:"auto" desc:"auto, json or text; auto is text on a terminal."`
}

// Load reads the environment. It refuses KEYPORT_ variables that it does not
// know, and tells everything that is wrong at once.
func Load() (Config, error) {
	var c Config
	err := errors.Join(unknown(os.Environ()), envconfig.Process(Prefix, &c))
	return c, errors.Join(err, c.check())
}

// check tells every setting that is out of bounds.
func (c Config) check() error {
	var faults []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	must(c.AccessTTL >= time.Second && c.AccessTTL <= time.Hour, "KEYPORT_ACCESS_TTL is %v: want 1s to 1h", c.AccessTTL)
	must(c.RefreshGrace >= 0 && c.RefreshGrace <= c.AccessTTL/4, "KEYPORT_REFRESH_GRACE is %v: want 0 to a quarter of KEYPORT_ACCESS_TTL, %v", c.RefreshGrace, c.AccessTTL/4)
	must(c.SessionIdle >= c.AccessTTL, "KEYPORT_SESSION_IDLE is %v: want at least KEYPORT_ACCESS_TTL, %v", c.SessionIdle, c.AccessTTL)
	must(c.SessionMax >= c.SessionIdle, "KEYPORT_SESSION_MAX is %v: want at least KEYPORT_SESSION_IDLE, %v", c.SessionMax, c.SessionIdle)
	must(c.RevocationMax >= time.Second && c.RevocationMax <= time.Minute, "KEYPORT_REVOCATION_MAX is %v: want 1s to 1m", c.RevocationMax)
	must(slices.Contains(domain.SigningAlgorithms(), domain.Algorithm(c.SigningAlg)), "KEYPORT_SIGNING_ALG: want ES256, EdDSA or RS256")
	must(c.KeyRotation == 0 || c.KeyRotation >= time.Hour, "KEYPORT_KEY_ROTATION is %v: want 1h or more, or 0", c.KeyRotation)
	must(c.KeyRotation == 0 || c.KeyRotation > c.keysAhead(), "KEYPORT_KEY_ROTATION is %v: want more than a new key is published ahead, %v", c.KeyRotation, c.keysAhead())
	must(c.KeySetMaxAge >= time.Second && c.KeySetMaxAge <= 24*time.Hour && c.KeySetMaxAge%time.Second == 0, "KEYPORT_KEY_SET_MAX_AGE is %v: want 1s to 24h, whole seconds", c.KeySetMaxAge)
	must(c.PasswordMin >= 8 && c.PasswordMin <= 64, "KEYPORT_PASSWORD_MIN is %d: want 8 to 64", c.PasswordMin)
	must(c.HashesRunning >= 0 && c.HashesWaiting >= 0, "KEYPORT_HASHES_RUNNING and KEYPORT_HASHES_WAITING: want 0 or more")
	must(c.DatabaseConns >= 0 && c.DatabaseConns <= 1000, "KEYPORT_DATABASE_CONNS is %d: want 0 to 1000", c.DatabaseConns)
	must(c.RequestTimeout >= 100*time.Millisecond && c.RequestTimeout <= 10*time.Minute, "KEYPORT_REQUEST_TIMEOUT is %v: want 100ms to 10m", c.RequestTimeout)
	must(c.DrainDelay >= 0 && c.DrainDelay <= 10*time.Minute, "KEYPORT_DRAIN_DELAY is %v: want 0 to 10m", c.DrainDelay)
	must(c.DrainGrace >= 0, "KEYPORT_DRAIN_GRACE is %v: want 0 or more", c.DrainGrace)
	must(c.MasterKey.IsZero() || c.MasterKeyFile == "", "KEYPORT_MASTER_KEY and KEYPORT_MASTER_KEY_FILE are both set: want one")
	must(c.MasterKeyOther.IsZero() || c.MasterKeyOtherFile == "", "KEYPORT_MASTER_KEY_OTHER and KEYPORT_MASTER_KEY_OTHER_FILE are both set: want one")
	_, sqlite := c.sqlitePath()
	must(sqlite || c.postgres(), "KEYPORT_DATABASE_URL: want sqlite:PATH or postgres://…")
	must(sqlite || !c.MasterKey.IsZero() || c.MasterKeyFile != "", "KEYPORT_MASTER_KEY: required with PostgreSQL; make one with: head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '='")
	must(slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel), "KEYPORT_LOG_LEVEL: want debug, info, warn or error")
	must(slices.Contains([]string{"auto", "json", "text"}, c.LogFormat), "KEYPORT_LOG_FORMAT: want auto, json or text")
	must(c.PublicURL == "" || plainURL(c.PublicURL), "KEYPORT_PUBLIC_URL: want http:// or https://, a host, and no more")
	must(c.PublicURL != "" || loopback(c.HTTPAddr), "KEYPORT_HTTP_ADDR is %s, which others can reach: set KEYPORT_PUBLIC_URL to where they do, or listen on 127.0.0.1", c.HTTPAddr)
	for _, origin := range c.CORSOrigins {
		must(plainURL(origin) && !strings.Contains(origin, "*"), "KEYPORT_CORS_ORIGINS: %q is no origin: want http:// or https:// and a host, without a slash at the end and without *", origin)
	}
	if _, err := c.mounts(); err != nil {
		faults = append(faults, fmt.Errorf("KEYPORT_DIALECTS: %w", err))
	}
	if _, err := c.proxies(); err != nil {
		faults = append(faults, fmt.Errorf("KEYPORT_TRUSTED_PROXIES: %w", err))
	}
	return errors.Join(faults...)
}

// keysAhead returns how long a key is published before it signs: as long as others
// may keep a key set without it that was asked for just before a replica had heard
// of the key, and as long again for clocks that differ.
func (c Config) keysAhead() time.Duration { return 2*c.KeySetMaxAge + c.RevocationMax }

// sqlitePath returns the path of the embedded database, and whether it is the
// one that is meant.
func (c Config) sqlitePath() (string, bool) {
	path, ok := strings.CutPrefix(c.DatabaseURL.Reveal(), "sqlite:")
	return path, ok && path != ""
}

func (c Config) postgres() bool {
	return strings.HasPrefix(c.DatabaseURL.Reveal(), "postgres://") || strings.HasPrefix(c.DatabaseURL.Reveal(), "postgresql://")
}

func (c Config) proxies() ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range c.TrustedProxies {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no CIDR: want 10.0.0.0/8", text)
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

// plainURL reports whether s is a scheme and a host, and nothing after them: the
// form of an origin (RFC 6454, section 6.2).
func plainURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Scheme+"://"+u.Host == s
}

// loopback reports whether only this machine reaches a listener on addr.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// unknown tells the variables of ours that nobody reads: a slip of the pen, most
// of the time. Tests have names of their own, and Kubernetes makes some for a
// Service that is called keyport.
func unknown(environ []string) error {
	known := make(map[string]bool)
	var keys strings.Builder
	if err := envconfig.Usagef(Prefix, new(Config), &keys, "{{range .}}{{usage_key .}}\n{{end}}"); err != nil {
		return err
	}
	for key := range strings.Lines(keys.String()) {
		known[strings.TrimSpace(key)] = true
	}
	strange := make(map[string]bool)
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		rest, ours := strings.CutPrefix(name, Prefix+"_")
		linked := rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_")
		if ours && !known[name] && !linked && !strings.HasPrefix(rest, "TEST_") {
			strange[name] = true
		}
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(strange)) {
		faults = append(faults, fmt.Errorf("%s: there is no such setting; keyport env lists them all", name))
	}
	return errors.Join(faults...)
}

// Usage writes the table of variables to w, as Markdown.
func Usage(w io.Writer) error {
	return envconfig.Usagef(Prefix, new(Config), w, "| name | default | meaning |\n| --- | --- | --- |\n"+
		"{{range .}}| `{{usage_key .}}` | {{with usage_default .}}`{{.}}`{{else}}none{{end}} | {{usage_description .}} |\n{{end}}")
}

// A Secret is a setting that prints as "[secret]".
type Secret struct{ domain.Secret }

// Decode implements envconfig.Decoder.
func (s *Secret) Decode(text string) error {
	s.Secret = domain.NewSecret(text)
	return nil
}
