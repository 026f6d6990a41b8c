package cel

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/keyport-go/keyport/domain"
)

// The names of the types of what a rule can name. An object of the data has the
// name objectType, "#", and in hexadecimal digits the JSON pointer of the schema
// that describes it, so that a schema that contains itself is no trouble.
const (
	accountType = "account"
	recordType  = "record"
	objectType  = "object"
)

// maxReferences bounds the references that lead to one schema.
const maxReferences = 8

// A shape tells the type checker what the data looks like. It says nothing that
// the evaluation relies on: data that does not fit is judged as it is.
type shape struct{ schema map[string]any }

func newShape(schema domain.Document) shape { return shape{schema.Tree()} }

// data returns the type of the data itself, which is an object.
func (s shape) data() *types.Type { return object("") }

func object(pointer string) *types.Type {
	return types.NewObjectType(objectType + "#" + hex.EncodeToString([]byte(pointer)))
}

// at returns the type that the schema at a pointer describes.
func (s shape) at(pointer string) *types.Type {
	schema, pointer := s.resolve(pointer)
	if schema == nil {
		return types.DynType
	}
	names, known := s.names(schema)
	if !known {
		return types.DynType
	}
	null := slices.Contains(names, "null")
	names = slices.DeleteFunc(names, func(n string) bool { return n == "null" })
	slices.Sort(names)
	names = slices.Compact(names)
	switch {
	case len(names) == 0 && null:
		return types.NullType
	case len(names) != 1:
		return types.DynType
	case names[0] == "array" && !null:
		items := types.DynType
		if _, tuple := schema["prefixItems"]; !tuple {
			items = s.at(pointer + "/items")
		}
		return types.NewListType(items)
	case names[0] == "object":
		if _, own := schema["type"]; own {
			return object(pointer)
		}
	}
	simple, ok := map[string]*types.Type{"string": types.StringType, "number": types.DoubleType, "boolean": types.BoolType}[names[0]]
	switch {
	case !ok:
		return types.DynType
	case null:
		return types.NewNullableType(simple)
	}
	return simple
}

// names returns the types that a schema allows by their names, integers as
// numbers; false if it does not tell.
func (s shape) names(schema map[string]any) (names []string, known bool) {
	switch t := schema["type"].(type) {
	case string:
		names = []string{t}
	case []any:
		for _, name := range t {
			text, _ := name.(string)
			names = append(names, text)
		}
	default:
		return s.alternatives(schema)
	}
	for i := range names {
		if names[i] == "integer" {
			names[i] = "number"
		}
	}
	return names, true
}

// alternatives returns the types of a schema that only says what it is one of.
func (s shape) alternatives(schema map[string]any) (names []string, known bool) {
	for _, keyword := range []string{"anyOf", "oneOf"} {
		branches, ok := schema[keyword].([]any)
		if !ok {
			continue
		}
		for _, branch := range branches {
			b, _ := branch.(map[string]any)
			if b["type"] == nil {
				return nil, false
			}
			more, _ := s.names(b)
			names = append(names, more...)
		}
		return names, true
	}
	return nil, false
}

// resolve returns the schema at a pointer, or the one to which that refers, and
// its pointer; nil if it says nothing, or refers to what is not in the schema.
func (s shape) resolve(pointer string) (map[string]any, string) {
	for range maxReferences {
		schema, _ := s.walk(pointer).(map[string]any)
		reference, ok := schema["$ref"].(string)
		if _, own := schema["type"]; !ok || own {
			return schema, pointer
		}
		local, ok := strings.CutPrefix(reference, "#")
		local, err := url.PathUnescape(local)
		if !ok || err != nil || local != "" && local[0] != '/' {
			return nil, ""
		}
		pointer = local
	}
	return nil, ""
}

// walk returns what a JSON pointer (RFC 6901) leads to; nil if to nothing.
func (s shape) walk(pointer string) any {
	var v any = s.schema
	if pointer == "" {
		return v
	}
	for _, token := range strings.Split(pointer[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch at := v.(type) {
		case map[string]any:
			v = at[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// member returns the type of a member of the object that the schema at a pointer
// describes; false if there can be no such member.
func (s shape) member(pointer, name string) (*types.Type, bool) {
	schema, pointer := s.resolve(pointer)
	properties, _ := schema["properties"].(map[string]any)
	if _, ok := properties[name]; ok {
		return s.at(pointer + "/properties/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)), true
	}
	_, patterns := schema["patternProperties"]
	return types.DynType, schema["additionalProperties"] != false || patterns
}

// FindStructFieldType returns the type of a member, and how to get it of what is
// no document.
func (s shape) FindStructFieldType(structType, field string) (*types.FieldType, bool) {
	switch structType {
	case accountType:
		f, ok := accountFields[field]
		return f, ok
	case recordType:
		if field == "data" {
			return &types.FieldType{Type: s.data(), IsSet: isRow, GetFrom: getData}, true
		}
		f, ok := recordFields[field]
		return f, ok
	}
	pointer, ok := pointerOf(structType)
	if !ok {
		return nil, false
	}
	t, ok := s.member(pointer, field)
	return &types.FieldType{Type: t}, ok
}

func pointerOf(structType string) (string, bool) {
	digits, ok := strings.CutPrefix(structType, objectType+"#")
	pointer, err := hex.DecodeString(digits)
	return string(pointer), ok && err == nil
}

// FindStructType finds the types that FindStructFieldType knows.
func (s shape) FindStructType(structType string) (*types.Type, bool) {
	_, ok := pointerOf(structType)
	if !ok && structType != accountType && structType != recordType {
		return nil, false
	}
	return types.NewTypeTypeWithParam(types.NewObjectType(structType)), true
}

// FindStructFieldNames returns none: it serves to write objects, which a rule
// cannot.
func (shape) FindStructFieldNames(string) ([]string, bool) { return nil, false }

// EnumValue fails: there are none.
func (shape) EnumValue(string) ref.Val { return types.NewErr("there are no enumerations") }

// FindIdent finds none: a rule names no types.
func (shape) FindIdent(string) (ref.Val, bool) { return nil, false }

// NewValue fails: a rule writes no objects.
func (shape) NewValue(string, map[string]ref.Val) ref.Val {
	return types.NewErr("objects cannot be written")
}
