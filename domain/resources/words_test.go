package resources_test

import (
	"strings"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// The rooms that serve these two ports stand above this one, so here are the
// plainest compilers that keep their promises.

// words reads rules of one word: anyone, account, owner, nobody, or role:NAME.
type words struct{}

var _ ports.RuleCompiler = words{}

func (words) Compile(text string, _ domain.Document) (ports.Rule, error) {
	switch text {
	case "anyone", "account", "owner", "nobody":
		return word(text), nil
	}
	if strings.HasPrefix(text, "role:") {
		return word(text), nil
	}
	return nil, domain.ErrInvalidRule
}

type word string

func (w word) Allows(who domain.Asker, r domain.Record) bool { return domain.Holds(w.Where(who), r) }

func (w word) Where(who domain.Asker) domain.Predicate {
	role, asked := strings.CutPrefix(string(w), "role:")
	switch {
	case w == "anyone", w == "account" && !who.Stranger(), asked && who.Has(domain.Role(role)):
		return domain.Everything{}
	case w == "owner" && !who.Stranger():
		return domain.OwnedBy{Account: who.Account}
	}
	return domain.Nothing{}
}

// required reads schemas of one keyword, required.
type required struct {
	meanwhile *func() // what happens once while a record is checked
}

var _ ports.SchemaCompiler = required{}

func (c required) Compile(schema domain.Document) (ports.Schema, error) {
	list, there := schema.Tree()["required"]
	names, good := list.([]any)
	if there && !good {
		return nil, domain.ErrInvalidSchema.At("/schema/required", "type", "want a list")
	}
	return needs{names, c.meanwhile}, nil
}

type needs struct {
	names     []any
	meanwhile *func()
}

func (n needs) Check(data domain.Document) error {
	if f := *n.meanwhile; f != nil {
		*n.meanwhile = nil
		f()
	}
	for _, name := range n.names {
		if _, there := data.Tree()[name.(string)]; !there {
			return domain.ErrInvalidRecord.At("/data/"+name.(string), "required", "it is missing")
		}
	}
	return nil
}
