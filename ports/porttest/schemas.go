package porttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// TestSchemas checks the promises of ports.SchemaCompiler and ports.Schema.
func TestSchemas(t *testing.T, open func(*testing.T) ports.SchemaCompiler) {
	t.Helper()
	run(t, open, schemas)
}

var schemas = []clause[ports.SchemaCompiler]{
	{
		"schemas are read",
		"Compile reads a JSON Schema 2020-12.",
		func(_ context.Context, c ports.SchemaCompiler) error {
			for _, text := range []string{
				`{}`,
				`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}`,
				`{"$defs":{"name":{"type":"string"}},"properties":{"name":{"$ref":"#/$defs/name"}}}`,
				`{"properties":{"pair":{"prefixItems":[{"type":"string"},{"type":"number"}],"items":false}}}`,
			} {
				schema, err := c.Compile(document(text))
				if err != nil {
					return fmt.Errorf("%s: %w", text, err)
				}
				if err := schema.Check(document(`{"name":"ada","pair":["x",1.0]}`)); err != nil {
					return fmt.Errorf("%s: %w", text, err)
				}
			}
			return nil
		},
	},
	{
		"what is no schema is refused",
		"It fails with domain.ErrInvalidSchema, also if the schema refers to another document.",
		func(_ context.Context, c ports.SchemaCompiler) error {
			for _, text := range []string{
				`{"type":"nonsense"}`,
				`{"type":1}`,
				`{"required":"name"}`,
				`{"properties":{"n":{"minimum":"1"}}}`,
				`{"properties":{"n":{"$ref":"#/$defs/absent"}}}`,
				`{"properties":{"n":{"$ref":"other.json"}}}`,
				`{"properties":{"n":{"$ref":"https://example.com/other.json"}}}`,
				`{"properties":{"n":{"$ref":"file:///etc/hostname"}}}`,
				`{"properties":{"n":{"$ref":"/etc/hostname"}}}`,
			} {
				if err := fails[ports.Schema](domain.ErrInvalidSchema)(c.Compile(document(text))); err != nil {
					return fmt.Errorf("%s: %w", text, err)
				}
			}
			return nil
		},
	},
	{
		"data that fits is accepted",
		"A Schema says what the data of a record looks like.",
		func(_ context.Context, c ports.SchemaCompiler) error {
			schema, err := c.Compile(checkedSchema)
			if err != nil {
				return err
			}
			for _, text := range []string{
				`{"name":"ada"}`, `{"name":"","n":1}`, `{"name":"ada","n":1.0}`, `{"name":"ada","n":1e1}`, `{"name":"ada","list":[{"x":1},{}]}`,
			} {
				if err := schema.Check(document(text)); err != nil {
					return fmt.Errorf("%s: %w", text, err)
				}
			}
			return errors.Join(race(func(int) error { return schema.Check(document(`{"name":"ada","n":3}`)) })...)
		},
	},
	{
		"data that does not fit is refused where it does not",
		"Check fails with domain.ErrInvalidRecord if the data does not fit, and names each place at fault as a JSON pointer below \"/data\".",
		func(_ context.Context, c ports.SchemaCompiler) error {
			schema, err := c.Compile(checkedSchema)
			if err != nil {
				return err
			}
			for text, places := range map[string][]string{
				`{}`:                        nil, // a name is missing, and has no place of its own
				`{"name":1}`:                {"/data/name"},
				`{"name":null}`:             {"/data/name"},
				`{"name":"ada","n":1.5}`:    {"/data/n"},
				`{"name":"ada","n":-1}`:     {"/data/n"},
				`{"name":"ada","n":"1"}`:    {"/data/n"},
				`{"name":1,"n":"1"}`:        {"/data/name", "/data/n"},
				`{"name":"ada","e/m~il":1}`: {"/data/e~1m~0il"},
				`{"name":"a","list":[{},{"x":"y"},{"x":"z"}]}`: {"/data/list/1/x", "/data/list/2/x"},
			} {
				if err := placed(schema.Check(document(text)), places); err != nil {
					return fmt.Errorf("%s: %w", text, err)
				}
			}
			return nil
		},
	},
}

var checkedSchema = document(`{"type":"object","required":["name"],"properties":{
	"name":{"type":"string"},
	"n":{"type":"integer","minimum":0},
	"e/m~il":{"type":"string"},
	"list":{"type":"array","items":{"type":"object","properties":{"x":{"type":"number"}}}}}}`)

// placed fails unless err refuses the data and blames each of the places, and
// nothing outside the data.
func placed(err error, places []string) error {
	if bad := is(err, domain.ErrInvalidRecord); bad != nil {
		return bad
	}
	e, _ := errors.AsType[*domain.Error](err)
	if len(e.Fields) == 0 {
		return errors.New("no place is named")
	}
	named := make(map[string]bool)
	for _, f := range e.Fields {
		if f.Path != "/data" && !strings.HasPrefix(f.Path, "/data/") || f.Code == "" || f.Problem == "" {
			return fmt.Errorf("a place is named as %+v", f)
		}
		named[f.Path] = true
	}
	for _, place := range places {
		if !named[place] {
			return fmt.Errorf("%s is not named among %+v", place, e.Fields)
		}
	}
	return nil
}
