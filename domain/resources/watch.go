package resources

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A Notice is one thing that a watcher is told.
type Notice struct {
	// Kind is what happened, as far as the watcher may know: a record that a change
	// shows to them was created, and one that it hides was deleted. "" says that
	// there is nothing new.
	Kind domain.EventKind

	// Reset says that events may have been missed, because nobody came for them in
	// time: what the watcher knows is to be read again.
	Reset bool

	// Record is as it became; of one that was deleted only the id is told.
	Record domain.Record

	// ID is where to go on from after this notice.
	ID string
}

// watchScope is the scope of the cursors that are a Notice's ID.
const watchScope = "watch "

// Hear asks the store what became of records, for whoever watches. Whoever runs a
// replica calls it several times a second; while nobody watches it does nothing.
func (s *Service) Hear(ctx context.Context) error {
	if err := s.feed.hear(ctx, s.c.Store.Events()); err != nil {
		return err
	}
	var errs []error
	for _, name := range s.feed.due(s.c.Now()) {
		_, err := s.declared.read(ctx, s.c.Store.Collections(), name)
		if errors.Is(err, domain.ErrCollectionNotFound) {
			if d, ok := s.declared.remembered(name); ok {
				s.declared.forget(d)
			}
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Hush ends all that watch here, who come back elsewhere.
func (s *Service) Hush() { s.feed.close() }

// Watching returns how many watch on this replica.
func (s *Service) Watching() int {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	return s.feed.watchers
}

// Prune drops a bounded number of events that nobody can come for any more, and of
// imports that stand still.
func (s *Service) Prune(ctx context.Context) error {
	now := s.c.Now()
	for range attempts {
		n, err := s.c.Store.Events().Forget(ctx, now.Add(-domain.EventRetention), swath)
		if err != nil {
			return err
		}
		if n < swath {
			break
		}
	}
	_, err := s.c.Store.Imports().Forget(ctx, now.Add(-domain.ImportRetention), swath)
	return err
}

// Watch tells what becomes of the records that the asker may read, and that the
// filter picks, from now on, or from the notice whose ID is after: each event once,
// and none is left out. It ends without an error when this replica stops or the
// collection is gone, and with an error where ctx ends, tell fails, the collection is
// no longer watched, or caller fails: that is asked before each notice, and twice a
// second. It fails with
// ErrCollectionNotFound, ErrUnauthenticated, ErrNotAllowed, ErrInvalidFilter,
// ErrNotWatched, ErrInvalidCursor or ErrTooManyWatchers.
func (s *Service) Watch(ctx context.Context, caller Caller, name domain.CollectionName, filter, after string, tell func(Notice) error) error {
	w := watcher{s: s, caller: caller, name: name, filter: filter, tell: tell}
	if err := w.admit(ctx); err != nil {
		return err
	}
	if after != "" {
		if err := w.resume(after); err != nil {
			return err
		}
	}
	leave, err := s.feed.join(name)
	if err != nil {
		return err
	}
	defer leave()
	if err := s.Hear(ctx); err != nil {
		return err
	}
	if after == "" || w.reset {
		err = w.begin()
	} else {
		err = tell(Notice{ID: after})
	}
	if err != nil {
		return err
	}
	return w.follow(ctx)
}

// A watcher is one call of Watch.
type watcher struct {
	s      *Service
	caller Caller
	name   domain.CollectionName
	filter string
	tell   func(Notice) error

	who   domain.Asker
	mark  domain.Mark // behind what was told
	next  int64       // number of the event to tell next, if there
	there bool        // whether next is known
	reset bool
}

// admit asks whether they may watch at all.
func (w *watcher) admit(ctx context.Context) (err error) {
	if w.who, err = w.caller(ctx); err != nil {
		return err
	}
	if err := w.who.May(domain.ReadRecords); err != nil {
		return err
	}
	return w.s.declared.use(ctx, w.s.c.Store.Collections(), w.name, func(d *declaration) error {
		if d.read.Never(w.who, w.s.c.Now()) {
			return denied(w.who)
		}
		if !d.Watch {
			return domain.ErrNotWatched
		}
		_, err := d.filter(w.filter)
		return err
	})
}

// filter returns a filter that remembers itself; nil for "".
func (d *declaration) filter(text string) (ports.Selector, error) {
	if text == "" {
		return nil, nil
	}
	return d.filters.read(text)
}

// resume begins behind the notice whose ID it is.
func (w *watcher) resume(after string) error {
	text, err := w.s.c.Cursors.Open(watchScope+string(w.name), after)
	if err != nil {
		return err
	}
	seconds, mark, _ := strings.Cut(text, " ")
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return domain.ErrInvalidCursor
	}
	if w.s.c.Now().Sub(time.Unix(at, 0)) > domain.EventRetention-time.Minute {
		w.reset = true // from the beginning, then
		return nil
	}
	w.mark = domain.Mark(mark)
	return nil
}

// begin begins with what comes next.
func (w *watcher) begin() error {
	w.next, w.mark = w.s.feed.end()
	w.there = true
	return w.tell(Notice{Reset: w.reset, ID: w.id(w.s.c.Now())})
}

// id returns the ID of a notice that tells all there was at the given time.
func (w *watcher) id(at time.Time) string {
	return w.s.c.Cursors.Seal(watchScope+string(w.name), strconv.FormatInt(at.Unix(), 10)+" "+string(w.mark))
}

// follow tells until it must end.
func (w *watcher) follow(ctx context.Context) error {
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	quiet := 0 // ticks without a word
	for {
		if !w.there {
			if gone, err := w.catchUp(ctx); err != nil || gone {
				return err
			}
		}
		events, bell, known, open := w.s.feed.since(w.next)
		if !open {
			return nil
		}
		if !known {
			w.there = false
			continue
		}
		told, gone, err := w.tellAll(ctx, events)
		if err != nil || gone {
			return err
		}
		w.next += int64(len(events))
		if told {
			quiet = 0
		}
		d, err := w.declaration(ctx)
		switch {
		case errors.Is(err, domain.ErrCollectionNotFound):
			return nil
		case err != nil:
			return err
		case !d.Watch:
			return domain.ErrNotWatched
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-bell:
		case <-tick.C:
			if quiet++; quiet >= heartbeat {
				if err := w.tell(Notice{ID: w.id(w.s.c.Now())}); err != nil {
					return err
				}
				quiet = 0
			}
		}
		if w.who, err = w.caller(ctx); err != nil {
			return err
		}
	}
}

// declaration returns the one that is remembered, or as it is stored now.
func (w *watcher) declaration(ctx context.Context) (*declaration, error) {
	if d, ok := w.s.declared.remembered(w.name); ok {
		return d, nil
	}
	return w.s.declared.read(ctx, w.s.c.Store.Collections(), w.name)
}

// catchUp tells what the store has behind the watcher's mark, until they have come to
// what is in mind here. gone says that the collection is.
func (w *watcher) catchUp(ctx context.Context) (gone bool, err error) {
	for {
		if n, ok := w.s.feed.number(w.mark); ok {
			w.next, w.there = n, true
			return false, nil
		}
		end, _ := w.s.feed.end()
		events, err := w.s.c.Store.Events().News(ctx, w.mark, swath)
		if err != nil {
			return false, err
		}
		if len(events) == 0 {
			// Whatever was in mind before the store was asked lies before the mark.
			w.next, w.there = end, true
			return false, nil
		}
		if _, gone, err := w.tellAll(ctx, events); err != nil || gone {
			return gone, err
		}
		// What was told just now must be in mind, lest it come there later as if new.
		if err := w.s.feed.hear(ctx, w.s.c.Store.Events()); err != nil {
			return false, err
		}
	}
}

// tellAll tells of those events that the watcher may know of. gone says that the
// collection is.
func (w *watcher) tellAll(ctx context.Context, events []domain.Event) (told, gone bool, err error) {
	for _, e := range events {
		w.mark = e.Mark
		if e.Collection != w.name {
			continue
		}
		if w.who, err = w.caller(ctx); err != nil {
			return told, false, err
		}
		n, err := w.judge(ctx, e)
		switch {
		case errors.Is(err, domain.ErrCollectionNotFound):
			return told, true, nil
		case err != nil:
			return told, false, err
		case n.Kind == "":
			continue
		}
		n.ID = w.id(e.At)
		if err := w.tell(n); err != nil {
			return told, false, err
		}
		told = true
	}
	return told, false, nil
}

// judge says what the watcher may know of an event.
func (w *watcher) judge(ctx context.Context, e domain.Event) (Notice, error) {
	d, err := w.declaration(ctx)
	if err != nil {
		return Notice{}, err
	}
	filter, err := d.filter(w.filter)
	if err != nil {
		return Notice{}, err
	}
	now := w.s.c.Now()
	shows := func(r domain.Record) bool {
		q := domain.Question{Who: w.who, Record: r, Now: now}
		return d.read.Allows(q) && (filter == nil || filter.Allows(q))
	}
	before := e.Record
	before.Data = e.Before
	is := e.Kind != domain.RecordDeleted && shows(e.Record)
	was := e.Kind == domain.RecordChanged && shows(before) || e.Kind == domain.RecordDeleted && shows(e.Record)
	switch {
	case is && was:
		return Notice{Kind: domain.RecordChanged, Record: e.Record}, nil
	case is:
		return Notice{Kind: domain.RecordCreated, Record: e.Record}, nil
	case was:
		return Notice{Kind: domain.RecordDeleted, Record: domain.Record{ID: e.Record.ID}}, nil
	}
	return Notice{}, nil
}
