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
	blames(t, stranger.MustBe(domain.Administrator), domain.ErrUnauthenticated)
	blames(t, domain.Asker{Roles: []domain.Role{"admin"}}.MustBe(domain.Administrator), domain.ErrUnauthenticated)
	blames(t, domain.Asker{Account: "ada"}.MustBe(domain.Administrator), domain.ErrNotAllowed)
	blames(t, domain.Asker{Account: "ada", Roles: []domain.Role{"administrator", "editor"}}.MustBe(domain.Administrator), domain.ErrNotAllowed)
	if err := (domain.Asker{Account: "ada", Roles: []domain.Role{"admin", "editor"}}).MustBe(domain.Administrator); err != nil {
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
