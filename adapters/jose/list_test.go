package jose_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

func TestTheListTellsWhatEachKeyDoes(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	states := func() []string {
		t.Helper()
		list, err := jose.List(t.Context(), c.Store.Keys(), clock.Now())
		ok(t, err)
		var lines []string
		for _, l := range list {
			lines = append(lines, fmt.Sprint(l.Use, " ", l.Number, " ", l.Algorithm, " ", l.State))
		}
		return lines
	}
	want := []string{"cursor 1 HS256 signs", "digest 1 HS256 signs", "refresh 1 HS256 signs", "sign 1 ES256 signs"}
	if got := states(); !slices.Equal(got, want) {
		t.Errorf("at first: got %q", got)
	}
	_, err := k.Rotate(t.Context(), "sign")
	ok(t, err)
	if got := states(); !slices.Equal(got, append(want[:4:4], "sign 2 ES256 waits")) {
		t.Errorf("with one that waits: got %q", got)
	}
	clock.Advance(c.Ahead)
	if got := states(); !slices.Equal(got, append(want[:3:3], "sign 1 ES256 verifies", "sign 2 ES256 signs")) {
		t.Errorf("at its time: got %q", got)
	}
	list, err := jose.List(t.Context(), c.Store.Keys(), clock.Now())
	ok(t, err)
	last, stored := list[4], keysOf(t, c.Store, "sign")[1]
	if last.ID != stored.ID || !last.Created.Equal(stored.Created) || !last.Signs.Equal(stored.Signs) {
		t.Errorf("got %+v, want what is in %+v", last, stored)
	}
	if text := fmt.Sprintf("%+v", list); strings.Contains(text, "Sealed") {
		t.Errorf("there is more in it than there should be: %s", text)
	}
	down := &fake.Store{Fault: func(string) (bool, error) { return false, domain.ErrUnavailable }}
	if _, err := jose.List(t.Context(), down.Keys(), clock.Now()); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}
