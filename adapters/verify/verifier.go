package verify

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

// A Verifier checks access tokens. Many goroutines may use it at once.
type Verifier struct {
	c      Config
	client *http.Client
	own    bool // client is ours: its connections end with Run
	born   time.Time

	reader    *jose.Reader
	board     *domain.Board
	documents *documents

	most  atomic.Int64 // the RevocationMax in force, a time.Duration; 0 while there is none
	begun atomic.Bool
	runs  atomic.Bool
}

// New returns a Verifier that knows nothing yet, or tells what is wrong with c. It
// opens nothing.
func New(c Config) (*Verifier, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	v := &Verifier{
		c: c, client: c.Client, born: time.Now(),
		board: domain.NewBoard(), documents: newDocuments(),
	}
	if v.client == nil {
		v.client, v.own = newClient(), true
	}
	v.reader = jose.NewReader(c.Issuer, c.Audience, time.Now)
	return v, nil
}

// The failures of Run.
var (
	ErrIssuer  = errors.New("verify: the metadata is another issuer's")
	ErrRefused = errors.New("verify: the access key is refused")

	errTwice = errors.New("verify: a Verifier runs once")
)

// Run fetches the metadata, the keys and the feed until ctx ends, and then returns
// nil. What fails is tried again, except for what cannot come right by waiting: Run
// fails with ErrIssuer if the metadata is another issuer's (RFC 8414, section 3.3),
// and with ErrRefused if the access key has ended or lacks the right. It may be
// called once; after it no token is taken.
func (v *Verifier) Run(ctx context.Context) error {
	if !v.begun.CompareAndSwap(false, true) {
		return errTwice
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	v.runs.Store(true)
	for _, keep := range []func(context.Context) error{v.keepDocuments, v.followFeed} {
		wg.Go(func() { cancel(keep(ctx)) })
	}
	wg.Wait()
	v.runs.Store(false)
	v.reader.Close()
	if v.own {
		v.client.CloseIdleConnections()
	}
	if err := context.Cause(ctx); errors.Is(err, ErrIssuer) || errors.Is(err, ErrRefused) {
		return err
	}
	return nil
}

// Verify returns the claims of an access token that is genuine, live and not
// revoked. It fails with domain.ErrInvalidToken, or with domain.ErrUnavailable where
// it cannot know: if it has not heard from Keyport for RevocationMax, or if ctx has
// ended. It asks nobody, except where the token names a key that is not known: then
// the key set is fetched anew, once each few seconds for all callers together, and
// the call waits for that within ctx.
func (v *Verifier) Verify(ctx context.Context, token string) (domain.Claims, error) {
	if !v.recent() {
		return domain.Claims{}, domain.ErrUnavailable.Because(errNotHeard)
	}
	readings := v.documents.readings.Load()
	claims, err := v.reader.Verify(ctx, token)
	if errors.Is(err, domain.ErrInvalidToken) {
		if !v.reader.Knows(token) {
			if err := v.documents.lookAgain(ctx, v.uptime()); err != nil {
				return domain.Claims{}, domain.ErrUnavailable.Because(err)
			}
		}
		if v.documents.readAgain(readings) {
			claims, err = v.reader.Verify(ctx, token)
		}
	}
	switch {
	case errors.Is(err, domain.ErrInvalidToken):
		return domain.Claims{}, err
	case err != nil:
		return domain.Claims{}, domain.ErrUnavailable.Because(err)
	case !claims.Live(time.Now()) || v.board.Revokes(claims):
		return domain.Claims{}, domain.ErrInvalidToken
	case !v.recent(): // the wait for the keys may have been long
		return domain.Claims{}, domain.ErrUnavailable.Because(errNotHeard)
	}
	return claims, nil
}

var errNotHeard = errors.New("nothing was heard from Keyport for too long")

// recent reports whether what was heard can be relied upon.
func (v *Verifier) recent() bool {
	return v.runs.Load() && v.board.Recent(v.uptime(), v.revocationMax())
}

// revocationMax returns how old news may be: what was asked for, or what the
// metadata promise if that is less or nothing was asked for.
func (v *Verifier) revocationMax() time.Duration { return time.Duration(v.most.Load()) }

// uptime is monotonic.
func (v *Verifier) uptime() time.Duration { return time.Since(v.born) }

// A State is how a Verifier stands, for metrics.
type State struct {
	Ready         bool          // tokens are judged, and not refused as ErrUnavailable
	Age           time.Duration // since when something may have happened unheard; 0 if nothing was ever heard
	RevocationMax time.Duration // that is in force; 0 while the metadata has not been read
	Lag           time.Duration // from the latest revocation to when it was heard
	Changes       int           // revocations that are in mind
	Keys          int           // in the key set as it was read last
}

// State returns the figures of this moment.
func (v *Verifier) State() State {
	b := v.board.State()
	s := State{
		Ready: v.recent(), RevocationMax: v.revocationMax(),
		Lag: b.Lag, Changes: b.Changes, Keys: v.documents.keys(),
	}
	if b.Heard {
		s.Age = v.uptime() - b.AsOf
	}
	return s
}
