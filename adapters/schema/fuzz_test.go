package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/schema"
	"github.com/keyport-go/keyport/domain"
)

// Whatever the schema and whatever the record: both are taken, or refused with
// the failure that the port names and with places that can be looked up.
func FuzzCompileAndCheck(f *testing.F) {
	for _, seed := range [][2]string{
		{`{}`, `{}`},
		{`{"type": "object", "required": ["a"], "additionalProperties": false}`, `{"b": 1}`},
		{`{"properties": {"a": {"$ref": "#"}, "n": {"minimum": 1, "multipleOf": 0.5}}}`, `{"a": {"a": {"n": 1e1000}}}`},
		{`{"$dynamicAnchor": "x", "items": {"$dynamicRef": "#x"}, "unevaluatedProperties": false}`, `{"a": [[[]]]}`},
		{`{"$id": "urn:x:y", "$anchor": "a", "oneOf": [{"$ref": "#/$defs/b"}, {"$ref": "#a"}], "$defs": {"b": {"propertyNames": {"pattern": "^.$"}}}}`, `{"ab": null}`},
		{`{"patternProperties": {"^x-": {"format": "date-time"}}, "dependencies": {"a": ["b"], "c": {"not": {}}}}`, `{"a": 1, "c": 2, "x-": "y"}`},
		{`{"properties": {"a": {"prefixItems": [true, false], "contains": {"const": 1}, "uniqueItems": true, "maxContains": 0}}}`, `{"a": [1, 1, {}]}`},
		{`{"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveRef": "#"}`, `{}`},
		{`{"if": {"enum": [{}, null]}, "then": {"minProperties": 1}, "else": {"dependentSchemas": {"a": {"$ref": "#/else"}}}}`, `{"a": 1}`},
		{`{"$ref": "#/%zz"}`, `{}`},
		{`{"definitions": {"a": {"$id": "#frag"}}, "$vocabulary": {"x": true}, "$comment": 1}`, `{}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, data string) {
		declared, err := domain.ParseDocument([]byte(text))
		if err != nil {
			return
		}
		s, err := schema.New().Compile(declared)
		if err != nil {
			lookUp(t, err, domain.ErrInvalidSchema, "/schema")
			return
		}
		sent, err := domain.ParseDocument([]byte(data))
		if err != nil {
			return
		}
		if err := s.Check(sent); err != nil {
			lookUp(t, err, domain.ErrInvalidRecord, "/data")
		}
	})
}

func lookUp(t *testing.T, err error, want *domain.Error, base string) {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Code != want.Code || len(e.Fields) == 0 || len(e.Fields) > 32 {
		t.Fatalf("%+v", err)
	}
	for _, field := range e.Fields {
		if field.Path != base && !strings.HasPrefix(field.Path, base+"/") || field.Code == "" || field.Problem == "" {
			t.Errorf("%+v", field)
		}
	}
}
