package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/keyport-go/keyport/domain"
)

// The bounds of the writer.
const (
	maxGroup = 256  // members that are committed together
	maxQueue = 1024 // members that wait; further callers wait to join them
)

// A writer owns the one line that writes. It takes the members that wait, runs
// each in a savepoint of one transaction, commits, and then tells them all. The
// longer a commit takes, the more of them share the next.
type writer struct {
	line    *line
	queue   chan *member
	quit    chan struct{} // closed: no more members
	stopped chan struct{} // closed: those that were waiting are served

	groups, lost, members atomic.Int64
}

func newWriter(l *line) *writer {
	w := &writer{
		line:    l,
		queue:   make(chan *member, maxQueue),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go w.work()
	return w
}

// do runs f in a transaction and returns nil once it is committed, or f's error
// once it is undone. Where the transaction that f shares with others is lost, it
// fails with domain.ErrUnavailable, whatever f returned.
//
// While it waits for its turn, do returns at the end of ctx, and f does not run.
// Once f runs, do returns when the outcome is known. f runs on the caller's own
// goroutine, so a panic of f is the caller's, and undoes nothing of the others.
func (w *writer) do(ctx context.Context, f func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := newMember(ctx)
	_, waited := w.line.span.Begin(ctx, "BEGIN")
	t, err := w.join(m)
	waited(err)
	if err != nil {
		return err
	}
	m.run(t, f)
	_, committed := w.line.span.Begin(ctx, "COMMIT")
	err = <-m.answer
	committed(err)
	return err
}

// join waits for m's turn. It fails where there will be none.
func (w *writer) join(m *member) (*tx, error) {
	select {
	case w.queue <- m:
	case <-m.ctx.Done():
		return nil, m.ctx.Err()
	case <-w.quit:
		return nil, domain.ErrUnavailable.Because(errClosed)
	}
	select {
	case t := <-m.turn:
		return t, nil
	case err := <-m.answer:
		return nil, err
	case <-m.ctx.Done():
		if m.leave() {
			return nil, m.ctx.Err()
		}
	case <-w.stopped:
		// It came in beside the last group.
		if m.leave() {
			return nil, domain.ErrUnavailable.Because(errClosed)
		}
	}
	// The writer was quicker.
	select {
	case t := <-m.turn:
		return t, nil
	case err := <-m.answer:
		return nil, err
	}
}

// shut takes no more members in.
func (w *writer) shut() { close(w.quit) }

// end waits until those that were taken in are served, and ends the line.
func (w *writer) end() error {
	<-w.stopped
	return w.line.drop()
}

func (w *writer) work() {
	defer close(w.stopped)
	for {
		select {
		case m := <-w.queue:
			w.group(m)
		case <-w.quit:
			for m := w.next(0); m != nil; m = w.next(0) {
				w.group(m)
			}
			return
		}
	}
}

// group runs first and those that wait behind it, commits, and tells them.
func (w *writer) group(first *member) {
	var group []*member
	err := w.line.control("BEGIN IMMEDIATE")
	begun := err == nil
	for m := first; m != nil; m = w.next(len(group)) {
		if !m.take() {
			continue
		}
		group = append(group, m)
		if !begun {
			continue // all who wait now are told, rather than wait as long again
		}
		if err = w.serve(m); err != nil {
			break
		}
	}
	if err == nil {
		err = w.line.control("COMMIT")
	}
	if err != nil {
		w.lose(group, err)
		return
	}
	w.groups.Add(1)
	w.members.Add(int64(len(group)))
	for _, m := range group {
		m.answer <- m.result
	}
}

// serve gives m its turn. It fails if the transaction of the group is lost; what
// befalls m alone is in m.result.
func (w *writer) serve(m *member) error {
	if err := w.line.control("SAVEPOINT member"); err != nil {
		return err
	}
	m.turn <- &tx{line: w.line}
	m.result = <-m.done
	w.line.asked = nil
	fault := w.line.fault
	w.line.fault = nil // were the transaction gone, the next words would fail
	if m.result != nil {
		if err := w.line.control("ROLLBACK TO member"); err != nil {
			return errors.Join(fault, err)
		}
	}
	if err := w.line.control("RELEASE member"); err != nil {
		return errors.Join(fault, err)
	}
	return nil
}

// lose tells a group that its transaction is gone. The next group begins on a
// new connection.
func (w *writer) lose(group []*member, err error) {
	_ = w.line.control("ROLLBACK")
	_ = w.line.drop()
	w.lost.Add(1)
	err = undone(err).Because(fmt.Errorf("sqlite: a group of %d writes was undone: %w", len(group), err))
	for _, m := range group {
		m.answer <- err
	}
}

// next returns a member that waits, or nil if there is none or the group is
// full. Callers who have just been told often come again: it lets them.
func (w *writer) next(size int) *member {
	if size >= maxGroup {
		return nil
	}
	select {
	case m := <-w.queue:
		return m
	default:
		runtime.Gosched()
	}
	select {
	case m := <-w.queue:
		return m
	default:
		return nil
	}
}

// A member is one caller's share of a group.
type member struct {
	ctx    context.Context
	state  atomic.Int32
	turn   chan *tx   // from the writer: go on
	done   chan error // to the writer: what came of it
	answer chan error // from the writer: what it comes to
	result error      // the writer's note of what will be answered
}

// The states of a member: it waits until either side changes that.
const (
	waiting = iota
	taken   // by the writer, who will answer
	gone    // its caller no longer listens
)

func newMember(ctx context.Context) *member {
	return &member{ctx: ctx, turn: make(chan *tx, 1), done: make(chan error, 1), answer: make(chan error, 1)}
}

func (m *member) take() bool {
	return m.ctx.Err() == nil && m.state.CompareAndSwap(waiting, taken)
}

func (m *member) leave() bool { return m.state.CompareAndSwap(waiting, gone) }

// errAbandoned undoes a member whose function did not return.
var errAbandoned = errors.New("sqlite: a transaction's function did not return")

// run takes the turn; what comes of it is answered. The writer hears of the end of f
// also when a panic passes through.
func (m *member) run(t *tx, f func(*tx) error) {
	result := errAbandoned
	defer func() {
		t.end()
		m.done <- result
	}()
	result = f(t)
}
