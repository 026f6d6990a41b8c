package porttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// TestRules checks the promises of ports.RuleCompiler and ports.Rule. rules are
// texts of the compiler's language, as varied as it allows; their records have a
// number n and an e-mail address.
func TestRules(t *testing.T, open func(*testing.T) ports.RuleCompiler, rules ...string) {
	t.Helper()
	run(t, open, ruleClauses(rules))
}

// ruleSchema is what the records look like that rules are tried on.
var ruleSchema = document(`{"type":"object","properties":{"n":{"type":"number"},"e/mail":{"type":"string"}}}`)

func ruleClauses(rules []string) []clause[ports.RuleCompiler] {
	return []clause[ports.RuleCompiler]{
		{
			"rules are read",
			"Compile reads one rule for records of the given schema.",
			func(_ context.Context, c ports.RuleCompiler) error {
				for _, text := range rules {
					if r, err := c.Compile(text, ruleSchema); err != nil || r == nil {
						return fmt.Errorf("%q: %v, %w", text, r, err)
					}
				}
				return nil
			},
		},
		{
			"what is no rule is refused",
			"It fails with domain.ErrInvalidRule.",
			func(_ context.Context, c ports.RuleCompiler) error {
				for _, text := range []string{"", " ", "(", "role:", "role:\x00", "no such rule", "anyone anyone", "\xff", "'"} {
					if err := fails[ports.Rule](domain.ErrInvalidRule)(c.Compile(text, ruleSchema)); err != nil {
						return fmt.Errorf("%q: %w", text, err)
					}
				}
				return nil
			},
		},
		{
			"a rule decides the same each time",
			"Allows decides on one record, as it is stored, or as it would be created.",
			func(_ context.Context, c ports.RuleCompiler) error {
				return eachCase(c, rules, func(rule ports.Rule, who domain.Asker, r domain.Record) error {
					if once, again := rule.Allows(who, r), rule.Allows(who, r); once != again {
						return fmt.Errorf("Allows says %t and then %t", once, again)
					}
					return nil
				})
			},
		},
		{
			"a rule for lists agrees with the rule for one",
			"Where says for which records Allows holds: for each record r, domain.Holds(Where(who), r) is Allows(who, r).",
			func(_ context.Context, c ports.RuleCompiler) error {
				return eachCase(c, rules, func(rule ports.Rule, who domain.Asker, r domain.Record) error {
					where := rule.Where(who)
					if holds, allows := domain.Holds(where, r), rule.Allows(who, r); holds != allows {
						return fmt.Errorf("Allows says %t and %#v holds: %t", allows, where, holds)
					}
					return nil
				})
			},
		},
	}
}

// eachCase tries each rule on generated askers and records.
func eachCase(c ports.RuleCompiler, rules []string, try func(ports.Rule, domain.Asker, domain.Record) error) error {
	g := rand.New(rand.NewPCG(1, 2))
	for _, text := range rules {
		rule, err := c.Compile(text, ruleSchema)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		for range 2000 {
			who, r := anAsker(g), aRecord(g)
			if err := try(rule, who, r); err != nil {
				return fmt.Errorf("rule %q, asker %+v, %s: %w", text, who, spell(r), err)
			}
		}
	}
	return nil
}

// anAsker returns a stranger, or one of three accounts with some of the roles.
func anAsker(g *rand.Rand) domain.Asker {
	n := g.IntN(4)
	if n == 0 {
		return domain.Asker{}
	}
	who := domain.Asker{Account: accountID(n), Session: sessionID(g.IntN(4))}
	for _, role := range []domain.Role{"admin", "author", "editor"} {
		if g.IntN(2) == 0 {
			who.Roles = append(who.Roles, role)
		}
	}
	return who
}

// aRecord returns a record of nobody or of one of three accounts, stored or about
// to be created.
func aRecord(g *rand.Rand) domain.Record {
	r := record(g.IntN(4), "")
	if n := g.IntN(4); n > 0 {
		r.Owner = accountID(n)
	}
	if g.IntN(2) == 0 {
		r = domain.Record{Owner: r.Owner}
	}
	r.Data = document([]string{
		`{}`, `{"n":1}`, `{"n":1.0}`, `{"n":-2.5e1}`, `{"e/mail":"ada@example.com"}`, `{"n":3,"e/mail":""}`,
	}[g.IntN(6)])
	return r
}
