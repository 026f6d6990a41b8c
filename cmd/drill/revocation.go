package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// What is promised of a revocation: see docs/authority.md.
const (
	mostOften     = time.Second     // within which 99 of 100 are in force on the other replica
	always        = 2 * time.Second // within which all are
	revocationMax = 2 * time.Second // the setting of both replicas
)

// revocation ends sessions on one replica under load, and measures how long the
// other takes their access tokens. Then it takes the store away, and wants the
// other to refuse once it has heard nothing for too long.
func revocation(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	site, err := g.PostgreSQL()
	if err != nil {
		return err
	}
	setting := fmt.Sprintf("KEYPORT_REVOCATION_MAX=%v", revocationMax)
	here, err := site.ServeDemo(ctx, setting)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, here.Kill()) }()
	there, err := site.Serve(ctx, setting)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, there.Kill()) }()
	a, b := here.Client(), there.Client()
	defer a.Close()
	defer b.Close()
	if err := a.SignUp(ctx, "revocation", password); err != nil {
		return err
	}
	tokens, err := signInOften(ctx, a, s.endings)
	if err != nil {
		return err
	}
	lags, err := endAll(ctx, a, b, tokens)
	if err != nil {
		return err
	}
	slices.Sort(lags)
	most, p99 := lags[len(lags)-1], lags[(len(lags)-1)*99/100]
	r.add(site.Store, "sign-outs on one of two replicas, under load", "%d", len(lags))
	r.add(site.Store, "refused on the other after: median, 99th percentile, at most", "%v, %v, %v",
		lags[len(lags)/2].Round(time.Millisecond), p99.Round(time.Millisecond), most.Round(time.Millisecond))
	if p99 > mostOften || most > always {
		return fmt.Errorf("a revoked token was taken for too long: 99th percentile %v, at most %v", p99, most)
	}
	return deafness(ctx, g, site, a, b, r)
}

// signInOften returns the access tokens of n sessions.
func signInOften(ctx context.Context, c *process.Client, n int) (tokens []string, err error) {
	for range n {
		grant, err := c.SignIn(ctx, "revocation", password)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, grant.AccessToken)
	}
	return tokens, nil
}

// endAll signs out each session on here, several at once, while readers keep both
// busy, and returns how long after the acknowledgement there refused its token.
func endAll(ctx context.Context, here, there *process.Client, tokens []string) (lags []time.Duration, err error) {
	const workers, readers = 8, 4
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	var load, work sync.WaitGroup
	for i := range readers {
		load.Go(func() {
			c := []*process.Client{here, there}[i%2]
			for ctx.Err() == nil {
				_, _ = c.Send(ctx, process.Request{Method: http.MethodGet, Path: ships})
			}
		})
	}
	queue := make(chan string)
	for range workers {
		work.Go(func() {
			for token := range queue {
				lag, fault := endOne(ctx, here, there, token)
				mu.Lock()
				lags, err = append(lags, lag), errors.Join(err, fault)
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

func endOne(ctx context.Context, here, there *process.Client, token string) (time.Duration, error) {
	me := process.Request{Method: http.MethodGet, Path: "/v1/me", Token: token}
	if err := there.Want(ctx, http.StatusOK, me, nil); err != nil {
		return 0, err
	}
	if err := here.SignOut(ctx, token); err != nil {
		return 0, err
	}
	ended := time.Now()
	if err := here.Want(ctx, http.StatusUnauthorized, me, nil); err != nil {
		return 0, fmt.Errorf("the replica that ended it: %w", err)
	}
	for {
		answer, err := there.Send(ctx, me)
		switch {
		case err != nil:
			return 0, err
		case answer.Status == http.StatusUnauthorized:
			return time.Since(ended), nil
		case answer.Status != http.StatusOK || time.Since(ended) > 10*time.Second:
			return 0, fmt.Errorf("%v after the end: %s", time.Since(ended), answer)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// deafness takes the store away. Introspection asks it nothing, so it shows what a
// replica does with what it has heard: rely on it for revocationMax, and no longer.
func deafness(ctx context.Context, g *ground.Ground, site ground.Site, here, there *process.Client, r *report) (err error) {
	secret, err := site.SetPassword(ctx, "admin")
	if err != nil {
		return err
	}
	admin, err := here.SignIn(ctx, "admin", secret)
	if err != nil {
		return err
	}
	ask := process.Request{Method: http.MethodPost, Path: "/v1/token/introspect", Token: admin.AccessToken, Body: url.Values{"token": {admin.AccessToken}}}
	if err := there.Want(ctx, http.StatusOK, ask, nil); err != nil {
		return err
	}
	if err := g.Postgres.Kill(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Postgres.Start(ctx)) }()
	gone := time.Now()
	var relied, refused int
	var last time.Duration
	for time.Since(gone) < 2*revocationMax {
		sent := time.Since(gone)
		answer, err := there.Send(ctx, ask)
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
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	r.add(site.Store, "without the store: answers on what was heard, last after", "%d, %v", relied, last.Round(time.Millisecond))
	r.add(site.Store, "without the store: 503 past KEYPORT_REVOCATION_MAX, 2 s", "%d", refused)
	if last > revocationMax || relied == 0 || refused == 0 {
		return fmt.Errorf("without the store %d answers relied on what was heard, the last after %v, and %d were refused", relied, last, refused)
	}
	return nil
}
