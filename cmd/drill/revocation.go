package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// What is promised of a revocation: see docs/authority.md.
const (
	mostOften     = time.Second     // within which 99 of 100 are in force elsewhere
	always        = 2 * time.Second // within which all are
	revocationMax = 2 * time.Second // the setting of both replicas
)

// A pair is two replicas on one store.
type pair struct {
	site        ground.Site
	here, there *process.Keyport
	a, b        *process.Client
}

// newPair starts two replicas, of which the first has the demo's collections. The
// caller closes the pair.
func newPair(ctx context.Context, site ground.Site, env ...string) (_ *pair, err error) {
	env = append(env, fmt.Sprintf("KEYPORT_REVOCATION_MAX=%v", revocationMax))
	p := &pair{site: site}
	if p.here, err = site.ServeDemo(ctx, env...); err != nil {
		return nil, err
	}
	if p.there, err = site.Serve(ctx, env...); err != nil {
		return nil, errors.Join(err, p.here.Kill())
	}
	p.a, p.b = p.here.Client(), p.there.Client()
	return p, nil
}

func (p *pair) close() error {
	p.a.Close()
	p.b.Close()
	return errors.Join(p.here.Kill(), p.there.Kill())
}

// revocation ends sessions on one replica under load, and measures how long another
// takes their access tokens, and a service that checks them by itself. Then it takes
// the store away, and wants both to refuse once they have heard nothing for too long.
func revocation(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	site, err := g.PostgreSQL()
	if err != nil {
		return err
	}
	p, err := newPair(ctx, site)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	secret, err := site.SetPassword(ctx, "admin")
	if err != nil {
		return err
	}
	admin, err := p.a.SignIn(ctx, "admin", secret)
	if err != nil {
		return err
	}
	apart, err := newService(ctx, p.there, admin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, apart.close()) }()
	if err := p.endings(ctx, s, r, observer{"on the other replica", p.takes}, observer{"by a service that checks tokens itself", apart.takes}); err != nil {
		return err
	}
	return p.deafness(ctx, g, admin, apart, r)
}

// cutOff is revocation while the connections by which replicas hear of news are cut
// each second.
func cutOff(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	site, err := g.PostgreSQL()
	if err != nil {
		return err
	}
	p, err := newPair(ctx, site)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	ctx, stop := context.WithCancel(ctx)
	var cuts int
	var fault error
	var cutting sync.WaitGroup
	cutting.Go(func() { cuts, fault = cutEachSecond(ctx, g) })
	err = p.endings(ctx, s, r, observer{"on the other replica", p.takes})
	stop()
	cutting.Wait()
	r.add(site.Store, "connections that listened, and were cut", "%d", cuts)
	if cuts == 0 {
		fault = errors.Join(fault, errors.New("no connection was cut"))
	}
	return errors.Join(err, fault)
}

// bounced is revocation through a PgBouncer in transaction mode, where no notice
// comes through.
func bounced(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	site, done, err := g.PgBouncer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	p, err := newPair(ctx, site)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	return p.endings(ctx, s, r, observer{"on the other replica", p.takes})
}

// An observer is asked whether it still takes an access token.
type observer struct {
	where string
	takes func(ctx context.Context, token string) (bool, error)
}

// takes asks the replica on which nothing was done.
func (p *pair) takes(ctx context.Context, token string) (bool, error) {
	answer, err := p.b.Send(ctx, process.Request{Method: http.MethodGet, Path: "/v1/me", Token: token})
	switch {
	case err != nil:
		return false, err
	case answer.Status == http.StatusOK, answer.Status == http.StatusUnauthorized:
		return answer.Status == http.StatusOK, nil
	}
	return false, fmt.Errorf("the other replica answers %s", answer)
}

// endings signs out many sessions here, several at once, while readers keep both
// replicas busy, and tells how long after each acknowledgement the observers refused
// its token. It fails where a promise was broken.
func (p *pair) endings(ctx context.Context, s size, r *report, observers ...observer) error {
	tokens, err := signInOften(ctx, p.a, s.endings)
	if err != nil {
		return err
	}
	lags, err := p.endAll(ctx, tokens, observers)
	if err != nil {
		return err
	}
	r.add(p.site.Store, "sign-outs on one of two replicas, under load", "%d", len(tokens))
	var broken []error
	for i, o := range observers {
		slices.Sort(lags[i])
		median, p99, most := lags[i][len(lags[i])/2], lags[i][(len(lags[i])-1)*99/100], lags[i][len(lags[i])-1]
		r.add(p.site.Store, "refused "+o.where+" after: median, 99th percentile, at most", "%v, %v, %v",
			median.Round(time.Millisecond), p99.Round(time.Millisecond), most.Round(time.Millisecond))
		if p99 > mostOften || most > always {
			broken = append(broken, fmt.Errorf("a revoked token was taken %s for too long: 99th percentile %v, at most %v", o.where, p99, most))
		}
	}
	return errors.Join(broken...)
}

// signInOften opens an account, unless there is one, and returns the access tokens
// of n sessions.
func signInOften(ctx context.Context, c *process.Client, n int) (tokens []string, err error) {
	refused := new(process.Refusal)
	if err := c.SignUp(ctx, "revocation", password); err != nil && (!errors.As(err, &refused) || refused.Status != http.StatusConflict) {
		return nil, err
	}
	var mu sync.Mutex
	var work sync.WaitGroup
	for i := range runtime.NumCPU() {
		work.Go(func() {
			for range (n + i) / runtime.NumCPU() {
				grant, fault := c.SignIn(ctx, "revocation", password)
				mu.Lock()
				tokens, err = append(tokens, grant.AccessToken), errors.Join(err, fault)
				mu.Unlock()
				if fault != nil {
					return
				}
			}
		})
	}
	work.Wait()
	return tokens, err
}

// endAll signs out each session here, and returns the lags of each observer.
func (p *pair) endAll(ctx context.Context, tokens []string, observers []observer) (lags [][]time.Duration, err error) {
	const workers, readers = 8, 4
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lags = make([][]time.Duration, len(observers))
	var mu sync.Mutex
	var load, work sync.WaitGroup
	for i := range readers {
		load.Go(func() {
			c := []*process.Client{p.a, p.b}[i%2]
			for ctx.Err() == nil {
				_, _ = c.Send(ctx, process.Request{Method: http.MethodGet, Path: ships})
			}
		})
	}
	queue := make(chan string)
	for range workers {
		work.Go(func() {
			for token := range queue {
				took, fault := p.endOne(ctx, token, observers)
				mu.Lock()
				for i := range took {
					lags[i] = append(lags[i], took[i])
				}
				err = errors.Join(err, fault)
				mu.Unlock()
			}
		})
	}
	for _, token := range tokens {
		queue <- token
	}
	close(queue)
	work.Wait()
	stop()
	load.Wait()
	return lags, err
}

// endOne returns how long each observer went on to take the token.
func (p *pair) endOne(ctx context.Context, token string, observers []observer) ([]time.Duration, error) {
	for _, o := range observers {
		if good, err := o.takes(ctx, token); err != nil || !good {
			return nil, fmt.Errorf("a good token is refused %s: %w", o.where, err)
		}
	}
	if err := p.a.SignOut(ctx, token); err != nil {
		return nil, err
	}
	ended := time.Now()
	if err := p.a.Want(ctx, http.StatusUnauthorized, process.Request{Method: http.MethodGet, Path: "/v1/me", Token: token}, nil); err != nil {
		return nil, fmt.Errorf("the replica that ended it: %w", err)
	}
	lags, open := make([]time.Duration, len(observers)), len(observers)
	for {
		for i, o := range observers {
			if lags[i] > 0 {
				continue
			}
			good, err := o.takes(ctx, token)
			switch {
			case err != nil:
				return nil, err
			case !good:
				lags[i] = time.Since(ended)
				open--
			case time.Since(ended) > 10*time.Second:
				return nil, fmt.Errorf("%v after the end the token is taken %s", time.Since(ended), o.where)
			}
		}
		if open == 0 {
			return lags, nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// deafness takes the store away. Introspection asks it nothing, so it shows what a
// replica does with what it has heard: rely on it for revocationMax, and no longer.
// A service that hears from that replica does the same.
func (p *pair) deafness(ctx context.Context, g *ground.Ground, admin process.Grant, apart *service, r *report) (err error) {
	ask := process.Request{Method: http.MethodPost, Path: "/v1/token/introspect", Token: admin.AccessToken, Body: url.Values{"token": {admin.AccessToken}}}
	if err := p.b.Want(ctx, http.StatusOK, ask, nil); err != nil {
		return err
	}
	if err := g.Postgres.Kill(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Postgres.Start(ctx)) }()
	gone := time.Now()
	var relied, refused int
	var last, lastApart time.Duration
	for time.Since(gone) < 2*revocationMax {
		sent := time.Since(gone)
		answer, err := p.b.Send(ctx, ask)
		switch {
		case err != nil:
			return err
		case answer.Status == http.StatusOK:
			relied++
			last = sent
		case answer.Status == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") != "":
			refused++
		default:
			return fmt.Errorf("without the store: %s", answer)
		}
		sent = time.Since(gone)
		if relies, err := apart.relies(ctx, admin.AccessToken); err != nil {
			return err
		} else if relies {
			lastApart = sent
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	r.add(p.site.Store, "without the store: answers on what was heard, last after", "%d, %v", relied, last.Round(time.Millisecond))
	r.add(p.site.Store, "without the store: 503 past KEYPORT_REVOCATION_MAX, 2 s", "%d", refused)
	r.add(p.site.Store, "without the store: the service took a token last after", "%v", lastApart.Round(time.Millisecond))
	if last > revocationMax || lastApart > revocationMax || relied == 0 || refused == 0 {
		return fmt.Errorf("without the store %d answers relied on what was heard, the last after %v, and %d were refused; the service took a token after %v",
			relied, last, refused, lastApart)
	}
	return nil
}
