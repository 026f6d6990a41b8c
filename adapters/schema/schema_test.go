package schema_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/adapters/schema"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestSchemas(t *testing.T) {
	porttest.TestSchemas(t, func(*testing.T) ports.SchemaCompiler { return schema.New() })
}

func document(t testing.TB, text string) domain.Document {
	t.Helper()
	d, err := domain.ParseDocument([]byte(text))
	if err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
	return d
}

func compiled(t testing.TB, text string) ports.Schema {
	t.Helper()
	s, err := schema.New().Compile(document(t, text))
	if err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
	return s
}

// faults returns "path code" for each field of a failure of the given code.
func faults(t testing.TB, err error, want *domain.Error) []string {
	t.Helper()
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Code != want.Code {
		t.Fatalf("got %v, want %s", err, want.Code)
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.Path+" "+f.Code)
	}
	return out
}

func TestDataIsBlamedWhereItIsAtFault(t *testing.T) {
	for _, c := range []struct{ name, schema, data, want string }{
		{"a missing member is named itself", `{"required": ["crew", "a/b~c"]}`, `{}`, "/data/a~1b~0c required, /data/crew required"},
		{"a member of another type", `{"properties": {"crew": {"type": "integer"}}}`, `{"crew": "7"}`, "/data/crew type"},
		{"a fraction is no integer", `{"properties": {"crew": {"type": "integer"}}}`, `{"crew": 7.5}`, "/data/crew type"},
		{"a number below the least", `{"properties": {"crew": {"minimum": 1}}}`, `{"crew": 0}`, "/data/crew minimum"},
		{"a number above the most", `{"properties": {"crew": {"maximum": 1}}}`, `{"crew": 2}`, "/data/crew maximum"},
		{"a number at an open bound", `{"properties": {"n": {"exclusiveMinimum": 1, "exclusiveMaximum": 1}}}`, `{"n": 1}`, "/data/n exclusiveMaximum, /data/n exclusiveMinimum"},
		{"a number off the grid", `{"properties": {"n": {"multipleOf": 0.1}}}`, `{"n": 0.25}`, "/data/n multipleOf"},
		{"members that are not allowed", `{"additionalProperties": false}`, `{"x/y": 1, "z": 2}`, "/data/x~1y additionalProperties, /data/z additionalProperties"},
		{"members that nothing has evaluated", `{"allOf": [{"properties": {"a": true}}], "unevaluatedProperties": false}`, `{"a": 1, "b": 2}`, "/data/b unevaluatedProperties"},
		{"a member that false forbids", `{"properties": {"a": false}}`, `{"a": 1}`, "/data/a false"},
		{
			"names that are not allowed, below siblings of the same shape", `{"additionalProperties": {"additionalProperties": {"propertyNames": {"maxLength": 1}}}}`,
			`{"a": {"b": {"long": 1}, "c": {"s": 1}, "d": {"s": 1}}}`, "/data/a/b/long propertyNames",
		},
		{"a value beside the list", `{"properties": {"a": {"enum": ["x", 1]}}}`, `{"a": "y"}`, "/data/a enum"},
		{"a value other than the one", `{"properties": {"a": {"const": 1}}}`, `{"a": 2}`, "/data/a const"},
		{"an address that is none", `{"properties": {"a": {"format": "email"}}}`, `{"a": "b"}`, "/data/a format"},
		{"a pattern that does not match", `{"properties": {"a": {"pattern": "^x+$"}}}`, `{"a": "y"}`, "/data/a pattern"},
		{"a text too short in characters", `{"properties": {"a": {"minLength": 2}}}`, `{"a": "é"}`, "/data/a minLength"},
		{"a text too long in characters", `{"properties": {"a": {"maxLength": 1}}}`, `{"a": "éé"}`, "/data/a maxLength"},
		{"items at fault by number", `{"properties": {"a": {"items": {"type": "string"}}}}`, `{"a": ["x", 1, "y", 2]}`, "/data/a/1 type, /data/a/3 type"},
		{"too few and too many items", `{"properties": {"a": {"minItems": 1}, "b": {"maxItems": 1}}}`, `{"a": [], "b": [1, 2]}`, "/data/a minItems, /data/b maxItems"},
		{"an item twice, by value", `{"properties": {"a": {"uniqueItems": true}}}`, `{"a": [1, 1.0]}`, "/data/a uniqueItems"},
		{"no item that fits is one fault", `{"properties": {"a": {"contains": {"type": "string"}}}}`, `{"a": [1, 2, 3]}`, "/data/a contains"},
		{"too few items that fit", `{"properties": {"a": {"contains": {"type": "string"}, "minContains": 2}}}`, `{"a": ["x", 2]}`, "/data/a minContains"},
		{"too many items that fit", `{"properties": {"a": {"contains": true, "maxContains": 1}}}`, `{"a": [1, 2]}`, "/data/a maxContains"},
		{"too few and too many members", `{"minProperties": 2, "properties": {"a": {"maxProperties": 0}}}`, `{"a": {"b": 1}}`, "/data minProperties, /data/a maxProperties"},
		{"a member that another one asks for", `{"dependentRequired": {"a": ["b"]}}`, `{"a": 1}`, "/data/b dependentRequired"},
		{"each alternative", `{"properties": {"a": {"anyOf": [{"type": "null"}, {"minLength": 1}]}}}`, `{"a": ""}`, "/data/a minLength, /data/a type"},
		{"two alternatives where one is wanted", `{"oneOf": [true, true]}`, `{}`, "/data oneOf"},
		{"what is excluded", `{"not": {"required": ["a"]}}`, `{"a": 1}`, "/data not"},
		{"a condition's consequence", `{"if": {"required": ["a"]}, "then": {"required": ["b"]}}`, `{"a": 1}`, "/data/b required"},
		{"what a reference leads to", `{"$defs": {"n": {"type": "number"}}, "properties": {"a": {"$ref": "#/$defs/n"}}}`, `{"a": ""}`, "/data/a type"},
		{"a tree, in its depth", `{"properties": {"next": {"$ref": "#"}, "n": {"type": "number"}}}`, `{"next": {"next": {"n": "x"}}}`, "/data/next/next/n type"},
		{"what an anchor names", `{"$defs": {"n": {"$anchor": "num", "type": "number"}}, "properties": {"a": {"$ref": "#num"}}}`, `{"a": ""}`, "/data/a type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := compiled(t, c.schema)
			for range 2 {
				got := strings.Join(faults(t, s.Check(document(t, c.data)), domain.ErrInvalidRecord), ", ")
				if got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
		})
	}
}

func TestDataThatFitsIsAccepted(t *testing.T) {
	for _, c := range []struct{ name, schema, data string }{
		{"anything, where nothing is asked", `{}`, `{"a": 1}`},
		{"a whole number in another spelling", `{"properties": {"n": {"type": "integer", "minimum": 1}}}`, `{"n": 10e-1}`},
		{"a number beyond every float", `{"properties": {"n": {"multipleOf": 1e-1000, "exclusiveMinimum": 1e999}}}`, `{"n": 1e1000}`},
		{"decimal fractions exactly", `{"properties": {"n": {"multipleOf": 0.1}}}`, `{"n": 0.3}`},
		{"a format outside the set", `{"properties": {"a": {"format": "shoe-size"}}}`, `{"a": "b"}`},
		{"a keyword outside the vocabulary", `{"x-note": {"$comment": "ours"}, "type": "object"}`, `{}`},
		{"the draft by its name, and an id", `{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.org/ship", "$ref": "#/$defs/a", "$defs": {"a": true}}`, `{}`},
		{"members with the names of keywords", `{"properties": {"$ref": {"type": "string"}, "$id": true, "maxLength": true}}`, `{"$ref": "http://example.org/", "$id": 1}`},
		{"a pointer with escapes", `{"$defs": {"a/b~ c": {"type": "object"}}, "$ref": "#/$defs/a~1b~0%20c"}`, `{}`},
		{"a dynamic reference", `{"$dynamicAnchor": "node", "properties": {"next": {"$dynamicRef": "#node"}}}`, `{"next": {"next": {}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := compiled(t, c.schema).Check(document(t, c.data)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchemasAreBlamedWhereTheyAreAtFault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "other.json")
	if err := os.WriteFile(file, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, schema, want string }{
		{"a file", `{"properties": {"a": {"$ref": "file://` + file + `"}}}`, "/schema/properties/a/$ref reference"},
		{"another host", `{"$ref": "https://example.org/schema"}`, "/schema/$ref reference"},
		{"a neighbour of its id", `{"$id": "https://example.org/a", "$ref": "b"}`, "/schema/$ref reference"},
		{"the schema of schemas", `{"$ref": "https://json-schema.org/draft/2020-12/schema"}`, "/schema/$ref reference"},
		{"a pointer to nothing", `{"properties": {"a/b": {"$ref": "#/$defs/none"}}}`, "/schema/properties/a~1b/$ref reference"},
		{"a pointer beyond a list", `{"allOf": [{"$ref": "#/allOf/1"}]}`, "/schema/allOf/0/$ref reference"},
		{"an anchor that is nowhere", `{"$dynamicRef": "#none"}`, "/schema/$dynamicRef reference"},
		{"a reference to what is no schema", `{"$ref": "#/required", "required": ["a"]}`, "/schema/required type"},
		{"a second id", `{"properties": {"a": {"$id": "https://example.org/a"}}}`, "/schema/properties/a/$id id"},
		{"an older draft", `{"$schema": "http://json-schema.org/draft-07/schema#"}`, "/schema/$schema draft"},
		{"a draft of one's own", `{"$schema": "file://` + file + `"}`, "/schema/$schema draft"},
		{"an unknown type", `{"properties": {"a": {"type": "text"}}}`, "/schema/properties/a/type enum, /schema/properties/a/type type"},
		{"a root that is no object", `{"type": "array"}`, "/schema/type type"},
		{"a bound that is no number", `{"minProperties": "1"}`, "/schema/minProperties type"},
		{"a count that does not fit in 64 bits", `{"maxProperties": 18446744073709551616}`, "/schema/maxProperties number-out-of-range"},
		{"multiples of zero", `{"properties": {"a": {"multipleOf": 0}}}`, "/schema/properties/a/multipleOf exclusiveMinimum"},
		{"a pattern that looks around", `{"properties": {"a": {"pattern": "(?=x)"}}}`, "/schema/properties/a/pattern format"},
		{"a pattern that looks back", `{"properties": {"a": {"pattern": "(a)\\1"}}}`, "/schema/properties/a/pattern format"},
		{"a name's pattern that is none", `{"patternProperties": {"(/": true}}`, "/schema/patternProperties/(~1 pattern"},
		{"a pattern that is too long", `{"properties": {"a": {"pattern": "` + strings.Repeat("a", 1025) + `"}}}`, "/schema/properties/a/pattern format"},
		{"a pattern that repeats too much", `{"properties": {"a": {"pattern": "(abc){1000}"}}}`, "/schema/properties/a/pattern format"},
		{"a reference to itself", `{"$ref": "#"}`, "/schema circular"},
		{"an anchor twice", `{"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}`, "/schema unusable"},
		{"a text beyond the bound", `{"title": "` + strings.Repeat("x", schema.MaxText) + `"}`, "/schema too-large"},
		{"more subschemas than the bound", `{"allOf": [` + strings.Repeat("true,", schema.MaxSubschemas) + `true]}`, "/schema too-many"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := schema.New().Compile(document(t, c.schema))
			got := faults(t, err, domain.ErrInvalidSchema)
			if got := strings.Join(got, ", "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestReferencesToEachOtherAreRefused(t *testing.T) {
	_, err := schema.New().Compile(document(t, `{"properties": {"a": {"$ref": "#/$defs/a"}},
		"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"if": true, "then": {"$ref": "#/$defs/a"}}}}`))
	if got := faults(t, err, domain.ErrInvalidSchema); len(got) != 1 || !strings.HasSuffix(got[0], " circular") {
		t.Error(got)
	}
}

func TestEveryFormatOfTheSetIsAsserted(t *testing.T) {
	for _, format := range []string{
		"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "iri", "iri-reference", "json-pointer", "period", "regex",
		"relative-json-pointer", "semver", "time", "uri", "uri-reference", "uri-template", "uuid",
	} {
		s := compiled(t, fmt.Sprintf(`{"properties": {"a": {"format": %q}}}`, format))
		if err := s.Check(document(t, `{"a": "(:{\\"}`)); err == nil {
			t.Errorf("%s takes anything", format)
		}
		if err := s.Check(document(t, `{"a": 1}`)); err != nil {
			t.Errorf("%s asks a number: %v", format, err)
		}
	}
}

func TestNoFailureRepeatsWhatWasSent(t *testing.T) {
	const secret = "Tr0ub4dor"
	s := compiled(t, `{"additionalProperties": {
		"type": "string", "enum": ["a"], "const": "a", "pattern": "^a$", "maxLength": 1, "format": "email", "not": {"minLength": 3},
		"allOf": [{"const": "a"}, {"pattern": "^a$"}, {"maxLength": 1}, {"format": "email"}, {"format": "uuid"}, {"format": "regex"}, {"type": "null"}]
	}}`)
	err := s.Check(document(t, `{"password": "`+secret+`(", "list": ["`+secret+`"]}`))
	if len(faults(t, err, domain.ErrInvalidRecord)) == 0 {
		t.Fatal("no place is named")
	}
	known, _ := errors.AsType[*domain.Error](err)
	if text := fmt.Sprintf("%+v %v", *known, err); strings.Contains(text, secret) {
		t.Error(text)
	}
}

func TestAtMostThirtyTwoPlacesAreNamedInOrder(t *testing.T) {
	s := compiled(t, `{"properties": {"a": {"items": {"type": "string"}}}}`)
	got := faults(t, s.Check(document(t, `{"a": [`+strings.Repeat("1,", 99)+`1]}`)), domain.ErrInvalidRecord)
	if len(got) != 32 || !slices.IsSorted(got) {
		t.Errorf("%d places: %v", len(got), got)
	}
}

// Each of these would keep the library busy for longer than anybody waits.
func TestAHostileRecordEndsWithinTheSteps(t *testing.T) {
	var ladder []string // 2 to the 60th ways down, all about one value
	for i := range 60 {
		ladder = append(ladder, fmt.Sprintf(`"s%d": {"allOf": [{"$ref": "#/$defs/s%d"}, {"$ref": "#/$defs/s%d"}]}`, i, i+1, i+1))
	}
	deep := strings.Repeat(`{"a":`, 31) + `1` + strings.Repeat(`}`, 31)
	nests := strings.Repeat(`[`, 30) + `1` + strings.Repeat(`]`, 30)
	for _, c := range []struct{ name, schema, data string }{
		{"alternatives that both go down", `{"oneOf": [{"properties": {"a": {"$ref": "#"}}}, {"additionalProperties": {"$ref": "#"}}]}`, deep},
		{"the same under a not", `{"not": {"$ref": "#/$defs/n"}, "$defs": {"n": {"properties": {"a": {"$ref": "#/$defs/n"}}, "patternProperties": {"a": {"$ref": "#/$defs/n"}}}}}`, deep},
		{
			"items that must fit twice, under a not", `{"properties": {"a": {"not": {"$ref": "#/$defs/n"}}}, "$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}, "contains": {"$ref": "#/$defs/n"}}}}`,
			`{"a": ` + nests + `}`,
		},
		{"a long text against a large pattern", `{"properties": {"a": {"pattern": "(x{1,30}y?){30}z"}}}`, `{"a": "` + strings.Repeat("x", 100_000) + `"}`},
		{"nested items that must differ", `{"properties": {"a": {"uniqueItems": true}}}`, `{"a": [` + strings.Repeat("[],", 9000) + `[]]}`},
		{"many numbers against a long list", `{"properties": {"a": {"items": {"enum": [` + strings.Repeat("1e999,", 999) + `2]}}}}`, `{"a": [` + strings.Repeat("1,", 20_000) + `1]}`},
		{"many numbers against many types", `{"properties": {"a": {"items": {"anyOf": [` + strings.Repeat(`{"type":"null"},`, 900) + `{}]}}}}`, `{"a": [` + strings.Repeat("1,", 20_000) + `1]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := compiled(t, c.schema).Check(document(t, c.data))
			if got := faults(t, err, domain.ErrInvalidRecord); !cmp.Equal(got, []string{"/data too-complex"}) {
				t.Error(got)
			}
		})
	}
	t.Run("a ladder of references", func(t *testing.T) {
		text := `{"$ref": "#/$defs/s0", "$defs": {` + strings.Join(ladder, ",") + `, "s60": {"type": "object", "minProperties": 0}}}`
		_, err := schema.New().Compile(document(t, text))
		if got := faults(t, err, domain.ErrInvalidSchema); len(got) != 1 || !strings.HasSuffix(got[0], " circular") {
			t.Error(got)
		}
		err = compiled(t, strings.ReplaceAll(text, `#/$defs/s0"`, `#/$defs/s35"`)).Check(document(t, `{}`))
		if got := faults(t, err, domain.ErrInvalidRecord); !cmp.Equal(got, []string{"/data too-complex"}) {
			t.Error(got)
		}
	})
}

func TestALargePlainRecordIsWithinTheSteps(t *testing.T) {
	s := compiled(t, `{"properties": {"a": {"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]}}}}`)
	if err := s.Check(document(t, `{"a": [`+strings.Repeat("1,", 100_000)+`1]}`)); err != nil {
		t.Error(err)
	}
}

func TestOneSchemaServesManyAtOnce(t *testing.T) {
	s := compiled(t, `{"type": "object", "properties": {"n": {"type": "integer", "maximum": 15}}}`)
	var together sync.WaitGroup
	for i := range 32 {
		together.Go(func() {
			err := s.Check(document(t, fmt.Sprintf(`{"n": %d}`, i)))
			if (err == nil) != (i <= 15) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	together.Wait()
}
