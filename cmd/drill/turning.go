package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// rotations is how often the keys turn.
const rotations = 3

// turning turns all keys under load over two replicas: tokens and cursors that one
// has made are used at the other, and access tokens are shown to verifiers that
// know nothing but the key set, and keep it as long as they may.
func turning(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	site, err := g.PostgreSQL()
	if err != nil {
		return err
	}
	const maxAge = "KEYPORT_KEY_SET_MAX_AGE=1s"
	p, err := newPair(ctx, site, maxAge)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if _, err := signInOften(ctx, p.a, 1); err != nil {
		return err
	}
	l := &lapse{p: p, verifiers: []*verifier{newVerifier(p.a), newVerifier(p.b)}}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var load sync.WaitGroup
	var mu sync.Mutex
	var faults error
	const workers = 4
	for i := range workers {
		grant, err := p.a.SignIn(ctx, "revocation", password)
		if err != nil {
			return err
		}
		load.Go(func() {
			if fault := l.live(ctx, i, grant); fault != nil {
				mu.Lock()
				faults = errors.Join(faults, fault)
				mu.Unlock()
				stop()
			}
		})
	}
	for range rotations {
		if err = l.turn(ctx, site, maxAge, r); err != nil {
			break
		}
	}
	stop()
	load.Wait()
	if faults != nil {
		return faults
	}
	if err != nil {
		return err
	}
	r.add(site.Store, "tokens made at one replica and used at the other: refresh, access, cursor", "%d, %d, %d", l.refreshed.Load(), l.used.Load(), l.paged.Load())
	r.add(site.Store, "access tokens shown to verifiers that honour Cache-Control alone", "%d", l.shown.Load())
	r.add(site.Store, "key sets fetched by them, keys seen", "%d, %d", l.verifiers[0].fetched()+l.verifiers[1].fetched(), l.keys())
	r.add(site.Store, "genuine tokens refused", "none")
	if l.keys() <= rotations || l.shown.Load() == 0 || l.paged.Load() == 0 {
		return fmt.Errorf("the keys turned %d times, and tokens of %d were seen", rotations, l.keys())
	}
	return nil
}

// A lapse is the load while the keys turn.
type lapse struct {
	p         *pair
	verifiers []*verifier

	refreshed, used, paged, shown atomic.Int64
	seen                          sync.Map // kid to true
}

// live is one client, which refreshes here and there, until ctx ends. What is refused
// is its error.
func (l *lapse) live(ctx context.Context, n int, grant process.Grant) error {
	replicas := []*process.Client{l.p.a, l.p.b}
	for ; ctx.Err() == nil; n++ {
		at, other := replicas[n%2], replicas[(n+1)%2]
		next, err := at.Refresh(ctx, grant.RefreshToken)
		if err == nil {
			grant = next
			l.refreshed.Add(1)
			err = l.use(ctx, at, other, grant.AccessToken)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			break
		}
	}
	return nil
}

// use uses what was made at one replica at the other, and shows it to the verifiers.
func (l *lapse) use(ctx context.Context, at, other *process.Client, token string) error {
	if err := other.Want(ctx, http.StatusOK, process.Request{Method: http.MethodGet, Path: "/v1/me", Token: token}, nil); err != nil {
		return err
	}
	l.used.Add(1)
	var page struct{ Next string }
	if err := at.Want(ctx, http.StatusOK, process.Request{Method: http.MethodGet, Path: ships + "?limit=1"}, &page); err != nil {
		return err
	}
	if err := other.Want(ctx, http.StatusOK, process.Request{Method: http.MethodGet, Path: ships + "?limit=1&cursor=" + page.Next}, nil); err != nil {
		return err
	}
	l.paged.Add(1)
	for _, v := range l.verifiers {
		kid, err := v.verify(ctx, token)
		if err != nil {
			return err
		}
		l.shown.Add(1)
		l.seen.Store(kid, true)
	}
	return nil
}

// keys is how many keys have signed.
func (l *lapse) keys() (n int) {
	l.seen.Range(func(any, any) bool { n++; return true })
	return n
}

// turn turns all keys by command, and waits until the new one signs.
func (l *lapse) turn(ctx context.Context, site ground.Site, maxAge string, r *report) error {
	before, begun := l.keys(), time.Now()
	out, err := site.Run(ctx, []string{maxAge, fmt.Sprintf("KEYPORT_REVOCATION_MAX=%v", revocationMax)}, "keys", "rotate")
	if err != nil {
		return err
	}
	if strings.Count(out, "signs from") != 3 {
		return fmt.Errorf("keys rotate says %q", out)
	}
	for l.keys() == before {
		if time.Since(begun) > 30*time.Second {
			return errors.New("the new key does not sign")
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	r.add(site.Store, "from keys rotate to the first token of the new key", "%v", time.Since(begun).Round(100*time.Millisecond))
	return nil
}
