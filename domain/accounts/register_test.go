package accounts_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

func TestWhoeverRegistersCanSignIn(t *testing.T) {
	w := newWorld()
	a := w.register(t, []domain.Role{"editor"}, "Ada", "ada@example.org")
	now := w.clock.Now()
	want := domain.Account{
		ID: "01900000-0000-7000-8000-000000000001", Name: "Somebody", Logins: []domain.Login{login(t, "Ada"), login(t, "ada@example.org")},
		Roles: []domain.Role{"editor"}, Status: domain.Active, Authority: 1, Revision: 1, Created: now, Changed: now,
	}
	for _, got := range []domain.Account{a, w.stored(t, a.ID)} {
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(domain.Login{})); diff != "" {
			t.Error(diff)
		}
	}
	for _, name := range []string{"Ada", "ada", "ＡＤＡ", "ada@example.org", "ADA@example.ORG"} {
		if proof, err := w.signsIn(t, name, right); err != nil || proof != (accounts.Proof{Account: a.ID, Credential: 1}) {
			t.Errorf("%s: %+v, %v", name, proof, err)
		}
	}
	c, err := w.store.Accounts().Credential(t.Context(), a.ID)
	ok(t, err)
	if c.Hash.Reveal() == right {
		t.Error("the password rests as it was typed")
	}
}

func TestARegistrationIsRefusedAndNothingIsStored(t *testing.T) {
	w := newWorld()
	w.register(t, nil, "Ada", "ada@example.org")
	for _, c := range []struct {
		name     string
		logins   []string
		password string
		full     bool
		want     *domain.Error
	}{
		{"without a login", nil, right, false, domain.ErrInvalidLogin},
		{"with a user name that is taken in another case", []string{"aDA"}, right, false, domain.ErrLoginTaken},
		{"with an address that is taken", []string{"bob", "Ada@Example.org"}, right, false, domain.ErrLoginTaken},
		{"with a short password", []string{"bob"}, "short", false, domain.ErrWeakPassword},
		{"with a common password", []string{"bob"}, "PasswordPassword", false, domain.ErrWeakPassword},
		{"with the login as password", []string{"bob", "bob.the.builder@example.org"}, "bob.the.builder@example.org", false, domain.ErrWeakPassword},
		{"when too many are waiting", []string{"bob"}, right, true, domain.ErrBusy},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.hasher.Full = c.full
			defer func() { w.hasher.Full = false }()
			hashed := w.hasher.hashes.Load()
			r := accounts.Registration{Password: domain.NewPassword(c.password)}
			for _, l := range c.logins {
				r.Logins = append(r.Logins, login(t, l))
			}
			a, err := w.Register(t.Context(), r)
			is(t, err, c.want)
			if a.ID != "" {
				t.Errorf("an account came with the error: %s", a.ID)
			}
			if c.want == domain.ErrWeakPassword && w.hasher.hashes.Load() != hashed {
				t.Error("a password that is refused was hashed")
			}
			if all, err := w.store.Accounts().List(t.Context(), "", 10); err != nil || len(all) != 1 {
				t.Errorf("there are %d accounts (%v)", len(all), err)
			}
		})
	}
}

func TestALoginIsWonByOneOfMany(t *testing.T) {
	w := newWorld()
	errs := make([]error, 32)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			_, errs[i] = w.Register(t.Context(), accounts.Registration{
				Logins: []domain.Login{login(t, "ada"), login(t, fmt.Sprintf("ada%d@example.org", i))}, Password: domain.NewPassword(right),
			})
		})
	}
	all.Wait()
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
		} else {
			is(t, err, domain.ErrLoginTaken)
		}
	}
	if winners != 1 {
		t.Errorf("%d have it", winners)
	}
}

func TestAnAnswerThatIsLostLeavesAnAccountThatSignsIn(t *testing.T) {
	w := newWorld()
	r := accounts.Registration{Logins: []domain.Login{login(t, "ada")}, Password: domain.NewPassword(right)}
	w.fails("accounts.add", true)
	_, err := w.Register(t.Context(), r)
	is(t, err, domain.ErrUnavailable)
	_, err = w.Register(t.Context(), r)
	is(t, err, domain.ErrLoginTaken)
	_, err = w.signsIn(t, "ada", right)
	ok(t, err)
}
