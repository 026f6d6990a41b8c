package cel

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"

	"github.com/keyport-go/keyport/domain"
)

// The codes of what can be wrong with a rule.
const (
	codeSyntax         = "syntax"
	codeType           = "type"
	codeCost           = "cost"
	codeLong           = "too-long"
	codeUntranslatable = "untranslatable"
)

// fault returns domain.ErrInvalidRule. Lines and columns count from 1, columns in
// code points.
func fault(at common.Location, code, problem string) error {
	if at == nil || at.Line() < 1 {
		return domain.ErrInvalidRule.At("", code, problem)
	}
	return domain.ErrInvalidRule.At("", code, fmt.Sprintf("line %d, column %d: %s", at.Line(), max(1, at.Column()+1), problem))
}

// faultAt blames an expression.
func faultAt(info *ast.SourceInfo, e ast.Expr, code, format string, args ...any) error {
	return fault(info.GetStartLocation(e.ID()), code, fmt.Sprintf(format, args...))
}

// unreadable says the first of what the parser found.
func unreadable(issues *cel.Issues) error {
	e := first(issues)
	switch m := e.Message; {
	case strings.Contains(m, "recursion"), strings.Contains(m, "nesting"):
		return fault(e.Location, codeCost, "it nests too deeply")
	case strings.Contains(m, "exceeds limit"), strings.Contains(m, "node count"):
		return fault(e.Location, codeCost, fmt.Sprintf("it has more than %d parts", MaxNodes))
	case strings.Contains(m, "<EOF>'"):
		return fault(e.Location, codeSyntax, "something is missing here")
	case strings.Contains(m, "reserved identifier"):
		return fault(e.Location, codeSyntax, "that word is reserved")
	case strings.Contains(m, "literal"):
		return fault(e.Location, codeSyntax, "that literal cannot be read")
	case strings.Contains(m, "has() macro"), strings.Contains(m, "simple name"), strings.Contains(m, "iteration variable"):
		return fault(e.Location, codeSyntax, short(m))
	}
	return fault(e.Location, codeSyntax, "the text cannot be read from here on")
}

// unfit says the first of what the type checker found.
func unfit(issues *cel.Issues) error {
	e := first(issues)
	m := e.Message
	switch {
	case strings.Contains(m, "regex program size"):
		return fault(e.Location, codeCost, fmt.Sprintf("want a pattern of at most %d steps", MaxProgram))
	case strings.HasPrefix(m, "undefined field"):
		m = "there is no member " + strings.TrimPrefix(m, "undefined field ")
	default:
		if parts := overload.FindStringSubmatch(m); parts != nil {
			m = fmt.Sprintf("%s does not take %s", spoken(parts[1]), kinds(parts[2]))
		} else if parts := mismatch.FindStringSubmatch(m); parts != nil {
			m = fmt.Sprintf("want %s, not %s", kinds(parts[1]), kinds(parts[2]))
		} else {
			m = kinds(m)
		}
	}
	return fault(e.Location, codeType, short(m))
}

func first(issues *cel.Issues) *cel.Error {
	if all := issues.Errors(); len(all) > 0 {
		return all[0]
	}
	return &cel.Error{Location: common.NoLocation}
}

var (
	overload = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
	mismatch = regexp.MustCompile(`^expected type '([^']*)' but found '([^']*)'$`)
	kind     = regexp.MustCompile(objectType + `#[0-9a-f]*|wrapper|google\.protobuf\.Timestamp|google\.protobuf\.Duration|\b(?:double|int|bool|dyn|timestamp|duration)\b`)
)

// kinds names types as the manual does.
func kinds(text string) string {
	return kind.ReplaceAllStringFunc(text, func(name string) string {
		switch name {
		case "double", "int":
			return "number"
		case "bool":
			return "boolean"
		case "dyn":
			return "any"
		case "wrapper":
			return "nullable"
		case "google.protobuf.Timestamp", "timestamp":
			return "time"
		case "google.protobuf.Duration", "duration":
			return "duration"
		}
		return "object"
	})
}

// spoken returns an operator as it is written in a rule.
func spoken(function string) string {
	return strings.Trim(function, "_@")
}

// short returns at most 160 code points of m, none of them a control character:
// m may quote a rule.
func short(m string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, m))
	if len(runes) > 160 {
		return string(runes[:159]) + "…"
	}
	return string(runes)
}

// quoted returns a name as a problem may show it.
func quoted(name string) string {
	if runes := []rune(name); len(runes) > 40 {
		name = string(runes[:39]) + "…"
	}
	return fmt.Sprintf("%q", name)
}
