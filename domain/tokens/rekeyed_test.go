package tokens_test

import (
	"context"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
	"github.com/keyport-go/keyport/ports"
)

// A stuckStore tells all changes to whoever asks, and the same mark.
type stuckStore struct{ ports.Store }

func (s stuckStore) Bulletin() ports.Bulletin { return stuckBulletin{s.Store.Bulletin()} }

type stuckBulletin struct{ ports.Bulletin }

func (b stuckBulletin) News(ctx context.Context, _ domain.Mark) ([]domain.Change, domain.Mark, error) {
	changes, _, err := b.Bulletin.News(ctx, "")
	return changes, "stuck", err
}

// A locksmith counts how often the keys are read, and fails when it is told to.
type locksmith struct {
	read int
	err  error
}

func (l *locksmith) reload(context.Context) error {
	l.read++
	return l.err
}

// replica returns another replica on w's store, which relies on what it has heard
// for 5 s of its uptime.
func (w *world) replica(store ports.Store, uptime *time.Duration, l *locksmith) *tokens.Service {
	return tokens.New(tokens.Config{
		Store: store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{},
		AccessTTL: accessTTL, Sessions: policy, Now: w.clock.Now, NewID: w.newID,
		RevocationMax: 5 * time.Second, Uptime: func() time.Duration { return *uptime }, Reload: l.reload,
	})
}

func TestAReplicaReadsTheKeysWhenTheyHaveChanged(t *testing.T) {
	for _, kind := range []domain.ChangeKind{domain.KeyAdded, domain.KeyRetired} {
		w := newWorld(t)
		var uptime time.Duration
		l := new(locksmith)
		s := w.replica(stuckStore{w.store}, &uptime, l)
		hear := func(want int) {
			t.Helper()
			if ok(t, s.Hear(t.Context())); l.read != want {
				t.Errorf("the keys were read %d times, want %d", l.read, want)
			}
		}
		hear(0)
		ok(t, w.store.Bulletin().Post(t.Context(), domain.Change{Kind: kind, Subject: "kid", At: w.clock.Now()}))
		hear(1)
		hear(1) // told again, and no news
	}
}

// A replica that hears of a key but cannot read it has not heard.
func TestAReplicaThatCannotReadTheKeysIsDeaf(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	var uptime time.Duration
	l := new(locksmith)
	s := w.replica(w.store, &uptime, l)
	ok(t, s.Hear(t.Context()))
	ok(t, w.store.Bulletin().Post(t.Context(), domain.Change{Kind: domain.KeyRetired, Subject: "kid", At: w.clock.Now()}))
	l.err = domain.ErrUnavailable
	is(t, s.Hear(t.Context()), domain.ErrUnavailable)
	uptime += 5 * time.Second
	_, err := s.Check(t.Context(), g.Access.Reveal(), "")
	ok(t, err) // at the bound itself it relies on what it has heard before
	uptime++
	_, err = s.Check(t.Context(), g.Access.Reveal(), "")
	is(t, err, domain.ErrUnavailable)
	_, err = s.Refresh(t.Context(), g.Refresh.Reveal())
	is(t, err, domain.ErrUnavailable)
	is(t, s.Revoke(t.Context(), g.Access.Reveal()), domain.ErrUnavailable)
	_, err = s.KeySet(t.Context())
	is(t, err, domain.ErrUnavailable)
	_, err = s.Introspect(t.Context(), gateway, g.Access.Reveal())
	is(t, err, domain.ErrUnavailable)
	l.err = nil
	ok(t, s.Hear(t.Context()))
	_, err = s.Check(t.Context(), g.Access.Reveal(), "")
	ok(t, err)
}

func TestAReplicaThatHasHeardReadsNoKeys(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	var uptime time.Duration
	l := new(locksmith)
	s := w.replica(w.store, &uptime, l)
	ok(t, s.Hear(t.Context()))
	for range 10 {
		_, err := s.Check(t.Context(), g.Access.Reveal(), "")
		ok(t, err)
		_, err = s.KeySet(t.Context())
		ok(t, err)
	}
	if l.read != 0 {
		t.Errorf("the keys were read %d times", l.read)
	}
}
