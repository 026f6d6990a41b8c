package domain

import "time"

// A Question is what a rule is asked.
type Question struct {
	Who    Asker
	Record Record  // as it is stored, or as it would be created
	Next   *Record // what it would become; nil but for VerbUpdate
	Now    time.Time
}

// A Ruling is what a rule says to a question, and why.
type Ruling struct {
	Verb    Verb // whose rule it is
	Allowed bool
	Rule    string
	Clauses []Clause // what the rule joins by && at its outermost, in order; the rule itself if it joins nothing
}

// A Clause is one condition of a rule.
type Clause struct {
	Text     string // as it is written
	Value    Truth  // Unknown: it could not be evaluated
	Readings []Reading
}

// A Reading is what an expression in a clause came to.
type Reading struct {
	Text  string // the expression, such as record.owner
	Value string // as JSON, of which what is long is cut; "" if it could not be evaluated
}
