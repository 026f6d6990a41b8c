package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// probeEach is how often a balancer asks whether a replica is ready, and how long it
// waits for the answer.
const probeEach = time.Second

// A balancer spreads connections as a Service of Kubernetes does: each new one goes to
// one of the replicas that were ready when they were last asked, in turn, and stays
// with that for as long as it lasts.
type balancer struct {
	url string

	listener net.Listener
	client   *http.Client
	ctx      context.Context // ends with the balancer
	end      context.CancelFunc
	work     sync.WaitGroup

	mu      sync.Mutex
	stands  []*stand
	turn    int
	carried int // connections
	dropped int // connections that no replica took
}

// A stand is a replica as a balancer sees it.
type stand struct {
	at    string
	left  context.CancelFunc
	first chan struct{} // closed when it is ready for the first time
	ready bool
	open  int // connections that are there
}

// newBalancer listens on a port of its own. The caller closes the balancer.
func newBalancer(ctx context.Context) (*balancer, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{url: "http://" + l.Addr().String(), listener: l}
	b.ctx, b.end = context.WithCancel(context.WithoutCancel(ctx))
	// As a kubelet, it asks on a connection of its own each time.
	b.client = &http.Client{Timeout: probeEach, Transport: &http.Transport{DisableKeepAlives: true}}
	b.work.Go(b.accept)
	return b, nil
}

// close breaks off all connections.
func (b *balancer) close() error {
	b.end()
	err := b.listener.Close()
	b.work.Wait()
	return err
}

// add begins to ask whether a replica is ready.
func (b *balancer) add(k *process.Keyport) *stand {
	ctx, left := context.WithCancel(b.ctx)
	s := &stand{at: strings.TrimPrefix(k.URL, "http://"), left: left, first: make(chan struct{})}
	b.mu.Lock()
	b.stands = append(b.stands, s)
	b.mu.Unlock()
	b.work.Go(func() {
		for ctx.Err() == nil {
			b.heard(ctx, s, b.asks(ctx, s))
			_ = pause(ctx, probeEach) // its end is seen above
		}
	})
	return s
}

// remove sends no new connection to a replica from now on; those that are there stay.
func (b *balancer) remove(s *stand) {
	s.left()
	b.mu.Lock()
	defer b.mu.Unlock()
	s.ready = false
}

func (b *balancer) asks(ctx context.Context, s *stand) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.at+"/readyz", nil)
	if err != nil {
		return false
	}
	a, err := b.client.Do(r)
	if err != nil {
		return false
	}
	return a.Body.Close() == nil && a.StatusCode == http.StatusOK
}

func (b *balancer) heard(ctx context.Context, s *stand, ready bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.ready = ready && ctx.Err() == nil
	select {
	case <-s.first:
	default:
		if s.ready {
			close(s.first)
		}
	}
}

// next returns a ready replica, which has one connection more now; nil where there is
// none.
func (b *balancer) next() *stand {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.carried++
	for range b.stands {
		b.turn++
		if s := b.stands[b.turn%len(b.stands)]; s.ready {
			s.open++
			return s
		}
	}
	b.dropped++
	return nil
}

// over says that a connection is, and whether the replica took it.
func (b *balancer) over(s *stand, taken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.open--
	if !taken {
		b.dropped++
	}
}

// opened returns how many connections are open to a replica.
func (b *balancer) opened(s *stand) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return s.open
}

func (b *balancer) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return // it was closed
		}
		b.work.Go(func() { b.carry(conn.(*net.TCPConn)) })
	}
}

// carry connects a client with a replica until both have said all.
func (b *balancer) carry(client *net.TCPConn) {
	defer client.Close()
	s := b.next()
	if s == nil {
		return
	}
	conn, err := net.DialTimeout("tcp", s.at, probeEach)
	defer func() { b.over(s, err == nil) }()
	if err != nil {
		return
	}
	replica := conn.(*net.TCPConn)
	defer replica.Close()
	stop := context.AfterFunc(b.ctx, func() {
		_, _ = client.Close(), replica.Close()
	})
	defer stop()
	var back sync.WaitGroup
	back.Go(func() { pass(client, replica) })
	pass(replica, client)
	back.Wait()
}

// pass hands on what comes, and its end: a connection that was broken off breaks off
// the other.
func pass(to, from *net.TCPConn) {
	_, err := io.Copy(to, from)
	if errors.Join(err, to.CloseWrite()) != nil {
		_ = to.SetLinger(0)
		_, _ = to.Close(), from.Close()
	}
}

// figures returns how many connections came, and how many no replica took.
func (b *balancer) figures() (carried, dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.carried, b.dropped
}
