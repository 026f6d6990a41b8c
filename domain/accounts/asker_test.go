package accounts_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
)

func TestSomeVerbsAreForAdministrators(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	a, b := w.register(t, nil, "ada"), w.register(t, []domain.Role{"editor"}, "bob")
	name := "Countess"
	for verb, call := range map[string]func(domain.Asker, domain.AccountID) error{
		"read": func(who domain.Asker, id domain.AccountID) error {
			got, err := w.Account(t.Context(), who, id)
			if err == nil && got.ID != id {
				t.Errorf("%s was read for %s", got.ID, id)
			}
			return err
		},
		"list": func(who domain.Asker, _ domain.AccountID) error {
			_, err := w.List(t.Context(), who, domain.PageRequest{})
			return err
		},
		"change": func(who domain.Asker, id domain.AccountID) error {
			_, err := w.Change(t.Context(), who, id, 0, domain.AccountChange{Name: &name})
			return err
		},
		"delete": func(who domain.Asker, id domain.AccountID) error { return w.Delete(t.Context(), who, id, 0) },
	} {
		t.Run(verb, func(t *testing.T) {
			is(t, call(domain.Asker{}, a.ID), domain.ErrUnauthenticated)
			is(t, call(asker(a), a.ID), domain.ErrNotAllowed)
			is(t, call(asker(b), a.ID), domain.ErrNotAllowed)
			is(t, call(asker(b), "gone"), domain.ErrNotAllowed)
			if verb != "list" {
				is(t, call(root, "gone"), domain.ErrAccountNotFound)
			}
			if got := w.stored(t, a.ID); got.Name == name {
				t.Error("it was changed all the same")
			}
			victim := w.register(t, nil, "victim-of-"+verb)
			ok(t, call(root, victim.ID))
		})
	}
}

func TestAStrangerHasNoAccountOfTheirOwn(t *testing.T) {
	w := newWorld()
	_, err := w.Me(t.Context(), domain.Asker{})
	is(t, err, domain.ErrUnauthenticated)
	_, err = w.Rename(t.Context(), domain.Asker{}, 0, "Nobody")
	is(t, err, domain.ErrUnauthenticated)
	is(t, w.Close(t.Context(), domain.Asker{}, 0), domain.ErrUnauthenticated)

	a := w.register(t, nil, "ada")
	got, err := w.Me(t.Context(), asker(a))
	ok(t, err)
	if got.ID != a.ID {
		t.Errorf("I am %s", got.ID)
	}
}

func TestPagesOfAccountsJoinToTheWhole(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	whole := []domain.AccountID{root.Account}
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(0, 3).Draw(t, "more") {
			a := domain.Account{ID: domain.AccountID(w.newID()), Status: domain.Active}
			if err := w.store.Accounts().Add(context.Background(), a, domain.NewPasswordHash("fake:0:0:x")); err != nil {
				t.Fatal(err)
			}
			whole = append(whole, a.ID)
		}
		p := domain.PageRequest{Limit: rapid.IntRange(1, 210).Draw(t, "limit")}
		var joined []domain.AccountID
		for {
			page, err := w.List(context.Background(), root, p)
			if err != nil || len(page.Items) > p.Size() {
				t.Fatalf("%d items, %v", len(page.Items), err)
			}
			for _, a := range page.Items {
				joined = append(joined, a.ID)
			}
			if p.Cursor = page.Next; p.Cursor == "" {
				break
			}
		}
		if len(joined) != len(whole) {
			t.Fatalf("%d accounts became %d", len(whole), len(joined))
		}
		for i := range whole {
			if joined[i] != whole[i] {
				t.Fatalf("at %d there is %s, want %s", i, joined[i], whole[i])
			}
		}
	})
}

func TestACursorOfAnotherListIsRefused(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	for _, cursor := range []string{
		fake.Cursors{}.Seal("records ships", string(root.Account)), fake.Cursors{Name: "elsewhere"}.Seal("accounts", string(root.Account)),
		string(root.Account), "-", fake.Cursors{}.Seal("accounts", string(root.Account)) + "0",
	} {
		page, err := w.List(t.Context(), root, domain.PageRequest{Cursor: cursor})
		is(t, err, domain.ErrInvalidCursor)
		if page.Items != nil {
			t.Error("items came with the error")
		}
	}
}

func TestAStoreThatIsAwayIsToldAsUnavailable(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	a := w.register(t, nil, "ada")
	w.store.Fault = func(string) (bool, error) { return false, domain.ErrUnavailable }
	name := "Countess"
	for verb, call := range map[string]func() error{
		"sign in": func() error { _, err := w.signsIn(t, "ada", right); return err },
		"nobody":  func() error { _, err := w.signsIn(t, "nobody", right); return err },
		"me":      func() error { _, err := w.Me(t.Context(), asker(a)); return err },
		"read":    func() error { _, err := w.Account(t.Context(), root, a.ID); return err },
		"list":    func() error { _, err := w.List(t.Context(), root, domain.PageRequest{}); return err },
		"rename":  func() error { _, err := w.Rename(t.Context(), asker(a), 0, name); return err },
		"change": func() error {
			_, err := w.Change(t.Context(), root, a.ID, 0, domain.AccountChange{Name: &name})
			return err
		},
		"password": func() error {
			return w.ChangePassword(t.Context(), asker(a), domain.NewPassword(right), domain.NewPassword(other))
		},
		"set a password": func() error { return w.SetPassword(t.Context(), login(t, "ada"), domain.NewPassword(other)) },
		"close":          func() error { return w.Close(t.Context(), asker(a), 0) },
		"delete":         func() error { return w.Delete(t.Context(), root, a.ID, 0) },
	} {
		if err := call(); !errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("%s: %v", verb, err)
		}
	}
	w.store.Fault = nil
	if got := w.stored(t, a.ID); got.Revision != 1 {
		t.Errorf("it became %+v", got)
	}
}
