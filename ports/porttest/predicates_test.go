package porttest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A misreading is how a store renders predicates wrongly.
type misreading struct {
	name   string
	bend   func(domain.Predicate) domain.Predicate
	byHand bool // whether the handwritten predicates tell, and not only those that a seed makes up
}

var misreadings = []misreading{
	{"takes unknown for false", func(p domain.Predicate) domain.Predicate {
		if n, ok := p.(domain.Not); ok {
			if m, ok := n.Part.(domain.Compare); ok && m.Op == domain.Equal {
				return domain.Any{p, domain.Not{Part: domain.Has{Path: domain.Member{"n"}}}}
			}
		}
		return p
	}, true},
	{"compares without case", func(p domain.Predicate) domain.Predicate {
		if c, ok := p.(domain.Compare); ok {
			if l, ok := c.Right.(domain.Literal); ok {
				if text, ok := l.Value.(string); ok {
					return domain.Any{p, domain.Compare{Op: c.Op, Left: c.Left, Right: domain.Literal{Value: strings.ToLower(text)}}}
				}
			}
		}
		return p
	}, true},
	{"knows no times", func(p domain.Predicate) domain.Predicate {
		if c, ok := p.(domain.Compare); ok {
			if _, ok := c.Left.(domain.Moment); ok {
				return domain.Undecided{}
			}
		}
		return p
	}, true},
	{"takes at most for less", func(p domain.Predicate) domain.Predicate {
		if c, ok := p.(domain.Compare); ok && c.Op == domain.AtMost {
			c.Op = domain.Less
			return c
		}
		return p
	}, true},
	{"takes the beginning for a part", func(p domain.Predicate) domain.Predicate {
		if c, ok := p.(domain.TestText); ok && c.Op == domain.StartsWith {
			c.Op = domain.Contains
			return c
		}
		return p
	}, true},
	{"finds members by the first name of their path", func(p domain.Predicate) domain.Predicate {
		if h, ok := p.(domain.Has); ok && len(h.Path) > 1 {
			return domain.Has{Path: h.Path[:1]}
		}
		return p
	}, true},
}

// throughout bends a predicate and its parts.
func throughout(p domain.Predicate, bend func(domain.Predicate) domain.Predicate) domain.Predicate {
	parts := func(list []domain.Predicate) (bent []domain.Predicate) {
		for _, part := range list {
			bent = append(bent, throughout(part, bend))
		}
		return bent
	}
	switch q := p.(type) {
	case domain.All:
		p = domain.All(parts(q))
	case domain.Any:
		p = domain.Any(parts(q))
	case domain.Not:
		p = domain.Not{Part: throughout(q.Part, bend)}
	}
	return bend(p)
}

func TestMisreadingsAreNoticed(t *testing.T) {
	for _, m := range misreadings {
		open := asking(func(q *domain.Query) {
			if q.Where != nil {
				q.Where = throughout(q.Where, m.bend)
			}
		})
		if err := handwritten(t.Context(), open(), 1); (err != nil) != m.byHand {
			t.Errorf("of a store that %s the handwritten predicates say %v", m.name, err)
		}
		told := slices.ContainsFunc([]uint64{1, 2, 3, 4, 5, 6, 7, 8}, func(seed uint64) bool { return random(t.Context(), open(), seed, 1) != nil })
		if !told {
			t.Errorf("no seed notices a store that %s", m.name)
		}
	}
}

func TestAStoreThatCountsOtherwiseIsNoticed(t *testing.T) {
	open := tallying(func(q *domain.Query) { q.Limit-- })
	if handwritten(t.Context(), open(), 1) == nil || random(t.Context(), open(), 1, 1) == nil {
		t.Error("the counts are not compared")
	}
}

// What a seed makes up is worth its while if it comes to each truth, for each kind of
// predicate.
func TestMadeUpPredicatesComeToEachTruth(t *testing.T) {
	type outcome struct {
		kind string
		is   domain.Truth
	}
	seen := make(map[outcome]int)
	for seed := range uint64(4) {
		g := inventor{newRand(seed)}
		all := make([]domain.Record, specimens)
		for i := range all {
			all[i] = g.record(i)
		}
		for range madeUp {
			p := g.predicate(3)
			kind, _, _ := strings.Cut(describe(p), "{")
			for _, r := range all {
				seen[outcome{kind, domain.Evaluate(p, r)}]++
			}
		}
	}
	for _, kind := range []string{"All", "Any", "Not", "Compare", "TestText", "Among", "Has", "Is"} {
		for _, is := range []domain.Truth{domain.True, domain.False, domain.Unknown} {
			if n := seen[outcome{kind, is}]; n < 10 {
				t.Errorf("%s was %s %d times", kind, truth(is), n)
			}
		}
	}
}

func TestMadeUpRecordsAreTheSameForASeed(t *testing.T) {
	stores := []ports.Store{new(fake.Store), new(fake.Store)}
	for _, s := range stores {
		if err := random(t.Context(), s, 7, 1); err != nil {
			t.Fatal(err)
		}
	}
	list := func(s ports.Store) []domain.Record {
		all, err := s.Records().List(context.Background(), collection("ships").Ref(), byID(domain.Everything{}, "", specimens))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if err := same(list(stores[0]), list(stores[1])); err != nil {
		t.Error(err)
	}
}
