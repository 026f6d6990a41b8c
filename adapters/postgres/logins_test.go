package postgres_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Of two calls for one account the second drops what the first has given it, also
// where that was not there yet when it began.
func TestOtherLoginsReplaceThoseThatAreUnderWay(t *testing.T) {
	s, url := open(t, postgres.Config{})
	register(t, s, ada, "ada")
	watch := connect(t, url)
	ended := make(chan error, 1)
	second := []domain.Login{username(t, "countess")}
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if err := tx.Accounts().SetLogins(t.Context(), ada, 0, []domain.Login{username(t, "augusta")}, noon); err != nil {
			return err
		}
		go func() { ended <- s.Accounts().SetLogins(t.Context(), ada, 0, second, noon) }()
		untilItWaits(t, watch, ended)
		return nil
	})
	if err := errors.Join(err, <-ended); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Accounts().ByID(t.Context(), ada); err != nil || a.Revision != 3 || !slices.Equal(a.Logins, second) {
		t.Fatalf("the account is %+v (%v), want the second call's login alone", a, err)
	}
}

// Who wants a login that is being given to another waits for what comes of that.
func TestALoginThatIsUnderWay(t *testing.T) {
	undone := errors.New("undone")
	for _, c := range []struct {
		name string
		end  error
		want *domain.Error
	}{
		{"is taken once it is given", nil, domain.ErrLoginTaken},
		{"is free if that is taken back", undone, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := open(t, postgres.Config{})
			register(t, s, ada, "ada")
			register(t, s, bob, "bob")
			watch := connect(t, url)
			ended := make(chan error, 1)
			countess := []domain.Login{username(t, "countess")}
			err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
				if err := tx.Accounts().SetLogins(t.Context(), ada, 0, countess, noon); err != nil {
					return err
				}
				go func() { ended <- s.Accounts().SetLogins(t.Context(), bob, 0, countess, noon) }()
				untilItWaits(t, watch, ended)
				return c.end
			})
			if !errors.Is(err, c.end) {
				t.Fatal(err)
			}
			if err := <-ended; c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("the second ends with %v, want %v", err, c.want)
			}
		})
	}
}

// Two accounts that want one another's names: neither is free before the other has
// let go of it.
func TestNamesAreNotExchanged(t *testing.T) {
	s, _ := open(t, postgres.Config{MaxConns: 8})
	names := map[domain.AccountID]domain.Login{
		ada: register(t, s, ada, "ada").Logins[0], bob: register(t, s, bob, "bob").Logins[0],
	}
	var wg sync.WaitGroup
	for range 20 {
		for id, other := range map[domain.AccountID]domain.AccountID{ada: bob, bob: ada} {
			wg.Go(func() {
				err := s.Accounts().SetLogins(t.Context(), id, 0, []domain.Login{names[other]}, noon)
				if !errors.Is(err, domain.ErrLoginTaken) {
					t.Errorf("it ends with %v, want that the name is taken", err)
				}
			})
		}
	}
	wg.Wait()
	for id, name := range names {
		if a, err := s.Accounts().ByID(t.Context(), id); err != nil || a.Revision != 1 || !slices.Equal(a.Logins, []domain.Login{name}) {
			t.Errorf("the account is %+v (%v), want it as it was", a, err)
		}
	}
}

// A name that is taken costs the method that wanted it, and no other of its
// transaction.
func TestALoginThatIsTakenLeavesItsTransactionWhole(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	before := register(t, s, ada, "ada")
	taken := register(t, s, bob, "bob").Logins[0]
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		for _, rev := range []domain.Revision{0, 9} {
			err := tx.Accounts().SetLogins(t.Context(), ada, rev, []domain.Login{username(t, "zoe"), taken}, noon)
			if !errors.Is(err, domain.ErrLoginTaken) {
				t.Errorf("a login that is taken, at revision %d: %v", rev, err)
			}
		}
		return tx.Accounts().SetLogins(t.Context(), bob, 1, []domain.Login{username(t, "Bob")}, noon)
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := s.Accounts().ByID(t.Context(), ada); err != nil || a.Revision != 1 || !slices.Equal(a.Logins, before.Logins) {
		t.Errorf("the refused account is %+v (%v)", a, err)
	}
	if a, err := s.Accounts().ByID(t.Context(), bob); err != nil || a.Revision != 2 || a.Login(domain.Username).Value() != "Bob" {
		t.Errorf("the other account is %+v (%v)", a, err)
	}
}
