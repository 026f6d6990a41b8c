package words_test

import (
	"errors"
	"testing"

	"github.com/keyport-go/keyport/adapters/words"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestRules(t *testing.T) {
	porttest.TestRules(t, func(*testing.T) ports.RuleCompiler { return words.Compiler{} },
		"anyone", "account", "owner", "role:admin", "role:editor", "role:nobody_has-it")
}

func TestEachWordAllowsWhomItNames(t *testing.T) {
	stranger := domain.Asker{}
	ada := domain.Asker{Account: "a"}
	grace := domain.Asker{Account: "g", Roles: []domain.Role{"editor"}}
	admin := domain.Asker{Account: "x", Roles: []domain.Role{domain.Administrator}}
	adas := domain.Record{ID: "r", Owner: "a"}
	nobodys := domain.Record{ID: "r"}
	for _, c := range []struct {
		name, rule string
		record     domain.Record
		allowed    []domain.Asker
		denied     []domain.Asker
		list       domain.Predicate // for ada
	}{
		{"anyone is everybody", "anyone", adas, []domain.Asker{stranger, ada, grace, admin}, nil, domain.Everything{}},
		{"an account is whoever is signed in", "account", adas, []domain.Asker{ada, grace, admin}, []domain.Asker{stranger}, domain.Everything{}},
		{"an owner is that account, and no administrator", "owner", adas, []domain.Asker{ada}, []domain.Asker{stranger, grace, admin}, domain.OwnedBy{Account: "a"}},
		{"what belongs to nobody is not a stranger's", "owner", nobodys, nil, []domain.Asker{stranger, ada, grace, admin}, domain.OwnedBy{Account: "a"}},
		{"a role is whoever has it, and no administrator", "role:editor", adas, []domain.Asker{grace}, []domain.Asker{stranger, ada, admin}, domain.Nothing{}},
		{"the administrators are a role like others", "role:admin", nobodys, []domain.Asker{admin}, []domain.Asker{stranger, ada, grace}, domain.Nothing{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule, err := words.Compiler{}.Compile(c.rule, domain.Document{})
			if err != nil {
				t.Fatal(err)
			}
			for _, who := range c.allowed {
				if !rule.Allows(who, c.record) {
					t.Errorf("%+v is denied", who)
				}
			}
			for _, who := range c.denied {
				if rule.Allows(who, c.record) {
					t.Errorf("%+v is allowed", who)
				}
			}
			if got := rule.Where(ada); got != c.list {
				t.Errorf("a list shows %#v, want %#v", got, c.list)
			}
			if got := rule.Where(stranger); c.rule != "anyone" && got != (domain.Nothing{}) {
				t.Errorf("a list shows a stranger %#v", got)
			}
		})
	}
}

func TestWhatIsNoWordIsNoRule(t *testing.T) {
	for _, text := range []string{
		"", " ", "Anyone", "anyone ", "owner, account", "owner or account", "role", "role:", "role:Admin", "role:a b", "role: admin",
		"role:" + string(make([]byte, 40)), "roles:admin", "true",
	} {
		rule, err := words.Compiler{}.Compile(text, domain.Document{})
		if rule != nil || !errors.Is(err, domain.ErrInvalidRule) {
			t.Errorf("%q: %v, %v", text, rule, err)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{"anyone", "account", "owner", "role:admin", "role:", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := words.Compiler{}.Compile(text, domain.Document{})
		if (rule == nil) != errors.Is(err, domain.ErrInvalidRule) {
			t.Errorf("%q: %v, %v", text, rule, err)
		}
	})
}
