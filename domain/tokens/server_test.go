package tokens_test

import (
	"errors"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
)

// A tick is how far an exploration's clock moves at least. Two of them are the
// grace, to the instant.
const tick = time.Minute / 2

// A server is all that a server remembers of one session and its account: what
// is left of it after it crashed and was started again.
type server struct {
	now       int8 // ticks since the session was opened
	open      bool // the session has not ended
	counter   int8 // of the current refresh token; 0 where it is not open
	used      int8 // ticks: when that was first issued; 0 where it is not open
	suspended bool // the account
}

// A request is what reaches a server at one step.
type request struct {
	verb    verb
	token   int8 // refresh and lost: the counter of what is presented
	elapsed int8 // wait: ticks
}

type verb uint8

const (
	nothing        verb = iota // nobody asks the server anything
	wait                       // time passes
	refresh                    // a token is presented
	lost                       // so it is, and the answer is lost on its way from the store
	signOut                    // the session is ended by its owner
	changePassword             // in another session of the same account
	suspend                    // the account
	restore                    // the account
)

// A reply is what came of a request. It is empty for what is lost.
type reply struct {
	granted bool
	token   int8 // where granted: the counter of the token that came
	theft   bool // a refresh was refused, because one of two bearers is a thief
}

// A machine room starts servers: real ones, a Service on a store that holds what
// the server is said to remember. What one did is written down, and it is not
// asked the same thing twice.
type machineRoom struct {
	t     testing.TB
	known map[errand]outcome
}

type errand struct {
	server  server
	request request
}

type outcome struct {
	server server
	reply  reply
}

func newMachineRoom(t testing.TB) *machineRoom {
	t.Helper()
	if policy.Grace != 2*tick {
		t.Fatalf("the grace is %v, and is thought to be two ticks of %v", policy.Grace, tick)
	}
	return &machineRoom{t, make(map[errand]outcome)}
}

// ask starts the server s anew, and puts the request to it.
func (m *machineRoom) ask(s server, r request) (server, reply) {
	m.t.Helper()
	if r.verb == nothing {
		return s, reply{}
	}
	did, known := m.known[errand{s, r}]
	if !known {
		on := start(m.t, s)
		did.reply = on.serve(m.t, r)
		did.server = on.remembers(m.t)
		m.known[errand{s, r}] = did
	}
	return did.server, did.reply
}

// A machine is a world in which one session of ada's is looked at.
type machine struct {
	*world
	opened  time.Time
	session domain.SessionID
}

// start returns a machine that remembers s.
func start(t testing.TB, s server) machine {
	t.Helper()
	w := newWorld(t)
	m := machine{w, w.clock.Now(), domain.SessionID(w.newID())}
	if s.open {
		_, err := w.store.Sessions().Open(t.Context(), domain.Session{
			ID: m.session, Account: w.ada.ID, Counter: domain.Counter(s.counter), Renewal: domain.Rotating,
			Created: m.opened, Used: m.opened.Add(time.Duration(s.used) * tick), Ends: m.opened.Add(policy.Max),
		}, 1)
		ok(t, err)
	}
	if s.suspended {
		suspended := domain.Suspended
		w.change(t, domain.AccountChange{Status: &suspended})
	}
	w.clock.Advance(time.Duration(s.now) * tick)
	return m
}

// remembers reads what would be left after a crash.
func (m machine) remembers(t testing.TB) server {
	t.Helper()
	a, err := m.store.Accounts().ByID(t.Context(), m.ada.ID)
	ok(t, err)
	s := server{now: int8(m.clock.Now().Sub(m.opened) / tick), suspended: a.Status == domain.Suspended}
	for _, found := range m.sessions(t) {
		if found.ID != m.session {
			continue
		}
		s.open, s.counter, s.used = true, int8(found.Counter), int8(found.Used.Sub(m.opened)/tick)
		if !found.Ends.Equal(m.opened.Add(policy.Max)) || found.Used.Sub(m.opened)%tick != 0 {
			t.Fatalf("the session became %+v", found)
		}
	}
	return s
}

// serve does what the request wants.
func (m machine) serve(t testing.TB, r request) reply {
	t.Helper()
	ada := domain.Asker{Account: m.ada.ID, Session: m.session}
	switch r.verb {
	case nothing:
	case wait:
		m.clock.Advance(time.Duration(r.elapsed) * tick)
	case refresh:
		g, err := m.Refresh(t.Context(), m.token(r.token))
		switch {
		case err == nil && g.Session == m.session:
			return reply{granted: true, token: int8(counter(t, g))}
		case errors.Is(err, domain.ErrTokenReused):
			return reply{theft: true}
		}
		is(t, err, domain.ErrInvalidToken)
	case lost:
		m.loses("sessions.refresh", true)
		_, err := m.Refresh(t.Context(), m.token(r.token))
		is(t, err, domain.ErrUnavailable)
	case signOut:
		if err := m.End(t.Context(), ada, m.session); !errors.Is(err, domain.ErrSessionNotFound) {
			ok(t, err)
		}
	case changePassword:
		c, err := m.store.Accounts().Credential(t.Context(), m.ada.ID)
		ok(t, err)
		ok(t, m.store.Accounts().SetCredential(t.Context(), c, m.clock.Now()))
		ok(t, m.EndAll(t.Context(), ada, "the one that asks"))
	case suspend:
		status := domain.Suspended
		m.change(t, domain.AccountChange{Status: &status})
		ok(t, m.EndAll(t.Context(), ada, ""))
	case restore:
		status := domain.Active
		m.change(t, domain.AccountChange{Status: &status})
	}
	return reply{}
}

func (m machine) token(c int8) string {
	return fake.RefreshIssuer{}.Issue(domain.RefreshToken{Session: m.session, Counter: domain.Counter(c)}).Reveal()
}
