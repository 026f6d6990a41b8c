package schema

import (
	"errors"
	"fmt"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/keyport-go/keyport/domain"
)

// largeRecord is the size, in bytes, from which on as few records are checked
// together as there are CPUs: each may have as many faults as it has values, and
// a fault takes some hundred bytes until it is told.
const largeRecord = 64 << 10

// A Schema checks the data of records.
type Schema struct {
	text  domain.Document
	large chan struct{}
	free  chan *judge
}

// Check fails with domain.ErrInvalidRecord and says for at most 32 places what
// is wanted there, in words that repeat nothing of the data but the names of
// members. A field's code is the keyword of the schema. Data that takes more
// steps than BaseSteps and StepsPerByte allow fails too, with the code
// "too-complex".
func (s *Schema) Check(data domain.Document) error {
	if len(data.Text()) > largeRecord {
		s.large <- struct{}{}
		defer func() { <-s.large }()
	}
	j, err := s.take()
	if err != nil {
		return err
	}
	defer s.give(j)
	return j.check(data)
}

// take returns a judge that nobody else uses.
func (s *Schema) take() (*judge, error) {
	select {
	case j := <-s.free:
		return j, nil
	default:
		return newJudge(s.text)
	}
}

func (s *Schema) give(j *judge) {
	select {
	case s.free <- j:
	default:
	}
}

// A judge is one compiled copy of a schema with a meter of its own. The library
// has no place for what belongs to one check, so a copy serves one at a time.
type judge struct {
	root  *jsonschema.Schema
	meter *meter
}

// newJudge compiles a schema that was inspected. It fails with
// domain.ErrInvalidSchema.
func newJudge(text domain.Document) (*judge, error) {
	m := &meter{}
	root, err := compile(text, m.pattern)
	if err != nil {
		return nil, err
	}
	schemas := reach(root)
	if err := checkChains(schemas); err != nil {
		return nil, err
	}
	dear := slices.ContainsFunc(schemas, func(s *jsonschema.Schema) bool {
		return s.UnevaluatedItems != nil || s.UnevaluatedProperties != nil
	})
	for _, s := range schemas {
		if s.Bool == nil {
			m.guard(s, dear)
		}
	}
	return &judge{root, m}, nil
}

func (j *judge) check(data domain.Document) error {
	j.meter.left = BaseSteps + StepsPerByte*len(data.Text())
	err := j.root.Validate(any(data.Tree()))
	if j.meter.left < 0 {
		return domain.ErrInvalidRecord.At("/data", "too-complex", "it takes too many steps to check: send smaller or simpler data")
	}
	if err == nil {
		return nil
	}
	verdict, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return fmt.Errorf("schema: check: %w", err)
	}
	e := *domain.ErrInvalidRecord
	e.Fields = fields("/data", verdict)
	return &e
}
