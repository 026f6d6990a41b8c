// Package cel reads access rules and filters in the Common Expression Language
// (CEL). It serves ports.RuleCompiler.
//
// A rule is one expression over
//
//	account   null for a stranger, else {id, roles}
//	record    {id, owner, created_at, updated_at, data}; owner may be null
//	next      what record would become, in rules to update
//	now       the time of the question
//
// and is checked against the JSON Schema of the data when it is read. It knows
//
//	&& || ! ?:  == != < <= > >=  + - * /  in  [0]  ["a name"]  has()  size()
//	contains() startsWith() endsWith() matches()  timestamp() duration()
//	all() exists() filter() map()
//
// Numbers are IEEE 754 doubles, as in JavaScript, whether they are written 1 or
// 1.0; a number of the data that no finite double is near has no value. Times are
// of microseconds. Whatever cannot be evaluated is neither true nor false, and a
// rule that is not true denies.
//
// A list's rule, or a filter, becomes a domain.Predicate: what does not ask about
// the record is evaluated when the asker is known, and the rest is said in the
// terms of the domain. The two agree on each record, also on whether there is a
// verdict at all. What cannot be said so is refused when it is read.
//
// Nothing is kept between two calls; whoever asks often keeps what was compiled.
package cel

import (
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// The bounds of a rule.
const (
	MaxText    = 4096 // bytes
	MaxNesting = 32   // brackets, calls and operators within one another
	MaxNodes   = 200  // names, members, literals, operators and calls, those of which a macro is made too
	MaxLoops   = 3    // all(), exists(), filter() and map() within one another
	MaxPattern = 256  // bytes of a regular expression
	MaxProgram = 500  // instructions that a regular expression becomes

	// MaxCost bounds one evaluation of what can take more than a few steps for each
	// node: loops, joined texts and lists, and regular expressions. A step, and ten
	// bytes that are looked at, cost 1.
	MaxCost = 100_000
)

// The bounds of a rule that becomes a condition of a list.
const (
	MaxLeaves = 100 // single conditions
	MaxDepth  = 16  // conditions and terms within one another
	MaxName   = 128 // bytes of a member's name
)

// A Compiler reads rules. The zero Compiler is ready.
type Compiler struct{}

// Compile reads one rule for records of the given schema. What it fails with has
// one field, at the path "", which says where in the text the fault is. Its code
// is syntax, type, cost or too-long.
func (Compiler) Compile(verb domain.Verb, text string, schema domain.Document) (ports.Rule, error) {
	l, err := speak(schema, verb == domain.VerbUpdate)
	if err != nil {
		return nil, err
	}
	r, err := l.rule(text)
	if err != nil {
		return nil, err // no typed nil in the interface
	}
	return r, nil
}

// Select reads a rule to list records of the given schema, or a filter. It fails
// as Compile does, and with the code untranslatable for what a store cannot look
// for.
func (Compiler) Select(text string, schema domain.Document) (ports.Selector, error) {
	l, err := speak(schema, false)
	if err != nil {
		return nil, err
	}
	s, err := l.selector(text)
	if err != nil {
		return nil, err
	}
	return s, nil
}
