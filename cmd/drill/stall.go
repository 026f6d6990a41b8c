package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
)

// The times of a stall.
const (
	lateness  = 200 * time.Millisecond // of each packet, in each direction
	settling  = 6 * time.Second        // for connections to be made, three turns each, when all is late
	healing   = 2 * time.Second        // after which all is well again
	stallSlow = 5 * time.Second        // that all is late, once settled
	toldAgain = 500 * time.Millisecond // for which a probe tells what it has found
)

// stalled has a proxy before the server make everything late, and then keep everything
// back without a word.
func stalled(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	at, err := url.Parse(g.Postgres.URL("postgres"))
	if err != nil {
		return err
	}
	p, err := newProxy(ctx, at.Host)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	at.Host = p.addr()
	site, err := g.Elsewhere(at.String())
	if err != nil {
		return err
	}
	k, err := site.ServeDemo(ctx, fmt.Sprintf("KEYPORT_REVOCATION_MAX=%v", revocationMax))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	client := k.Client()
	defer client.Close()
	secret, err := site.SetPassword(ctx, "admin")
	if err != nil {
		return err
	}
	admin, err := client.SignIn(ctx, "admin", secret)
	if err != nil {
		return err
	}
	people, err := newCast(ctx, client, "stall")
	if err != nil {
		return err
	}
	refreshing, err := people.refreshing(ctx, client)
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	t := new(traffic)
	t.send(working, client, 4, people.reading())
	t.send(working, client, 1, people.listing())
	t.send(working, client, 1, people.writing(false))
	t.send(working, client, 2, people.me())
	t.send(working, client, 2, checking(admin))
	t.send(working, client, 1, refreshing)
	t.send(working, client, 1, probing(aLive))
	t.send(working, client, 1, probing(aReady))
	b := &bout{proxy: p, traffic: t, on: site.Store}
	err = b.fight(ctx, s.stall)
	stop()
	if err := errors.Join(err, t.wait()); err != nil {
		return err
	}
	select {
	case <-k.Exited():
		return fmt.Errorf("it has ended: %s", k.Log())
	default:
	}
	return b.judge(r)
}

// A bout is the order in which the proxy turns bad.
type bout struct {
	proxy   *proxy
	traffic *traffic
	on      string

	late, mute, back time.Time // when each began
}

func (b *bout) fight(ctx context.Context, stall time.Duration) error {
	if err := pause(ctx, before); err != nil {
		return err
	}
	b.late = time.Now()
	b.proxy.slow(lateness)
	if err := pause(ctx, settling+stallSlow); err != nil {
		return err
	}
	b.mute = time.Now()
	b.proxy.stall()
	err := pause(ctx, stall)
	b.back = time.Now()
	b.proxy.slow(0)
	b.proxy.resume()
	return errors.Join(err, pause(ctx, healing+after))
}

// needing is what wants the store.
var needing = []string{aRecord, aList, aNew, aMe, aRefresh, aReady}

func (b *bout) judge(r *report) error {
	late := b.traffic.between(b.late.Add(settling), b.mute.Add(-answeredWithin))
	tell(r, b.on, "while each packet is 200 ms late", late)
	errs := []error{served("while all is late", late, aCheck, aLive), mostly("while all is late", late, aRecord, aList, aMe, aReady)}

	mute := b.traffic.between(b.mute, b.back)
	when := fmt.Sprintf("while nothing comes through for %v", b.back.Sub(b.mute).Round(time.Second))
	tell(r, b.on, when, mute)
	errs = append(errs, prompt(when, mute), served(when, mute, aLive))
	// What was sent when nothing came through any more, and was due before it did again.
	silent := b.traffic.between(b.mute.Add(lateness), b.back.Add(-answeredWithin))
	silent[aReady] = b.traffic.between(b.mute.Add(lateness+toldAgain), b.back.Add(-answeredWithin))[aReady]
	for _, what := range needing {
		if h := silent[what]; h.refused() == 0 || h.refused() < len(h.times) {
			errs = append(errs, fmt.Errorf("%s %s: %v", what, when, h))
		}
	}
	errs = append(errs, b.checks(r))

	r.add(b.on, "from its end to the last request that was refused", "%v", b.well().Round(time.Millisecond))
	healed := b.traffic.between(b.back.Add(healing), time.Now())
	for _, what := range slices.Sorted(maps.Keys(healed)) {
		errs = append(errs, served(fmt.Sprintf("%v after the stall", healing), healed, what))
	}
	return errors.Join(errs...)
}

// checks fails where a token was taken on what was heard too long ago.
func (b *bout) checks(r *report) error {
	relied, refused, last := 0, 0, time.Duration(0)
	for _, a := range b.traffic.asked {
		if a.what != aCheck || a.at.Before(b.mute) || a.at.After(b.back.Add(-answeredWithin)) {
			continue
		}
		if a.status == http.StatusOK {
			relied++
			last = max(last, a.at.Sub(b.mute))
		} else {
			refused++
		}
	}
	r.add(b.on, "token checks meanwhile on what was heard, last after; refused past KEYPORT_REVOCATION_MAX, 2 s", "%d, %v; %d", relied, last.Round(time.Millisecond), refused)
	if relied == 0 || refused == 0 || last > revocationMax {
		return fmt.Errorf("in the stall %d token checks relied on what was heard, the last after %v, and %d were refused", relied, last, refused)
	}
	return nil
}

// well returns how long after the end of the stall a request was sent that was refused.
func (b *bout) well() (last time.Duration) {
	for _, a := range b.traffic.asked {
		if a.at.After(b.back) && a.status == http.StatusServiceUnavailable {
			last = max(last, a.at.Sub(b.back))
		}
	}
	return last
}
