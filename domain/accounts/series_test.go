package accounts_test

import (
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// An account that an older API counts has its number, or there is no account.
func TestAnAccountAndItsNumberComeTogether(t *testing.T) {
	w := newWorld()
	login, err := domain.ParseUsername("miguel")
	ok(t, err)
	sign := accounts.Registration{Logins: []domain.Login{login}, Password: domain.NewPassword("python"), Least: 1, Series: "users"}
	away := true
	w.store.Fault = func(op string) (bool, error) {
		if op == "numbers.of" && away {
			return false, domain.ErrUnavailable
		}
		return false, nil
	}
	_, err = w.Register(t.Context(), sign)
	is(t, err, domain.ErrUnavailable)
	_, _, err = w.store.Accounts().ByLogin(t.Context(), login)
	is(t, err, domain.ErrAccountNotFound)
	away = false
	a, err := w.Register(t.Context(), sign)
	ok(t, err)
	id, err := w.store.Numbers().ByNumber(t.Context(), "users", 1)
	if ok(t, err); id != string(a.ID) {
		t.Errorf("number 1 is %s, want %s", id, a.ID)
	}
}
