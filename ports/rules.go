package ports

import "github.com/keyport-go/keyport/domain"

// A RuleCompiler reads the access rules of collections.
type RuleCompiler interface {
	// Compile reads one rule for records of the given schema. It fails with
	// domain.ErrInvalidRule.
	Compile(text string, schema domain.Document) (Rule, error)
}

// A Rule decides who may touch a record.
type Rule interface {
	// Allows decides on one record, as it is stored, or as it would be created.
	// A rule that cannot be evaluated denies.
	Allows(who domain.Asker, r domain.Record) bool

	// Where says for which records Allows holds: for each record r,
	// domain.Holds(Where(who), r) is Allows(who, r).
	Where(who domain.Asker) domain.Predicate
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
