package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// An ear is told that there may be news.
type ear chan struct{}

func newEar() ear { return make(ear, 1000) }

func (e ear) tell() { e <- struct{}{} }

// wakes waits until the ear is told.
func (e ear) wakes(t *testing.T) {
	t.Helper()
	select {
	case <-e:
	case <-time.After(2 * time.Minute):
		t.Fatal("nobody says that there is news")
	}
}

// listener returns a store that hears of news, and waits until it does.
func listener(t *testing.T, url string) (*postgres.Store, ear) {
	t.Helper()
	e := newEar()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url, OnNews: e.tell})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	e.wakes(t)
	return s, e
}

// An eavesdropper hears every notice that is sent in a database.
type eavesdropper struct{ c *pgx.Conn }

func eavesdrop(t *testing.T, url string) eavesdropper {
	t.Helper()
	c := connect(t, url)
	if _, err := c.Exec(t.Context(), `LISTEN keyport_changes`); err != nil {
		t.Fatal(err)
	}
	return eavesdropper{c}
}

// heard returns how many notices were sent so far.
func (e eavesdropper) heard(t *testing.T) int {
	t.Helper()
	if _, err := e.c.Exec(t.Context(), `SELECT pg_notify('keyport_changes', 'the last')`); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		notice, err := e.c.WaitForNotification(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if notice.Payload == "the last" {
			return n
		}
	}
}

// listening counts the connections on which the stores of a database hear.
func listening(t *testing.T, c *pgx.Conn) (n int) {
	t.Helper()
	err := c.QueryRow(t.Context(), `
		SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'keyport' AND query = 'LISTEN keyport_changes'`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func reuse(ctx context.Context, r ports.Repositories) error {
	f, err := r.Sessions().Refresh(ctx, domain.RefreshToken{Session: session(1, ada).ID, Counter: 7}, noon, domain.SessionPolicy{Idle: time.Hour})
	if err == nil && f.Verdict != domain.Reused {
		err = fmt.Errorf("the verdict is %d, want that the token was used before", f.Verdict)
	}
	return err
}

func TestAChangeOfOneReplicaWakesTheOthers(t *testing.T) {
	post := func(ctx context.Context, r ports.Repositories) error { return r.Bulletin().Post(ctx, ended(1)) }
	together := func(f func(context.Context, ports.Repositories) error) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error {
			return s.Atomically(ctx, func(tx ports.Repositories) error { return f(ctx, tx) })
		}
	}
	alone := func(f func(context.Context, ports.Repositories) error) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error { return f(ctx, s) }
	}
	for _, c := range []struct {
		name   string
		change func(context.Context, *postgres.Store) error
	}{
		{"when it is posted alone", alone(post)},
		{"when it is posted in a transaction", together(post)},
		{"when a session ends because its token was used before", alone(reuse)},
		{"when it does in a transaction", together(reuse)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := signedIn(t, postgres.Config{})
			second, hisEar := listener(t, url)
			third, herEar := listener(t, url)
			if err := c.change(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			for other, ear := range map[*postgres.Store]ear{second: hisEar, third: herEar} {
				ear.wakes(t)
				newReader(other).hears(t, ended(1))
				if n := other.Stats(); n.NoticesHeard != 1 || n.NoticesSent != 0 || n.HearingBroken != 0 {
					t.Errorf("%d notices were heard and %d sent, and the connection was lost %d times; want 1, 0 and 0", n.NoticesHeard, n.NoticesSent, n.HearingBroken)
				}
			}
		})
	}
}

func TestAReplicaHearsItselfToo(t *testing.T) {
	e := newEar()
	s, _ := open(t, postgres.Config{OnNews: e.tell})
	e.wakes(t)
	if err := s.Bulletin().Post(t.Context(), ended(1)); err != nil {
		t.Fatal(err)
	}
	e.wakes(t)
}

func TestOnlyWhatIsCommittedAndNewIsTold(t *testing.T) {
	undone := errors.New("undone")
	for _, c := range []struct {
		name string
		do   func(ctx context.Context, s *postgres.Store) error
		want int
	}{
		{"a transaction that is taken back", func(ctx context.Context, s *postgres.Store) error {
			err := s.Atomically(ctx, func(tx ports.Repositories) error { return errors.Join(tx.Bulletin().Post(ctx, ended(1)), undone) })
			if !errors.Is(err, undone) {
				return err
			}
			return nil
		}, 0},
		{"a transaction that posts nothing", func(ctx context.Context, s *postgres.Store) error {
			return s.Atomically(ctx, func(tx ports.Repositories) error { return tx.Sessions().End(ctx, ada, session(1, ada).ID) })
		}, 0},
		{"no change at all", func(ctx context.Context, s *postgres.Store) error { return s.Bulletin().Post(ctx) }, 0},
		{"a refresh", func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Sessions().Refresh(ctx, domain.RefreshToken{Session: session(1, ada).ID}, noon, domain.SessionPolicy{Idle: time.Hour})
			return err
		}, 0},
		{"a change, of a store that is closed at once, as a command is", func(ctx context.Context, s *postgres.Store) error {
			return s.Bulletin().Post(ctx, ended(1))
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sent tape
			s, url := signedIn(t, postgres.Config{OnStatement: sent.add})
			e := eavesdrop(t, url)
			if err := c.do(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			s.Close() // what was due is sent
			if n := e.heard(t); n != c.want || s.Stats().NoticesSent != int64(c.want) {
				t.Errorf("%d notices are heard, and %d counted, want %d", n, s.Stats().NoticesSent, c.want)
			}
			if all := strings.Join(sent.sent, "\n"); strings.Contains(all, "notify") {
				t.Errorf("the notice is told as a statement:\n%s", all)
			}
		})
	}
}

// Right after a notice the next one waits for a moment, unless there is no time.
func TestCloseSendsTheNoticeThatIsDue(t *testing.T) {
	s, url := open(t, postgres.Config{})
	e := eavesdrop(t, url)
	if err := s.Bulletin().Post(t.Context(), ended(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := e.c.WaitForNotification(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Bulletin().Post(t.Context(), ended(2)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if n := e.heard(t); n != 1 {
		t.Fatalf("%d notices are heard, want one for the second change", n)
	}
}

// Whoever reads at each notice, and never else, misses nothing.
func TestOfTwoHundredChangesAtOnceNoneIsMissedThoughFewerNoticesAreSent(t *testing.T) {
	const many = 200
	s, url := open(t, postgres.Config{MaxConns: 16})
	other, ear := listener(t, url)
	var posting sync.WaitGroup
	for n := range many {
		posting.Go(func() {
			if err := s.Bulletin().Post(t.Context(), ended(n)); err != nil {
				t.Error(err)
			}
		})
	}
	r := newReader(other)
	for len(r.heard) < many {
		ear.wakes(t)
		if _, err := r.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	posting.Wait()
	s.Close()
	if n := s.Stats().NoticesSent; n == 0 || n > many {
		t.Fatalf("%d notices are sent for %d changes", n, many)
	} else {
		t.Logf("%d notices for %d changes", n, many)
	}
}

func TestAListenerThatIsCutOffComesBackAndHearsAgain(t *testing.T) {
	s, url := open(t, postgres.Config{})
	other, ear := listener(t, url)
	watch := connect(t, url)
	r := newReader(other)
	var posted []domain.Change
	for cut := range 3 {
		_, err := watch.Exec(t.Context(), `
			SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
			WHERE datname = current_database() AND query = 'LISTEN keyport_changes'`)
		if err != nil {
			t.Fatal(err)
		}
		// It is told nothing until it is back, and then that there may be news.
		ear.wakes(t)
		if n := other.Stats().HearingBroken; n != int64(cut+1) {
			t.Fatalf("the connection was lost %d times, want %d", n, cut+1)
		}
		posted = append(posted, ended(cut))
		if err := s.Bulletin().Post(t.Context(), posted[cut]); err != nil {
			t.Fatal(err)
		}
		ear.wakes(t)
		r.hears(t, posted...)
	}
	if n := listening(t, watch); n != 1 {
		t.Fatalf("%d connections listen, want 1", n)
	}
}

// A proxy leads to a server. Connections below the number muted, which count from
// 1, carry nothing.
type proxy struct {
	listener net.Listener
	muted    atomic.Int64
	busy     sync.WaitGroup
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l}
	done := make(chan struct{})
	p.busy.Go(func() {
		for n := int64(1); ; n++ {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			over := make(chan struct{}, 2)
			for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
				p.busy.Go(func() {
					p.lead(n, way[0], way[1])
					over <- struct{}{}
				})
			}
			p.busy.Go(func() {
				select {
				case <-over:
				case <-done:
				}
				_, _ = client.Close(), server.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		close(done)
		p.busy.Wait()
	})
	return p
}

func (p *proxy) lead(n int64, from io.Reader, to io.Writer) {
	some := make([]byte, 4096)
	for {
		read, err := from.Read(some)
		if err != nil {
			return
		}
		if n < p.muted.Load() {
			continue
		}
		if _, err := to.Write(some[:read]); err != nil {
			return
		}
	}
}

// A machine that is switched off, or a firewall that forgets, ends no connection.
func TestAConnectionThatDiesInSilenceIsFoundOut(t *testing.T) {
	t.Cleanup(postgres.HearingCheck(20*time.Millisecond, time.Second))
	s, direct := open(t, postgres.Config{})
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, u.Host)
	u.Host = p.listener.Addr().String()
	other, ear := listener(t, u.String())
	p.muted.Store(2)
	ear.wakes(t)
	if n := other.Stats().HearingBroken; n != 1 {
		t.Fatalf("the connection was lost %d times, want once", n)
	}
	if err := s.Bulletin().Post(t.Context(), ended(1)); err != nil {
		t.Fatal(err)
	}
	ear.wakes(t)
	newReader(other).hears(t, ended(1))
}

func TestACheckInAQuietTimeCostsTheListenerNothing(t *testing.T) {
	t.Cleanup(postgres.HearingCheck(time.Millisecond, time.Minute))
	s, url := open(t, postgres.Config{})
	other, ear := listener(t, url)
	watch := connect(t, url)
	var pid int
	err := watch.QueryRow(t.Context(), `
		SELECT pid FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'keyport' AND query IN ('LISTEN keyport_changes', 'SELECT')`).Scan(&pid)
	if err != nil {
		t.Fatal(err)
	}
	for checked := false; !checked; {
		if err := watch.QueryRow(t.Context(), `SELECT query = 'SELECT' FROM pg_stat_activity WHERE pid = $1`, pid).Scan(&checked); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Bulletin().Post(t.Context(), ended(1)); err != nil {
		t.Fatal(err)
	}
	ear.wakes(t)
	if n := other.Stats(); n.HearingBroken != 0 || n.NoticesHeard != 1 {
		t.Fatalf("the connection was lost %d times and %d notices were heard, want 0 and 1", n.HearingBroken, n.NoticesHeard)
	}
}

func TestOfSeveralHostsTheListenerHearsTheOneThatTakesWrites(t *testing.T) {
	s, url := open(t, postgres.Config{})
	c := connect(t, url).Config()
	_, ear := listener(t, fmt.Sprintf("postgres://%s:%s@%s,%s:%d/%s?target_session_attrs=read-write",
		c.User, c.Password, closedPort(t), c.Host, c.Port, c.Database))
	if err := s.Bulletin().Post(t.Context(), ended(1)); err != nil {
		t.Fatal(err)
	}
	ear.wakes(t)
}

func TestCloseEndsTheListenerWhateverItIsAbout(t *testing.T) {
	for _, c := range []struct {
		name string
		url  func(t *testing.T) string
		told int // how often there may be news, before it is closed
	}{
		{"while it waits for a notice", func(t *testing.T) string {
			_, url := open(t, postgres.Config{})
			return url
		}, 1},
		{"where nobody listens", func(t *testing.T) string { return "postgres://keyport@" + closedPort(t) + "/keyport" }, 0},
		{"where nobody answers", func(t *testing.T) string {
			return "postgres://keyport@" + mutePort(t) + "/keyport?sslmode=disable&connect_timeout=120"
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := c.url(t)
			before := goleak.IgnoreCurrent()
			var told atomic.Int64
			e := newEar()
			s, err := postgres.Open(t.Context(), postgres.Config{URL: url, OnNews: func() {
				told.Add(1)
				e.tell()
			}})
			if err != nil {
				t.Fatal(err)
			}
			for range c.told {
				e.wakes(t)
			}
			s.Close()
			s.Close()
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
			if n := told.Load(); n != int64(c.told) {
				t.Errorf("it was told %d times that there may be news, want %d", n, c.told)
			}
			if n := s.Stats().HearingBroken; n != 0 {
				t.Errorf("the connection was lost %d times, want never: it was closed", n)
			}
		})
	}
}

// Close does not wait for ever for a notice that cannot be sent.
func TestCloseGivesUpANoticeThatNobodyTakes(t *testing.T) {
	s, direct := open(t, postgres.Config{})
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	p := newProxy(t, u.Host)
	u.Host = p.listener.Addr().String()
	if s, err = postgres.Open(t.Context(), postgres.Config{URL: u.String(), MaxConns: 1}); err != nil {
		t.Fatal(err)
	}
	err = s.Atomically(t.Context(), func(tx ports.Repositories) error { return tx.Bulletin().Post(t.Context(), ended(1)) })
	p.muted.Store(1000)
	s.Close()
	if err != nil {
		t.Fatal(err)
	}
}

func TestBehindPgBouncerNobodyTellsAndNobodyListens(t *testing.T) {
	_, url := open(t, postgres.Config{})
	e := eavesdrop(t, url)
	var told atomic.Int64
	behind, err := postgres.Open(t.Context(), postgres.Config{URL: url, PgBouncer: true, OnNews: func() { told.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	if err := behind.Bulletin().Post(t.Context(), ended(1)); err != nil {
		t.Fatal(err)
	}
	listener(t, url) // which begins later, and is there
	if n := listening(t, connect(t, url)); n != 1 {
		t.Errorf("%d connections listen, want that of the other store alone", n)
	}
	behind.Close()
	if n := e.heard(t); n != 0 || told.Load() != 0 || behind.Stats().NoticesSent != 0 {
		t.Errorf("%d notices are sent, and it is told %d times that there may be news; want silence", n, told.Load())
	}
}

func TestAStoreThatIsNotToldOfNewsSpendsNoConnectionOnIt(t *testing.T) {
	s, url := open(t, postgres.Config{})
	if err := s.Bulletin().Post(t.Context(), ended(1)); err != nil {
		t.Fatal(err)
	}
	listener(t, url)
	if n := listening(t, connect(t, url)); n != 1 {
		t.Errorf("%d connections listen, want that of the other store alone", n)
	}
}
