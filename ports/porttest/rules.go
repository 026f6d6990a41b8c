package porttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// TestRules checks the promises of ports.RuleCompiler, ports.Rule and
// ports.Selector. rules are texts of the compiler's language that can select, as
// varied as it allows; their records have a number n and an e-mail address.
func TestRules(t *testing.T, open func(*testing.T) ports.RuleCompiler, rules ...string) {
	t.Helper()
	run(t, open, ruleClauses(rules))
}

// ruleSchema is what the records look like that rules are tried on.
var ruleSchema = document(`{"type":"object","properties":{"n":{"type":"number"},"e/mail":{"type":"string"}}}`)

// noRules are no rules in any language.
var noRules = []string{"", " ", "(", "role:", "role:\x00", "no such rule", "anyone anyone", "\xff", "'"}

func ruleClauses(rules []string) []clause[ports.RuleCompiler] {
	return []clause[ports.RuleCompiler]{
		{
			"rules are read",
			"Compile reads one rule for records of the given schema.",
			func(_ context.Context, c ports.RuleCompiler) error {
				for _, text := range rules {
					for _, verb := range domain.Verbs() {
						if r, err := c.Compile(verb, text, ruleSchema); err != nil || r == nil {
							return fmt.Errorf("%s %q: %v, %w", verb, text, r, err)
						}
					}
				}
				return nil
			},
		},
		{
			"what is no rule is refused",
			"It fails with domain.ErrInvalidRule.",
			func(_ context.Context, c ports.RuleCompiler) error {
				for _, text := range noRules {
					for _, verb := range domain.Verbs() {
						if err := fails[ports.Rule](domain.ErrInvalidRule)(c.Compile(verb, text, ruleSchema)); err != nil {
							return fmt.Errorf("%s %q: %w", verb, text, err)
						}
					}
				}
				return nil
			},
		},
		{
			"selectors are read",
			"Select reads a rule to list records of the given schema, or a filter.",
			func(_ context.Context, c ports.RuleCompiler) error {
				for _, text := range rules {
					if s, err := c.Select(text, ruleSchema); err != nil || s == nil {
						return fmt.Errorf("%q: %v, %w", text, s, err)
					}
				}
				return nil
			},
		},
		{
			"what is no selector is refused",
			"It fails with domain.ErrInvalidRule, also for what cannot be said as a Predicate.",
			func(_ context.Context, c ports.RuleCompiler) error {
				for _, text := range noRules {
					if err := fails[ports.Selector](domain.ErrInvalidRule)(c.Select(text, ruleSchema)); err != nil {
						return fmt.Errorf("%q: %w", text, err)
					}
				}
				return nil
			},
		},
		{
			"a rule decides the same each time",
			"Allows decides on one record.",
			func(_ context.Context, c ports.RuleCompiler) error {
				return eachCase(c, rules, func(rule ports.Rule, _ ports.Selector, q domain.Question) error {
					if once, again := rule.Allows(q), rule.Allows(q); once != again {
						return fmt.Errorf("Allows says %t and then %t", once, again)
					}
					return nil
				})
			},
		},
		{
			"a filter is a rule",
			"A RuleCompiler reads the access rules of collections, and filters of lists, which are of the same language.",
			func(_ context.Context, c ports.RuleCompiler) error {
				return eachCase(c, rules, func(rule ports.Rule, s ports.Selector, q domain.Question) error {
					if one, other := rule.Allows(q), s.Allows(q); one != other {
						return fmt.Errorf("as a rule it says %t, and as a selector %t", one, other)
					}
					return nil
				})
			},
		},
		{
			"what a rule never allows it does not allow",
			"Never reports that Allows holds for no record whatever, as far as the asker and the time alone tell; it may overlook that it is so.",
			func(_ context.Context, c ports.RuleCompiler) error {
				return eachCase(c, rules, func(rule ports.Rule, s ports.Selector, q domain.Question) error {
					if rule.Never(q.Who, q.Now) && rule.Allows(q) || s.Never(q.Who, q.Now) && s.Allows(q) {
						return fmt.Errorf("Never holds, and so does Allows")
					}
					return nil
				})
			},
		},
		{
			"a ruling says what the rule says",
			"Explain says what Allows says, and why.",
			func(_ context.Context, c ports.RuleCompiler) error {
				return eachCase(c, rules, func(rule ports.Rule, _ ports.Selector, q domain.Question) error {
					ruling, allows := rule.Explain(q), rule.Allows(q)
					if ruling.Allowed != allows || ruling.Rule == "" {
						return fmt.Errorf("Allows says %t and Explain %+v", allows, ruling)
					}
					return nil
				})
			},
		},
		{
			"the clauses of a ruling are its reasons",
			"Explain says what Allows says, and why.",
			func(_ context.Context, c ports.RuleCompiler) error {
				return eachCase(c, rules, func(rule ports.Rule, _ ports.Selector, q domain.Question) error {
					ruling, all := rule.Explain(q), domain.True
					for _, part := range ruling.Clauses {
						all = all.And(part.Value)
					}
					if len(ruling.Clauses) == 0 || ruling.Allowed != (all == domain.True) ||
						slices.ContainsFunc(ruling.Clauses, func(c domain.Clause) bool { return c.Text == "" }) {
						return fmt.Errorf("the clauses do not come to what is ruled: %+v", ruling)
					}
					return nil
				})
			},
		},
		{
			"a rule for lists agrees with the rule for one",
			"Where says for which records Allows holds: for each record r, domain.Holds(Where(who, now), r) is what Allows says of it.",
			func(_ context.Context, c ports.RuleCompiler) error {
				return eachCase(c, rules, func(_ ports.Rule, s ports.Selector, q domain.Question) error {
					where := s.Where(q.Who, q.Now)
					if holds, allows := domain.Holds(where, q.Record), s.Allows(q); holds != allows {
						return fmt.Errorf("Allows says %t and %#v holds: %t", allows, where, holds)
					}
					return nil
				})
			},
		},
	}
}

// eachCase tries each rule, as one to read by and as a selector, on generated
// questions.
func eachCase(c ports.RuleCompiler, rules []string, try func(ports.Rule, ports.Selector, domain.Question) error) error {
	g := rand.New(rand.NewPCG(1, 2))
	for _, text := range rules {
		rule, err := c.Compile(domain.VerbRead, text, ruleSchema)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		selector, err := c.Select(text, ruleSchema)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		for range 1000 {
			q := domain.Question{Who: anAsker(g), Record: aRecord(g), Now: noon.Add(time.Duration(g.IntN(3)) * time.Hour)}
			if err := try(rule, selector, q); err != nil {
				return fmt.Errorf("rule %q, asker %+v at %v, %s: %w", text, q.Who, q.Now, spell(q.Record), err)
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
		`{}`, `{"n":1}`, `{"n":1.0}`, `{"n":-2.5e1}`, `{"e/mail":"ada@example.com"}`, `{"n":3,"e/mail":""}`, `{"n":null,"e/mail":7}`, `{"n":1e400}`,
	}[g.IntN(8)])
	return r
}
