package postgres_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A line leads to a server, and can be cut off without a word.
type line struct {
	mu sync.Mutex
}

// through returns a URL that leads to that of a server through the line.
func (l *line) through(t *testing.T, direct string) string {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	server := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				_ = near.Close()
				continue
			}
			for from, to := range map[net.Conn]net.Conn{near: far, far: near} {
				group.Go(func() {
					_, _ = io.Copy(&end{l, to}, from)
					_, _ = near.Close(), far.Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		group.Wait()
	})
	u.Host = listener.Addr().String()
	return u.String()
}

// hold keeps back what comes from now on, until the returned function is called.
func (l *line) hold() (release func()) {
	l.mu.Lock()
	return l.mu.Unlock
}

// An end is where what comes through a line is written.
type end struct {
	line *line
	to   io.Writer
}

func (e *end) Write(b []byte) (int, error) {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	return e.to.Write(b)
}

// The timeout of statements is far away, so only the silence can end them.
func TestAServerThatSaysNothingIsUnavailableLongBeforeASlowOne(t *testing.T) {
	var l line
	const never = 10 * time.Minute
	s, err := postgres.Open(t.Context(), postgres.Config{
		URL: l.through(t, pgtest.Database(t, postgres.Migrate)), AcquireTimeout: time.Minute, StatementTimeout: never, Silence: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	register(t, s, ada, "ada")
	err = s.Atomically(t.Context(), func(tx ports.Repositories) error {
		release := l.hold()
		defer release()
		_, err := tx.Accounts().ByID(t.Context(), ada)
		return err
	})
	is(t, err, domain.ErrUnavailable)
	if _, err := s.Accounts().ByID(t.Context(), ada); err != nil {
		t.Fatalf("once it speaks again: %v", err)
	}
}
