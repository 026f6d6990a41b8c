package cel

import (
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A selector is a rule that a store can look for. What it allows follows from
// where it holds, so the two cannot differ.
type selector struct {
	text  string
	where condition
	parts func() []clause
}

func (l *language) selector(text string) (*selector, error) {
	tree, err := l.read(text)
	if err != nil {
		return nil, err
	}
	t := &translator{language: l, tree: tree}
	where, err := t.condition(tree.Expr(), 1)
	if err != nil {
		return nil, err
	}
	if p, ok := where.(fixed); ok { // a list asks for no more than what is true
		where = fixed{settle(p.Predicate)}
	}
	return &selector{text, where, l.parts(text)}, nil
}

// Where decides what the asker and the time tell.
func (s *selector) Where(who domain.Asker, now time.Time) domain.Predicate {
	if p, ok := s.where.(fixed); ok {
		return p.Predicate
	}
	return settle(s.where.decide(newAsking(domain.Question{Who: who, Now: now})))
}

// Allows judges the record by where the rule holds.
func (s *selector) Allows(q domain.Question) bool {
	return domain.Holds(s.Where(q.Who, q.Now), q.Record)
}

// Never reports whether the rule holds nowhere.
func (s *selector) Never(who domain.Asker, now time.Time) bool {
	_, nowhere := s.Where(who, now).(domain.Nothing)
	return nowhere
}

// Explain evaluates each part of the rule that has to hold.
func (s *selector) Explain(q domain.Question) domain.Ruling {
	return explain(s.text, s.parts(), q, s.Allows(q))
}
