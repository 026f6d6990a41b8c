package resources_test

import (
	"context"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

func TestWhatImportsDoIsCounted(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open, domain.Unique{Field: "name"}))
	running := int64(-1)
	caller := func(context.Context) (domain.Asker, error) {
		running = max(running, w.Tally().Importing)
		return ada, nil
	}
	list := append(numbered(t, 3), line(t, `{"name":"ship 1"}`), resources.Arrival{Blank: true})
	_, err := w.Import(t.Context(), caller, "ships", job, lines(list...))
	ok(t, err)
	// What is done already is not done again, nor counted.
	_, err = w.Import(t.Context(), caller, "ships", job, lines(list...))
	ok(t, err)
	if got, want := w.Tally(), (resources.Tally{Stored: 3, Refused: 1}); got != want || running != 1 {
		t.Errorf("got %+v, want %+v; %d were under way", got, want, running)
	}
}
