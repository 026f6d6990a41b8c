package domain

// A Predicate says which records a list may show. It is a closed set that each
// store renders in its own language: Everything, Nothing and OwnedBy.
type Predicate interface{ predicate() }

// Everything holds for each record.
type Everything struct{}

// Nothing holds for no record.
type Nothing struct{}

// OwnedBy holds for the records of one account.
type OwnedBy struct{ Account AccountID }

func (Everything) predicate() {}
func (Nothing) predicate()    {}
func (OwnedBy) predicate()    {}

// Holds evaluates p on a record, for stores that keep theirs in memory.
func Holds(p Predicate, r Record) bool {
	switch p := p.(type) {
	case Everything:
		return true
	case OwnedBy:
		return r.Owner != "" && r.Owner == p.Account
	}
	return false
}
