package porttest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Events of a fake show at once.
func init() { showing, lateness = 0, 1 }

var lyingEvents = []liar{
	{
		name: "does not tell whose a record is",
		open: altering(func(e *domain.Event) { e.Record.Owner = "" }),
		caught: []string{
			"many records are added as each would be",
			"what becomes of a record is told",
		},
	},
	{
		name:   "does not tell of which collection a record is",
		open:   altering(func(e *domain.Event) { e.Collection = "ships" }),
		caught: []string{"it is told of which collection a record is"},
	},
	{
		name: "tells data with numbers as it reads them",
		open: altering(func(e *domain.Event) {
			e.Record.Data = domain.RestoreDocument(strings.ReplaceAll(e.Record.Data.Text(), "1e2", "100"))
		}),
		caught: []string{"an event has the data as they were and as they became"},
	},
	{
		name: "tells the data before as they became",
		open: altering(func(e *domain.Event) { e.Before = e.Record.Data }),
		caught: []string{
			"a change is told if it is to be",
			"a removal is told if it is to be",
			"an entry is no change",
			"an event has the data as they were and as they became",
			"an event whose transaction takes long is heard",
			"events that are of no interest any more are forgotten",
			"it is told of which collection a record is",
			"many records are added as each would be",
			"times come back in UTC",
			"what becomes of a record is told",
			"what failed is told to nobody",
			"who begins at the latest mark hears what comes later",
			"who begins hears the first event that is kept",
			"who goes on from a mark hears the rest",
		},
	},
	{
		name: "tells every change",
		open: onRecords(func(r ports.Repositories) ports.Records { return chatterer{r.Records()} }),
		caught: []string{
			"a change is told if it is to be",
			"a removal is told if it is to be",
			"an entry is no change",
			"many records are added as each would be",
		},
	},
	{
		name:   "tells every removal",
		open:   onRecords(func(r ports.Repositories) ports.Records { return removalChatterer{r.Records()} }),
		caught: []string{"a removal is told if it is to be"},
	},
	{
		name:   "tells that entries were written anew",
		open:   onRecords(func(r ports.Repositories) ports.Records { return enterTeller{r.Records()} }),
		caught: []string{"an entry is no change"},
	},
	{
		name: "tells what was refused",
		open: onRecords(func(r ports.Repositories) ports.Records { return refusalTeller{r.Records()} }),
		caught: []string{
			"a change is told if it is to be",
			"what failed is told to nobody",
		},
	},
	{
		name: "tells nothing",
		open: onEvents(func(r ports.Repositories) ports.Events { return muteEvents{r.Events()} }),
		caught: []string{
			"a change is told if it is to be",
			"a removal is told if it is to be",
			"an entry is no change",
			"an event has the data as they were and as they became",
			"an event whose transaction takes long is heard",
			"events that are of no interest any more are forgotten",
			"it is told of which collection a record is",
			"many records are added as each would be",
			"times come back in UTC",
			"what becomes of a record is told",
			"what failed is told to nobody",
			"who begins at the latest mark hears what comes later",
			"who begins hears the first event that is kept",
			"who goes from mark to mark while many write hears each once",
			"who goes on from a mark hears the rest",
		},
	},
	{
		name: "tells without a limit",
		open: onEvents(func(r ports.Repositories) ports.Events { return limitless{r.Events()} }),
		caught: []string{
			"who begins hears the first event that is kept",
			"who goes on from a mark hears the rest",
		},
	},
	{
		name: "tells the last event again",
		open: onEvents(func(r ports.Repositories) ports.Events { return repeater{r.Events()} }),
		caught: []string{
			"a change is told if it is to be",
			"a removal is told if it is to be",
			"an entry is no change",
			"an event has the data as they were and as they became",
			"an event whose transaction takes long is heard",
			"events that are of no interest any more are forgotten",
			"it is told of which collection a record is",
			"many records are added as each would be",
			"times come back in UTC",
			"what becomes of a record is told",
			"what failed is told to nobody",
			"who begins at the latest mark hears what comes later",
			"who begins hears the first event that is kept",
			"who goes from mark to mark while many write hears each once",
			"who goes on from a mark hears the rest",
		},
	},
	{
		name: "tells events in the order of their times",
		open: onEvents(func(r ports.Repositories) ports.Events { return timeSorter{r.Events()} }),
		caught: []string{
			"a change is told if it is to be",
			"events that are of no interest any more are forgotten",
			"many records are added as each would be",
			"times come back in UTC",
			"who begins at the latest mark hears what comes later",
			"who goes on from a mark hears the rest",
		},
	},
	{
		name: "shows the event of a transaction late, where it would have been",
		open: func() ports.Store { return &lateShower{Store: new(fake.Store), hidden: make(map[domain.RecordID]int)} },
		caught: []string{
			"a change is told if it is to be",
			"an event whose transaction takes long is heard",
			"what failed is told to nobody",
			"who goes on from a mark hears the rest",
		},
	},
	{
		name: "counts events from what is left",
		open: onEvents(func(r ports.Repositories) ports.Events { return indexer{r.Events()} }),
		caught: []string{
			"who begins at the latest mark hears what comes later",
			"who begins hears the first event that is kept",
		},
	},
	{
		name:   "has no latest mark",
		open:   onEvents(func(r ports.Repositories) ports.Events { return beginner{r.Events()} }),
		caught: []string{"who begins at the latest mark hears what comes later"},
	},
	{
		name: "forgets events at the time itself",
		open: onEvents(func(r ports.Repositories) ports.Events { return earlyEventForgetter{r.Events()} }),
		caught: []string{
			"events that are of no interest any more are forgotten",
			"who begins hears the first event that is kept",
		},
	},
	{
		name:   "forgets events without a limit",
		open:   onEvents(func(r ports.Repositories) ports.Events { return greedyEventForgetter{r.Events()} }),
		caught: []string{"events that are of no interest any more are forgotten"},
	},
	{
		name: "does not count the events that it forgets",
		open: onEvents(func(r ports.Repositories) ports.Events { return countlessEventForgetter{r.Events()} }),
		caught: []string{
			"events that are of no interest any more are forgotten",
			"who begins hears the first event that is kept",
		},
	},
}

// altering returns a source of stores that alter each event that is told.
func altering(alter func(*domain.Event)) func() ports.Store {
	return onEvents(func(r ports.Repositories) ports.Events { return alterer{r.Events(), alter} })
}

type alterer struct {
	ports.Events
	alter func(*domain.Event)
}

func (l alterer) News(ctx context.Context, mark domain.Mark, limit int) ([]domain.Event, error) {
	news, err := l.Events.News(ctx, mark, limit)
	for i := range news {
		l.alter(&news[i])
	}
	return news, err
}

// loud returns entries that are told.
func loud(e domain.Entries) domain.Entries {
	e.Event = cmp.Or(e.Event, noon)
	return e
}

type chatterer struct{ ports.Records }

func (l chatterer) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	return l.Records.Add(ctx, c, rec, loud(e))
}

func (l chatterer) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	return l.Records.Replace(ctx, c, rec, loud(e))
}

type removalChatterer struct{ ports.Records }

func (l removalChatterer) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision, event time.Time) error {
	return l.Records.Remove(ctx, c, id, rev, cmp.Or(event, noon))
}

// enterTeller writes the entries as they are again, which is told.
type enterTeller struct{ ports.Records }

func (l enterTeller) Enter(ctx context.Context, c domain.CollectionRef, filings []ports.Filing) error {
	for _, f := range filings {
		rec, err := l.Get(ctx, c, f.ID)
		if err == nil && rec.Revision == f.Revision && !f.Entries.Event.IsZero() {
			if err := l.Replace(ctx, c, rec, f.Entries); err != nil {
				return err
			}
		}
	}
	return l.Records.Enter(ctx, c, filings)
}

// refusalTeller tells that what was refused was written and removed.
type refusalTeller struct{ ports.Records }

func (l refusalTeller) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	err := l.Records.Add(ctx, c, rec, e)
	if errors.Is(err, domain.ErrRecordExists) && !e.Event.IsZero() {
		rec.ID = recordID(1 << 20)
		return errors.Join(l.Records.Add(ctx, c, rec, domain.Entries{Event: e.Event}), l.Remove(ctx, c, rec.ID, 1, e.Event), err)
	}
	return err
}

type muteEvents struct{ ports.Events }

func (l muteEvents) News(ctx context.Context, mark domain.Mark, limit int) ([]domain.Event, error) {
	_, err := l.Events.News(ctx, mark, limit)
	return nil, err
}

type limitless struct{ ports.Events }

func (l limitless) News(ctx context.Context, mark domain.Mark, _ int) ([]domain.Event, error) {
	return l.Events.News(ctx, mark, 1<<20)
}

// repeater reads a mark as before its event.
type repeater struct{ ports.Events }

func (l repeater) News(ctx context.Context, mark domain.Mark, limit int) ([]domain.Event, error) {
	if n, err := strconv.Atoi(string(mark)); err == nil && n > 0 {
		mark = domain.Mark(strconv.Itoa(n - 1))
	}
	return l.Events.News(ctx, mark, limit)
}

// timeSorter tells what is behind the event of a mark in the order of times.
type timeSorter struct{ ports.Events }

func (l timeSorter) News(ctx context.Context, mark domain.Mark, limit int) ([]domain.Event, error) {
	all, err := l.Events.News(ctx, "", 1<<20)
	slices.SortStableFunc(all, func(a, b domain.Event) int { return a.At.Compare(b.At) })
	if i := slices.IndexFunc(all, func(e domain.Event) bool { return e.Mark == mark }); i >= 0 {
		all = all[i+1:]
	}
	return all[:min(limit, len(all))], err
}

// lateShower shows the event of a transaction only to the third who would hear it, but
// in its place, as a database does that numbers events when they are written.
type lateShower struct {
	*fake.Store
	mu     sync.Mutex
	hidden map[domain.RecordID]int // from how many more
}

func (l *lateShower) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	return l.Store.Atomically(ctx, func(tx ports.Repositories) error {
		return f(bent{tx, lie{records: func(r ports.Repositories) ports.Records { return hider{r.Records(), l} }}})
	})
}

func (l *lateShower) Events() ports.Events { return lateEvents{l.Store.Events(), l} }

type hider struct {
	ports.Records
	store *lateShower
}

func (l hider) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.store.hidden[rec.ID] = 2
	return l.Records.Add(ctx, c, rec, e)
}

type lateEvents struct {
	ports.Events
	store *lateShower
}

func (l lateEvents) News(ctx context.Context, mark domain.Mark, limit int) ([]domain.Event, error) {
	news, err := l.Events.News(ctx, mark, limit)
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	return slices.DeleteFunc(news, func(e domain.Event) bool {
		l.store.hidden[e.Record.ID]--
		return l.store.hidden[e.Record.ID] >= 0
	}), err
}

// indexer makes marks of the places of events among those that are kept.
type indexer struct{ ports.Events }

func (l indexer) News(ctx context.Context, mark domain.Mark, limit int) ([]domain.Event, error) {
	news, err := l.Events.News(ctx, "", 1<<20)
	for i := range news {
		news[i].Mark = domain.Mark(strconv.Itoa(i + 1))
	}
	read, _ := strconv.Atoi(string(mark))
	news = news[min(read, len(news)):]
	return news[:min(limit, len(news))], err
}

func (l indexer) Latest(ctx context.Context) (domain.Mark, error) {
	news, err := l.Events.News(ctx, "", 1<<20)
	return domain.Mark(strconv.Itoa(len(news))), err
}

type beginner struct{ ports.Events }

func (l beginner) Latest(ctx context.Context) (domain.Mark, error) {
	_, err := l.Events.Latest(ctx)
	return "", err
}

type earlyEventForgetter struct{ ports.Events }

func (l earlyEventForgetter) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return l.Events.Forget(ctx, t.Add(time.Microsecond), limit)
}

type greedyEventForgetter struct{ ports.Events }

func (l greedyEventForgetter) Forget(ctx context.Context, t time.Time, _ int) (int, error) {
	return l.Events.Forget(ctx, t, 1000)
}

type countlessEventForgetter struct{ ports.Events }

func (l countlessEventForgetter) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	_, err := l.Events.Forget(ctx, t, limit)
	return 0, err
}
