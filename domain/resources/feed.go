package resources

import (
	"context"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// The bounds of watching.
const (
	MaxWatchers = 10_000                 // at once on this replica
	ringSize    = 4096                   // events that are kept in mind
	reread      = time.Second            // how old the declaration of what is watched may be
	recheck     = 500 * time.Millisecond // how often a watcher is asked who they are
	heartbeat   = 30                     // times recheck: the longest without a word to a watcher
)

// A feed is what this replica knows of the latest events: a stretch of them without a
// gap. Each has a number, which means something on this replica alone.
type feed struct {
	hearing sync.Mutex // held by who asks the store

	mu       sync.Mutex
	watched  map[domain.CollectionName]int // how many watch
	watchers int
	known    bool        // whether mark says where the stretch ends
	mark     domain.Mark // behind the last event
	first    int64       // number of events[0]
	events   []domain.Event
	bell     chan struct{} // closed when there is news
	reread   time.Time     // when the declarations were last read
	closed   bool
}

func newFeed() *feed {
	return &feed{watched: make(map[domain.CollectionName]int), bell: make(chan struct{})}
}

// join counts a watcher in, and returns how to count them out.
func (f *feed) join(name domain.CollectionName) (leave func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers >= MaxWatchers || f.closed {
		return nil, domain.ErrTooManyWatchers
	}
	f.watchers++
	f.watched[name]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.watchers--
		if f.watched[name]--; f.watched[name] == 0 {
			delete(f.watched, name)
		}
	}, nil
}

// end returns the number and the mark of what comes next.
func (f *feed) end() (int64, domain.Mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first + int64(len(f.events)), f.mark
}

// since returns the events from a number on, and what is closed when there are more.
// known is false where some of them are no longer in mind.
func (f *feed) since(n int64) (events []domain.Event, bell <-chan struct{}, known, open bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n < f.first || n > f.first+int64(len(f.events)) {
		return nil, f.bell, false, !f.closed
	}
	return f.events[n-f.first:], f.bell, true, !f.closed
}

// number returns the number behind the event with that mark, if it is in mind.
func (f *feed) number(mark domain.Mark) (int64, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known && mark == f.mark {
		return f.first + int64(len(f.events)), true
	}
	for i, e := range f.events {
		if e.Mark == mark {
			return f.first + int64(i) + 1, true
		}
	}
	return 0, false
}

// hear asks the store for what is new. While nobody watches it asks nothing.
func (f *feed) hear(ctx context.Context, events ports.Events) error {
	f.hearing.Lock()
	defer f.hearing.Unlock()
	f.mu.Lock()
	if f.watchers == 0 {
		// Numbers never come back, so whoever joins later begins behind them.
		f.first, f.events, f.known = f.first+int64(len(f.events)), nil, false
	}
	idle, known, mark := f.watchers == 0, f.known, f.mark
	f.mu.Unlock()
	if idle {
		return nil
	}
	if !known {
		latest, err := events.Latest(ctx)
		if err != nil {
			return err
		}
		f.take(nil, latest)
		return nil
	}
	for {
		news, err := events.News(ctx, mark, swath)
		if err != nil {
			return err
		}
		if len(news) > 0 {
			mark = news[len(news)-1].Mark
			f.take(news, mark)
		}
		if len(news) < swath {
			return nil
		}
	}
}

// take puts events behind those in mind.
func (f *feed) take(news []domain.Event, mark domain.Mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := append(f.events[:len(f.events):len(f.events)], news...) // readers hold on to what they were given
	if over := len(all) - ringSize; over > 0 {
		all, f.first = all[over:], f.first+int64(over)
	}
	f.events, f.mark, f.known = all, mark, true
	close(f.bell)
	f.bell = make(chan struct{})
}

// due returns the collections whose declarations are to be read again.
func (f *feed) due(now time.Time) []domain.CollectionName {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.reread) < reread && !now.Before(f.reread) {
		return nil
	}
	f.reread = now
	var names []domain.CollectionName
	for name := range f.watched {
		names = append(names, name)
	}
	return names
}

// close ends all watching, for good.
func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		close(f.bell)
		f.bell = make(chan struct{})
	}
}
