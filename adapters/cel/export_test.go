package cel

import (
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Verdict is what CEL itself says to a question.
func Verdict(r ports.Rule, q domain.Question) domain.Truth {
	return judge(r.(*rule).whole, newAsking(q))
}

// Translate is Select without what a list does not ask for: where Where may be
// False for Unknown, what it returns is not.
func Translate(text string, schema domain.Document) (func(domain.Asker, time.Time) domain.Predicate, error) {
	l, err := speak(schema, false)
	if err != nil {
		return nil, err
	}
	tree, err := l.read(text)
	if err != nil {
		return nil, err
	}
	where, err := (&translator{language: l, tree: tree}).condition(tree.Expr(), 1)
	if err != nil {
		return nil, err
	}
	return func(who domain.Asker, now time.Time) domain.Predicate {
		return where.decide(newAsking(domain.Question{Who: who, Now: now}))
	}, nil
}
