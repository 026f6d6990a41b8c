package schema

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/keyport-go/keyport/domain"
)

const (
	maxFields = 32   // that are told
	maxFaults = 1000 // that are looked at
)

// fields returns what a verdict blames, as JSON pointers below base, sorted,
// each fault of a place once, at most maxFields.
func fields(base string, verdict *jsonschema.ValidationError) []domain.Field {
	var all []domain.Field
	collect(base, verdict, &all)
	slices.SortFunc(all, func(a, b domain.Field) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Problem, b.Problem))
	})
	all = slices.Compact(all)
	return all[:min(len(all), maxFields)]
}

// collect adds the leaves of a verdict. That no item fits is one leaf, and not
// as many as there are items.
func collect(base string, verdict *jsonschema.ValidationError, all *[]domain.Field) {
	if len(*all) >= maxFaults {
		return
	}
	switch verdict.ErrorKind.(type) {
	case *kind.Contains, *kind.MinContains:
	default:
		for _, cause := range verdict.Causes {
			collect(base, cause, all)
		}
		if len(verdict.Causes) > 0 {
			return
		}
	}
	at := base
	for _, token := range verdict.InstanceLocation {
		at += "/" + escape(token)
	}
	*all = append(*all, describe(at, verdict)...)
}

// describe says what is wanted at a place. The values that were found there are
// not repeated: one of them might be a password.
func describe(at string, leaf *jsonschema.ValidationError) []domain.Field {
	say := func(code, format string, args ...any) []domain.Field {
		return []domain.Field{{Path: at, Code: code, Problem: fmt.Sprintf(format, args...)}}
	}
	each := func(names []string, code, problem string) []domain.Field {
		out := make([]domain.Field, len(names))
		for i, name := range names {
			out[i] = domain.Field{Path: at + "/" + escape(name), Code: code, Problem: problem}
		}
		return out
	}
	switch k := leaf.ErrorKind.(type) {
	case *kind.Required:
		return each(k.Missing, "required", "it is required")
	case *kind.DependentRequired:
		return each(k.Missing, "dependentRequired", "it is required beside another member")
	case *kind.Dependency:
		return each(k.Missing, "dependencies", "it is required beside another member")
	case *kind.AdditionalProperties:
		return each(k.Properties, "additionalProperties", "no such member is allowed")
	case *kind.Type:
		return say("type", "want %s", strings.Join(k.Want, " or "))
	case *kind.Enum:
		return say("enum", "want one of the values that the schema lists")
	case *kind.Const:
		return say("const", "want the value that the schema gives")
	case *kind.Format:
		if bad, ok := errors.AsType[misnamedError](k.Err); ok {
			return each(bad, "propertyNames", "no member may have such a name")
		}
		if k.Want == "regex" {
			return say("format", patternWanted)
		}
		return say("format", "want a text in the format %s", k.Want)
	case *kind.Pattern:
		return say("pattern", "want a text that matches the schema's pattern")
	case *kind.MinLength:
		return say("minLength", "want at least %d characters", k.Want)
	case *kind.MaxLength:
		return say("maxLength", "want at most %d characters", k.Want)
	case *kind.MinItems:
		return say("minItems", "want at least %d items", k.Want)
	case *kind.MaxItems:
		return say("maxItems", "want at most %d items", k.Want)
	case *kind.MinProperties:
		return say("minProperties", "want at least %d members", k.Want)
	case *kind.MaxProperties:
		return say("maxProperties", "want at most %d members", k.Want)
	case *kind.UniqueItems:
		return say("uniqueItems", "want no item twice")
	case *kind.Contains:
		return say("contains", "want an item of the kind that the schema describes")
	case *kind.MinContains:
		return say("minContains", "want at least %d items of the kind that the schema describes", k.Want)
	case *kind.MaxContains:
		return say("maxContains", "want at most %d items of the kind that the schema describes", k.Want)
	case *kind.Minimum:
		return say("minimum", "want at least %s", decimal(k.Want))
	case *kind.Maximum:
		return say("maximum", "want at most %s", decimal(k.Want))
	case *kind.ExclusiveMinimum:
		return say("exclusiveMinimum", "want more than %s", decimal(k.Want))
	case *kind.ExclusiveMaximum:
		return say("exclusiveMaximum", "want less than %s", decimal(k.Want))
	case *kind.MultipleOf:
		return say("multipleOf", "want a multiple of %s", decimal(k.Want))
	case *kind.OneOf:
		return say("oneOf", "want something that fits exactly one of the alternatives")
	case *kind.AnyOf:
		return say("anyOf", "want something that fits one of the alternatives")
	case *kind.Not:
		return say("not", "want something that does not fit what the schema excludes")
	case *kind.FalseSchema:
		return say(forbidding(leaf.SchemaURL), "nothing is allowed here")
	}
	return say("schema", "it does not fit the schema")
}

// forbidding returns the keyword whose subschema false allows nothing, or
// "false" where it is the author's name that stands last.
func forbidding(address string) string {
	for _, keyword := range []string{"unevaluatedProperties", "unevaluatedItems", "items"} {
		if strings.HasSuffix(address, "/"+keyword) {
			return keyword
		}
	}
	return "false"
}

// decimal writes a bound of the schema: whole numbers of up to 20 digits as they
// are, others to 17 digits.
func decimal(r *big.Rat) string {
	if s := r.Num().String(); r.IsInt() && len(s) <= 20 {
		return s
	}
	return new(big.Float).SetRat(r).Text('g', 17)
}

// escape and unescape write a name as a token of a JSON pointer and back (RFC
// 6901, section 3).
func escape(name string) string { return escapes.Replace(name) }

func unescape(token string) string { return unescapes.Replace(token) }

var (
	escapes   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapes = strings.NewReplacer("~1", "/", "~0", "~")
)
