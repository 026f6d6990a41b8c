package domain

import (
	"slices"
	"strings"
)

// A Predicate is a condition on records: a closed tree that each store renders in
// its own language, and that Evaluate judges. On every record it is True, False or
// Unknown, and a store that renders it finds exactly the records for which it is
// True.
type Predicate interface{ predicate() }

type (
	// Everything is True of each record.
	Everything struct{}

	// Nothing is False of each record.
	Nothing struct{}

	// Undecided is Unknown of each record.
	Undecided struct{}

	// OwnedBy is True of the records of one account, and False of all others. With
	// no account it is False of all.
	OwnedBy struct{ Account AccountID }

	// All is True where each part is, and False where one is.
	All []Predicate

	// Any is True where one part is, and False where each is.
	Any []Predicate

	// Not is the opposite of its part.
	Not struct{ Part Predicate }

	// Compare compares two terms. Equal is False for values of different kinds (a
	// number and a text), and Unknown for two lists or objects; null equals null.
	// The others are Unknown unless both values are numbers, both texts (compared
	// by code points), both booleans (false is less), or both times.
	Compare struct {
		Op          Comparison
		Left, Right Term
	}

	// TestText compares two texts. It is Unknown where either is no text.
	TestText struct {
		Op         TextTest
		Text, Part Term
	}

	// Among is True where a list of the data has an element equal to Item, as
	// Compare has it, and else False. It is Unknown where there is no such list, or
	// where Item is no number, text, boolean, time or null.
	Among struct {
		Item Term
		List Member
	}

	// Has is True where the last name of the path is a member, null or not, of the
	// object that the others lead to, and else False. It is Unknown where they lead
	// to no object.
	Has struct{ Path Member }

	// Is is what a boolean says, and Unknown where the term is none.
	Is struct{ Term Term }
)

func (Everything) predicate() {}
func (Nothing) predicate()    {}
func (Undecided) predicate()  {}
func (OwnedBy) predicate()    {}
func (All) predicate()        {}
func (Any) predicate()        {}
func (Not) predicate()        {}
func (Compare) predicate()    {}
func (TestText) predicate()   {}
func (Among) predicate()      {}
func (Has) predicate()        {}
func (Is) predicate()         {}

// A Comparison is how Compare compares.
type Comparison int8

// The comparisons. What is greater is less with its terms exchanged.
const (
	Equal Comparison = iota + 1
	Less
	AtMost
)

// A TextTest is how TestText compares. Every text contains the empty one, and
// begins and ends with it.
type TextTest int8

// The tests of texts.
const (
	Contains TextTest = iota + 1
	StartsWith
	EndsWith
)

// Holds reports whether p is True of a record. A nil Predicate holds for none.
func Holds(p Predicate, r Record) bool { return Evaluate(p, r) == True }

// Evaluate judges a record.
func Evaluate(p Predicate, r Record) Truth { return (&subject{Record: r}).judge(p) }

func (s *subject) judge(p Predicate) Truth {
	switch p := p.(type) {
	case Everything:
		return True
	case Nothing:
		return False
	case OwnedBy:
		return TruthOf(s.Owner != "" && s.Owner == p.Account)
	case All:
		t := True
		for _, part := range p {
			t = t.And(s.judge(part))
		}
		return t
	case Any:
		t := False
		for _, part := range p {
			t = t.Or(s.judge(part))
		}
		return t
	case Not:
		return s.judge(p.Part).Not()
	case Compare:
		return s.compare(p)
	case TestText:
		return s.test(p)
	case Among:
		return s.among(p)
	case Has:
		return s.has(p.Path)
	case Is:
		v, _ := s.value(p.Term)
		if b, ok := v.(bool); ok {
			return TruthOf(b)
		}
	}
	return Unknown
}

func (s *subject) compare(p Compare) Truth {
	left, ok := s.value(p.Left)
	right, too := s.value(p.Right)
	if !ok || !too {
		return Unknown
	}
	if p.Op == Equal {
		return equal(left, right)
	}
	order, ok := compare(left, right)
	switch {
	case !ok:
		return Unknown
	case p.Op == Less:
		return TruthOf(order < 0)
	}
	return TruthOf(order <= 0)
}

func (s *subject) test(p TestText) Truth {
	a, _ := s.value(p.Text)
	b, _ := s.value(p.Part)
	text, ok := a.(string)
	part, too := b.(string)
	if !ok || !too {
		return Unknown
	}
	switch p.Op {
	case Contains:
		return TruthOf(strings.Contains(text, part))
	case StartsWith:
		return TruthOf(strings.HasPrefix(text, part))
	case EndsWith:
		return TruthOf(strings.HasSuffix(text, part))
	}
	return Unknown
}

func (s *subject) among(p Among) Truth {
	list, _ := s.value(p.List)
	item, ok := s.value(p.Item)
	elements, isList := list.([]any)
	if !ok || !isList || composite(item) {
		return Unknown
	}
	return TruthOf(slices.ContainsFunc(elements, func(e any) bool {
		v, ok := scalar(e)
		return ok && equal(v, item) == True
	}))
}

func (s *subject) has(path Member) Truth {
	if len(path) == 0 {
		return Unknown
	}
	parent, ok := s.value(path[:len(path)-1])
	object, isObject := parent.(map[string]any)
	if !ok || !isObject {
		return Unknown
	}
	_, there := object[path[len(path)-1]]
	return TruthOf(there)
}

// Both returns what is True where both are, without the parts that say nothing.
func Both(p, q Predicate) Predicate {
	var parts All
	for _, part := range []Predicate{p, q} {
		switch part := part.(type) {
		case Everything:
		case Nothing:
			return Nothing{}
		case All:
			parts = append(parts, part...)
		default:
			parts = append(parts, part)
		}
	}
	switch len(parts) {
	case 0:
		return Everything{}
	case 1:
		return parts[0]
	}
	return parts
}

// Conjuncts returns the parts that must each be True for p to be.
func Conjuncts(p Predicate) []Predicate {
	all, ok := p.(All)
	if !ok {
		return []Predicate{p}
	}
	var parts []Predicate
	for _, part := range all {
		parts = append(parts, Conjuncts(part)...)
	}
	return parts
}
