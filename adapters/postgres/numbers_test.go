package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/ports"
)

// Each replica shows all things at once, in lists of several, beginning elsewhere.
func TestReplicasNumberOneSeries(t *testing.T) {
	first, url := open(t, postgres.Config{MaxConns: 8})
	second, err := postgres.Open(t.Context(), postgres.Config{URL: url, MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Close)
	const things, list, callers = 60, 3, 16
	given := make([][things]int64, callers)
	var wg sync.WaitGroup
	for i := range callers {
		s := []*postgres.Store{first, second}[i%2]
		wg.Go(func() {
			for n := range things {
				var ids []string
				var places []int
				for k := range list {
					place := (n + i*7 + k*11) % things
					places, ids = append(places, place), append(ids, fmt.Sprint("thing ", place))
				}
				numbers, err := s.Numbers().Of(t.Context(), "ships", ids...)
				if err != nil {
					t.Error(err)
					return
				}
				for k, place := range places {
					if had := given[i][place]; had != 0 && had != numbers[k] {
						t.Errorf("thing %d had number %d and has %d", place, had, numbers[k])
					}
					given[i][place] = numbers[k]
				}
			}
		})
	}
	wg.Wait()
	for _, others := range given {
		if others != given[0] {
			t.Fatalf("they do not agree:\n%v\n%v", given[0], others)
		}
	}
	sorted := slices.Sorted(slices.Values(given[0][:]))
	for i, n := range sorted {
		if n != int64(i+1) {
			t.Fatalf("the numbers are %v, want 1 to %d", sorted, things)
		}
	}
}

// A number that is being given waits for the one before, and takes it if that is
// taken back.
func TestANumberWaitsForTheOneThatIsUnderWay(t *testing.T) {
	undone := errors.New("undone")
	for _, c := range []struct {
		name, second string
		end          error
		want         int64
	}{
		{"another thing gets the next", "b", nil, 2},
		{"the same thing has the same", "a", nil, 1},
		{"another thing gets what was taken back", "b", undone, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := open(t, postgres.Config{})
			watch := connect(t, url)
			ended := make(chan error, 1)
			var second []int64
			err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
				if given, err := tx.Numbers().Of(t.Context(), "ships", "a"); err != nil || !slices.Equal(given, []int64{1}) {
					return errors.Join(err, fmt.Errorf("the first number is %v", given))
				}
				go func() {
					var err error
					second, err = s.Numbers().Of(t.Context(), "ships", c.second)
					ended <- err
				}()
				untilItWaits(t, watch, ended)
				return c.end
			})
			if !errors.Is(err, c.end) {
				t.Fatal(err)
			}
			if err := <-ended; err != nil || !slices.Equal(second, []int64{c.want}) {
				t.Fatalf("the second number is %v (%v), want %d", second, err, c.want)
			}
		})
	}
}

// Lists go on while something new is being numbered, and so do other series.
func TestWhatHasItsNumberWaitsForNobody(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	if _, err := s.Numbers().Of(t.Context(), "ships", "old", "older"); err != nil {
		t.Fatal(err)
	}
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if given, err := tx.Numbers().Of(t.Context(), "ships", "new", "old"); err != nil || !slices.Equal(given, []int64{3, 1}) {
			return errors.Join(err, fmt.Errorf("within, the numbers are %v", given))
		}
		if given, err := s.Numbers().Of(t.Context(), "ships", "older", "old"); err != nil || !slices.Equal(given, []int64{2, 1}) {
			return errors.Join(err, fmt.Errorf("beside it, the numbers are %v", given))
		}
		if given, err := s.Numbers().Of(t.Context(), "users", "new"); err != nil || !slices.Equal(given, []int64{1}) {
			return errors.Join(err, fmt.Errorf("in another series, the number is %v", given))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A list may be long: as long as an older API's can be.
func TestTenThousandThingsAreNumberedInTheirOrder(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	ids, want := make([]string, 10_000), make([]int64, 10_000)
	for i := range ids {
		ids[i], want[i] = fmt.Sprint("thing ", len(ids)-i), int64(i+1)
	}
	for _, name := range []string{"first", "again"} {
		if given, err := s.Numbers().Of(t.Context(), "ships", ids...); err != nil || !slices.Equal(given, want) {
			t.Errorf("%s: %d numbers, and not in the order of the ids (%v)", name, len(given), err)
		}
	}
}
