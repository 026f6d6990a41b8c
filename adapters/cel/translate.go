package cel

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"github.com/keyport-go/keyport/domain"
)

// A translator says a rule in the terms of the domain. What does not ask about the
// record becomes programs of their own, each as large as can be.
type translator struct {
	language *language
	tree     *ast.AST
	leaves   int
}

func (t *translator) refuse(e ast.Expr, problem string) error {
	return faultAt(t.tree.SourceInfo(), e, codeUntranslatable, "%s", problem)
}

// enter counts a condition or a term, of which leaves are single conditions.
func (t *translator) enter(e ast.Expr, depth, leaves int) error {
	t.leaves += leaves
	if depth > MaxDepth {
		return t.refuse(e, "it nests too deeply for a list")
	}
	if t.leaves > MaxLeaves {
		return t.refuse(e, "it has too many conditions for a list")
	}
	return nil
}

// condition translates what is true or false.
func (t *translator) condition(e ast.Expr, depth int) (condition, error) {
	if free(e) {
		if err := t.enter(e, depth, 1); err != nil {
			return nil, err
		}
		return t.asked(e)
	}
	if err := t.enter(e, depth, 0); err != nil {
		return nil, err
	}
	switch e.Kind() {
	case ast.CallKind:
		return t.call(e, depth)
	case ast.SelectKind:
		if e.AsSelect().IsTestOnly() {
			return t.has(e, depth)
		}
		return t.leaf(e, depth, func(terms []domain.Term) domain.Predicate { return domain.Is{Term: terms[0]} }, e)
	default:
		return nil, t.untold(e)
	}
}

// untold refuses what no predicate says.
func (t *translator) untold(e ast.Expr) error {
	switch e.Kind() {
	case ast.ComprehensionKind:
		return t.refuse(e, "the elements of a record's lists cannot be looked at one by one in a list")
	case ast.ListKind:
		return t.refuse(e, "lists that are made of a record cannot be asked for in a list")
	case ast.CallKind:
		switch name := e.AsCall().FunctionName(); name {
		case operators.Conditional:
			return t.refuse(e, "a choice by what the record says cannot be asked for in a list")
		case operators.Index:
			return t.refuse(e, "single elements cannot be asked for in a list")
		case overloads.Matches:
			return t.refuse(e, "patterns cannot be asked for in a list")
		default:
			return t.refuse(e, spoken(name)+" cannot be asked for in a list, as it is used here")
		}
	default:
		return t.refuse(e, "that cannot be asked for in a list")
	}
}

func (t *translator) asked(e ast.Expr) (condition, error) {
	p, err := t.language.plan(t.tree, e)
	if err != nil {
		return nil, err
	}
	c := asked{p}
	if constant(e) {
		return fixed{c.decide(newAsking(domain.Question{}))}, nil
	}
	return c, nil
}

func (t *translator) call(e ast.Expr, depth int) (condition, error) {
	args := e.AsCall().Args()
	switch name := e.AsCall().FunctionName(); name {
	case operators.LogicalAnd:
		all, err := t.joined(e, name, depth)
		return combine(every(all), all), err
	case operators.LogicalOr:
		all, err := t.joined(e, name, depth)
		return combine(some(all), all), err
	case operators.LogicalNot:
		part, err := t.condition(args[0], depth+1)
		return combine(opposite{part}, []condition{part}), err
	case operators.Conditional:
		return t.choice(e, depth)
	case operators.Equals, functionSame:
		return t.equality(e, depth)
	case operators.NotEquals:
		part, err := t.equality(e, depth+1)
		return combine(opposite{part}, []condition{part}), err
	case operators.Less:
		return t.compare(e, depth, domain.Less, args[0], args[1])
	case operators.LessEquals:
		return t.compare(e, depth, domain.AtMost, args[0], args[1])
	case operators.Greater:
		return t.compare(e, depth, domain.Less, args[1], args[0])
	case operators.GreaterEquals:
		return t.compare(e, depth, domain.AtMost, args[1], args[0])
	case operators.In:
		return t.in(e, depth)
	case overloads.Contains:
		return t.test(e, depth, domain.Contains)
	case overloads.StartsWith:
		return t.test(e, depth, domain.StartsWith)
	case overloads.EndsWith:
		return t.test(e, depth, domain.EndsWith)
	}
	return nil, t.untold(e)
}

// combine decides c at once if nothing in its parts depends on who asks.
func combine(c condition, parts []condition) condition {
	for _, part := range parts {
		if _, ok := part.(fixed); !ok {
			return c
		}
	}
	return fixed{c.decide(nil)}
}

// joined translates what is joined by one operator, however it is bracketed.
func (t *translator) joined(e ast.Expr, operator string, depth int) ([]condition, error) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operator || free(e) {
		c, err := t.condition(e, depth+1)
		return []condition{c}, err
	}
	var all []condition
	for _, arg := range e.AsCall().Args() {
		more, err := t.joined(arg, operator, depth)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func (t *translator) choice(e ast.Expr, depth int) (condition, error) {
	args := e.AsCall().Args()
	if !free(args[0]) {
		return nil, t.untold(e)
	}
	test, err := t.language.plan(t.tree, args[0])
	if err != nil {
		return nil, err
	}
	then, err := t.condition(args[1], depth+1)
	if err != nil {
		return nil, err
	}
	other, err := t.condition(args[2], depth+1)
	return choice{test, then, other}, err
}

func (t *translator) equality(e ast.Expr, depth int) (condition, error) {
	a, b := e.AsCall().Args()[0], e.AsCall().Args()[1]
	if !scalar(t.tree, a) && !scalar(t.tree, b) {
		return nil, t.refuse(e, "two values of which either may be a list or an object cannot be compared in a list")
	}
	return t.leaf(e, depth, func(terms []domain.Term) domain.Predicate { return equals(terms[0], terms[1]) }, a, b)
}

func (t *translator) compare(e ast.Expr, depth int, op domain.Comparison, a, b ast.Expr) (condition, error) {
	return t.leaf(e, depth, func(terms []domain.Term) domain.Predicate {
		return domain.Compare{Op: op, Left: terms[0], Right: terms[1]}
	}, a, b)
}

func (t *translator) test(e ast.Expr, depth int, op domain.TextTest) (condition, error) {
	return t.leaf(e, depth, func(terms []domain.Term) domain.Predicate {
		return domain.TestText{Op: op, Text: terms[0], Part: terms[1]}
	}, e.AsCall().Target(), e.AsCall().Args()[0])
}

func (t *translator) in(e ast.Expr, depth int) (condition, error) {
	item, list := e.AsCall().Args()[0], e.AsCall().Args()[1]
	if !free(list) {
		member, err := t.path(list)
		if err != nil {
			return nil, err
		}
		m, ok := member.(domain.Member)
		if k := t.tree.GetType(item.ID()).Kind(); !ok || k == types.ListKind || k == types.StructKind {
			return nil, t.untold(e)
		}
		return t.leaf(e, depth, func(terms []domain.Term) domain.Predicate { return domain.Among{Item: terms[0], List: m} }, item)
	}
	count, err := t.elements(list)
	if err != nil {
		return nil, err
	}
	if err := t.enter(e, depth, count); err != nil {
		return nil, err
	}
	what, err := t.term(item, depth+1)
	if err != nil {
		return nil, err
	}
	p, err := t.language.plan(t.tree, list)
	if err != nil {
		return nil, err
	}
	c := listed{what, p}
	if _, ok := what.(said); ok && constant(list) {
		return fixed{c.decide(newAsking(domain.Question{}))}, nil
	}
	return c, nil
}

// elements returns how many a list may have that does not ask about the record. It
// is written out, or some of the account's roles.
func (t *translator) elements(list ast.Expr) (int, error) {
	switch list.Kind() {
	case ast.ListKind:
		for _, e := range list.AsList().Elements() {
			if !scalar(t.tree, e) {
				return 0, t.refuse(e, "want a text, a number, a boolean, a time or null")
			}
		}
		return max(2, list.AsList().Size()), nil
	case ast.SelectKind: // account.roles
		return domain.MaxRoles, nil
	default:
		return 0, t.refuse(list, "want a list that is written out, or account.roles")
	}
}

// has translates a test whether there is a member.
func (t *translator) has(e ast.Expr, depth int) (condition, error) {
	member, err := t.path(e)
	if err != nil {
		return nil, err
	}
	if err := t.enter(e, depth, 1); err != nil {
		return nil, err
	}
	m, ok := member.(domain.Member)
	if !ok || len(m) == 0 { // a record always says what is not of its data
		return fixed{domain.Everything{}}, nil
	}
	return fixed{domain.Has{Path: m}}, nil
}

// leaf translates a single condition on terms.
func (t *translator) leaf(e ast.Expr, depth int, say func([]domain.Term) domain.Predicate, of ...ast.Expr) (condition, error) {
	if err := t.enter(e, depth, 1); err != nil {
		return nil, err
	}
	terms, same, err := t.terms(depth, of)
	if err != nil {
		return nil, err
	}
	c := leaf{terms, say}
	if same {
		return fixed{c.decide(nil)}, nil
	}
	return c, nil
}

// terms translates several terms, and says whether they are the same whoever asks.
func (t *translator) terms(depth int, of []ast.Expr) (terms []operand, same bool, err error) {
	same = true
	for _, e := range of {
		o, err := t.term(e, depth+1)
		if err != nil {
			return nil, false, err
		}
		if _, ok := o.(said); !ok {
			same = false
		}
		terms = append(terms, o)
	}
	return terms, same, nil
}

// term translates what has a value.
func (t *translator) term(e ast.Expr, depth int) (operand, error) {
	if err := t.enter(e, depth, 0); err != nil {
		return nil, err
	}
	switch {
	case free(e):
		return t.computed(e)
	case e.Kind() == ast.SelectKind && !e.AsSelect().IsTestOnly():
		term, err := t.path(e)
		return said{term}, err
	case e.Kind() != ast.CallKind:
		return nil, t.untold(e)
	}
	switch args := e.AsCall().Args(); e.AsCall().FunctionName() {
	case operators.Add:
		if t.tree.GetType(e.ID()).Kind() != types.DoubleKind {
			return nil, t.refuse(e, "+ can be asked for in a list only where one side is known to be a number")
		}
		return t.arithmetic(e, depth, domain.Add)
	case operators.Subtract:
		return t.arithmetic(e, depth, domain.Subtract)
	case operators.Multiply:
		return t.arithmetic(e, depth, domain.Multiply)
	case operators.Divide:
		return t.arithmetic(e, depth, domain.Divide)
	case operators.Negate:
		return t.combined(depth, func(terms []domain.Term) domain.Term {
			return domain.Arithmetic{Op: domain.Subtract, Left: domain.Literal{Value: 0.0}, Right: terms[0]}
		}, args[0])
	case functionSize:
		return t.combined(depth, func(terms []domain.Term) domain.Term { return domain.Size{Of: terms[0]} }, parts(e)[0])
	case overloads.TypeConvertTimestamp:
		return t.combined(depth, func(terms []domain.Term) domain.Term { return domain.Moment{Of: terms[0]} }, args[0])
	}
	return nil, t.untold(e)
}

func (t *translator) arithmetic(e ast.Expr, depth int, op domain.Operator) (operand, error) {
	for _, side := range e.AsCall().Args() {
		if k := t.tree.GetType(side.ID()).Kind(); k != types.DoubleKind && k != types.DynKind {
			return nil, t.untold(e)
		}
	}
	return t.combined(depth, func(terms []domain.Term) domain.Term {
		return domain.Arithmetic{Op: op, Left: terms[0], Right: terms[1]}
	}, e.AsCall().Args()...)
}

func (t *translator) combined(depth int, say func([]domain.Term) domain.Term, of ...ast.Expr) (operand, error) {
	terms, same, err := t.terms(depth, of)
	if err != nil {
		return nil, err
	}
	c := combined{terms, say}
	if same {
		term, _ := c.term(nil)
		return said{term}, nil
	}
	return c, nil
}

// computed translates a value of the asker's or of the time.
func (t *translator) computed(e ast.Expr) (operand, error) {
	if !scalar(t.tree, e) {
		return nil, t.refuse(e, "want a text, a number, a boolean, a time or null, not "+kinds(cel.FormatCELType(t.tree.GetType(e.ID()))))
	}
	if e.Kind() == ast.LiteralKind {
		value, _ := literal(e.AsLiteral())
		return said{domain.Literal{Value: value}}, nil
	}
	p, err := t.language.plan(t.tree, e)
	if err != nil {
		return nil, err
	}
	c := computed{p}
	if constant(e) {
		if term, ok := c.term(newAsking(domain.Question{})); ok {
			return said{term}, nil
		}
	}
	return c, nil
}

// path translates a member or a column.
func (t *translator) path(e ast.Expr) (domain.Term, error) {
	_, names, ok := path(e)
	if !ok || len(names) == 0 {
		return nil, t.untold(e)
	}
	if names[0] != "data" {
		return domain.Column(names[0]), nil
	}
	for _, name := range names[1:] {
		if len(name) > MaxName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '"' || r == '\\' }) {
			return nil, t.refuse(e, "the name of a member is too long, or has a character, for a list")
		}
	}
	return domain.Member(names[1:]), nil
}
