// Package schema reads the JSON Schemas of collections and checks records
// against them. It serves ports.SchemaCompiler.
//
// It takes JSON Schema 2020-12 and no older draft. References stay within the
// schema: nothing is ever loaded, from a disk, from the net, or from the copies
// of other schemas that the library carries.
//
// These formats are asserted: date, date-time, duration, email, hostname, ipv4,
// ipv6, iri, iri-reference, json-pointer, period, regex, relative-json-pointer,
// semver, time, uri, uri-reference, uri-template and uuid. Any other is a note
// to the reader. Patterns are RE2, which has no look-around and no
// back-references, and no pattern that takes more than linear time.
//
// Whoever declares a schema is trusted with the work that it makes, but whoever
// sends a record is not: every check counts its steps, and ends at a bound that
// grows with the record.
package schema

import (
	"errors"
	"net/url"
	"runtime"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// The bounds of a schema.
const (
	MaxText       = 64 << 10 // bytes of canonical text
	MaxSubschemas = 1000     // objects and booleans anywhere in the text
	MaxChain      = 64       // subschemas that ask one another about one and the same value
)

// location is the address that a schema has while it is compiled. No reference
// can name it, since references begin with "#".
const location = "keyport:///schema"

// A Compiler reads schemas.
type Compiler struct {
	large chan struct{} // one place for each large record that is under way
}

// New returns a compiler.
func New() *Compiler {
	return &Compiler{large: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// Compile reads a schema. What it fails with names the places at fault as JSON
// pointers below "/schema".
func (c *Compiler) Compile(text domain.Document) (ports.Schema, error) {
	if err := inspect(text); err != nil {
		return nil, err
	}
	j, err := newJudge(text)
	if err != nil {
		return nil, err
	}
	s := &Schema{text: text, large: c.large, free: make(chan *judge, runtime.GOMAXPROCS(0))}
	s.free <- j
	return s, nil
}

// nowhere loads nothing.
type nowhere struct{}

func (nowhere) Load(string) (any, error) { return nil, errors.New("other documents are not loaded") }

// compile hands a schema that was inspected to the library.
func compile(text domain.Document, engine jsonschema.RegexpEngine) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nowhere{})
	c.UseRegexpEngine(engine)
	c.AssertFormat()
	if err := c.AddResource(location, text.Tree()); err != nil {
		return nil, err
	}
	root, err := c.Compile(location)
	if err != nil {
		return nil, refused(err)
	}
	if root.Types != nil && !slices.Contains(root.Types.ToStrings(), "object") {
		return nil, domain.ErrInvalidSchema.At("/schema/type", "type", "want object, since the data of a record is one")
	}
	return root, nil
}

// refused says in our words why the library refused a schema.
func refused(err error) error {
	broken, ok := errors.AsType[*jsonschema.SchemaValidationError](err)
	if !ok {
		return domain.ErrInvalidSchema.At("/schema", "unusable", "it cannot be compiled").Because(err)
	}
	verdict, ok := errors.AsType[*jsonschema.ValidationError](broken.Err)
	if !ok {
		return domain.ErrInvalidSchema.At("/schema", "unusable", "it cannot be compiled").Because(err)
	}
	e := *domain.ErrInvalidSchema
	e.Fields = fields("/schema"+pointer(broken.URL), verdict)
	return &e
}

// pointer returns the JSON pointer that is the fragment of a subschema's
// address.
func pointer(address string) string {
	_, fragment, _ := strings.Cut(address, "#")
	if text, err := url.PathUnescape(fragment); err == nil {
		return text
	}
	return fragment
}
