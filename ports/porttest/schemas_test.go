package porttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func TestASmallCompilerKeepsItsPromises(t *testing.T) {
	TestSchemas(t, func(*testing.T) ports.SchemaCompiler { return small{} })
}

func TestLyingSchemasAreCaught(t *testing.T) {
	known := make(map[string]bool)
	for name, l := range map[string]struct {
		compiler ports.SchemaCompiler
		caught   []string
	}{
		"knows no references":    {small{strictness: noReferences}, []string{"schemas are read"}},
		"reads every schema":     {small{strictness: anything}, []string{"what is no schema is refused"}},
		"refuses all data":       {bentSchemas{func(domain.Document, error) error { return domain.ErrInvalidRecord.At("/data", "x", "x") }}, []string{"data that fits is accepted", "data that does not fit is refused where it does not", "schemas are read"}},
		"accepts all data":       {bentSchemas{func(domain.Document, error) error { return nil }}, []string{"data that does not fit is refused where it does not"}},
		"names no place":         {bentSchemas{unplaced}, []string{"data that does not fit is refused where it does not"}},
		"names one place":        {bentSchemas{onePlace}, []string{"data that does not fit is refused where it does not"}},
		"names places elsewhere": {bentSchemas{displaced}, []string{"data that does not fit is refused where it does not"}},
	} {
		caught := catchers(t.Context(), schemas, func() ports.SchemaCompiler { return l.compiler })
		if !slices.Equal(caught, sorted(l.caught)) {
			t.Errorf("who %s was caught by %q, want %q", name, caught, sorted(l.caught))
		}
		for _, c := range l.caught {
			known[c] = true
		}
	}
	if len(known) != len(schemas) {
		t.Errorf("%d of %d clauses catch a liar", len(known), len(schemas))
	}
}

// bentSchemas changes what an honest schema says of data.
type bentSchemas struct {
	bend func(domain.Document, error) error
}

func (l bentSchemas) Compile(text domain.Document) (ports.Schema, error) {
	s, err := small{}.Compile(text)
	if err != nil {
		return nil, err
	}
	return bentSchema{s, l.bend}, nil
}

type bentSchema struct {
	honest ports.Schema
	bend   func(domain.Document, error) error
}

func (s bentSchema) Check(data domain.Document) error { return s.bend(data, s.honest.Check(data)) }

func unplaced(_ domain.Document, err error) error {
	if err != nil {
		return domain.ErrInvalidRecord
	}
	return nil
}

func onePlace(_ domain.Document, err error) error {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return domain.ErrInvalidRecord.At(e.Fields[0].Path, "x", "x")
	}
	return nil
}

func displaced(_ domain.Document, err error) error {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.At("/elsewhere", "x", "x")
	}
	return nil
}

type strictness int

const (
	honest strictness = iota
	noReferences
	anything
)

// small is a compiler of as much JSON Schema as the suite uses.
type small struct{ strictness strictness }

func (c small) Compile(text domain.Document) (ports.Schema, error) {
	root := text.Tree()
	if err := c.sound(root, root); err != nil && c.strictness != anything {
		return nil, domain.ErrInvalidSchema.Because(err)
	}
	return smallSchema{root, root}, nil
}

var types = []string{"object", "array", "string", "number", "integer"}

// sound fails unless s is a schema whose references lead into root.
func (c small) sound(root, s map[string]any) error {
	if name, there := s["type"]; there {
		if text, ok := name.(string); !ok || !slices.Contains(types, text) {
			return fmt.Errorf("type %v", name)
		}
	}
	if names, there := s["required"]; there {
		if _, ok := names.([]any); !ok {
			return fmt.Errorf("required %v", names)
		}
	}
	if least, there := s["minimum"]; there {
		if _, ok := number(least); !ok {
			return fmt.Errorf("minimum %v", least)
		}
	}
	if ref, there := s["$ref"]; there && (target(root, ref) == nil || c.strictness == noReferences) {
		return fmt.Errorf("$ref %v", ref)
	}
	for _, part := range parts(s) {
		if err := c.sound(root, part); err != nil {
			return err
		}
	}
	return nil
}

// parts are the schemas within a schema.
func parts(s map[string]any) (list []map[string]any) {
	for _, name := range []string{"properties", "$defs"} {
		members, _ := s[name].(map[string]any)
		for _, v := range members {
			if part, ok := v.(map[string]any); ok {
				list = append(list, part)
			}
		}
	}
	if items, ok := s["items"].(map[string]any); ok {
		list = append(list, items)
	}
	return list
}

// target is what a reference into the same document leads to, or nil.
func target(root map[string]any, ref any) map[string]any {
	text, _ := ref.(string)
	name, ok := strings.CutPrefix(text, "#/$defs/")
	defs, _ := root["$defs"].(map[string]any)
	s, _ := defs[name].(map[string]any)
	if !ok {
		return nil
	}
	return s
}

func number(v any) (float64, bool) {
	n, ok := v.(interface{ Float64() (float64, error) })
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

type smallSchema struct{ root, s map[string]any }

func (s smallSchema) Check(data domain.Document) error {
	e := domain.ErrInvalidRecord
	s.check("/data", data.Tree(), func(path string) { e = e.At(path, "misfit", "want something else") })
	if e == domain.ErrInvalidRecord {
		return nil
	}
	return e
}

// check blames each place below path that does not fit.
func (s smallSchema) check(path string, v any, blame func(string)) {
	if part := target(s.root, s.s["$ref"]); part != nil {
		smallSchema{s.root, part}.check(path, v, blame)
	}
	if !s.fits(v) {
		blame(path)
		return
	}
	members, _ := v.(map[string]any)
	properties, _ := s.s["properties"].(map[string]any)
	for name, part := range properties {
		if member, there := members[name]; there {
			at := path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
			smallSchema{s.root, part.(map[string]any)}.check(at, member, blame)
		}
	}
	array, _ := v.([]any)
	if items, ok := s.s["items"].(map[string]any); ok {
		for i, item := range array {
			smallSchema{s.root, items}.check(fmt.Sprintf("%s/%d", path, i), item, blame)
		}
	}
}

// fits looks at a value and not into it.
func (s smallSchema) fits(v any) bool {
	n, isNumber := number(v)
	_, isString := v.(string)
	members, isObject := v.(map[string]any)
	_, isArray := v.([]any)
	if name, there := s.s["type"]; there {
		is := map[any]bool{"object": isObject, "array": isArray, "string": isString && !isNumber, "number": isNumber, "integer": isNumber && n == float64(int64(n))}
		if !is[name] {
			return false
		}
	}
	if least, ok := number(s.s["minimum"]); ok && isNumber && n < least {
		return false
	}
	required, _ := s.s["required"].([]any)
	return !isObject || !slices.ContainsFunc(required, func(name any) bool {
		_, there := members[name.(string)]
		return !there
	})
}
