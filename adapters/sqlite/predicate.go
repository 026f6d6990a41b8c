package sqlite

import "github.com/keyport-go/keyport/domain"

// where renders a predicate as a condition on records r. Its one argument, if it
// has any, is ?4. The texts are few, so that each is prepared once a line, and
// each lets SQLite stop where an index says that no more can follow. What is none
// of the known predicates holds for no record, as domain.Holds has it.
func where(p domain.Predicate) (condition string, args []any) {
	switch p := p.(type) {
	case domain.Everything:
		return "true", nil
	case domain.OwnedBy:
		return "r.owner = ?4", []any{p.Account}
	}
	return "r.id < ''", nil
}
