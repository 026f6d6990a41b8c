package verify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/verify"
	"github.com/keyport-go/keyport/domain"
)

const (
	issuer = "https://keyport.example"

	metadataAt = "/.well-known/oauth-authorization-server"
	keySetAt   = "/.well-known/jwks.json"
	feedAt     = "/v1/revocations"

	ada      = "0198c0de-0000-7000-8000-00000000000a"
	sessionA = "0198c0de-0000-7000-8000-0000000000a1"
	sessionB = "0198c0de-0000-7000-8000-0000000000b2"
)

var accessKey, _ = domain.NewAccessKeyText("0198c0de-0000-7000-8000-0000000000cc", [32]byte{1, 2, 3})

// A station answers Keyport's three documents, and whatever else a test wants that
// a Keyport in good health does not show. It is an http.RoundTripper, so that no
// network is in the way of a synctest bubble.
type station struct {
	revocationMax float64       // seconds
	keySetMaxAge  string        // Cache-Control of the key set
	retention     time.Duration // how long changes are told; 0 is for ever

	mu      sync.Mutex
	keys    map[string]*ecdsa.PrivateKey
	changes []change
	news    chan struct{} // closed, and replaced, when there is a change
	faults  map[string]func(*http.Request) (*http.Response, error)
	asked   map[string]int
	cursors []string // with which the feed was asked
}

type change struct {
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
	Value   int64     `json:"value,omitempty"`
	At      time.Time `json:"at"`
}

func newStation(t *testing.T, kids ...string) *station {
	s := &station{
		revocationMax: 5, keySetMaxAge: "public, max-age=300",
		keys: make(map[string]*ecdsa.PrivateKey), news: make(chan struct{}),
		faults: make(map[string]func(*http.Request) (*http.Response, error)), asked: make(map[string]int),
	}
	for _, kid := range kids {
		s.publish(t, kid)
	}
	return s
}

// publish adds a key to the key set, and tells nobody.
func (s *station) publish(t *testing.T, kid string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[kid] = key
}

// withdraw takes a key out of the key set, and tells nobody. It returns what signs
// with it.
func (s *station) withdraw(kid string) *ecdsa.PrivateKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.keys[kid]
	delete(s.keys, kid)
	return key
}

// tell puts a change on the feed.
func (s *station) tell(kind domain.ChangeKind, subject string, value int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, change{string(kind), subject, value, time.Now().UTC()})
	close(s.news)
	s.news = make(chan struct{})
}

// fault answers what is asked of path by f, or as usual if f is nil.
func (s *station) fault(path string, f func(*http.Request) (*http.Response, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[path] = f
}

// count returns how often path was asked for.
func (s *station) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

// begun returns how often the feed was begun.
func (s *station) begun() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.cursors {
		if c == "" {
			n++
		}
	}
	return n
}

// RoundTrip implements http.RoundTripper.
func (s *station) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	if r.URL.Path == feedAt {
		s.cursors = append(s.cursors, r.URL.Query().Get("cursor"))
	}
	fault := s.faults[r.URL.Path]
	s.mu.Unlock()
	if fault != nil {
		return fault(r)
	}
	w := httptest.NewRecorder()
	s.serve(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (s *station) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case metadataAt:
		w.Header().Set("Cache-Control", "public, max-age=300")
		write(w, map[string]any{
			"issuer": issuer, "jwks_uri": issuer + keySetAt,
			"keyport_revocations_endpoint": issuer + feedAt, "keyport_revocation_max": s.revocationMax,
		})
	case keySetAt:
		w.Header().Set("Cache-Control", s.keySetMaxAge)
		write(w, map[string]any{"keys": s.keySet()})
	case feedAt:
		s.feed(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *station) keySet() []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := []map[string]string{}
	for _, kid := range slices.Sorted(maps.Keys(s.keys)) {
		point, err := s.keys[kid].PublicKey.Bytes()
		if err != nil {
			panic(err)
		}
		set = append(set, map[string]string{
			"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid,
			"x": encode(point[1:33]), "y": encode(point[33:]),
		})
	}
	return set
}

func (s *station) feed(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	if r.Header.Get("Authorization") != "Bearer "+accessKey.Reveal() {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	from, err := strconv.Atoi("0" + r.URL.Query().Get("cursor"))
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	wait, _ := strconv.Atoi(r.URL.Query().Get("wait"))
	over := time.NewTimer(time.Duration(wait) * time.Second)
	defer over.Stop()
	for {
		s.mu.Lock()
		news, next, told := s.news, len(s.changes), []change{}
		for _, c := range s.changes[min(from, len(s.changes)):] {
			if s.retention == 0 || time.Since(c.At) < s.retention {
				told = append(told, c)
			}
		}
		s.mu.Unlock()
		asOf := time.Since(arrived)
		if len(told) > 0 || asOf >= time.Duration(wait)*time.Second {
			write(w, map[string]any{"changes": told, "next": strconv.Itoa(next), "as_of": asOf.Seconds()})
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-news:
		case <-over.C:
		}
	}
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

// Faults.

func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func isCut(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func answers(status int, body string, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return w.Result(), nil
	}
}

// goesOn answers a body that does not end.
func goesOn(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: make(http.Header), Body: io.NopCloser(spaces{}), Request: r}, nil
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// A bearer is what a token says.
type bearer struct {
	kid, audience, session string
	authority              int64
	life                   time.Duration
}

// token signs for ada, with the key that is published as kid.
func (s *station) token(t *testing.T, b bearer) string {
	t.Helper()
	s.mu.Lock()
	key := s.keys[b.kid]
	s.mu.Unlock()
	return sign(t, key, b)
}

func sign(t *testing.T, key *ecdsa.PrivateKey, b bearer) string {
	t.Helper()
	if b.audience == "" {
		b.audience = issuer
	}
	if b.session == "" {
		b.session = sessionA
	}
	if b.life == 0 {
		b.life = 24 * time.Hour
	}
	now := time.Now()
	head := fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt"}`, b.kid)
	body := fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":%q,"exp":%d,"iat":%d,"jti":"1","sid":%q,"av":%d,"roles":["editor"],"auth_time":%d}`,
		issuer, ada, b.audience, now.Add(b.life).Unix(), now.Unix(), b.session, b.authority, now.Unix())
	text := encode([]byte(head)) + "." + encode([]byte(body))
	digest := sha256.Sum256([]byte(text))
	x, y, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if n := elliptic.P256().Params().N; y.Cmp(new(big.Int).Rsh(n, 1)) > 0 { // of the two that verify Keyport makes the lesser
		y.Sub(n, y)
	}
	signature := make([]byte, 64)
	x.FillBytes(signature[:32])
	y.FillBytes(signature[32:])
	return text + "." + encode(signature)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// A post is a Verifier that runs at a station.
type post struct {
	*verify.Verifier
	t    *testing.T
	log  *journal
	stop context.CancelFunc
	end  chan error // gets what Run returns
}

// guard runs a Verifier at the station, and ends it with the test.
func guard(t *testing.T, s *station, c verify.Config) *post {
	t.Helper()
	c.Issuer, c.Key, c.Client = issuer, accessKey, &http.Client{Transport: s}
	return run(t, c)
}

// run runs a Verifier of c, and ends it with the test.
func run(t *testing.T, c verify.Config) *post {
	t.Helper()
	log := new(journal)
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	v, err := verify.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	p := &post{v, t, log, stop, make(chan error, 1)}
	ended := make(chan struct{})
	go func() { p.end <- v.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	return p
}

// takes fails the test unless the token is good.
func (p *post) takes(token string) {
	p.t.Helper()
	if _, err := p.Verify(p.t.Context(), token); err != nil {
		p.t.Errorf("a good token: %v; %+v", err, p.State())
	}
}

// refuses fails the test unless the token is refused for want.
func (p *post) refuses(token string, want error) {
	p.t.Helper()
	if claims, err := p.Verify(p.t.Context(), token); !errors.Is(err, want) {
		p.t.Errorf("it is %v, and it bears %+v; want %v", err, claims, want)
	}
}

// A journal is a log that can be read meanwhile.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
