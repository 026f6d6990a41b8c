package cel

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"

	"github.com/keyport-go/keyport/domain"
)

// A condition becomes a predicate when it is known who asks, and when. On each
// record that is True, False or Unknown as the expression is true, false or fails.
type condition interface {
	decide(*asking) domain.Predicate
}

type (
	// fixed is the same whoever asks.
	fixed struct{ domain.Predicate }

	// asked is a condition on the asker and the time alone.
	asked struct{ program cel.Program }

	// every is its parts joined by &&, and some by ||.
	every []condition
	some  []condition

	// opposite is what ! makes of a condition.
	opposite struct{ part condition }

	// choice is one of two conditions, by a third on the asker and the time alone.
	choice struct {
		test        cel.Program
		then, other condition
	}

	// leaf is a single condition on terms. It fails where one of them does.
	leaf struct {
		terms []operand
		say   func([]domain.Term) domain.Predicate
	}

	// listed is whether a term equals an element of a list of the asker's.
	listed struct {
		item operand
		list cel.Program
	}
)

func (c fixed) decide(*asking) domain.Predicate { return c.Predicate }

func (c asked) decide(a *asking) domain.Predicate { return outright(judge(c.program, a)) }

func outright(t domain.Truth) domain.Predicate {
	switch t {
	case domain.True:
		return domain.Everything{}
	case domain.False:
		return domain.Nothing{}
	default:
		return domain.Undecided{}
	}
}

func (c every) decide(a *asking) domain.Predicate {
	all := make([]domain.Predicate, len(c))
	for i, part := range c {
		all[i] = part.decide(a)
	}
	return allOf(all)
}

func (c some) decide(a *asking) domain.Predicate {
	all := make([]domain.Predicate, len(c))
	for i, part := range c {
		all[i] = part.decide(a)
	}
	return anyOf(all)
}

func (c opposite) decide(a *asking) domain.Predicate { return not(c.part.decide(a)) }

func (c choice) decide(a *asking) domain.Predicate {
	switch judge(c.test, a) {
	case domain.True:
		return c.then.decide(a)
	case domain.False:
		return c.other.decide(a)
	default:
		return domain.Undecided{}
	}
}

func (c leaf) decide(a *asking) domain.Predicate {
	terms, ok := termsOf(c.terms, a)
	if !ok {
		return domain.Undecided{}
	}
	return c.say(terms)
}

func (c listed) decide(a *asking) domain.Predicate {
	item, ok := c.item.term(a)
	v, _, err := c.list.Eval(a)
	list, isList := v.(traits.Lister)
	if !ok || err != nil || !isList {
		return domain.Undecided{}
	}
	var found []domain.Predicate
	for i := range list.Size().(types.Int) {
		element, ok := literal(list.Get(i))
		if !ok {
			return domain.Undecided{}
		}
		found = append(found, equals(item, domain.Literal{Value: element}))
	}
	if len(found) == 0 {
		return nowhere(item)
	}
	return anyOf(found)
}

// nowhere is False, and Unknown where the term has no value.
func nowhere(t domain.Term) domain.Predicate {
	if _, always := t.(domain.Column); always {
		return domain.Nothing{}
	}
	valued := domain.Compare{Op: domain.Equal, Left: t, Right: domain.Literal{}}
	return domain.All{valued, domain.Not{Part: valued}}
}

// equals is OwnedBy where it can be, which stores know best: for the text of an
// account's id.
func equals(a, b domain.Term) domain.Predicate {
	if _, ok := a.(domain.Literal); ok {
		a, b = b, a
	}
	if l, ok := b.(domain.Literal); ok && a == domain.Term(domain.ColumnOwner) {
		text, _ := l.Value.(string)
		if account, err := domain.ParseAccountID(text); err == nil {
			return domain.OwnedBy{Account: account}
		}
	}
	return domain.Compare{Op: domain.Equal, Left: a, Right: b}
}

// allOf is the predicates joined, without those that decide nothing.
func allOf(parts []domain.Predicate) domain.Predicate {
	kept := make(domain.All, 0, len(parts))
	for _, p := range parts {
		switch p := p.(type) {
		case domain.Everything:
		case domain.Nothing:
			return p
		case domain.All:
			kept = append(kept, p...)
		default:
			kept = append(kept, p)
		}
	}
	switch len(kept) {
	case 0:
		return domain.Everything{}
	case 1:
		return kept[0]
	}
	return kept
}

func anyOf(parts []domain.Predicate) domain.Predicate {
	kept := make(domain.Any, 0, len(parts))
	for _, p := range parts {
		switch p := p.(type) {
		case domain.Nothing:
		case domain.Everything:
			return p
		case domain.Any:
			kept = append(kept, p...)
		default:
			kept = append(kept, p)
		}
	}
	switch len(kept) {
	case 0:
		return domain.Nothing{}
	case 1:
		return kept[0]
	}
	return kept
}

func not(p domain.Predicate) domain.Predicate {
	switch p := p.(type) {
	case domain.Everything:
		return domain.Nothing{}
	case domain.Nothing:
		return domain.Everything{}
	case domain.Undecided:
		return p
	case domain.Not:
		return p.Part
	}
	return domain.Not{Part: p}
}

// settle returns what is True where p is. It may be False where p is Unknown:
// wherever no Not is around it, that changes nothing that is True.
func settle(p domain.Predicate) domain.Predicate {
	switch p := p.(type) {
	case domain.Undecided:
		return domain.Nothing{}
	case domain.All:
		return allOf(settled(p))
	case domain.Any:
		return anyOf(settled(p))
	}
	return p
}

func settled(parts []domain.Predicate) []domain.Predicate {
	all := make([]domain.Predicate, len(parts))
	for i, p := range parts {
		all[i] = settle(p)
	}
	return all
}

// An operand becomes a term when it is known who asks, and when; false if it has
// no value then.
type operand interface {
	term(*asking) (domain.Term, bool)
}

type (
	// said is the same whoever asks.
	said struct{ domain.Term }

	// computed is a value of the asker's or of the time.
	computed struct{ program cel.Program }

	// combined is made of other terms.
	combined struct {
		terms []operand
		say   func([]domain.Term) domain.Term
	}
)

func (o said) term(*asking) (domain.Term, bool) { return o.Term, true }

func (o computed) term(a *asking) (domain.Term, bool) {
	v, _, err := o.program.Eval(a)
	if err != nil {
		return nil, false
	}
	value, ok := literal(v)
	return domain.Literal{Value: value}, ok
}

func (o combined) term(a *asking) (domain.Term, bool) {
	terms, ok := termsOf(o.terms, a)
	if !ok {
		return nil, false
	}
	return o.say(terms), true
}

func termsOf(operands []operand, a *asking) ([]domain.Term, bool) {
	terms := make([]domain.Term, len(operands))
	for i, o := range operands {
		var ok bool
		if terms[i], ok = o.term(a); !ok {
			return nil, false
		}
	}
	return terms, true
}
