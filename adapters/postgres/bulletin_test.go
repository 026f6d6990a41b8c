package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// ended returns the nth change, at noon.
func ended(n int) domain.Change {
	return domain.Change{Kind: domain.SessionEnded, Subject: string(session(n, ada).ID), At: noon}
}

// A reader polls, and keeps in mind what it has read.
type reader struct {
	from  ports.Bulletin
	mark  domain.Mark
	heard map[domain.Change]int // how often
}

func newReader(s *postgres.Store) *reader {
	return &reader{from: s.Bulletin(), heard: make(map[domain.Change]int)}
}

// poll returns how many changes it was told of.
func (r *reader) poll(ctx context.Context) (int, error) {
	news, mark, err := r.from.News(ctx, r.mark)
	if err != nil {
		return 0, err
	}
	for _, c := range news {
		r.heard[c]++
	}
	r.mark = mark
	return len(news), nil
}

// hears polls, and fails the test unless the reader then knows these changes and
// no others.
func (r *reader) hears(t *testing.T, want ...domain.Change) {
	t.Helper()
	if _, err := r.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range want {
		if r.heard[c] == 0 {
			t.Fatalf("at %s it has not heard of %v", r.mark, c)
		}
	}
	if len(r.heard) != len(want) {
		t.Fatalf("it has heard of %v, want %v", r.heard, want)
	}
}

// The transaction that posts the first change commits after all others, whatever
// its place is in the order in which the server counts them.
func TestAChangeThatIsCommittedLateIsReadNonetheless(t *testing.T) {
	post := func(ctx context.Context, tx ports.Repositories) error { return tx.Bulletin().Post(ctx, ended(0)) }
	write := func(ctx context.Context, tx ports.Repositories) error {
		return tx.Accounts().Rehash(ctx, domain.Credential{Account: ada, Hash: domain.NewPasswordHash("anew"), Revision: 1})
	}
	look := func(ctx context.Context, tx ports.Repositories) error {
		_, err := tx.Accounts().ByID(ctx, ada)
		return err
	}
	type step = func(context.Context, ports.Repositories) error
	for _, c := range []struct {
		name          string
		begins, later step // what it does before the others commit, and after
	}{
		{"it was counted before those that are read", post, look},
		{"it was counted before them and posts after them", write, post},
		{"it is counted only after some of them", look, post},
	} {
		for _, polls := range []int{0, 1, 5} {
			t.Run(fmt.Sprintf("%s, with %d polls meanwhile", c.name, polls), func(t *testing.T) {
				s, _ := open(t, postgres.Config{})
				register(t, s, ada, "ada")
				r := newReader(s)
				r.hears(t)
				var others []domain.Change
				publish := func() {
					others = append(others, ended(len(others)+1))
					if err := s.Bulletin().Post(t.Context(), others[len(others)-1]); err != nil {
						t.Fatal(err)
					}
				}
				publish()
				r.hears(t, others...)
				err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
					if err := c.begins(t.Context(), tx); err != nil {
						return err
					}
					publish()
					for range polls {
						publish()
						r.hears(t, others...)
					}
					if err := c.later(t.Context(), tx); err != nil {
						return err
					}
					for range polls {
						publish()
						r.hears(t, others...)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				publish()
				r.hears(t, append(others, ended(0))...)
				r.hears(t, append(others, ended(0))...)
			})
		}
	}
}

// A savepoint has a number of its own, which nobody waits for.
func TestAChangeThatIsPostedInASavepointIsReadHoweverLateItIsCommitted(t *testing.T) {
	s, url := open(t, postgres.Config{})
	r := newReader(s)
	late, err := connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	inner, err := late.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = inner.Exec(t.Context(), `INSERT INTO changes (kind, subject, value, at) VALUES ($1, $2, 0, $3)`,
		string(domain.SessionEnded), ended(0).Subject, noon)
	if err := errors.Join(err, inner.Commit(t.Context()), s.Bulletin().Post(t.Context(), ended(1))); err != nil {
		t.Fatal(err)
	}
	r.hears(t, ended(1))
	r.hears(t, ended(1))
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.hears(t, ended(0), ended(1))
}

func TestAChangeWhoseCauseIsTakenBackIsNeverRead(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	r := newReader(s)
	undone := errors.New("undone")
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if err := tx.Bulletin().Post(t.Context(), ended(0)); err != nil {
			return err
		}
		r.hears(t)
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if err := s.Bulletin().Post(t.Context(), ended(1)); err != nil {
		t.Fatal(err)
	}
	r.hears(t, ended(1))
}

func TestEightWritersAndAReaderWhoMissesNothing(t *testing.T) {
	s, _ := open(t, postgres.Config{MaxConns: 16})
	const writers, turns = 8, 50
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for turn := range turns {
				err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
					if err := tx.Bulletin().Post(t.Context(), ended(w*turns+turn)); err != nil || w%2 == 0 {
						return err
					}
					// Half of them give others the time to overtake.
					_, err := tx.Collections().List(t.Context())
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all := make(chan struct{})
	go func() {
		defer close(all)
		writing.Wait()
	}()
	r := newReader(s)
	for done := false; !done; {
		select {
		case <-all:
			done = true
		default:
		}
		if _, err := r.poll(t.Context()); err != nil {
			t.Error(err)
			break
		}
	}
	<-all
	if len(r.heard) != writers*turns {
		t.Fatalf("of %d changes it has heard of %d", writers*turns, len(r.heard))
	}
	if n, err := r.poll(t.Context()); err != nil || n != 0 {
		t.Fatalf("it is told of %d again (%v), though nothing was under way", n, err)
	}
}

// A server that crashed counts on from what its log holds, in which transactions
// that wrote nothing have left no trace if they were among the last.
func TestAfterACrashOfTheServerNothingIsMissed(t *testing.T) {
	// The log is written only where somebody waits for it, or a page is full.
	server, err := pgtest.Start(t.Context(), pgtest.Options{Durable: true, Settings: map[string]string{"wal_writer_delay": "10s"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	url := server.URL("postgres")
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := newReader(s)
	var posted []domain.Change
	publish := func() {
		posted = append(posted, ended(len(posted)))
		if err := s.Bulletin().Post(t.Context(), posted[len(posted)-1]); err != nil {
			t.Fatal(err)
		}
	}
	// Ten seconds may just be over. It would have to happen each time.
	for range 5 {
		publish()
		before := count(t, url, 50)
		r.hears(t, posted...)
		if err := errors.Join(server.Kill(), server.Start(t.Context())); err != nil {
			t.Fatal(err)
		}
		for errors.Is(s.Ping(t.Context()), domain.ErrUnavailable) {
		} // for each connection that was cut
		forgotten := count(t, url, 1) <= before
		publish()
		if count(t, url, 50) <= before {
			t.Fatal("the server has not come as far again as it was, and this test proves nothing")
		}
		r.hears(t, posted...)
		if forgotten {
			return
		}
	}
	t.Fatal("the server has forgotten nothing, and this test proves nothing")
}

// count begins a page of the server's log, takes n numbers for transactions that
// write nothing, and returns the last.
func count(t *testing.T, url string, n int) (last uint64) {
	t.Helper()
	c := connect(t, url)
	if _, err := c.Exec(t.Context(), `SELECT pg_switch_wal()`); err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := c.QueryRow(t.Context(), `SELECT pg_current_xact_id()`).Scan(&last); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return last
}

func TestAMarkFromAServerThatHasComeFurtherReadsAll(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	if err := s.Bulletin().Post(t.Context(), ended(0)); err != nil {
		t.Fatal(err)
	}
	for _, mark := range []domain.Mark{"18446744073709551615", "s5", "s9223372036854775807"} { // the last two are SQLite's
		r := newReader(s)
		r.mark = mark
		r.hears(t, ended(0))
		if n, err := r.poll(t.Context()); err != nil || n != 0 {
			t.Fatalf("from its new mark it reads %d changes (%v), want none", n, err)
		}
	}
}

func TestAMarkThatIsNoneIsAnAccident(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	for _, mark := range []domain.Mark{"x", " 1", "-1", "0x10", "1.5", "18446744073709551616", "\x00"} {
		_, _, err := s.Bulletin().News(t.Context(), mark)
		if _, told := errors.AsType[*domain.Error](err); err == nil || told {
			t.Errorf("with the mark %q the error is %v, want one that the domain does not know", mark, err)
		}
	}
}

func TestASessionWhoseTokenIsReusedEndsOnTheBulletinToo(t *testing.T) {
	var sent tape
	s, _ := open(t, postgres.Config{OnStatement: sent.add})
	register(t, s, ada, "ada")
	for n := range 2 {
		if _, err := s.Sessions().Open(t.Context(), session(n, ada), 1); err != nil {
			t.Fatal(err)
		}
	}
	r := newReader(s)
	r.hears(t)
	at := noon.Add(time.Minute + 1500*time.Nanosecond)
	got := sent.of(func() {
		f, err := s.Sessions().Refresh(t.Context(), domain.RefreshToken{Session: session(1, ada).ID, Counter: 7}, at, domain.SessionPolicy{Idle: time.Hour})
		if err != nil || f.Verdict != domain.Reused {
			t.Fatalf("the verdict is %d (%v), want that the token was used before", f.Verdict, err)
		}
	})
	if len(got) != 1 {
		t.Fatalf("it takes %d statements, want 1:\n%s", len(got), strings.Join(got, "\n"))
	}
	r.hears(t, domain.Change{Kind: domain.SessionEnded, Subject: string(session(1, ada).ID), At: noon.Add(time.Minute + time.Microsecond)})
}

// What is polled several times a second, and what is forgotten, is found along an
// index, whether the server plans for the parameters at hand, or once for all.
func TestOfTenThousandChangesOnlyThoseAreTouchedThatAreAskedFor(t *testing.T) {
	var sent tape
	s, url := open(t, postgres.Config{OnStatement: sent.add})
	c := connect(t, url)
	for _, sql := range []string{`
		INSERT INTO changes (kind, subject, value, at, written)
		SELECT 'session', gen_random_uuid()::text, 0, '2030-01-02'::timestamptz + n * interval '1 s', n::text::xid8
		FROM generate_series(1, 10000) n`, `ANALYZE`} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []struct {
		name  string
		do    func() error
		args  string
		index string
	}{
		{"news since a recent mark", func() error {
			_, _, err := s.Bulletin().News(t.Context(), "1")
			return err
		}, `'9990'`, "changes_written_idx"},
		{"forgetting", func() error {
			_, err := s.Bulletin().Forget(t.Context(), time.Time{}, 100)
			return err
		}, `'2030-01-02 01:00', 100`, "changes_at_idx"},
	} {
		t.Run(q.name, func(t *testing.T) {
			sql := sent.of(func() {
				if err := q.do(); err != nil {
					t.Fatal(err)
				}
			})
			plan := explain(t, url, sql[0], q.args)
			if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "using "+q.index) {
				t.Errorf("the plan is:\n%s", plan)
			}
		})
	}
}

func TestReplicasThatForgetAtOnceShareTheWork(t *testing.T) {
	s, url := open(t, postgres.Config{})
	for n := range 10 {
		if err := s.Bulletin().Post(t.Context(), ended(n)); err != nil {
			t.Fatal(err)
		}
	}
	other, err := connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := other.Query(t.Context(), `SELECT ctid::text FROM changes ORDER BY at LIMIT 4 FOR UPDATE`)
	if err != nil {
		t.Fatal(err)
	}
	held, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(held) != 4 {
		t.Fatalf("%d lines are held (%v), want 4", len(held), err)
	}
	n, err := s.Bulletin().Forget(t.Context(), noon.Add(time.Second), 100)
	if err != nil || n != 6 {
		t.Fatalf("it forgets %d (%v), want the 6 that nobody holds", n, err)
	}
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err = s.Bulletin().Forget(t.Context(), noon.Add(time.Second), 3); err != nil || n != 3 {
		t.Fatalf("it forgets %d (%v), want 3", n, err)
	}
}
