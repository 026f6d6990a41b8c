package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// What is promised of watching, and what is done to it.
const (
	voices   = 8                      // that write
	eager    = 100                    // one listener of so many listens to all channels
	slows    = 10                     // listeners that stop reading
	leavers  = 5                      // sessions that are ended
	each     = 10                     // listeners of each of these
	pace     = 20                     // writes a second, of all voices
	enough   = 120                    // writes that are more than the system holds for who does not read
	dropped  = 30 * time.Second       // within which who does not read is dropped
	lost     = 5 * time.Second        // KEYPORT_REVOCATION_MAX, within which an ended session loses its streams
	grace    = 15 * time.Second       // KEYPORT_DRAIN_GRACE
	patience = 15 * time.Second       // with what has no promise of its own
	streamed = 96 << 10               // bytes of memory that a stream may take
	working  = 96 << 20               // bytes that the rest may, on top of those before
	glance   = 100 * time.Millisecond // between two looks
)

// watching has thousands listen while a few write, on two replicas and on one.
func watching(ctx context.Context, g *ground.Ground, s size, r *report) error {
	sites, err := g.Stores()
	if err != nil {
		return err
	}
	var broken []error
	for _, site := range sites {
		if err := watchOn(ctx, site, s, r); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", site.Store, err))
		}
	}
	return errors.Join(broken...)
}

func watchOn(ctx context.Context, site ground.Site, s size, r *report) (err error) {
	replicas := 1
	if site.Store == "PostgreSQL" {
		replicas = 2
	}
	h, err := newHall(ctx, site, replicas)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	files, err := filesAllowed()
	if err != nil {
		return err
	}
	streams := min(s.listeners, files-200)
	if streams < voices*channels/2 {
		return fmt.Errorf("a process may have %d files open: the drill would prove nothing", files)
	}
	if err := h.seat(ctx, streams); err != nil {
		return err
	}
	r.add(site.Store, "replicas, streams open, files that a process may have open", "%d, %d, %d", replicas, len(h.listeners), files)
	if err := h.perform(ctx, s, r); err != nil {
		return err
	}
	if err := h.dropSlow(ctx, r); err != nil {
		return err
	}
	if err := h.heardOut(ctx); err != nil {
		return err
	}
	if err := h.memory(r); err != nil {
		return err
	}
	if err := h.adjourn(r); err != nil {
		return err
	}
	return h.verdict(r)
}

// filesAllowed returns how many files a process may have open. Go's own programs take
// all that they may.
func filesAllowed() (int, error) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return int(min(limit.Max, 1<<20)), err
}

// A hall is where voices speak and listeners listen.
type hall struct {
	site      ground.Site
	replicas  []*process.Keyport
	clients   []*process.Client
	ops       []*process.Client
	idle      []int64 // memory of each replica before anybody came, in bytes
	most      []int64 // and at most since
	story     chronicle
	voices    []*voice
	leaving   []process.Grant // sessions that will be ended
	listeners []*listener     // listener n is at replica n modulo how many there are, until it is cut
	awake     chan struct{}   // closed when the slow ones are to go on
	over      time.Time       // when the last word was said
}

// newHall starts replicas, and declares talk. The caller closes the hall.
func newHall(ctx context.Context, site ground.Site, replicas int) (_ *hall, err error) {
	h := &hall{site: site, awake: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	for range replicas {
		k, err := site.Serve(ctx, fmt.Sprintf("KEYPORT_REVOCATION_MAX=%v", lost), fmt.Sprintf("KEYPORT_DRAIN_GRACE=%v", grace))
		if err != nil {
			return nil, err
		}
		h.replicas, h.clients, h.ops = append(h.replicas, k), append(h.clients, k.Client()), append(h.ops, k.Ops())
	}
	admin, err := signInAdministrator(ctx, site, h.clients[0], "watching")
	if err != nil {
		return nil, err
	}
	if err := h.clients[0].Declare(ctx, admin.AccessToken, talkDeclared); err != nil {
		return nil, err
	}
	for n := range voices {
		v := &voice{number: n, login: fmt.Sprintf("voice-%d", n), client: h.clients[n%replicas], story: &h.story}
		if v.grant, err = enrol(ctx, v.client, v.login); err != nil {
			return nil, err
		}
		h.voices = append(h.voices, v)
	}
	for n := range leavers {
		grant, err := enrol(ctx, h.clients[0], fmt.Sprintf("leaver-%d", n))
		if err != nil {
			return nil, err
		}
		h.leaving = append(h.leaving, grant)
	}
	for _, k := range h.replicas {
		used, err := k.RSS()
		if err != nil {
			return nil, err
		}
		h.idle, h.most = append(h.idle, used), append(h.most, used)
	}
	return h, nil
}

// signInAdministrator opens an administrator's account by command, and a session.
func signInAdministrator(ctx context.Context, site ground.Site, c *process.Client, login string) (g process.Grant, err error) {
	secret, err := site.CreateAdministrator(ctx, login+"-administrator")
	if err != nil {
		return g, err
	}
	return c.SignIn(ctx, login+"-administrator", secret)
}

// enrol opens an account and a session.
func enrol(ctx context.Context, c *process.Client, login string) (g process.Grant, err error) {
	if err := c.SignUp(ctx, login, password); err != nil {
		return g, err
	}
	return c.SignIn(ctx, login, password)
}

// close ends all that goes on.
func (h *hall) close() error {
	h.wake()
	for _, l := range h.listeners {
		if l.done != nil {
			_ = l.leave() // closed already, most of them
		}
	}
	for _, c := range append(h.clients, h.ops...) {
		c.Close()
	}
	var errs []error
	for _, k := range h.replicas {
		errs = append(errs, k.Kill())
	}
	return errors.Join(errs...)
}

// wake has the slow ones go on.
func (h *hall) wake() {
	select {
	case <-h.awake:
	default:
		close(h.awake)
	}
}

// seat opens as many streams, and waits until each is sure to hear what will be said.
func (h *hall) seat(ctx context.Context, number int) error {
	for n := range number {
		l := &listener{audience: audience{channel: n % channels}, joined: make(chan struct{}), awake: h.awake}
		switch {
		case n < slows:
			l.slow, l.channel = true, -1
		case n < slows+leavers*each:
			l.leaves, l.channel = true, -1
			l.login, l.token = fmt.Sprintf("leaver-%d", (n-slows)/each), h.leaving[(n-slows)/each].AccessToken
		case n%eager == 0:
			l.channel = -1
		}
		if n%3 == 0 && !l.slow && !l.leaves { // voices listen too: to others, and to what is theirs
			v := h.voices[n/3%voices]
			l.login, l.token = v.login, v.grant.AccessToken
		}
		h.listeners = append(h.listeners, l)
	}
	return h.all(func(n int, l *listener) error {
		if err := l.open(ctx, h.replicas[n%len(h.replicas)].URL); err != nil {
			return fmt.Errorf("stream %d: %w", n, err)
		}
		select {
		case <-l.joined:
			return nil
		case <-l.done:
			return fmt.Errorf("stream %d ended at once, with %q", n, l.end)
		case <-time.After(patience):
			return fmt.Errorf("stream %d has no first event", n)
		}
	})
}

// all runs f for each listener, for some at once, until one fails.
func (h *hall) all(f func(n int, l *listener) error) error {
	const workers = 16
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for n := w; n < len(h.listeners) && errs[w] == nil; n += workers {
				errs[w] = f(n, h.listeners[n])
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// perform has the voices write for a while. Meanwhile streams are cut and come again at
// another replica, and sessions are ended.
func (h *hall) perform(ctx context.Context, s size, r *report) (err error) {
	speaking, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, voices+2)
	var group sync.WaitGroup
	begun := time.Now()
	for n, v := range h.voices {
		group.Go(func() {
			if errs[n] = v.speak(speaking, ctx, voices*time.Second/pace); errs[n] != nil {
				stop()
			}
		})
	}
	group.Go(func() { errs[voices] = h.cut(ctx, s.cuts, s.performance) })
	group.Go(func() {
		if pause(speaking, s.performance/2) == nil {
			errs[voices+1] = h.endSessions(ctx, r)
		}
	})
	for speaking.Err() == nil && (time.Since(begun) < s.performance || h.story.long() < enough) {
		if fault := errors.Join(h.weigh(), pause(speaking, glance)); fault != nil {
			err = fault
			break
		}
	}
	stop()
	group.Wait()
	h.over = time.Now()
	r.add(h.site.Store, "writes acknowledged, in as much time", "%d, %v", h.story.long(), h.over.Sub(begun).Round(glance))
	r.add(h.site.Store, "streams cut, and resumed at the other replica, if there is one", "%d", s.cuts)
	return errors.Join(append(errs, err)...)
}

// cut breaks off streams, a few at a time, and opens each again a little later at the
// next replica.
func (h *hall) cut(ctx context.Context, number int, within time.Duration) error {
	const knives, first = 4, slows + leavers*each
	chosen := rand.Perm(len(h.listeners) - first)[:number]
	errs := make([]error, knives)
	var group sync.WaitGroup
	for k := range knives {
		group.Go(func() {
			for i := k; i < number && errs[k] == nil; i += knives {
				n := first + chosen[i]
				l := h.listeners[n]
				l.cut = true
				errs[k] = errors.Join(l.leave(), pause(ctx, rand.N(knives*within/time.Duration(number))))
				if errs[k] == nil {
					errs[k] = l.open(ctx, h.replicas[(n+1)%len(h.replicas)].URL)
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// endSessions signs the leavers out, and looks when their streams end.
func (h *hall) endSessions(ctx context.Context, r *report) error {
	out := make([]time.Time, leavers)
	for n, grant := range h.leaving {
		if err := h.clients[0].SignOut(ctx, grant.AccessToken); err != nil {
			return err
		}
		out[n] = time.Now()
	}
	var lags []time.Duration
	for n, l := range h.listeners[slows : slows+leavers*each] {
		select {
		case <-l.done:
		case <-time.After(lost + time.Second):
			return fmt.Errorf("a stream of a session that was ended goes on after %v", time.Since(out[n/each]))
		}
		if l.end != "invalid-token" {
			return fmt.Errorf("a stream of a session that was ended ends with %q", l.end)
		}
		lags = append(lags, max(0, l.ended.Sub(out[n/each])))
	}
	median, p99, most := spread(lags)
	r.add(h.site.Store, "streams of ended sessions are ended after: median, 99th percentile, at most", "%v, %v, %v", median, p99, most)
	if most > lost {
		return fmt.Errorf("a stream lived on for %v after its session", most)
	}
	return nil
}

// dropSlow waits until those who do not read are dropped, and has them read what had
// come until then and come again.
func (h *hall) dropSlow(ctx context.Context, r *report) error {
	want := len(h.listeners) - slows - leavers*each
	for {
		open := 0
		for _, ops := range h.ops {
			n, err := gauge(ctx, ops, "keyport_watchers")
			if err != nil {
				return err
			}
			open += n
		}
		if open == want {
			break
		}
		if time.Since(h.over) > dropped {
			return fmt.Errorf("%v after the last write there are %d streams, want %d: without those who do not read", dropped, open, want)
		}
		if err := pause(ctx, glance); err != nil {
			return err
		}
	}
	r.add(h.site.Store, "who did not read was dropped within, from the last write on", "%v (%d)", time.Since(h.over).Round(glance), slows)
	h.wake()
	due := h.story.script(h.listeners[0].audience).total
	for n, l := range h.listeners[:slows] {
		select {
		case <-l.done:
		case <-time.After(patience):
			return errors.New("the stream of who did not read goes on")
		}
		if l.end != "" || l.count.Load() >= due {
			return fmt.Errorf("who did not read has %d of %d events, and was told %q", l.count.Load(), due, l.end)
		}
		if err := errors.Join(l.conn.Close(), l.open(ctx, h.replicas[n%len(h.replicas)].URL)); err != nil {
			return err
		}
	}
	return nil
}

// heardOut waits until everybody has heard as much as they should.
func (h *hall) heardOut(ctx context.Context) error {
	due := make(map[audience]int64)
	begun := time.Now()
	for _, l := range h.listeners {
		if _, ok := due[l.audience]; !ok {
			due[l.audience] = h.story.script(l.audience).total
		}
		for !l.leaves && l.count.Load() < due[l.audience] && time.Since(begun) < patience {
			if err := pause(ctx, glance); err != nil {
				return err
			}
		}
	}
	return h.weigh()
}

// weigh notes the memory of the replicas.
func (h *hall) weigh() error {
	for n, k := range h.replicas {
		used, err := k.RSS()
		if err != nil {
			return err
		}
		h.most[n] = max(h.most[n], used)
	}
	return nil
}

// memory tells how much memory the replicas took, and fails where that was too much.
func (h *hall) memory(r *report) error {
	var broken []error
	streams := len(h.listeners) / len(h.replicas)
	for n := range h.replicas {
		r.add(h.site.Store, fmt.Sprintf("memory of a replica before, and with %d streams at most", streams), "%.1f MB, %.1f MB", megabytes(h.idle[n]), megabytes(h.most[n]))
		if most := h.idle[n] + working + int64(streams)*streamed; h.most[n] > most {
			broken = append(broken, fmt.Errorf("a replica with %d streams took %d bytes, want at most %d", streams, h.most[n], most))
		}
	}
	return errors.Join(broken...)
}

// adjourn stops the replicas, and looks how the streams end.
func (h *hall) adjourn(r *report) error {
	var longest time.Duration
	for _, k := range h.replicas {
		start := time.Now()
		code, err := k.Stop()
		if err != nil || code != 0 {
			return fmt.Errorf("SIGTERM: exit code %d: %w\n%s", code, err, k.Log())
		}
		longest = max(longest, time.Since(start))
	}
	r.add(h.site.Store, "from SIGTERM to the end of the process, at most", "%v", longest.Round(time.Millisecond))
	if longest > grace {
		return fmt.Errorf("a replica took %v to end", longest)
	}
	for n, l := range h.listeners {
		select {
		case <-l.done:
		case <-time.After(patience):
			return fmt.Errorf("stream %d outlives its replica", n)
		}
		if l.end != "reconnect" && !l.leaves {
			return fmt.Errorf("at SIGTERM stream %d ends with %q", n, l.end)
		}
	}
	return nil
}

// verdict compares what was heard with what was said.
func (h *hall) verdict(r *report) error {
	c := comparison{chronicle: &h.story, scripts: make(map[audience]script), follows: make(map[[2]int]struct{})}
	for _, l := range h.listeners {
		c.compare(l)
	}
	median, p99, most := spread(c.lags)
	r.add(h.site.Store, "events heard", "%d", c.heard)
	r.add(h.site.Store, "from a write's acknowledgement to its being heard: median, 99th percentile, at most", "%v, %v, %v", median, p99, most)
	err := c.verdict()
	if err == nil {
		r.add(h.site.Store, "events missed, heard twice, out of order, or by who may not", "none")
	}
	return err
}
