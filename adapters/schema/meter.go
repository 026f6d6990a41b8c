package schema

import (
	"encoding/json"
	"errors"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The bounds of one check, in steps. A step is one subschema asked about one
// value, or one value compared with one of an enum, or 64 bytes of text read,
// and takes about a microsecond at most. It grows with the record, since a fault
// is kept until all are known: without that, 200 bytes sent against two
// alternatives that both go down would fill hundreds of megabytes.
//
// A record of 1 MiB that is half a million numbers, each asked two alternatives,
// takes 3 of the 4 steps a byte.
const (
	BaseSteps    = 100_000
	StepsPerByte = 4
)

// What the work besides comes to.
const (
	bytesPerStep        = 64 // of a text
	digitsPerStep       = 8
	instructionsPerStep = 32 // of a pattern, for each byte
)

var errSpent = errors.New("the check takes too many steps")

// A meter counts the steps of one check down. It is not safe for concurrent use.
type meter struct{ left int }

func (m *meter) spend(steps int) bool {
	m.left -= steps
	return m.left >= 0
}

// guard makes s pay for each value that it is asked about, before it asks any
// other subschema. The library calls no hook of ours but the format, which it
// asks before all that can branch; and what an unguarded leaf costs, its parent
// pays for it.
//
// The names of properties are checked here too, since the library loses the
// place of those that it refuses.
func (m *meter) guard(s *jsonschema.Schema, dear bool) {
	cost := priceOf(s, dear)
	names, format := s.PropertyNames, s.Format
	s.PropertyNames = nil
	s.Format = &jsonschema.Format{Validate: func(v any) error {
		if !m.spend(cost.of(v)) {
			return errSpent
		}
		if object, ok := v.(map[string]any); ok && names != nil {
			if bad := misnamed(object, names); bad != nil {
				return bad
			}
		}
		if format != nil {
			return format.Validate(v)
		}
		return nil
	}}
	if format != nil {
		s.Format.Name = format.Name
	}
}

// misnamed returns the names of object that the schema refuses, or nil.
func misnamed(object map[string]any, names *jsonschema.Schema) error {
	var bad misnamedError
	for name := range object {
		if names.Validate(name) != nil {
			bad = append(bad, name)
		}
	}
	if bad == nil {
		return nil
	}
	return bad
}

// A misnamedError holds the names of members that propertyNames refuses.
type misnamedError []string

func (misnamedError) Error() string { return "misnamed members" }

// A price is what it costs, in steps, to ask a subschema about a value.
type price struct {
	here   int  // once
	each   int  // for each item or member of the value
	unique bool // whether items are compared with one another
}

// priceOf returns the price of s. It is dear where the schema has unevaluated
// properties or items, since then each subschema makes lists of the members.
func priceOf(s *jsonschema.Schema, dear bool) price {
	p := price{here: 1, each: 1, unique: s.UniqueItems}
	for _, beside := range alongside(s) {
		p.here += own(beside)
	}
	choice, all := below(s)
	most := 0
	for _, child := range choice {
		most = max(most, own(child))
	}
	p.each += most
	for _, child := range all {
		p.each += own(child)
	}
	if dear {
		p.each += p.here
	}
	return p
}

// own returns what s costs before its guard is asked: its enum and const.
func own(s *jsonschema.Schema) int {
	n := 1
	if s.Enum != nil {
		n += values(s.Enum.Values)
	}
	if s.Const != nil {
		n += values(*s.Const)
	}
	return n
}

// values counts the values in v, v included.
func values(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			n += values(item)
		}
	case map[string]any:
		for _, member := range v {
			n += values(member)
		}
	}
	return n
}

func (p price) of(v any) int {
	switch v := v.(type) {
	case string:
		return p.here + len(v)/bytesPerStep
	case json.Number:
		return p.here + len(v)/digitsPerStep
	case map[string]any:
		return p.here + p.each*len(v)
	case []any:
		n := p.here + p.each*len(v)
		if p.unique && len(v) > 20 && nested(v) {
			// Above 20 items the library hashes them. Nested ones can be
			// made to collide, and are then compared each with each.
			n += len(v) * len(v)
		}
		return n
	}
	return p.here
}

// nested reports whether an item is an array or an object.
func nested(items []any) bool {
	for _, item := range items {
		switch item.(type) {
		case []any, map[string]any:
			return true
		}
	}
	return false
}
