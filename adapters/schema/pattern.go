package schema

import (
	"errors"
	"regexp"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The bounds of a regular expression.
const (
	MaxPattern = 1024 // bytes
	maxProgram = 2000 // instructions
	maxClasses = 8000 // bounds of ranges of characters in them: \pL has some thousand
)

const patternWanted = "want a regular expression in the syntax of RE2, of at most 1024 bytes and modest repetition"

// parsePattern returns a regular expression and how many instructions it has.
func parsePattern(s string) (*regexp.Regexp, int, error) {
	if len(s) > MaxPattern {
		return nil, 0, errors.New("pattern too long")
	}
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, 0, err
	}
	classes := 0
	for _, i := range program.Inst {
		classes += len(i.Rune)
	}
	if len(program.Inst) > maxProgram || classes > maxClasses {
		return nil, 0, errors.New("pattern too large")
	}
	re, err := regexp.Compile(s)
	return re, len(program.Inst), err
}

// A pattern is a regular expression that pays for what it reads.
type pattern struct {
	*regexp.Regexp
	size  int // instructions
	meter *meter
}

// MatchString reports whether s holds a match. Once the meter has run out it
// says nothing of worth, and nobody asks.
func (p pattern) MatchString(s string) bool {
	return p.meter.spend(1+len(s)*p.size/instructionsPerStep) && p.Regexp.MatchString(s)
}

// pattern reads a regular expression whose matches are paid from m.
func (m *meter) pattern(s string) (jsonschema.Regexp, error) {
	re, size, err := parsePattern(s)
	if err != nil {
		return nil, err
	}
	return pattern{re, size, m}, nil
}
