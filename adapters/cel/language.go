package cel

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/keyport-go/keyport/domain"
)

// A language is what rules of one collection are written in.
type language struct {
	env  *cel.Env
	next bool
}

func speak(schema domain.Document, next bool) (*language, error) {
	e, err := base()
	if err != nil {
		return nil, fmt.Errorf("make the language of rules: %w", err)
	}
	names := []cel.EnvOption{
		cel.CustomTypeProvider(newShape(schema)),
		cel.Variable(nameAccount, typeOfAccount),
		cel.Variable(nameRecord, cel.ObjectType(recordType)),
		cel.Variable(nameNow, cel.TimestampType),
	}
	if next {
		names = append(names, cel.Variable(nameNext, cel.ObjectType(recordType)))
	}
	if e, err = e.Extend(names...); err != nil {
		return nil, fmt.Errorf("make the language of a collection: %w", err)
	}
	return &language{e, next}, nil
}

// read returns a text that is a condition of the language, with its types.
func (l *language) read(text string) (*ast.AST, error) {
	switch {
	case len(text) > MaxText:
		return nil, fault(nil, codeLong, fmt.Sprintf("want at most %d bytes", MaxText))
	case !utf8.ValidString(text):
		return nil, fault(nil, codeSyntax, "want UTF-8")
	}
	parsed, issues := l.env.Parse(text)
	if issues.Err() != nil {
		return nil, unreadable(issues)
	}
	tree := parsed.NativeRep()
	if ast.NodeCount(tree) > MaxNodes {
		return nil, fault(nil, codeCost, fmt.Sprintf("it has more than %d parts", MaxNodes))
	}
	rewrite(tree.Expr(), false)
	if err := (&inspector{info: tree.SourceInfo(), next: l.next}).inspect(tree.Expr(), nil); err != nil {
		return nil, err
	}
	checked, issues := l.env.Check(parsed)
	if issues.Err() != nil {
		return nil, unfit(issues)
	}
	tree = checked.NativeRep()
	if t := tree.GetType(tree.Expr().ID()); t.Kind() != types.BoolKind && t.Kind() != types.DynKind {
		return nil, faultAt(tree.SourceInfo(), tree.Expr(), codeType, "want a condition, not %s", kinds(cel.FormatCELType(t)))
	}
	if err := measurable(tree); err != nil {
		return nil, err
	}
	compareScalars(tree)
	if costly(tree, tree.Expr()) {
		if estimate, err := l.env.EstimateCost(checked, sizing{}); err == nil && estimate.Min > MaxCost {
			return nil, fault(nil, codeCost, "it would take too much work")
		}
	}
	return tree, nil
}

// rewrite makes doubles of whole numbers, but for those that count the elements of
// a list, and members of what is indexed by a constant text.
func rewrite(e ast.Expr, counts bool) {
	factory := ast.NewExprFactory()
	switch e.Kind() {
	case ast.LiteralKind:
		if n, ok := e.AsLiteral().(types.Int); ok && !counts {
			e.SetKindCase(factory.NewLiteral(e.ID(), types.Double(n)))
		}
	case ast.CallKind:
		if operand, name, ok := named(e); ok {
			e.SetKindCase(factory.NewSelect(e.ID(), operand, name))
			rewrite(operand, false)
			return
		}
		for i, arg := range e.AsCall().Args() {
			rewrite(arg, i == 1 && e.AsCall().FunctionName() == operators.Index)
		}
		if e.AsCall().IsMemberFunction() {
			rewrite(e.AsCall().Target(), false)
		}
	default:
		for _, part := range parts(e) {
			rewrite(part, false)
		}
	}
}

// parts returns the expressions of which e is made.
func parts(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.SelectKind:
		return []ast.Expr{e.AsSelect().Operand()}
	case ast.CallKind:
		if call := e.AsCall(); call.IsMemberFunction() {
			return append([]ast.Expr{call.Target()}, call.Args()...)
		}
		return e.AsCall().Args()
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		return []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()}
	default:
		return nil
	}
}

// within reports whether f holds for e or for an expression in it.
func within(e ast.Expr, f func(ast.Expr) bool) bool {
	return f(e) || slices.ContainsFunc(parts(e), func(part ast.Expr) bool { return within(part, f) })
}

// free reports whether e does not ask about the record.
func free(e ast.Expr) bool {
	return !within(e, func(e ast.Expr) bool {
		return e.Kind() == ast.IdentKind && (e.AsIdent() == nameRecord || e.AsIdent() == nameNext)
	})
}

// constant reports whether e is the same for every question.
func constant(e ast.Expr) bool {
	return free(e) && !within(e, func(e ast.Expr) bool {
		return e.Kind() == ast.IdentKind && (e.AsIdent() == nameAccount || e.AsIdent() == nameNow)
	})
}

// An inspector refuses what CEL has and this language has not.
type inspector struct {
	info  *ast.SourceInfo
	next  bool
	loops int // around what is looked at
}

// inspect looks at e, in which the locals stand for elements of lists.
func (i *inspector) inspect(e ast.Expr, locals []string) error {
	switch e.Kind() {
	case ast.LiteralKind:
		return i.literal(e)
	case ast.IdentKind:
		return i.name(e, locals)
	case ast.SelectKind:
		if i.document(e.AsSelect().Operand()) {
			return nil
		}
	case ast.CallKind:
		if done, err := i.call(e); done || err != nil {
			return err
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		for _, name := range []string{c.IterVar(), c.IterVar2()} {
			if name == nameAccount || name == nameRecord || name == nameNext || name == nameNow {
				return faultAt(i.info, e, codeSyntax, "%s cannot stand for the elements of a list", name)
			}
		}
		if err := i.inspect(c.IterRange(), locals); err != nil {
			return err
		}
		if i.loops++; i.loops > MaxLoops {
			return faultAt(i.info, e, codeCost, "want at most %d loops within one another", MaxLoops)
		}
		defer func() { i.loops-- }()
		locals = append(slices.Clone(locals), c.IterVar(), c.AccuVar())
		for _, part := range []ast.Expr{c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()} {
			if err := i.inspect(part, locals); err != nil {
				return err
			}
		}
		return nil
	case ast.MapKind, ast.StructKind:
		return faultAt(i.info, e, codeSyntax, "objects cannot be written in a rule")
	default: // a list is what its parts are
	}
	for _, part := range parts(e) {
		if err := i.inspect(part, locals); err != nil {
			return err
		}
	}
	return nil
}

// document reports whether e is a name of which members can be asked.
func (i *inspector) document(e ast.Expr) bool {
	return e.Kind() == ast.IdentKind && (e.AsIdent() == nameAccount || e.AsIdent() == nameRecord || e.AsIdent() == nameNext && i.next)
}

func (i *inspector) literal(e ast.Expr) error {
	switch v := e.AsLiteral().(type) {
	case types.Uint, types.Bytes:
		return faultAt(i.info, e, codeSyntax, "want a number or a text")
	case types.Double:
		if math.IsInf(float64(v), 0) {
			return faultAt(i.info, e, codeSyntax, "no number is that great")
		}
	case types.String:
		if !utf8.ValidString(string(v)) || slices.Contains([]byte(v), 0) {
			return faultAt(i.info, e, codeSyntax, "no text of a record has such a character")
		}
	}
	return nil
}

func (i *inspector) name(e ast.Expr, locals []string) error {
	switch name := e.AsIdent(); {
	case slices.Contains(locals, name), name == nameNow:
		return nil
	case i.document(e):
		return faultAt(i.info, e, codeType, "want a member, such as %s.id", name)
	case name == nameNext:
		return faultAt(i.info, e, codeType, "there is no next but in rules to update")
	default:
		return faultAt(i.info, e, codeType, "there is no %s", quoted(name))
	}
}

// call reports whether nothing in e remains to be looked at.
func (i *inspector) call(e ast.Expr) (done bool, err error) {
	call := e.AsCall()
	switch name := call.FunctionName(); {
	case name == operators.Modulo:
		return false, faultAt(i.info, e, codeSyntax, "there is no %%")
	case !known[name]:
		return false, faultAt(i.info, e, codeType, "there is no function %s", quoted(name))
	case name == operators.Equals || name == operators.NotEquals:
		a, b := call.Args()[0], call.Args()[1]
		return isAccount(a) && isNull(b) || isNull(a) && isAccount(b), nil
	case name == overloads.Matches && call.IsMemberFunction() && len(call.Args()) == 1:
		return false, i.pattern(call.Args()[0])
	}
	return false, nil
}

func isAccount(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == nameAccount }

func isNull(e ast.Expr) bool { return e.Kind() == ast.LiteralKind && e.AsLiteral() == types.NullValue }

// pattern refuses what is no constant, and what is no regular expression of RE2
// within the bounds.
func (i *inspector) pattern(e ast.Expr) error {
	if e.Kind() != ast.LiteralKind {
		return faultAt(i.info, e, codeSyntax, "a pattern is written as it is, in quotes")
	}
	text, _ := e.AsLiteral().(types.String)
	if len(text) > MaxPattern {
		return faultAt(i.info, e, codeCost, "want a pattern of at most %d bytes", MaxPattern)
	}
	if _, err := regexp.Compile(string(text)); err != nil {
		return faultAt(i.info, e, codeSyntax, "want a regular expression (RE2)")
	}
	return nil
}

// measurable refuses the size of what never has one.
func measurable(tree *ast.AST) (err error) {
	within(tree.Expr(), func(e ast.Expr) bool {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != functionSize || err != nil {
			return false
		}
		of := parts(e)[0]
		switch t := tree.GetType(of.ID()); t.Kind() {
		case types.StringKind, types.ListKind, types.StructKind, types.DynKind:
		default:
			err = faultAt(tree.SourceInfo(), of, codeType, "%s has no size", kinds(cel.FormatCELType(t)))
		}
		return false
	})
	return err
}

// compareScalars makes functionSame of each comparison of two parts of a record
// for equality of which one should be no list and no object.
func compareScalars(tree *ast.AST) {
	factory, last := ast.NewExprFactory(), ast.MaxID(tree)
	within(tree.Expr(), func(e ast.Expr) bool {
		if e.Kind() != ast.CallKind {
			return false
		}
		name, args := e.AsCall().FunctionName(), e.AsCall().Args()
		if name != operators.Equals && name != operators.NotEquals || free(args[0]) || free(args[1]) ||
			!scalar(tree, args[0]) && !scalar(tree, args[1]) {
			return false
		}
		compared := factory.NewCall(e.ID(), functionSame, args...)
		if name == operators.NotEquals {
			last++
			compared = factory.NewCall(e.ID(), operators.LogicalNot, factory.NewCall(last, functionSame, args...))
			tree.SetType(last, types.BoolType)
			tree.SetReference(last, ast.NewFunctionReference("same"))
			tree.SetReference(e.ID(), ast.NewFunctionReference(overloads.LogicalNot))
		} else {
			tree.SetReference(e.ID(), ast.NewFunctionReference("same"))
		}
		e.SetKindCase(compared)
		return false
	})
}

// scalar reports whether e should be no list and no object.
func scalar(tree *ast.AST, e ast.Expr) bool {
	switch tree.GetType(e.ID()).Kind() {
	case types.StringKind, types.DoubleKind, types.BoolKind, types.TimestampKind, types.NullTypeKind:
		return true
	default:
		return false
	}
}

// sizing knows how many roles an account has.
type sizing struct{}

// EstimateSize returns the bounds of the roles; of all else nothing is known.
func (sizing) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	if slices.Equal(node.Path(), []string{nameAccount, "roles"}) {
		return &cost.SizeEstimate{Min: 0, Max: domain.MaxRoles}
	}
	return nil
}

// EstimateCallCost leaves the costs as they are.
func (sizing) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// plan returns a program for a part of a tree.
func (l *language) plan(tree *ast.AST, e ast.Expr, more ...cel.ProgramOption) (cel.Program, error) {
	part := ast.NewCheckedAST(ast.NewAST(e, tree.SourceInfo()), tree.TypeMap(), tree.ReferenceMap())
	options := append([]cel.ProgramOption{cel.OptimizeRegex(interpreter.MatchesRegexOptimization)}, more...)
	if costly(tree, e) {
		options = append(options, cel.CostLimit(MaxCost))
	}
	p, err := l.env.PlanProgram(part, options...)
	if err != nil {
		return nil, domain.ErrInvalidRule.At("", codeType, "it cannot be evaluated").Because(err)
	}
	return p, nil
}

// costly reports whether e can take more than a few steps for each node and each
// byte that it looks at. Whatever is not costly is evaluated without counting, so
// that long texts are compared as a store compares them.
func costly(tree *ast.AST, e ast.Expr) bool {
	return within(e, func(e ast.Expr) bool {
		if e.Kind() == ast.ComprehensionKind {
			return true
		}
		if e.Kind() != ast.CallKind {
			return false
		}
		name := e.AsCall().FunctionName()
		return name == overloads.Matches || name == operators.Add && tree.GetType(e.ID()).Kind() != types.DoubleKind
	})
}
