package cel

import (
	"sync"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/parser"

	"github.com/keyport-go/keyport/domain"
)

// functionSame is what becomes of == where a side can only be a scalar, and both
// depend on the record. No text can spell it.
const functionSame = "@same"

// functionSize is one function, whose argument is looked at when it is called.
const functionSize = "size"

// known are the functions and operators of the language.
var known = map[string]bool{
	operators.LogicalAnd: true, operators.LogicalOr: true, operators.LogicalNot: true, operators.Conditional: true,
	operators.Equals: true, operators.NotEquals: true,
	operators.Less: true, operators.LessEquals: true, operators.Greater: true, operators.GreaterEquals: true,
	operators.Add: true, operators.Subtract: true, operators.Multiply: true, operators.Divide: true, operators.Negate: true,
	operators.In: true, operators.Index: true, operators.NotStrictlyFalse: true,
	functionSize: true, overloads.Contains: true, overloads.StartsWith: true, overloads.EndsWith: true, overloads.Matches: true,
	overloads.TypeConvertTimestamp: true, overloads.TypeConvertDuration: true,
}

// base returns the language without names.
var base = sync.OnceValues(func() (*cel.Env, error) {
	subset := func(name string, ids ...string) *env.Function {
		f := env.NewFunction(name)
		for _, id := range ids {
			f.Overloads = append(f.Overloads, env.NewOverload(id, nil, nil))
		}
		return f
	}
	standard := env.NewLibrarySubset().SetDisableMacros(true).AddIncludedFunctions(
		subset(operators.LogicalAnd), subset(operators.LogicalOr), subset(operators.LogicalNot), subset(operators.Conditional),
		subset(operators.NotStrictlyFalse), subset(operators.Equals), subset(operators.NotEquals),
		subset(operators.Less, overloads.LessBool, overloads.LessDouble, overloads.LessString, overloads.LessTimestamp, overloads.LessDuration),
		subset(operators.LessEquals, overloads.LessEqualsBool, overloads.LessEqualsDouble, overloads.LessEqualsString, overloads.LessEqualsTimestamp, overloads.LessEqualsDuration),
		subset(operators.Greater, overloads.GreaterBool, overloads.GreaterDouble, overloads.GreaterString, overloads.GreaterTimestamp, overloads.GreaterDuration),
		subset(operators.GreaterEquals, overloads.GreaterEqualsBool, overloads.GreaterEqualsDouble, overloads.GreaterEqualsString, overloads.GreaterEqualsTimestamp, overloads.GreaterEqualsDuration),
		subset(operators.In, overloads.InList), subset(operators.Index, overloads.IndexList),
		subset(overloads.Contains), subset(overloads.StartsWith), subset(overloads.EndsWith), subset(overloads.Matches, overloads.MatchesString),
	)
	return cel.NewCustomEnv(
		cel.StdLib(cel.StdLibSubset(standard)),
		cel.CustomTypeAdapter(values{}),
		cel.EnableErrorOnBadPresenceTest(true),
		cel.ParserRecursionLimit(MaxNesting), cel.ParserErrorRecoveryLimit(1), cel.ParserExpressionSizeLimit(MaxText),
		cel.ExpressionNodeLimit(MaxNodes), cel.RegexProgramSizeLimit(MaxProgram),
		cel.Macros(
			cel.GlobalMacro(operators.Has, 1, presence),
			cel.AllMacro, cel.ExistsMacro, cel.FilterMacro, cel.MapMacro, cel.MapFilterMacro,
		),
		arithmetic(), sizes(), times(),
	)
})

// arithmetic is what domain.Calculate does, what + and - do with texts, lists and
// times, and the equality of scalars.
func arithmetic() cel.EnvOption {
	list := cel.ListType(cel.TypeParamType("A"))
	return options(
		cel.Function(operators.Add,
			binary(overloads.AddDouble, cel.DoubleType, cel.DoubleType, cel.DoubleType, calculate(domain.Add)),
			binary(overloads.AddString, cel.StringType, cel.StringType, cel.StringType, plus),
			binary(overloads.AddList, list, list, list, plus),
			binary(overloads.AddTimestampDuration, cel.TimestampType, cel.DurationType, cel.TimestampType, plus),
			binary(overloads.AddDurationTimestamp, cel.DurationType, cel.TimestampType, cel.TimestampType, plus)),
		cel.Function(operators.Subtract,
			binary(overloads.SubtractDouble, cel.DoubleType, cel.DoubleType, cel.DoubleType, calculate(domain.Subtract)),
			binary(overloads.SubtractTimestampDuration, cel.TimestampType, cel.DurationType, cel.TimestampType, minus),
			binary(overloads.SubtractTimestampTimestamp, cel.TimestampType, cel.TimestampType, cel.DurationType, minus)),
		cel.Function(operators.Multiply,
			binary(overloads.MultiplyDouble, cel.DoubleType, cel.DoubleType, cel.DoubleType, calculate(domain.Multiply))),
		cel.Function(operators.Divide,
			binary(overloads.DivideDouble, cel.DoubleType, cel.DoubleType, cel.DoubleType, calculate(domain.Divide))),
		cel.Function(operators.Negate,
			cel.Overload(overloads.NegateDouble, []*cel.Type{cel.DoubleType}, cel.DoubleType, cel.UnaryBinding(func(v ref.Val) ref.Val {
				return calculate(domain.Subtract)(types.Double(0), v)
			}))),
		cel.Function(functionSame, binary("same", cel.DynType, cel.DynType, cel.BoolType, same)),
	)
}

// sizes are doubles, as all numbers are.
func sizes() cel.EnvOption {
	return cel.Function(functionSize,
		cel.Overload("size_of", []*cel.Type{cel.DynType}, cel.DoubleType, cel.UnaryBinding(size)),
		cel.MemberOverload("of_size", []*cel.Type{cel.DynType}, cel.DoubleType, cel.UnaryBinding(size)))
}

// times are read as the domain reads them, and are of microseconds.
func times() cel.EnvOption {
	return options(
		cel.Function(overloads.TypeConvertTimestamp,
			cel.Overload(overloads.StringToTimestamp, []*cel.Type{cel.StringType}, cel.TimestampType, cel.UnaryBinding(func(v ref.Val) ref.Val {
				text, _ := v.(types.String)
				t, ok := domain.ParseMoment(string(text))
				if !ok {
					return types.NewErr("that text writes no time")
				}
				return types.Timestamp{Time: t.(time.Time)}
			}))),
		cel.Function(overloads.TypeConvertDuration,
			cel.Overload(overloads.StringToDuration, []*cel.Type{cel.StringType}, cel.DurationType, cel.UnaryBinding(func(v ref.Val) ref.Val {
				d, ok := v.ConvertToType(types.DurationType).(types.Duration)
				if !ok {
					return types.NewErr("that text writes no duration")
				}
				return types.Duration{Duration: d.Truncate(time.Microsecond)}
			}))))
}

func options(all ...cel.EnvOption) cel.EnvOption {
	return func(e *cel.Env) (*cel.Env, error) {
		for _, option := range all {
			var err error
			if e, err = option(e); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
}

func binary(id string, left, right, result *cel.Type, f func(a, b ref.Val) ref.Val) cel.FunctionOpt {
	return cel.Overload(id, []*cel.Type{left, right}, result, cel.BinaryBinding(f))
}

func calculate(op domain.Operator) func(a, b ref.Val) ref.Val {
	return func(a, b ref.Val) ref.Val {
		x, ok := a.(types.Double)
		y, too := b.(types.Double)
		if !ok || !too {
			return types.NewErr("only numbers are calculated with")
		}
		f, ok := domain.Calculate(op, float64(x), float64(y))
		if !ok {
			return types.NewErr("there is no such number")
		}
		return types.Double(f)
	}
}

func plus(a, b ref.Val) ref.Val {
	if adder, ok := a.(traits.Adder); ok {
		return adder.Add(b)
	}
	return types.MaybeNoSuchOverloadErr(a)
}

func minus(a, b ref.Val) ref.Val {
	if s, ok := a.(traits.Subtractor); ok {
		return s.Subtract(b)
	}
	return types.MaybeNoSuchOverloadErr(a)
}

// same compares as domain.Compare does with domain.Equal.
func same(a, b ref.Val) ref.Val {
	if composite(a) && composite(b) {
		return types.NewErr("lists and objects are not compared with what should be neither")
	}
	return types.Equal(a, b)
}

// size is what domain.Size has.
func size(v ref.Val) ref.Val {
	switch v := v.(type) {
	case types.String:
		return types.Double(utf8.RuneCountInString(string(v)))
	case traits.Lister:
		return types.Double(v.Size().(types.Int))
	case traits.Mapper:
		return types.Double(v.Size().(types.Int))
	}
	return types.NewErr("only texts, lists and objects have a size")
}

// presence is the macro has: it takes record.data.name, and record.data["a name"]
// as well.
func presence(h parser.ExprHelper, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	switch e := args[0]; e.Kind() {
	case ast.SelectKind:
		return h.NewPresenceTest(e.AsSelect().Operand(), e.AsSelect().FieldName()), nil
	default:
		if operand, name, ok := named(e); ok {
			return h.NewPresenceTest(operand, name), nil
		}
	}
	return nil, h.NewError(args[0].ID(), "has() macro: want a member, such as has(record.data.name)")
}

// named returns what an index with a constant text is, a member of an object.
func named(e ast.Expr) (operand ast.Expr, name string, ok bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Index {
		return nil, "", false
	}
	args := e.AsCall().Args()
	if args[1].Kind() != ast.LiteralKind {
		return nil, "", false
	}
	text, ok := args[1].AsLiteral().(types.String)
	return args[0], string(text), ok
}
