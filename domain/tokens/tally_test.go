package tokens_test

import (
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

func TestWhatIsDoneWithSessionsIsCounted(t *testing.T) {
	w := newWorld(t)
	g, other, third := w.open(t), w.open(t), w.open(t)
	next, err := w.Refresh(t.Context(), g.Refresh.Reveal())
	ok(t, err)
	_, err = w.Refresh(t.Context(), g.Refresh.Reveal()) // within the grace
	ok(t, err)
	w.clock.Advance(2 * time.Minute)
	_, err = w.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrTokenReused)
	_, err = w.Refresh(t.Context(), next.Refresh.Reveal())
	is(t, err, domain.ErrInvalidToken)
	ok(t, w.End(t.Context(), domain.Asker{Account: w.ada.ID, Session: third.Session}, other.Session))
	// A session that somebody else ended on this replica, such as by a new password.
	w.Learn(domain.Change{Kind: domain.SessionEnded, Subject: string(third.Session), At: w.clock.Now()})
	// What another replica ended that one counts.
	ok(t, w.store.Bulletin().Post(t.Context(), domain.Change{Kind: domain.SessionEnded, Subject: string(third.Session), At: w.clock.Now()}))
	ok(t, w.Hear(t.Context()))
	want := tokens.Tally{Opened: 3, Rotated: 1, Repeated: 1, Reused: 1, Refused: 1, Ended: 3}
	if got := w.Tally(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
