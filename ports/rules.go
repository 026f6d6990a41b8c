package ports

import (
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A RuleCompiler reads the access rules of collections, and filters of lists, which
// are of the same language.
type RuleCompiler interface {
	// Compile reads one rule for records of the given schema. It fails with
	// domain.ErrInvalidRule.
	Compile(verb domain.Verb, text string, schema domain.Document) (Rule, error)

	// Select reads a rule to list records of the given schema, or a filter. It fails
	// with domain.ErrInvalidRule, also for what cannot be said as a Predicate.
	Select(text string, schema domain.Document) (Selector, error)
}

// A Rule decides who may touch a record.
type Rule interface {
	// Allows decides on one record. A rule that cannot be evaluated denies.
	Allows(q domain.Question) bool

	// Never reports that Allows holds for no record whatever, as far as the asker
	// and the time alone tell; it may overlook that it is so.
	Never(who domain.Asker, now time.Time) bool

	// Explain says what Allows says, and why.
	Explain(q domain.Question) domain.Ruling
}

// A Selector decides on records by themselves, so that a store can look for them.
type Selector interface {
	Rule

	// Where says for which records Allows holds: for each record r,
	// domain.Holds(Where(who, now), r) is what Allows says of it.
	Where(who domain.Asker, now time.Time) domain.Predicate
}

// A SchemaCompiler reads the schemas of collections.
type SchemaCompiler interface {
	// Compile reads a JSON Schema 2020-12. It fails with
	// domain.ErrInvalidSchema, also if the schema refers to another document.
	Compile(schema domain.Document) (Schema, error)
}

// A Schema says what the data of a record looks like.
type Schema interface {
	// Check fails with domain.ErrInvalidRecord if the data does not fit, and
	// names each place at fault as a JSON pointer below "/data".
	Check(data domain.Document) error
}
