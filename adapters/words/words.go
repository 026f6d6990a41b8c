// Package words reads access rules that are one word each. It serves
// ports.RuleCompiler.
//
//	anyone      whoever asks, strangers too
//	account     whoever is signed in
//	owner       the account that the record belongs to
//	role:NAME   whoever has the role
//
// Words do not combine, and an administrator is bound by them like anybody else.
// CEL will stand behind the same port.
package words

import (
	"strings"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A Compiler reads rules. The zero Compiler is ready.
type Compiler struct{}

// Compile reads one rule, whatever the schema of its records. It fails with
// domain.ErrInvalidRule for what is none of the words.
func (Compiler) Compile(text string, _ domain.Document) (ports.Rule, error) {
	switch text {
	case "anyone":
		return rule(anyone), nil
	case "account":
		return rule(account), nil
	case "owner":
		return rule(owner), nil
	}
	name, ok := strings.CutPrefix(text, "role:")
	if !ok {
		return nil, domain.ErrInvalidRule
	}
	roles, err := domain.ParseRoles([]string{name})
	if err != nil {
		return nil, domain.ErrInvalidRule.Because(err)
	}
	return bearer(roles[0]), nil
}

// A rule says for which records it holds. Whether it allows one of them follows
// from that, so the two cannot differ.
type rule func(domain.Asker) domain.Predicate

// Where says which records the asker may touch.
func (where rule) Where(who domain.Asker) domain.Predicate { return where(who) }

// Allows reports whether the asker may touch r.
func (where rule) Allows(who domain.Asker, r domain.Record) bool {
	return domain.Holds(where(who), r)
}

func anyone(domain.Asker) domain.Predicate { return domain.Everything{} }

func account(who domain.Asker) domain.Predicate { return everythingIf(!who.Stranger()) }

func owner(who domain.Asker) domain.Predicate {
	if who.Stranger() {
		return domain.Nothing{}
	}
	return domain.OwnedBy{Account: who.Account}
}

func bearer(role domain.Role) rule {
	return func(who domain.Asker) domain.Predicate { return everythingIf(who.Has(role)) }
}

func everythingIf(allowed bool) domain.Predicate {
	if allowed {
		return domain.Everything{}
	}
	return domain.Nothing{}
}
