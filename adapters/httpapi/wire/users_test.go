package wire_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/numbers"
	"github.com/keyport-go/keyport/domain/tokens"
)

// A world is the services over fakes.
type world struct {
	wire.Services
	store *fake.Store
	clock *fake.Clock
}

func newWorld() *world {
	w := &world{store: new(fake.Store), clock: fake.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))}
	newID := fake.UUIDs()
	w.Tokens = tokens.New(tokens.Config{
		Store: w.store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{},
		AccessTTL: 10 * time.Minute, Sessions: domain.SessionPolicy{Idle: time.Hour, Max: time.Hour},
		Now: w.clock.Now, NewID: newID, Uptime: func() time.Duration { return 0 }, Random: fake.Randoms(),
	})
	w.Accounts = accounts.New(accounts.Config{
		Store: w.store, Hasher: fake.Hasher{}, Cursors: fake.Cursors{}, Now: w.clock.Now, NewID: newID, Told: w.Tokens.Learn,
	})
	w.Numbers = numbers.New(w.store)
	return w
}

// open opens an account and a session, and says what it gives.
func (w *world) open(t testing.TB, name string, terms tokens.Terms, roles ...domain.Role) (domain.Account, domain.Grant) {
	t.Helper()
	login, err := domain.ParseUsername(name)
	ok(t, err)
	a, err := w.Accounts.Register(t.Context(), accounts.Registration{
		Logins: []domain.Login{login}, Roles: roles, Password: domain.NewPassword("x"), Least: 1,
	})
	ok(t, err)
	proof, err := w.Accounts.Authenticate(t.Context(), login, domain.NewPassword("x"))
	ok(t, err)
	g, err := w.Tokens.OpenOn(t.Context(), proof.Account, proof.Credential, domain.Client{}, terms)
	ok(t, err)
	return a, g
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyALivingAccessTokenTellsWhoAsks(t *testing.T) {
	w := newWorld()
	a, g := w.open(t, "ada", tokens.Terms{})
	_, lasting := w.open(t, "bob", tokens.Terms{Renewal: domain.Reusable})
	_, key, err := w.Tokens.CreateAccessKey(t.Context(), domain.Asker{Account: a.ID, Session: g.Session}, tokens.NewAccessKey{Name: "k"})
	ok(t, err)
	asked := func(token string) (domain.Asker, string) {
		who, err := w.Asker(httptest.NewRequest(http.MethodGet, "/", nil), token)
		return who, blamed(err)
	}

	if who, told := asked(g.Access.Reveal()); told != "ok" || who.Account != a.ID || who.Session != g.Session {
		t.Errorf("%+v, %s", who, told)
	}
	for _, c := range []struct{ name, token, want string }{
		{"none", "", "unauthenticated"},
		{"garbage", "garbage", "invalid-token"},
		{"one with its scheme", "Bearer " + g.Access.Reveal(), "invalid-token"},
		{"one that was altered", g.Access.Reveal() + "0", "invalid-token"},
		{"a refresh token that rotates", g.Refresh.Reveal(), "invalid-token"},
		{"a refresh token that lasts", lasting.Refresh.Reveal(), "invalid-token"},
		{"an access key", key.Reveal(), "invalid-token"},
	} {
		if who, told := asked(c.token); told != c.want || !who.Stranger() {
			t.Errorf("%s: %+v, %s", c.name, who, told)
		}
	}
	w.clock.Advance(10 * time.Minute)
	if who, told := asked(g.Access.Reveal()); told != "invalid-token" || !who.Stranger() {
		t.Errorf("one that has expired: %+v, %s", who, told)
	}
}

func TestAnAskerKnowsOfThemselvesAndAnAdministratorOfAllThatAreCounted(t *testing.T) {
	const series domain.Series = "some users"
	w := newWorld()
	ada, _ := w.open(t, "ada", tokens.Terms{})
	w.open(t, "elsewhere", tokens.Terms{})
	bob, _ := w.open(t, "bob", tokens.Terms{})
	root, _ := w.open(t, "root", tokens.Terms{}, domain.Administrator)
	_, err := w.Numbers.Of(t.Context(), series, string(bob.ID), string(ada.ID))
	ok(t, err)
	known := func(a domain.Account) string {
		list, err := w.Known(t.Context(), domain.Asker{Account: a.ID, Roles: a.Roles}, series)
		if err != nil {
			return blamed(err)
		}
		var names []string
		for _, a := range list {
			names = append(names, a.Login(domain.Username).Value())
		}
		return strings.Join(names, " ")
	}

	if got := known(ada); got != "ada" {
		t.Errorf("ada knows of %s", got)
	}
	if got := known(root); got != "root bob ada" {
		t.Errorf("an administrator from elsewhere knows of %s", got)
	}
	_, err = w.Numbers.Of(t.Context(), series, string(root.ID))
	ok(t, err)
	if got := known(root); got != "bob ada root" {
		t.Errorf("an administrator who is counted knows of %s", got)
	}
	ok(t, w.Accounts.Close(t.Context(), domain.Asker{Account: bob.ID, Session: "s"}, 0))
	if got := known(root); got != "ada root" {
		t.Errorf("when one is gone an administrator knows of %s", got)
	}
	if got := known(bob); got != "invalid-token" {
		t.Errorf("who is gone is told %s", got)
	}
}

func TestAStoreThatIsAwayTellsOfNobody(t *testing.T) {
	w := newWorld()
	root, g := w.open(t, "root", tokens.Terms{}, domain.Administrator)
	_, err := w.Numbers.Of(t.Context(), "some users", string(root.ID))
	ok(t, err)
	for _, op := range []string{"accounts.byID", "numbers.list", "accounts.byIDs"} {
		w.store.Fault = func(asked string) (bool, error) {
			if asked == op {
				return false, domain.ErrUnavailable
			}
			return false, nil
		}
		list, err := w.Known(t.Context(), domain.Asker{Account: root.ID, Session: g.Session, Roles: root.Roles}, "some users")
		if list != nil || blamed(err) != "unavailable" {
			t.Errorf("%s: %d accounts, %s", op, len(list), blamed(err))
		}
	}
}
