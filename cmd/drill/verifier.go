package main

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// A verifier is a third party's: it knows nothing of Keyport but the key set, which
// it fetches anew when Cache-Control says that it is too old, and not before, also
// where it meets a key that it does not know.
type verifier struct {
	from *process.Client

	mu      sync.Mutex
	keys    jose.JSONWebKeySet
	until   time.Time
	fetches int
}

func newVerifier(from *process.Client) *verifier { return &verifier{from: from} }

var maxAge = regexp.MustCompile(`\bmax-age=(\d+)`)

// verify returns the key that signed the token, or says what is wrong with it.
func (v *verifier) verify(ctx context.Context, token string) (kid string, err error) {
	signed, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return "", err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if time.Now().After(v.until) {
		if err := v.fetch(ctx); err != nil {
			return "", err
		}
	}
	kid = signed.Signatures[0].Header.KeyID
	found := v.keys.Key(kid)
	if len(found) != 1 {
		return "", fmt.Errorf("a genuine token is refused: the key set, which is good for %v, has no key %q", time.Until(v.until), kid)
	}
	if _, err := signed.Verify(found[0]); err != nil {
		return "", fmt.Errorf("a genuine token is refused: %w", err)
	}
	return kid, nil
}

func (v *verifier) fetch(ctx context.Context) error {
	answer, err := v.from.Send(ctx, process.Request{Method: http.MethodGet, Path: "/.well-known/jwks.json"})
	if err != nil {
		return err
	}
	age := maxAge.FindStringSubmatch(answer.Header.Get("Cache-Control"))
	if answer.Status != http.StatusOK || age == nil {
		return fmt.Errorf("the key set: %s, Cache-Control %q", answer, answer.Header.Get("Cache-Control"))
	}
	seconds, err := strconv.Atoi(age[1])
	if err != nil {
		return err
	}
	v.fetches++
	v.until = time.Now().Add(time.Duration(seconds) * time.Second)
	v.keys = jose.JSONWebKeySet{}
	return answer.Into(&v.keys)
}

func (v *verifier) fetched() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.fetches
}
