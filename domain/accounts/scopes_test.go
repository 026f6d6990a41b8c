package accounts_test

import (
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestAnAccessKeyDoesNoMoreThanItsScopesName(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	a := w.register(t, nil, "ada")
	by := func(scopes ...domain.Scope) domain.Asker {
		return domain.Asker{Account: root.Account, Roles: root.Roles, Key: "nightly", Scopes: scopes}
	}
	name := "Countess"
	for _, scope := range domain.Scopes() {
		administers := func(err error) {
			t.Helper()
			if scope == domain.Administer {
				ok(t, err)
			} else {
				is(t, err, domain.ErrOutOfScope)
			}
		}
		_, err := w.Account(t.Context(), by(scope), a.ID)
		administers(err)
		_, err = w.List(t.Context(), by(scope), domain.PageRequest{})
		administers(err)
		_, err = w.Change(t.Context(), by(scope), a.ID, 0, domain.AccountChange{Name: &name})
		administers(err)
		_, err = w.Me(t.Context(), by(scope))
		if scope == domain.ReadAccount {
			ok(t, err)
		} else {
			is(t, err, domain.ErrOutOfScope)
		}
	}
	is(t, w.Delete(t.Context(), by(domain.ReadAccount), a.ID, 0), domain.ErrOutOfScope)
	ok(t, w.Delete(t.Context(), by(domain.Administer), a.ID, 0))
}

// What decides over an account itself wants a session, whatever a key may do.
func TestAnAccessKeyDoesNotDecideOverItsAccount(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	key := domain.Asker{Account: a.ID, Key: "nightly", Scopes: domain.Scopes()}
	_, err := w.Rename(t.Context(), key, 0, "Countess")
	is(t, err, domain.ErrNotByKey)
	is(t, w.Close(t.Context(), key, 0), domain.ErrNotByKey)
	is(t, w.ChangePassword(t.Context(), key, domain.NewPassword("x"), domain.NewPassword("y")), domain.ErrNotByKey)
	_, err = w.Me(t.Context(), asker(a))
	ok(t, err)
}

// A key of an account that is no administrator's administers nothing.
func TestAnAccessKeyAddsNoRole(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	_, err := w.List(t.Context(), domain.Asker{Account: a.ID, Key: "nightly", Scopes: domain.Scopes()}, domain.PageRequest{})
	is(t, err, domain.ErrNotAllowed)
}
