package porttest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var sampleRules = []string{"anyone", "account", "owner", "role:editor"}

func TestRulesOfWordsKeepTheirPromises(t *testing.T) {
	TestRules(t, func(*testing.T) ports.RuleCompiler { return words{} }, sampleRules...)
}

func TestLyingRulesAreCaught(t *testing.T) {
	clauses := ruleClauses(sampleRules)
	known := make(map[string]bool)
	asked := 0
	for name, l := range map[string]struct {
		compiler ports.RuleCompiler
		caught   []string
	}{
		"knows fewer words": {fewWords{}, []string{"rules are read"}},
		"knows fewer selectors": {fewSelectors{}, []string{
			"a filter is a rule", "a rule decides the same each time", "a rule for lists agrees with the rule for one",
			"a ruling says what the rule says", "selectors are read", "the clauses of a ruling are its reasons",
			"what a rule never allows it does not allow",
		}},
		"takes every word":     {manyWords{}, []string{"what is no rule is refused"}},
		"takes every selector": {manySelectors{}, []string{"what is no selector is refused"}},
		"lets strangers own what nobody owns": {both(func(s ports.Selector) ports.Selector { return emptyOwner{s} }), []string{
			"a rule for lists agrees with the rule for one",
		}},
		"decides by how often it was asked": {both(func(s ports.Selector) ports.Selector { return fickle{s, &asked} }), []string{
			"a filter is a rule", "a rule decides the same each time", "a rule for lists agrees with the rule for one",
			"a ruling says what the rule says",
		}},
		"rules otherwise than it selects": {bending{rule: func(s ports.Selector) ports.Rule { return strict{s} }}, []string{"a filter is a rule"}},
		"gives up too early": {both(func(s ports.Selector) ports.Selector { return resigned{s} }), []string{
			"what a rule never allows it does not allow",
		}},
		"explains that all is well": {both(func(s ports.Selector) ports.Selector { return polite{s} }), []string{"a ruling says what the rule says"}},
		"gives no reasons":          {both(func(s ports.Selector) ports.Selector { return curt{s} }), []string{"the clauses of a ruling are its reasons"}},
	} {
		caught := catchers(t.Context(), clauses, func() ports.RuleCompiler { return l.compiler })
		if !slices.Equal(caught, l.caught) {
			t.Errorf("who %s was caught by %q, want %q", name, caught, l.caught)
		}
		for _, c := range l.caught {
			known[c] = true
		}
	}
	if len(known) != len(clauses) {
		t.Errorf("%d of %d clauses catch a liar", len(known), len(clauses))
	}
}

// words is an honest compiler of a small language.
type words struct{}

func (words) Compile(_ domain.Verb, text string, _ domain.Document) (ports.Rule, error) {
	return words{}.word(text)
}

func (words) Select(text string, _ domain.Document) (ports.Selector, error) {
	return words{}.word(text)
}

func (words) word(text string) (ports.Selector, error) {
	role, isRole := strings.CutPrefix(text, "role:")
	if _, err := domain.ParseRoles([]string{role}); isRole && err != nil || !isRole && !slices.Contains(sampleRules, text) {
		return nil, domain.ErrInvalidRule
	}
	return word(text), nil
}

type word string

func (w word) Allows(q domain.Question) bool { return domain.Holds(w.Where(q.Who, q.Now), q.Record) }

func (w word) Never(who domain.Asker, now time.Time) bool {
	return w.Where(who, now) == domain.Nothing{}
}

func (w word) Explain(q domain.Question) domain.Ruling {
	allowed := w.Allows(q)
	return domain.Ruling{Allowed: allowed, Rule: string(w), Clauses: []domain.Clause{{Text: string(w), Value: domain.TruthOf(allowed)}}}
}

func (w word) Where(who domain.Asker, _ time.Time) domain.Predicate {
	role, isRole := strings.CutPrefix(string(w), "role:")
	switch {
	case w == "owner":
		return domain.OwnedBy{Account: who.Account}
	case w == "anyone", w == "account" && !who.Stranger(), isRole && who.Has(domain.Role(role)):
		return domain.Everything{}
	}
	return domain.Nothing{}
}

// bending bends what words reads, as a rule and as a selector.
type bending struct {
	rule     func(ports.Selector) ports.Rule
	selector func(ports.Selector) ports.Selector
}

func (l bending) Compile(_ domain.Verb, text string, _ domain.Document) (ports.Rule, error) {
	w, err := words{}.word(text)
	if err != nil || l.rule == nil {
		return w, err
	}
	return l.rule(w), nil
}

func (l bending) Select(text string, _ domain.Document) (ports.Selector, error) {
	w, err := words{}.word(text)
	if err != nil || l.selector == nil {
		return w, err
	}
	return l.selector(w), nil
}

// both bends rules and selectors alike.
func both(f func(ports.Selector) ports.Selector) bending {
	return bending{func(s ports.Selector) ports.Rule { return f(s) }, f}
}

type fewWords struct{ words }

func (fewWords) Compile(v domain.Verb, text string, s domain.Document) (ports.Rule, error) {
	if text == "owner" && v == domain.VerbUpdate {
		return nil, domain.ErrInvalidRule
	}
	return words{}.Compile(v, text, s)
}

type fewSelectors struct{ words }

func (fewSelectors) Select(text string, s domain.Document) (ports.Selector, error) {
	if text == "owner" {
		return nil, domain.ErrInvalidRule
	}
	return words{}.Select(text, s)
}

type manyWords struct{ words }

func (manyWords) Compile(_ domain.Verb, text string, _ domain.Document) (ports.Rule, error) {
	return word(text), nil
}

type manySelectors struct{ words }

func (manySelectors) Select(text string, _ domain.Document) (ports.Selector, error) {
	return word(text), nil
}

// emptyOwner lets strangers own what nobody owns.
type emptyOwner struct{ ports.Selector }

func (l emptyOwner) Allows(q domain.Question) bool {
	return l.Selector.Allows(q) || l.Selector == word("owner") && q.Who.Account == q.Record.Owner
}

func (l emptyOwner) Explain(q domain.Question) domain.Ruling {
	return domain.Ruling{Allowed: l.Allows(q), Rule: "owner", Clauses: []domain.Clause{{Text: "owner", Value: domain.TruthOf(l.Allows(q))}}}
}

func (l emptyOwner) Never(domain.Asker, time.Time) bool { return false }

// fickle denies every third question.
type fickle struct {
	ports.Selector
	asked *int
}

func (l fickle) Allows(q domain.Question) bool {
	*l.asked++
	return *l.asked%3 > 0 && l.Selector.Allows(q)
}

// strict denies strangers as a rule; it selects for them.
type strict struct{ ports.Selector }

func (l strict) Allows(q domain.Question) bool { return !q.Who.Stranger() && l.Selector.Allows(q) }

func (l strict) Explain(q domain.Question) domain.Ruling {
	r := l.Selector.Explain(q)
	r.Allowed = r.Allowed && !q.Who.Stranger()
	r.Clauses = append(r.Clauses, domain.Clause{Text: "account", Value: domain.TruthOf(!q.Who.Stranger())})
	return r
}

// resigned says never of whoever has no role.
type resigned struct{ ports.Selector }

func (resigned) Never(who domain.Asker, _ time.Time) bool { return len(who.Roles) == 0 }

// polite explains that everything is allowed.
type polite struct{ ports.Selector }

func (l polite) Explain(q domain.Question) domain.Ruling {
	return domain.Ruling{Allowed: true, Rule: "rule", Clauses: []domain.Clause{{Text: "rule", Value: domain.True}}}
}

// curt gives no reasons.
type curt struct{ ports.Selector }

func (l curt) Explain(q domain.Question) domain.Ruling {
	r := l.Selector.Explain(q)
	r.Clauses = nil
	return r
}
