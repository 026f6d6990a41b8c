package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// told is what an event says in short, such as "created 1.1": the last digits of the
// id, and the revision.
func told(e domain.Event) string {
	return fmt.Sprintf("%s %s.%d", e.Kind, strings.TrimLeft(string(e.Record.ID[24:]), "0"), e.Record.Revision)
}

// A follower goes on from the last event that it was told.
type follower struct {
	from  ports.Events
	mark  domain.Mark
	heard []string
}

func (l *follower) follow(ctx context.Context, limit int) error {
	for {
		news, err := l.from.News(ctx, l.mark, limit)
		if err != nil || len(news) == 0 {
			return err
		}
		for _, e := range news {
			l.heard, l.mark = append(l.heard, told(e)), e.Mark
		}
	}
}

// hears fails the test unless the follower has then heard just this.
func (l *follower) hears(t *testing.T, want ...string) {
	t.Helper()
	if err := l.follow(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.heard, want) {
		t.Fatalf("at %q it has heard %q, want %q", l.mark, l.heard, want)
	}
}

var tellIt = domain.Entries{Event: noon}

// watched opens a store with a collection of which changes are told.
func watched(t *testing.T, c postgres.Config) (*postgres.Store, string, domain.CollectionRef) {
	t.Helper()
	s, url := open(t, c)
	ships := domain.Collection{Name: "ships", Watch: true, Revision: 1}
	if err := s.Collections().Add(t.Context(), ships); err != nil {
		t.Fatal(err)
	}
	return s, url, ships.Ref()
}

func TestAnEventSaysWhatBecameOfARecord(t *testing.T) {
	s, _, ships := watched(t, postgres.Config{})
	now := ship(1)
	now.Data, now.Changed = domain.RestoreDocument(`{"n":1.50}`), noon.Add(time.Minute)
	err := errors.Join(
		s.Records().Add(t.Context(), ships, ship(1), domain.Entries{Event: noon.Add(time.Second)}),
		s.Records().Replace(t.Context(), ships, now, domain.Entries{Event: noon.Add(2 * time.Second)}),
		s.Records().Remove(t.Context(), ships, now.ID, 2, noon.Add(3*time.Second)),
		s.Records().Add(t.Context(), ships, ship(2), domain.Entries{}), // of which nobody is told
	)
	if err != nil {
		t.Fatal(err)
	}
	now.Revision = 2
	want := []domain.Event{
		{Kind: domain.RecordCreated, Collection: "ships", Record: ship(1), At: noon.Add(time.Second)},
		{Kind: domain.RecordChanged, Collection: "ships", Record: now, Before: ship(1).Data, At: noon.Add(2 * time.Second)},
		{Kind: domain.RecordDeleted, Collection: "ships", Record: now, At: noon.Add(3 * time.Second)},
	}
	news, err := s.Events().News(t.Context(), "", 10)
	for i := range news {
		news[i].Mark = ""
	}
	if err != nil || !slices.Equal(news, want) {
		t.Fatalf("the events are\n%+v (%v), want\n%+v", news, err, want)
	}
}

func TestAWriteThatFailsIsNotTold(t *testing.T) {
	s, _, ships := watched(t, postgres.Config{})
	keys := domain.Entries{Unique: []domain.UniqueKey{{Field: "imo"}}, Event: noon}
	if err := s.Records().Add(t.Context(), ships, ship(1), keys); err != nil {
		t.Fatal(err)
	}
	is(t, s.Records().Add(t.Context(), ships, ship(1), tellIt), domain.ErrRecordExists)
	is(t, s.Records().Add(t.Context(), ships, ship(2), keys), domain.ErrNotUnique)
	is(t, s.Records().Remove(t.Context(), ships, ship(1).ID, 2, noon), domain.ErrStale)
	stale := ship(1)
	stale.Revision = 7
	is(t, s.Records().Replace(t.Context(), ships, stale, tellIt), domain.ErrStale)
	l := follower{from: s.Events()}
	l.hears(t, "created 1.1")
}

// Nobody hears what came later first.
func TestAnEventThatIsCommittedLateHoldsUpThoseBehindIt(t *testing.T) {
	s, _, ships := watched(t, postgres.Config{})
	l := follower{from: s.Events()}
	add := func(r ports.Repositories, n int) error {
		return r.Records().Add(t.Context(), ships, ship(n), tellIt)
	}
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if err := errors.Join(add(s, 1), add(tx, 2), add(s, 3), add(tx, 4), add(s, 5)); err != nil {
			return err
		}
		l.hears(t, "created 1.1")
		latest, err := s.Events().Latest(t.Context())
		if latest != l.mark {
			t.Errorf("the latest mark is %q, want %q", latest, l.mark)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l.hears(t, "created 1.1", "created 2.1", "created 3.1", "created 4.1", "created 5.1")
}

// A transaction has its number before others write the record, and writes it after
// them.
func TestTheRevisionsOfARecordAreToldInOrder(t *testing.T) {
	s, _, ships := watched(t, postgres.Config{})
	replace := func(r ports.Repositories, rev domain.Revision) error {
		next := ship(1)
		next.Revision = rev
		return r.Records().Replace(t.Context(), ships, next, tellIt)
	}
	err := s.Records().Add(t.Context(), ships, ship(1), tellIt)
	err = errors.Join(err, s.Atomically(t.Context(), func(tx ports.Repositories) error {
		return errors.Join(
			tx.Records().Add(t.Context(), ships, ship(2), tellIt),
			replace(s, 1),
			replace(s, 2),
			replace(tx, 3),
			replace(tx, 4),
		)
	}))
	if err != nil {
		t.Fatal(err)
	}
	l := follower{from: s.Events()}
	l.hears(t, "created 1.1", "created 2.1", "changed 1.2", "changed 1.3", "changed 1.4", "changed 1.5")
}

// An event shows without anybody writing after it.
func TestAnEventShowsOnceItIsCommitted(t *testing.T) {
	s, url, ships := watched(t, postgres.Config{})
	c := connect(t, url)
	l := follower{from: s.Events()}
	var want []string
	for n := 1; n <= 5; n++ {
		// Somebody had a later number and is gone.
		err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
			if err := tx.Records().Add(t.Context(), ships, ship(2*n), domain.Entries{}); err != nil {
				return err
			}
			if _, err := c.Exec(t.Context(), `SELECT pg_current_xact_id()`); err != nil {
				return err
			}
			return tx.Records().Add(t.Context(), ships, ship(2*n+1), tellIt)
		})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("created %x.1", 2*n+1))
		l.hears(t, want...)
	}
}

func TestWhoBeginsAtTheLatestMarkHearsWhatComesLater(t *testing.T) {
	s, _, ships := watched(t, postgres.Config{})
	var followers []*follower
	for n := range 2 {
		mark, err := s.Events().Latest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		followers = append(followers, &follower{from: s.Events(), mark: mark})
		if err := s.Records().Add(t.Context(), ships, ship(n+1), tellIt); err != nil {
			t.Fatal(err)
		}
	}
	followers[0].hears(t, "created 1.1", "created 2.1")
	followers[1].hears(t, "created 2.1")
}

// A mark of a later state of the server, which it has lost.
func TestAMarkThatTheServerHasNotComeToHearsAllThatIsKept(t *testing.T) {
	s, _, ships := watched(t, postgres.Config{})
	if err := s.Records().Add(t.Context(), ships, ship(1), tellIt); err != nil {
		t.Fatal(err)
	}
	for _, mark := range []domain.Mark{"9000000000-7", "s5"} { // the last is SQLite's
		l := follower{from: s.Events(), mark: mark}
		l.hears(t, "created 1.1")
	}
	if _, err := s.Events().News(t.Context(), "no mark", 1); err == nil {
		t.Error("what is no mark is taken for one")
	}
}

// Writers take turns at few records in transactions of several steps; whoever
// follows hears each revision once and in order.
func TestFollowersHearEverythingOnceAndInOrder(t *testing.T) {
	s, _, ships := watched(t, postgres.Config{MaxConns: 12})
	const writers, turns, records = 6, 15, 3
	for n := range records {
		if err := s.Records().Add(t.Context(), ships, ship(n+1), tellIt); err != nil {
			t.Fatal(err)
		}
	}
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for turn := range turns {
				err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
					for step := range 1 + (w+turn)%2 {
						r, err := tx.Records().Get(t.Context(), ships, ship(1+(w+turn+step)%records).ID)
						if err == nil {
							err = tx.Records().Replace(t.Context(), ships, r, tellIt)
						}
						if err != nil && !errors.Is(err, domain.ErrStale) {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	followers := []*follower{{from: s.Events()}, {from: s.Events()}}
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		for i, l := range followers {
			if err := l.follow(t.Context(), 1+10*i); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.Equal(followers[0].heard, followers[1].heard) {
		t.Fatalf("they do not hear the same:\n%q\n%q", followers[0].heard, followers[1].heard)
	}
	revisions := make(map[string]domain.Revision)
	for _, e := range followers[0].heard {
		var kind, id string
		var rev domain.Revision
		if _, err := fmt.Sscanf(strings.Replace(e, ".", " ", 1), "%s %s %d", &kind, &id, &rev); err != nil {
			t.Fatal(err)
		}
		if revisions[id]++; revisions[id] != rev {
			t.Fatalf("of record %s revision %d is told, want %d:\n%q", id, rev, revisions[id], followers[0].heard)
		}
	}
	for n := range records {
		r, err := s.Records().Get(t.Context(), ships, ship(n+1).ID)
		if err != nil || revisions[fmt.Sprint(n+1)] != r.Revision {
			t.Errorf("record %d is at revision %d (%v), and %d are told", n+1, r.Revision, err, revisions[fmt.Sprint(n+1)])
		}
	}
}

func TestAnEventWakesReplicas(t *testing.T) {
	woken := make(chan struct{}, 100)
	s, _, ships := watched(t, postgres.Config{OnNews: func() { woken <- struct{}{} }})
	<-woken // it listens
	if err := s.Records().Add(t.Context(), ships, ship(1), tellIt); err != nil {
		t.Fatal(err)
	}
	<-woken
}
