package porttest

import (
	"slices"
	"strings"
	"testing"

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
	for name, l := range map[string]struct {
		compiler ports.RuleCompiler
		caught   []string
	}{
		"knows fewer words": {fewWords{}, []string{
			"a rule decides the same each time", "a rule for lists agrees with the rule for one", "rules are read",
		}},
		"takes every word":                    {manyWords{}, []string{"what is no rule is refused"}},
		"lets strangers own what nobody owns": {strangers{}, []string{"a rule for lists agrees with the rule for one"}},
		"decides by how often it was asked":   {new(fickle), []string{"a rule decides the same each time", "a rule for lists agrees with the rule for one"}},
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

func (words) Compile(text string, _ domain.Document) (ports.Rule, error) {
	role, isRole := strings.CutPrefix(text, "role:")
	if _, err := domain.ParseRoles([]string{role}); isRole && err != nil || !isRole && !slices.Contains(sampleRules, text) {
		return nil, domain.ErrInvalidRule
	}
	return word(text), nil
}

type word string

func (w word) Allows(who domain.Asker, r domain.Record) bool { return domain.Holds(w.Where(who), r) }

func (w word) Where(who domain.Asker) domain.Predicate {
	role, isRole := strings.CutPrefix(string(w), "role:")
	switch {
	case w == "owner":
		return domain.OwnedBy{Account: who.Account}
	case w == "anyone", w == "account" && !who.Stranger(), isRole && who.Has(domain.Role(role)):
		return domain.Everything{}
	}
	return domain.Nothing{}
}

type fewWords struct{}

func (fewWords) Compile(text string, s domain.Document) (ports.Rule, error) {
	if text == "owner" {
		return nil, domain.ErrInvalidRule
	}
	return words{}.Compile(text, s)
}

type manyWords struct{}

func (manyWords) Compile(text string, _ domain.Document) (ports.Rule, error) { return word(text), nil }

type strangers struct{}

func (strangers) Compile(text string, s domain.Document) (ports.Rule, error) {
	r, err := words{}.Compile(text, s)
	if text == "owner" {
		r = emptyOwner{word(text)}
	}
	return r, err
}

type emptyOwner struct{ word }

func (emptyOwner) Allows(who domain.Asker, r domain.Record) bool { return who.Account == r.Owner }

// fickle denies every third question.
type fickle struct{ asked int }

func (l *fickle) Compile(text string, s domain.Document) (ports.Rule, error) {
	if _, err := (words{}).Compile(text, s); err != nil {
		return nil, err
	}
	return counting{word(text), l}, nil
}

type counting struct {
	word
	l *fickle
}

func (c counting) Allows(who domain.Asker, r domain.Record) bool {
	c.l.asked++
	return c.l.asked%3 > 0 && c.word.Allows(who, r)
}
