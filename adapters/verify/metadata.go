package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const maxMetadata = 64 << 10 // bytes

// documentPatience bounds the wait for the answer to a request for a document.
const documentPatience = 5 * time.Second

// metadata is what Keyport tells of itself (RFC 8414, section 2), as far as it
// matters here.
type metadata struct {
	Issuer        string  `json:"issuer"`
	KeySet        string  `json:"jwks_uri"`
	Feed          string  `json:"keyport_revocations_endpoint"`
	RevocationMax float64 `json:"keyport_revocation_max"` // seconds
}

// readMetadata fetches the metadata. It fails with ErrIssuer if they are another's.
func (v *Verifier) readMetadata(ctx context.Context) (m metadata, fresh time.Duration, err error) {
	header, body, err := v.ask(ctx, inquiry{
		url: v.c.Issuer + "/.well-known/oauth-authorization-server", patience: documentPatience, most: maxMetadata,
	})
	if err != nil {
		return metadata{}, 0, err
	}
	if json.Unmarshal(body, &m) != nil || m.Issuer == "" {
		return metadata{}, 0, errors.New("verify: the metadata cannot be read")
	}
	if m.Issuer != v.c.Issuer {
		return metadata{}, 0, fmt.Errorf("%w: %q, and Issuer is %q", ErrIssuer, m.Issuer, v.c.Issuer)
	}
	fresh, _ = freshness(header)
	return m, fresh, m.check()
}

// check fails for metadata that cannot be used. The access key goes where they say,
// and so no further than the issuer.
func (m metadata) check() error {
	for _, door := range []struct{ name, url string }{{"jwks_uri", m.KeySet}, {"keyport_revocations_endpoint", m.Feed}} {
		if !strings.HasPrefix(door.url, m.Issuer+"/") {
			return fmt.Errorf("verify: the metadata have %s at %q: want it at the issuer's", door.name, door.url)
		}
	}
	if m.RevocationMax <= 0 {
		return errors.New("verify: the metadata promise no keyport_revocation_max: no news is young enough to rely on")
	}
	return nil
}

// revocationMax returns how old news may be, where a service asks for no older than
// asked; 0 stands for what is promised.
func (m metadata) revocationMax(asked time.Duration) time.Duration {
	promised := time.Duration(min(m.RevocationMax, time.Hour.Seconds()) * float64(time.Second))
	if asked > 0 {
		return min(asked, promised)
	}
	return promised
}
