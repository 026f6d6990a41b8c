package domain_test

import (
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestWhoeverMustBeAnAdministrator(t *testing.T) {
	var stranger domain.Asker
	if !stranger.Stranger() {
		t.Error("the zero Asker is somebody")
	}
	admin := []domain.Role{"admin", "editor"}
	for _, c := range []struct {
		name  string
		asker domain.Asker
		want  *domain.Error // nil: yes
	}{
		{"a stranger", stranger, domain.ErrUnauthenticated},
		{"a stranger with a role", domain.Asker{Roles: admin}, domain.ErrUnauthenticated},
		{"a stranger with a key", domain.Asker{Key: "k", Scopes: domain.Scopes(), Roles: admin}, domain.ErrUnauthenticated},
		{"an account without roles", domain.Asker{Account: "ada"}, domain.ErrNotAllowed},
		{"an account with other roles", domain.Asker{Account: "ada", Roles: []domain.Role{"administrator", "editor"}}, domain.ErrNotAllowed},
		{"an administrator", domain.Asker{Account: "ada", Session: "s", Roles: admin}, nil},
		{"an administrator's key with the scope", domain.Asker{Account: "ada", Key: "k", Scopes: []domain.Scope{domain.Administer}, Roles: admin}, nil},
		{"an administrator's key without the scope", domain.Asker{Account: "ada", Key: "k", Scopes: []domain.Scope{domain.ReadAccount}, Roles: admin}, domain.ErrOutOfScope},
		{"an administrator's key without scopes", domain.Asker{Account: "ada", Key: "k", Roles: admin}, domain.ErrOutOfScope},
		{"somebody's key with the scope", domain.Asker{Account: "ada", Key: "k", Scopes: domain.Scopes()}, domain.ErrNotAllowed},
		{"somebody's key without the scope", domain.Asker{Account: "ada", Key: "k"}, domain.ErrOutOfScope},
	} {
		t.Run(c.name, func(t *testing.T) { comesTo(t, c.asker.MustBe(domain.Administer, domain.Administrator), c.want) })
	}
}

func TestOneOfSeveralRolesIsEnough(t *testing.T) {
	author := domain.Asker{Account: "ada", Roles: []domain.Role{"author"}}
	comesTo(t, author.MustBe(domain.Inspect, "admin", "author"), nil)
	comesTo(t, author.MustBe(domain.Inspect, "admin", "editor"), domain.ErrNotAllowed)
	comesTo(t, author.MustBe(domain.Inspect), domain.ErrNotAllowed)
}

func TestAKeyMayDoNoMoreThanItsScopesName(t *testing.T) {
	for _, s := range domain.Scopes() {
		key := domain.Asker{Account: "ada", Key: "k", Scopes: []domain.Scope{s}}
		for _, other := range domain.Scopes() {
			want := domain.ErrOutOfScope
			if other == s {
				want = nil
			}
			comesTo(t, key.May(other), want)
		}
		comesTo(t, domain.Asker{Account: "ada", Key: "k"}.May(s), domain.ErrOutOfScope)
		comesTo(t, domain.Asker{Account: "ada", Session: "s"}.May(s), nil)
		comesTo(t, domain.Asker{}.May(s), nil)
	}
}

func TestWhatDecidesOverAnAccountWantsASession(t *testing.T) {
	comesTo(t, domain.Asker{}.InPerson(), domain.ErrUnauthenticated)
	comesTo(t, domain.Asker{Key: "k", Scopes: domain.Scopes()}.InPerson(), domain.ErrUnauthenticated)
	comesTo(t, domain.Asker{Account: "ada", Key: "k", Scopes: domain.Scopes(), Roles: []domain.Role{"admin"}}.InPerson(), domain.ErrNotByKey)
	comesTo(t, domain.Asker{Account: "ada", Session: "s"}.InPerson(), nil)
}

// comesTo fails the test unless err is want; nil: no error.
func comesTo(t testing.TB, err error, want *domain.Error) {
	t.Helper()
	if want != nil {
		blames(t, err, want)
	} else if err != nil {
		t.Error(err)
	}
}

func TestAPredicateHoldsForRecords(t *testing.T) {
	for _, c := range []struct {
		name  string
		where domain.Predicate
		owner domain.AccountID
		want  bool
	}{
		{"everything, for somebody's", domain.Everything{}, "ada", true},
		{"everything, for nobody's", domain.Everything{}, "", true},
		{"nothing", domain.Nothing{}, "ada", false},
		{"no predicate at all", nil, "ada", false},
		{"what ada owns, for hers", domain.OwnedBy{Account: "ada"}, "ada", true},
		{"what ada owns, for bob's", domain.OwnedBy{Account: "ada"}, "bob", false},
		{"what ada owns, for nobody's", domain.OwnedBy{Account: "ada"}, "", false},
		{"what a stranger owns, for nobody's", domain.OwnedBy{}, "", false},
	} {
		if got := domain.Holds(c.where, domain.Record{Owner: c.owner}); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
