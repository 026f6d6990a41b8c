package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// comeBack is how long a stream asks its clients to wait before they come again.
const comeBack = time.Second

// A witness watches ships on a stream that ends again and again, and goes on where it
// was each time.
type witness struct {
	*listener
	streams int // that it has had
	done    chan struct{}
	stop    context.CancelFunc
	broken  error
}

// newWitness watches at a URL. It returns when the witness is sure to hear what is
// done from now on. The caller ends the watching.
func newWitness(ctx context.Context, at string) (*witness, error) {
	ctx, stop := context.WithCancel(ctx)
	w := &witness{listener: &listener{joined: make(chan struct{})}, done: make(chan struct{}), stop: stop}
	go func() {
		defer close(w.done)
		w.broken = w.stay(ctx, at)
	}()
	select {
	case <-w.joined:
		return w, nil
	case <-w.done:
		stop()
		return nil, fmt.Errorf("the witness: %w", w.broken)
	}
}

// end ends the watching, and returns what was wrong with the streams.
func (w *witness) end() error {
	w.stop()
	<-w.done
	return errors.Join(w.broken, w.err)
}

// stay comes again until ctx ends. A stream that ends without saying so is a fault.
func (w *witness) stay(ctx context.Context, at string) error {
	for {
		w.listener.end = ""
		if err := w.follow(ctx, at); err != nil || ctx.Err() != nil {
			return err
		}
		if w.listener.end != "reconnect" {
			return fmt.Errorf("stream %d ends with %q, want that it says to come again", w.streams, w.listener.end)
		}
		if pause(ctx, comeBack) != nil {
			return nil
		}
	}
}

// follow hears one stream to its end.
func (w *witness) follow(ctx context.Context, at string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(at, "http://"))
	if err != nil {
		return gone(ctx, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	request := "GET " + ships + ":watch HTTP/1.1\r\nHost: localhost\r\n"
	if w.last != "" {
		request += "Last-Event-ID: " + w.last + "\r\n"
	}
	events, err := ask(conn, request+"\r\n")
	if err != nil {
		return gone(ctx, err)
	}
	w.streams++
	w.listener.conn, w.listener.done = conn, make(chan struct{})
	w.listener.follow(events)
	return nil
}

// gone is err unless ctx has ended.
func gone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// check looks whether the witness has heard each write that the ledger has as
// acknowledged, once and in order.
func (w *witness) check(l *ledger) {
	created, revisions := make(map[string]int), make(map[string][]int)
	for _, h := range w.heard {
		switch h.kind {
		case "created":
			created[h.id]++
		case "changed":
			revisions[h.id] = append(revisions[h.id], h.revision)
		default:
			l.fault("a strange event", "%+v", h.notice)
		}
	}
	for serial, id := range l.created {
		if created[id] == 0 {
			l.fault("a missed event", "serial %d was created as %s, and the witness did not hear of it", serial, id)
		}
	}
	for id, times := range created {
		if times > 1 {
			l.fault("an event twice", "%s was created %d times", id, times)
		}
	}
	for _, c := range l.counters {
		last := 1
		for _, revision := range revisions[c.id] {
			if revision != last+1 {
				l.fault("events out of order", "%s: revision %d was heard behind %d", c.model, revision, last)
			}
			last = revision
		}
		for revision := range c.made {
			if revision > last {
				l.fault("a missed event", "%s: revision %d, and the witness heard up to %d", c.model, revision, last)
			}
		}
	}
}
