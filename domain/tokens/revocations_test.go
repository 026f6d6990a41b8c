package tokens_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

func (w *world) revocations(t testing.TB, cursor string, wait <-chan time.Time) tokens.Revocations {
	t.Helper()
	r, err := w.Revocations(t.Context(), gateway, cursor, wait)
	ok(t, err)
	return r
}

// subjects returns what changes are about.
func subjects(changes []domain.Change) map[string]bool {
	all := make(map[string]bool)
	for _, c := range changes {
		all[c.Subject] = true
	}
	return all
}

func TestRevocationsAreToldFromAPointOn(t *testing.T) {
	w := newWorld(t)
	one, two := w.open(t), w.open(t)
	ok(t, w.End(t.Context(), w.in(t, one), one.Session))
	first := w.revocations(t, "", nil)
	if told := subjects(first.Changes); !told[string(one.Session)] || len(told) != 1 {
		t.Errorf("the snapshot tells %v", told)
	}
	again := w.revocations(t, first.Next, nil)
	if len(again.Changes) != 0 {
		t.Errorf("nothing happened, and told is %v", again.Changes)
	}
	ok(t, w.End(t.Context(), w.in(t, two), two.Session))
	next := w.revocations(t, again.Next, nil)
	if told := subjects(next.Changes); !told[string(two.Session)] {
		t.Errorf("what follows tells %v", told)
	}
	if told := subjects(w.revocations(t, "", nil).Changes); !told[string(one.Session)] || !told[string(two.Session)] {
		t.Errorf("the snapshot tells %v", told)
	}
}

func TestWhoWaitsIsAnsweredWhenThereIsNews(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	from := w.revocations(t, "", nil)
	answers := make(chan tokens.Revocations)
	waits := make(chan struct{})
	asked := false
	w.store.Fault = func(op string) (bool, error) {
		if op == "bulletin.news" && !asked {
			asked = true
			close(waits)
		}
		return false, nil
	}
	go func() {
		r, err := w.Revocations(t.Context(), gateway, from.Next, make(chan time.Time))
		if err != nil {
			t.Error(err)
		}
		answers <- r
	}()
	<-waits
	ok(t, w.End(t.Context(), domain.Asker{Account: w.ada.ID}, g.Session))
	if told := subjects((<-answers).Changes); !told[string(g.Session)] {
		t.Errorf("told is %v", told)
	}
}

func TestAWaitEndsWithNothing(t *testing.T) {
	gives := make(chan time.Time, 1)
	gives <- time.Time{}
	w := newWorld(t)
	from := w.revocations(t, "", nil)
	if r := w.revocations(t, from.Next, gives); len(r.Changes) != 0 || r.Next == "" {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Revocations(ctx, gateway, from.Next, make(chan time.Time)); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that went away: %v", err)
	}
	w.Hush()
	w.Hush()
	if r := w.revocations(t, from.Next, make(chan time.Time)); len(r.Changes) != 0 {
		t.Errorf("%+v", r)
	}
}

// What is told is as of the moment before the store was asked, not of the answer.
func TestAsOfIsWhenTheStoreWasAsked(t *testing.T) {
	w := newWorld(t)
	from := w.revocations(t, "", nil)
	gives := make(chan time.Time, 1)
	polls := 0
	w.store.Fault = func(op string) (bool, error) {
		if op != "bulletin.news" {
			return false, nil
		}
		if polls++; polls == 1 {
			w.clock.Advance(3 * time.Second) // the store takes its time
			gives <- time.Time{}
		} else {
			w.clock.Advance(time.Second)
		}
		return false, nil
	}
	if r := w.revocations(t, from.Next, gives); r.AsOf != 3*time.Second || polls != 2 {
		t.Errorf("as of %v after %d polls", r.AsOf, polls)
	}
}

// While an old transaction is open a store tells the same again and again. Who has
// been told it is not told again, and so waits.
func TestWhatIsToldAgainIsNoNews(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	ok(t, w.End(t.Context(), w.in(t, g), g.Session))
	stuck := tokens.New(tokens.Config{
		Store: stuckStore{w.store}, Cursors: fake.Cursors{}, Now: w.clock.Now, Uptime: func() time.Duration { return 0 },
	})
	first, err := stuck.Revocations(t.Context(), gateway, "", nil)
	ok(t, err)
	again, err := stuck.Revocations(t.Context(), gateway, first.Next, nil)
	ok(t, err)
	if len(first.Changes) != 1 || len(again.Changes) != 0 {
		t.Errorf("told are %d and then %d", len(first.Changes), len(again.Changes))
	}
}

func TestWhoMayHearRevocations(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		who  domain.Asker
		want *domain.Error
	}{
		{domain.Asker{}, domain.ErrUnauthenticated},
		{domain.Asker{Account: "ada", Roles: []domain.Role{"editor"}}, domain.ErrNotAllowed},
		{domain.Asker{Account: "ada", Roles: gateway.Roles, Key: "k", Scopes: []domain.Scope{domain.ReadRecords, domain.Administer}}, domain.ErrOutOfScope},
		{domain.Asker{Account: "ada", Key: "k", Scopes: []domain.Scope{domain.Inspect}}, domain.ErrNotAllowed},
	} {
		_, err := w.Revocations(t.Context(), c.who, "", nil)
		is(t, err, c.want)
	}
	for _, who := range []domain.Asker{
		{Account: "ada", Roles: []domain.Role{"admin"}},
		{Account: "ada", Roles: gateway.Roles, Key: "k", Scopes: []domain.Scope{domain.Inspect}},
	} {
		_, err := w.Revocations(t.Context(), who, "", nil)
		ok(t, err)
	}
	_, err := w.Revocations(t.Context(), gateway, "forged", nil)
	is(t, err, domain.ErrInvalidCursor)
	_, err = w.Revocations(t.Context(), gateway, fake.Cursors{}.Seal("revocations", "x"), nil)
	is(t, err, domain.ErrInvalidCursor)
	w.loses("bulletin.news", false)
	_, err = w.Revocations(t.Context(), gateway, "", nil)
	is(t, err, domain.ErrUnavailable)
}
