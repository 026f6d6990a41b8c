package accounts_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

func TestALoginIsTakenAsItWasSpelledWhereSpellingCounts(t *testing.T) {
	w := newWorld()
	suspended := domain.Suspended
	a := w.register(t, nil, "Ada", "Ada@example.com")
	b := w.register(t, nil, "bob")
	_, err := w.Change(t.Context(), w.administrator(t), b.ID, 0, domain.AccountChange{Status: &suspended})
	ok(t, err)
	for _, c := range []struct {
		name, login, password string
		want                  *domain.Error
	}{
		{"as it was stored", "Ada", right, nil},
		{"an address as it was stored", "Ada@example.com", right, nil},
		{"in another case", "ada", right, domain.ErrInvalidCredentials},
		{"an address in another case", "ada@example.com", right, domain.ErrInvalidCredentials},
		{"with a wrong password", "Ada", other, domain.ErrInvalidCredentials},
		{"of nobody", "carol", right, domain.ErrInvalidCredentials},
		{"of a suspended account", "bob", right, domain.ErrAccountSuspended},
		{"of a suspended account in another case", "Bob", right, domain.ErrInvalidCredentials},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := w.hasher.matches.Load()
			proof, err := w.AuthenticateSpelled(t.Context(), login(t, c.login), domain.NewPassword(c.password))
			if c.want != nil {
				is(t, err, c.want)
			} else if ok(t, err); proof != (accounts.Proof{Account: a.ID, Credential: 1}) {
				t.Errorf("the proof is %+v", proof)
			}
			if n := w.hasher.matches.Load() - before; n != 1 {
				t.Errorf("the hasher was asked %d times, want once whatever is wrong", n)
			}
			if _, err := w.signsIn(t, c.login, c.password); c.want == domain.ErrInvalidCredentials && c.password == right && c.login != "carol" {
				if c.login == "Bob" {
					is(t, err, domain.ErrAccountSuspended)
				} else {
					ok(t, err)
				}
			}
		})
	}
}

func TestALoginThatIsSpelledOtherwiseIsNotHashedAnew(t *testing.T) {
	w := newWorld()
	w.register(t, nil, "Ada")
	w.hasher.Cost++ // from now on the hash that is stored is stale
	before := w.hasher.hashes.Load()
	_, err := w.AuthenticateSpelled(t.Context(), login(t, "ada"), domain.NewPassword(right))
	is(t, err, domain.ErrInvalidCredentials)
	if w.hasher.hashes.Load() != before {
		t.Error("a hash was made")
	}
	_, err = w.AuthenticateSpelled(t.Context(), login(t, "Ada"), domain.NewPassword(right))
	ok(t, err)
	if w.hasher.hashes.Load() != before+1 {
		t.Error("the stale hash stayed")
	}
}

// passwords are judged by the length that an older API asks for, or by the policy.
var passwords = []struct {
	name     string
	password string
	least    int
	want     *domain.Error
}{
	{"as short as it may be", "1234", 4, nil},
	{"as short as it may be in characters", "äöüß", 4, nil},
	{"too short", "123", 4, domain.ErrWeakPassword},
	{"empty", "", 1, domain.ErrWeakPassword},
	{"on the list", fake.Common[0], 4, nil},
	{"the name itself", "somebody", 4, nil},
	{"as long as it may be", strings.Repeat("x", domain.MaxPassword), 4, nil},
	{"too long", strings.Repeat("x", domain.MaxPassword+1), 4, domain.ErrWeakPassword},
	{"short for the policy", "1234", 0, domain.ErrWeakPassword},
	{"long enough for the policy", right, 0, nil},
}

func TestAPasswordMayBeAsShortAsAnOlderAPISays(t *testing.T) {
	for _, c := range passwords {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			a, err := w.Register(t.Context(), accounts.Registration{
				Logins: []domain.Login{login(t, "somebody")}, Password: domain.NewPassword(c.password), Least: c.least,
			})
			if c.want != nil {
				is(t, err, c.want)
				return
			}
			ok(t, err)
			proof, err := w.signsIn(t, "somebody", c.password)
			ok(t, err)
			if proof.Account != a.ID {
				t.Errorf("the account is %s, want %s", proof.Account, a.ID)
			}
		})
	}
}

func TestANewNameMayComeWithAsShortAPassword(t *testing.T) {
	for _, c := range passwords {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			a := w.register(t, nil, "ada")
			_, err := w.Resign(t.Context(), asker(a), login(t, "somebody"), domain.NewPassword(c.password), c.least)
			if c.want != nil {
				is(t, err, c.want)
				return
			}
			ok(t, err)
			_, err = w.signsIn(t, "somebody", c.password)
			ok(t, err)
		})
	}
}

func TestNameAndPasswordAreChangedInOneStep(t *testing.T) {
	w := newWorld()
	var told []domain.Change
	w.Service = accounts.New(accounts.Config{
		Store: w.store, Hasher: w.hasher, Cursors: fake.Cursors{}, Now: w.clock.Now, NewID: w.newID,
		Policy: domain.PasswordPolicy{Common: fake.Common.Contains}, Told: func(c ...domain.Change) { told = append(told, c...) },
	})
	a, b := w.register(t, []domain.Role{"editor"}, "ada", "ada@example.com"), w.register(t, nil, "bob")
	gone := w.open(t, a)
	mine := w.open(t, a)
	his := w.open(t, b)
	who := asker(a)
	who.Session = mine
	w.clock.Advance(time.Minute)
	got, err := w.Resign(t.Context(), who, login(t, "Lovelace"), domain.NewPassword(other), 0)
	ok(t, err)

	logins := []domain.Login{login(t, "Lovelace"), login(t, "ada@example.com")}
	now := w.stored(t, a.ID)
	if !slices.Equal(got.Logins, logins) || !slices.Equal(now.Logins, logins) {
		t.Errorf("the logins are %v, and stored as %v", got.Logins, now.Logins)
	}
	if now.Authority != a.Authority || now.Name != a.Name || !slices.Equal(now.Roles, a.Roles) || !now.Changed.Equal(w.clock.Now()) || now.Revision <= a.Revision {
		t.Errorf("the account is %+v", now)
	}
	if w.sessions(t, a) != string(mine) || w.sessions(t, b) != string(his) {
		t.Errorf("the sessions are %q and %q", w.sessions(t, a), w.sessions(t, b))
	}
	change := domain.Change{Kind: domain.SessionEnded, Subject: string(gone), At: w.clock.Now()}
	news, _, err := w.store.Bulletin().News(t.Context(), "")
	ok(t, err)
	if diff := cmp.Diff([]domain.Change{change}, news); diff != "" {
		t.Errorf("posted: %s", diff)
	}
	if diff := cmp.Diff([]domain.Change{change}, told); diff != "" {
		t.Errorf("told: %s", diff)
	}
	for _, name := range []string{"lovelace", "ada@example.com"} {
		_, err := w.signsIn(t, name, other)
		ok(t, err)
		_, err = w.signsIn(t, name, right)
		is(t, err, domain.ErrInvalidCredentials)
	}
	_, err = w.signsIn(t, "ada", other)
	is(t, err, domain.ErrInvalidCredentials)
	w.register(t, nil, "ada") // whose name is free
}

func TestTheSameNameMayStay(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	for _, name := range []string{"ada", "ADA"} {
		got, err := w.Resign(t.Context(), asker(a), login(t, name), domain.NewPassword(other), 0)
		ok(t, err)
		if got.Login(domain.Username).Value() != name || len(got.Logins) != 1 {
			t.Errorf("the logins are %v", got.Logins)
		}
	}
}

func TestWhatCannotBeChangedInOneStepStaysWhole(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	w.register(t, nil, "bob")
	session := w.open(t, a)
	for _, c := range []struct {
		name           string
		who            domain.Asker
		username, next string
		least          int
		full           bool
		want           *domain.Error
	}{
		{"for a stranger", domain.Asker{}, "lovelace", other, 0, false, domain.ErrUnauthenticated},
		{"by an access key", domain.Asker{Account: a.ID, Key: "key"}, "lovelace", other, 0, false, domain.ErrNotByKey},
		{"for an account that is gone", domain.Asker{Account: "gone"}, "lovelace", other, 0, false, domain.ErrAccountNotFound},
		{"to a weak password", asker(a), "lovelace", "short", 0, false, domain.ErrWeakPassword},
		{"to a password that repeats the new name", asker(a), "lovelace of london", "lovelace of london", 0, false, domain.ErrWeakPassword},
		{"to a password that is too short for an older API", asker(a), "lovelace", "123", 4, false, domain.ErrWeakPassword},
		{"to another's name", asker(a), "BOB", other, 0, false, domain.ErrLoginTaken},
		{"when too many are waiting", asker(a), "lovelace", other, 0, true, domain.ErrBusy},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.hasher.busyHash = c.full
			defer func() { w.hasher.busyHash = false }()
			before, credential := w.stored(t, a.ID), w.credential(t, a)
			_, err := w.Resign(t.Context(), c.who, login(t, c.username), domain.NewPassword(c.next), c.least)
			is(t, err, c.want)
			w.unchanged(t, before, credential, session)
		})
	}
}

// unchanged fails the test unless an account is as it was, with its one session.
func (w *world) unchanged(t *testing.T, a domain.Account, c domain.Credential, s domain.SessionID) {
	t.Helper()
	now := w.stored(t, a.ID)
	if now.Revision != a.Revision || !slices.Equal(now.Logins, a.Logins) || w.credential(t, a) != c || w.sessions(t, a) != string(s) {
		t.Errorf("the account is %+v", now)
	}
}

func TestOfTwoChangesOfNameAndPasswordOneIsTooLate(t *testing.T) {
	w := newWorld()
	a := w.register(t, nil, "ada")
	session := w.open(t, a)
	w.hasher.meanwhile = func() {
		w.hasher.meanwhile = nil
		_, err := w.Resign(t.Context(), domain.Asker{Account: a.ID, Session: session}, login(t, "faster"), domain.NewPassword(right), 0)
		ok(t, err)
	}
	_, err := w.Resign(t.Context(), asker(a), login(t, "slower"), domain.NewPassword(other), 0)
	is(t, err, domain.ErrCredentialChanged)
	if now := w.stored(t, a.ID); now.Login(domain.Username).Value() != "faster" || w.sessions(t, a) != string(session) {
		t.Errorf("the account is %+v, its sessions %q", now, w.sessions(t, a))
	}
	_, err = w.signsIn(t, "faster", right)
	ok(t, err)
}

func TestAChangeOfNameAndPasswordThatFailsHalfWayHasNotHappened(t *testing.T) {
	for _, op := range []string{"accounts.setCredential", "accounts.setLogins", "sessions.endAll", "bulletin.post"} {
		t.Run(op, func(t *testing.T) {
			w := newWorld()
			w.store.Replay = false
			a := w.register(t, nil, "ada")
			session := w.open(t, a)
			before, credential := w.stored(t, a.ID), w.credential(t, a)
			w.fails(op, true)
			_, err := w.Resign(t.Context(), asker(a), login(t, "lovelace"), domain.NewPassword(other), 0)
			is(t, err, domain.ErrUnavailable)
			w.unchanged(t, before, credential, session)
		})
	}
}

func TestAccountsAreLookedUpTogether(t *testing.T) {
	w := newWorld()
	a, b := w.register(t, nil, "ada"), w.register(t, nil, "bob")
	w.register(t, nil, "carol")
	got, err := w.Lookup(t.Context(), b.ID, "gone", a.ID)
	ok(t, err)
	names := make(map[string]int)
	for _, x := range got {
		names[x.Login(domain.Username).Value()]++
	}
	if diff := cmp.Diff(map[string]int{"ada": 1, "bob": 1}, names); diff != "" {
		t.Error(diff)
	}
}

func TestALookupOfNobodyNeedsNoStore(t *testing.T) {
	w := newWorld()
	w.store.Fault = func(op string) (bool, error) {
		t.Errorf("the store was asked: %s", op)
		return false, nil
	}
	got, err := w.Lookup(t.Context())
	ok(t, err)
	if len(got) != 0 {
		t.Errorf("found %+v", got)
	}
}
