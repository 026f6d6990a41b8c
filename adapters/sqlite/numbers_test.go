package sqlite_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Both show the same things at once, beginning at different ends.
func TestTwoProcessesNumberOneSeries(t *testing.T) {
	path := litetest.Path(t)
	stores := []*sqlite.Store{opened(t, sqlite.Config{Path: path}), opened(t, sqlite.Config{Path: path})}
	const things = 60
	given := make([][things]int64, len(stores))
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for n := range things {
				if i == 1 {
					n = things - 1 - n
				}
				numbers, err := s.Numbers().Of(t.Context(), "ships", id(3, n))
				if err != nil {
					t.Error(err)
					return
				}
				given[i][n] = numbers[0]
			}
		})
	}
	wg.Wait()
	if given[0] != given[1] {
		t.Errorf("they do not agree:\n%v\n%v", given[0], given[1])
	}
	sorted := slices.Sorted(slices.Values(given[0][:]))
	for i, n := range sorted {
		if n != int64(i+1) {
			t.Fatalf("the numbers are %v, want 1 to %d", sorted, things)
		}
	}
}

func TestNumbersOutliveTheProcess(t *testing.T) {
	path := litetest.Path(t)
	first, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	_, err = first.Numbers().Of(t.Context(), "ships", id(3, 7), `odd "<é>'`, id(3, 5))
	if err := errors.Join(err, first.Close()); err != nil {
		t.Fatal(err)
	}
	again := opened(t, sqlite.Config{Path: path})
	if given, err := again.Numbers().Of(t.Context(), "ships", id(3, 5), id(3, 6), id(3, 7), `odd "<é>'`); err != nil || !slices.Equal(given, []int64{3, 4, 1, 2}) {
		t.Errorf("the numbers are %v: %v", given, err)
	}
}

// A list may be long: as long as an older API's can be.
func TestTenThousandThingsAreNumberedInTheirOrder(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	ids, want := make([]string, 10_000), make([]int64, 10_000)
	for i := range ids {
		ids[i], want[i] = id(3, len(ids)-i), int64(i+1)
	}
	for _, name := range []string{"first", "again"} {
		if given, err := s.Numbers().Of(t.Context(), "ships", ids...); err != nil || !slices.Equal(given, want) {
			t.Errorf("%s: %d numbers, and not in the order of the ids: %v", name, len(given), err)
		}
	}
}

// A name that is taken costs the method that wanted it, and no other of its
// transaction.
func TestALoginThatIsTakenLeavesItsTransactionWhole(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	ada, bob := person(1, "ada"), person(2, "bob")
	err := errors.Join(
		s.Accounts().Add(t.Context(), ada, domain.NewPasswordHash("hash")),
		s.Accounts().Add(t.Context(), bob, domain.NewPasswordHash("hash")),
	)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Atomically(t.Context(), func(tx ports.Repositories) error {
		free := person(1, "zoe").Logins[0]
		err := tx.Accounts().SetLogins(t.Context(), ada.ID, 0, []domain.Login{free, bob.Logins[0]}, noon)
		if !errors.Is(err, domain.ErrLoginTaken) {
			t.Errorf("a login that is taken: %v", err)
		}
		return tx.Accounts().SetLogins(t.Context(), bob.ID, 1, person(2, "Bob").Logins, noon)
	})
	if err != nil {
		t.Fatal(err)
	}
	left, err := s.Accounts().ByID(t.Context(), ada.ID)
	if err != nil || left.Revision != 1 || !slices.Equal(left.Logins, ada.Logins) {
		t.Errorf("the refused account is %+v: %v", left, err)
	}
	changed, err := s.Accounts().ByID(t.Context(), bob.ID)
	if err != nil || changed.Revision != 2 || changed.Login(domain.Username).Value() != "Bob" {
		t.Errorf("the other account is %+v: %v", changed, err)
	}
}
