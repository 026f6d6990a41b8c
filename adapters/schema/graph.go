package schema

import (
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/keyport-go/keyport/domain"
)

// alongside returns the subschemas that s asks about the very value that it is
// asked about itself.
func alongside(s *jsonschema.Schema) []*jsonschema.Schema {
	all := present(s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else)
	if s.DynamicRef != nil {
		all = append(all, s.DynamicRef.Ref)
	}
	all = append(all, s.AllOf...)
	all = append(all, s.AnyOf...)
	all = append(all, s.OneOf...)
	for _, dependent := range s.DependentSchemas {
		all = append(all, dependent)
	}
	for _, dependent := range s.Dependencies {
		if d, ok := dependent.(*jsonschema.Schema); ok {
			all = append(all, d)
		}
	}
	return all
}

// below returns the subschemas that s asks about the items or members of a
// value: of choice, one at most about each of them; of all, possibly all.
func below(s *jsonschema.Schema) (choice, all []*jsonschema.Schema) {
	for _, property := range s.Properties {
		choice = append(choice, property)
	}
	choice = append(choice, s.PrefixItems...)
	all = present(s.Contains, s.Items2020, s.PropertyNames, s.UnevaluatedItems, s.UnevaluatedProperties)
	for _, property := range s.PatternProperties {
		all = append(all, property)
	}
	if additional, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		all = append(all, additional)
	}
	return choice, all
}

func present(schemas ...*jsonschema.Schema) []*jsonschema.Schema {
	var all []*jsonschema.Schema
	for _, s := range schemas {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}

// reach returns root and every subschema that it may ask, directly or not.
func reach(root *jsonschema.Schema) []*jsonschema.Schema {
	seen := map[*jsonschema.Schema]bool{root: true}
	found := []*jsonschema.Schema{root}
	for i := 0; i < len(found); i++ {
		choice, all := below(found[i])
		for _, next := range [][]*jsonschema.Schema{alongside(found[i]), choice, all} {
			for _, s := range next {
				if !seen[s] {
					seen[s] = true
					found = append(found, s)
				}
			}
		}
	}
	return found
}

// checkChains fails with domain.ErrInvalidSchema if a subschema comes back to
// itself about one and the same value, or after more than MaxChain others.
func checkChains(schemas []*jsonschema.Schema) error {
	c := chains{length: make(map[*jsonschema.Schema]int)}
	for _, s := range schemas {
		if c.from(s) > MaxChain {
			return domain.ErrInvalidSchema.At("/schema"+pointer(s.Location), "circular",
				"want references that end: at most 64 subschemas may ask one another about the same value")
		}
	}
	return nil
}

// chains knows how long the longest chain from each subschema is.
type chains struct{ length map[*jsonschema.Schema]int }

// endless is longer than any chain. It also stands for one that is being walked:
// whoever meets that one has come back to it.
const endless = 1 << 30

func (c chains) from(s *jsonschema.Schema) int {
	if n, known := c.length[s]; known {
		return n
	}
	c.length[s] = endless
	longest := 0
	for _, next := range alongside(s) {
		longest = max(longest, c.from(next))
	}
	c.length[s] = min(longest+1, endless)
	return c.length[s]
}
