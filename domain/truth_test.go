package domain_test

import (
	"testing"

	"github.com/keyport-go/keyport/domain"
)

var truths = []domain.Truth{domain.True, domain.False, domain.Unknown}

func TestTruthsCombineAsKleeneHasThem(t *testing.T) {
	const yes, no, dunno = domain.True, domain.False, domain.Unknown
	for _, c := range []struct{ a, b, and, or domain.Truth }{
		{yes, yes, yes, yes},
		{yes, no, no, yes},
		{yes, dunno, dunno, yes},
		{no, yes, no, yes},
		{no, no, no, no},
		{no, dunno, no, dunno},
		{dunno, yes, dunno, yes},
		{dunno, no, no, dunno},
		{dunno, dunno, dunno, dunno},
	} {
		if got := c.a.And(c.b); got != c.and {
			t.Errorf("%d and %d is %d, want %d", c.a, c.b, got, c.and)
		}
		if got := c.a.Or(c.b); got != c.or {
			t.Errorf("%d or %d is %d, want %d", c.a, c.b, got, c.or)
		}
	}
	for _, c := range []struct{ a, not domain.Truth }{{yes, no}, {no, yes}, {dunno, dunno}} {
		if got := c.a.Not(); got != c.not {
			t.Errorf("not %d is %d, want %d", c.a, got, c.not)
		}
	}
	if domain.TruthOf(true) != yes || domain.TruthOf(false) != no {
		t.Error("a boolean is another truth")
	}
	var zero domain.Truth
	if zero != dunno {
		t.Error("the zero Truth is known")
	}
}

func TestTheLawsOfTruth(t *testing.T) {
	hold := func(law string, left, right domain.Truth) {
		t.Helper()
		if left != right {
			t.Errorf("%s: %d is not %d", law, left, right)
		}
	}
	for _, a := range truths {
		hold("not not a is a", a.Not().Not(), a)
		hold("a and a is a", a.And(a), a)
		hold("a or a is a", a.Or(a), a)
		hold("false absorbs", a.And(domain.False), domain.False)
		hold("true absorbs", a.Or(domain.True), domain.True)
		hold("true says nothing in a conjunction", a.And(domain.True), a)
		hold("false says nothing in a disjunction", a.Or(domain.False), a)
		for _, b := range truths {
			hold("a and b is b and a", a.And(b), b.And(a))
			hold("a or b is b or a", a.Or(b), b.Or(a))
			hold("De Morgan, of and", a.And(b).Not(), a.Not().Or(b.Not()))
			hold("De Morgan, of or", a.Or(b).Not(), a.Not().And(b.Not()))
			hold("a and (a or b) is a", a.And(a.Or(b)), a)
			hold("a or (a and b) is a", a.Or(a.And(b)), a)
			for _, c := range truths {
				hold("and is associative", a.And(b).And(c), a.And(b.And(c)))
				hold("or is associative", a.Or(b).Or(c), a.Or(b.Or(c)))
				hold("and distributes", a.And(b.Or(c)), a.And(b).Or(a.And(c)))
				hold("or distributes", a.Or(b.And(c)), a.Or(b).And(a.Or(c)))
			}
		}
	}
}
