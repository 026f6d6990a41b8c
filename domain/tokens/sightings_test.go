package tokens_test

import (
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// used returns when and from where ada's only session was last seen.
func (w *world) used(t testing.TB) (time.Time, string) {
	t.Helper()
	s := w.sessions(t)
	if len(s) != 1 {
		t.Fatalf("there are %d sessions", len(s))
	}
	return s[0].Seen, s[0].Address
}

func TestBeingUsedIsWrittenOnceAMinute(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	opened := w.clock.Now()
	writes := 0
	w.store.Fault = func(op string) (bool, error) {
		if op == "sessions.saw" {
			writes++
		}
		return false, nil
	}
	check := func(address string) {
		_, err := w.Check(t.Context(), g.Access.Reveal(), address)
		ok(t, err)
	}
	want := func(at time.Time, address string) {
		t.Helper()
		if seen, from := w.used(t); !seen.Equal(at) || from != address {
			t.Errorf("last seen %v from %q, want %v from %q", seen, from, at, address)
		}
	}
	w.clock.Advance(30 * time.Second)
	check("198.51.100.7")
	ok(t, w.WriteSightings(t.Context()))
	want(opened, "192.0.2.1") // less than a minute later
	w.clock.Advance(30 * time.Second)
	for range 1000 {
		check("198.51.100.8")
	}
	want(opened, "192.0.2.1") // nothing is written on the way of a request
	ok(t, w.WriteSightings(t.Context()))
	want(opened.Add(time.Minute), "198.51.100.8")
	ok(t, w.WriteSightings(t.Context()))
	if writes != 2 {
		t.Errorf("%d writes, want one for each minute in which it was used", writes)
	}
}

func TestARefusedTokenIsNoSighting(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	opened, _ := w.used(t)
	w.clock.Advance(accessTTL)
	_, err := w.Check(t.Context(), g.Access.Reveal(), "198.51.100.7")
	is(t, err, domain.ErrInvalidToken)
	ok(t, w.WriteSightings(t.Context()))
	if seen, _ := w.used(t); !seen.Equal(opened) {
		t.Errorf("last seen %v", seen)
	}
}

func TestTheUseOfAnAccessKeyIsWritten(t *testing.T) {
	w := newWorld(t)
	k, secret := w.key(t, domain.ReadRecords)
	for _, address := range []string{"198.51.100.7", strings.Repeat("7", 1000)} {
		w.clock.Advance(time.Minute)
		_, err := w.Check(t.Context(), secret, address)
		ok(t, err)
		ok(t, w.WriteSightings(t.Context()))
		stored, _, err := w.store.AccessKeys().ByID(t.Context(), k.ID, w.clock.Now())
		ok(t, err)
		if kept := address[:min(len(address), domain.MaxAddress)]; !stored.Seen.Equal(w.clock.Now()) || stored.Address != kept {
			t.Errorf("last seen %v from %q", stored.Seen, stored.Address)
		}
	}
}

func TestSightingsThatCannotBeWrittenAreLostAndNoMore(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	w.clock.Advance(time.Minute)
	_, err := w.Check(t.Context(), g.Access.Reveal(), "198.51.100.7")
	ok(t, err)
	w.loses("sessions.saw", false)
	is(t, w.WriteSightings(t.Context()), domain.ErrUnavailable)
	ok(t, w.WriteSightings(t.Context()))
	_, err = w.Check(t.Context(), g.Access.Reveal(), "198.51.100.7")
	ok(t, err)
}
