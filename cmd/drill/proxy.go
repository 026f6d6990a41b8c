package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A proxy leads connections on to a server, late, or for a while not at all. It closes
// a connection only where one of its ends was closed.
type proxy struct {
	listener net.Listener
	server   string
	delay    atomic.Int64 // in nanoseconds, of what goes through, in each direction
	group    sync.WaitGroup

	mu    sync.Mutex
	flow  chan struct{} // closed while things go through
	conns map[net.Conn]struct{}
	ended bool
}

// newProxy listens before a server. The caller closes the proxy.
func newProxy(ctx context.Context, server string) (*proxy, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, server: server, flow: make(chan struct{}), conns: make(map[net.Conn]struct{})}
	close(p.flow)
	p.group.Go(p.accept)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// slow has everything come later from now on.
func (p *proxy) slow(delay time.Duration) { p.delay.Store(int64(delay)) }

// stall keeps everything back, the ends of connections too, until resume is called.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flow = make(chan struct{})
}

func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flow:
	default:
		close(p.flow)
	}
}

// flowing returns what is closed while things go through.
func (p *proxy) flowing() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flow
}

// close ends all connections.
func (p *proxy) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.ended = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.resume()
	p.group.Wait()
	return err
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil || !p.keep(client, server) {
			_ = client.Close()
			if err == nil {
				_ = server.Close()
			}
			continue
		}
		p.group.Go(func() {
			var both sync.WaitGroup
			both.Go(func() { p.lead(client, server) })
			both.Go(func() { p.lead(server, client) })
			both.Wait()
			p.forget(client, server)
		})
	}
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return !p.ended
}

func (p *proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
		_ = c.Close()
	}
}

// A parcel is what was read at once.
type parcel struct {
	bytes []byte
	at    time.Time
	err   error // after bytes; nil where more may come
}

// lead passes on what comes from one end to the other, until one of them is closed.
func (p *proxy) lead(from, to net.Conn) {
	const under = 256 // parcels that may be under way
	way := make(chan parcel, under)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(way)
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			way <- parcel{b[:n], time.Now(), err}
			if err != nil {
				return
			}
		}
	})
	for next := range way {
		time.Sleep(time.Until(next.at.Add(time.Duration(p.delay.Load()))))
		<-p.flowing()
		_, err := to.Write(next.bytes)
		if err = errors.Join(err, next.err); err != nil {
			// The one end hears of the other's; what else is under way is of no use.
			if c, ok := to.(*net.TCPConn); ok && errors.Is(err, io.EOF) {
				_ = c.CloseWrite()
			} else {
				_, _ = to.Close(), from.Close()
			}
			break
		}
	}
	for range way { // until the reader has ended
	}
	reading.Wait()
}
