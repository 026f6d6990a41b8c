package cel

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/keyport-go/keyport/domain"
)

// A rule decides on one record. It may be used by several at once.
type rule struct {
	text          string
	whole, before cel.Program // before takes the record for unknown
	parts         func() []clause
}

func (l *language) rule(text string) (*rule, error) {
	tree, err := l.read(text)
	if err != nil {
		return nil, err
	}
	r := &rule{text: text, parts: l.parts(text)}
	if r.whole, err = l.plan(tree, tree.Expr()); err != nil {
		return nil, err
	}
	r.before, err = l.plan(tree, tree.Expr(), cel.EvalOptions(cel.OptPartialEval))
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Allows evaluates the rule.
func (r *rule) Allows(q domain.Question) bool {
	return judge(r.whole, newAsking(q)) == domain.True
}

// judge returns what a program says; Unknown if it fails, or is no condition.
func judge(p cel.Program, a *asking) domain.Truth {
	v, _, err := p.Eval(a)
	return truth(v, err)
}

func truth(v ref.Val, err error) domain.Truth {
	if b, ok := v.(types.Bool); ok && err == nil {
		return domain.TruthOf(bool(b))
	}
	return domain.Unknown
}

var unknownRecords = []*cel.AttributePatternType{cel.AttributePattern(nameRecord), cel.AttributePattern(nameNext)}

// Never evaluates as much of the rule as the asker and the time tell.
func (r *rule) Never(who domain.Asker, now time.Time) bool {
	a, err := cel.PartialVars(newAsking(domain.Question{Who: who, Now: now}), unknownRecords...)
	if err != nil {
		return false
	}
	v, _, err := r.before.Eval(a)
	switch {
	case types.IsError(v):
		return true
	case err != nil || types.IsUnknown(v): // what took too long may be skipped when the record is there
		return false
	}
	return truth(v, err) != domain.True
}

// Explain evaluates each part of the rule that has to hold.
func (r *rule) Explain(q domain.Question) domain.Ruling {
	return explain(r.text, r.parts(), q, r.Allows(q))
}
