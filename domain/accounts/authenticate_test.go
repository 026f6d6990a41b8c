package accounts_test

import (
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestWhichOfLoginAndPasswordIsWrongIsNotTold(t *testing.T) {
	w := newWorld()
	w.register(t, nil, "ada")
	var told []string
	for _, c := range []struct{ name, password string }{{"ada", other}, {"nobody", right}, {"nobody@example.org", right}, {"ada", ""}} {
		before := w.hasher.matches.Load()
		proof, err := w.signsIn(t, c.name, c.password)
		is(t, err, domain.ErrInvalidCredentials)
		if proof.Account != "" {
			t.Errorf("%s has a proof", c.name)
		}
		told = append(told, err.Error())
		if cost := w.hasher.matches.Load() - before; cost != 1 {
			t.Errorf("%s with %q costs %d hashes, want 1", c.name, c.password, cost)
		}
	}
	for _, text := range told {
		if text != told[0] {
			t.Errorf("%q is not %q", text, told[0])
		}
	}
	if w.hasher.hashes.Load() != 1 {
		t.Errorf("%d passwords were hashed anew", w.hasher.hashes.Load()-1)
	}
}

func TestASuspensionIsToldOnlyToWhoeverKnowsThePassword(t *testing.T) {
	w := newWorld()
	root := w.administrator(t)
	a := w.register(t, nil, "ada")
	suspend(t, w, root, a.ID)
	_, err := w.signsIn(t, "ada", other)
	is(t, err, domain.ErrInvalidCredentials)
	_, err = w.signsIn(t, "ada", right)
	is(t, err, domain.ErrAccountSuspended)
}

func TestAHashOfAnotherCostIsMadeAnew(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	before := w.credential(t, a)
	w.hasher.Cost = 7

	w.hasher.busyHash = true
	_, err := w.signsIn(t, "ada", right)
	ok(t, err) // the gate is full, and the old hash still serves
	if now := w.credential(t, a); now != before {
		t.Error("the credential was changed though nothing was hashed")
	}
	w.hasher.busyHash = false

	_, err = w.signsIn(t, "ada", other)
	is(t, err, domain.ErrInvalidCredentials)
	if now := w.credential(t, a); now != before {
		t.Error("a wrong password changed the credential")
	}

	proof, err := w.signsIn(t, "ada", right)
	ok(t, err)
	now := w.credential(t, a)
	if now.Hash == before.Hash || now.Revision != before.Revision || proof.Credential != before.Revision {
		t.Errorf("revision %d became %d, proof of %d", before.Revision, now.Revision, proof.Credential)
	}
	if w.stored(t, a.ID).Revision != a.Revision {
		t.Error("the account's revision rose")
	}

	hashed := w.hasher.hashes.Load()
	_, err = w.signsIn(t, "ada", right)
	ok(t, err)
	if w.hasher.hashes.Load() != hashed {
		t.Error("a hash of the right cost was made anew")
	}
}

func TestASignInWhileTooManyWaitIsBusy(t *testing.T) {
	w := newWorld()
	w.register(t, nil, "ada")
	w.hasher.Full = true
	for _, name := range []string{"ada", "nobody"} {
		_, err := w.signsIn(t, name, right)
		is(t, err, domain.ErrBusy)
	}
}

func (w *world) credential(t testing.TB, a domain.Account) domain.Credential {
	t.Helper()
	c, err := w.store.Accounts().Credential(t.Context(), a.ID)
	ok(t, err)
	return c
}

func suspend(t testing.TB, w *world, who domain.Asker, id domain.AccountID) domain.Account {
	t.Helper()
	status := domain.Suspended
	a, err := w.Change(t.Context(), who, id, 0, domain.AccountChange{Status: &status})
	ok(t, err)
	return a
}
