package domain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

// The words in which the tables below are written.
var (
	all     = domain.Everything{}
	nothing = domain.Nothing{}
	unsure  = domain.Undecided{}
)

func lit(v any) domain.Literal           { return domain.Literal{Value: v} }
func at(path ...string) domain.Member    { return domain.Member(path) }
func eq(a, b domain.Term) domain.Compare { return domain.Compare{Op: domain.Equal, Left: a, Right: b} }

func less(a, b domain.Term) domain.Compare {
	return domain.Compare{Op: domain.Less, Left: a, Right: b}
}

func atMost(a, b domain.Term) domain.Compare {
	return domain.Compare{Op: domain.AtMost, Left: a, Right: b}
}
func not(p domain.Predicate) domain.Not { return domain.Not{Part: p} }
func calc(a domain.Term, op domain.Operator, b domain.Term) domain.Arithmetic {
	return domain.Arithmetic{Op: op, Left: a, Right: b}
}

func text(op domain.TextTest, s, part domain.Term) domain.TestText {
	return domain.TestText{Op: op, Text: s, Part: part}
}

// specimen returns the record that the tables judge.
func specimen(t testing.TB) domain.Record {
	t.Helper()
	return domain.Record{
		ID: "01900000-0000-7000-8000-000000000001", Owner: "ada", Revision: 3, Created: noon, Changed: noon.Add(time.Hour),
		Data: document(t, `{
			"null": null, "yes": true, "no": false, "text": "Beagle", "empty": "", "wide": "naïve 🦊", "number": 7, "seven": 7.0, "zero": 0, "less": -0,
			"huge": 1e400, "tiny": 1e-400, "long": `+strings.Repeat("9", 100)+`, "big": 9007199254740993, "near": 9007199254740992,
			"list": [1, "a", null, true, [1], {"b": 2}, 1e400], "none": [], "object": {"name": "x", "null": null, "deep": {"n": 1}},
			"when": "2030-01-02T12:00:00.123456Z", "elsewhere": "2030-01-02T14:00:00.123456+02:00", "never": "2030-02-30T00:00:00Z",
			"id": "another", "a.b": 1, "a": {"b": 2}}`),
	}
}

func TestARecordIsJudged(t *testing.T) {
	const yes, no, dunno = domain.True, domain.False, domain.Unknown
	r := specimen(t)
	for _, c := range []struct {
		name string
		p    domain.Predicate
		want domain.Truth
	}{
		{"everything", all, yes},
		{"nothing", nothing, no},
		{"what is undecided", unsure, dunno},
		{"no predicate at all", nil, dunno},

		{"what its owner owns", domain.OwnedBy{Account: "ada"}, yes},
		{"what another owns", domain.OwnedBy{Account: "bob"}, no},
		{"what nobody owns", domain.OwnedBy{}, no},

		{"all of no parts", domain.All{}, yes},
		{"all of true parts", domain.All{all, all}, yes},
		{"all with an unknown part", domain.All{all, unsure, all}, dunno},
		{"all with an unknown part and a false one", domain.All{unsure, nothing}, no},
		{"any of no parts", domain.Any{}, no},
		{"any of false parts", domain.Any{nothing, nothing}, no},
		{"any with an unknown part", domain.Any{nothing, unsure}, dunno},
		{"any with an unknown part and a true one", domain.Any{unsure, all}, yes},
		{"not everything", not(all), no},
		{"not nothing", not(nothing), yes},
		{"not the undecided", not(unsure), dunno},

		{"numbers are equal by value", eq(at("number"), at("seven")), yes},
		{"a number and a literal", eq(at("number"), lit(7.0)), yes},
		{"minus zero is zero", eq(at("less"), at("zero")), yes},
		{"minus zero is not less than zero", less(at("less"), at("zero")), no},
		{"integers beyond 2^53 are the double that is nearest", eq(at("big"), at("near")), yes},
		{"a number of 100 digits is the double that is nearest", eq(at("long"), lit(1e100)), yes},
		{"a number and a text are not equal", eq(at("number"), lit("7")), no},
		{"a number and a boolean are not equal", eq(at("number"), at("yes")), no},
		{"null equals null", eq(at("null"), lit(nil)), yes},
		{"null is not zero", eq(at("null"), at("zero")), no},
		{"null is not the empty text", eq(at("null"), at("empty")), no},
		{"null is not false", eq(at("null"), at("no")), no},
		{"two lists are not compared", eq(at("list"), at("list")), dunno},
		{"two objects are not compared", eq(at("object"), at("object")), dunno},
		{"a list and an object are not compared", eq(at("list"), at("object")), dunno},
		{"a list is no number", eq(at("list"), at("number")), no},
		{"an object is not null", eq(lit(nil), at("object")), no},
		{"texts are equal by what is written", eq(at("text"), lit("Beagle")), yes},
		{"texts in another case are not", eq(at("text"), lit("beagle")), no},
		{"times are equal wherever they are told", eq(domain.Moment{Of: at("when")}, domain.Moment{Of: at("elsewhere")}), yes},
		{"the texts of them are not", eq(at("when"), at("elsewhere")), no},
		{"a time is no text", eq(domain.ColumnCreated, at("when")), no},
		{"a time is what a text tells", eq(domain.ColumnCreated, domain.Moment{Of: at("when")}), yes},
		{"what is missing equals nothing", eq(at("missing"), lit(1.0)), dunno},
		{"what is missing is not null", eq(at("missing"), lit(nil)), dunno},
		{"what is missing is not itself", eq(at("missing"), at("missing")), dunno},
		{"a number that is beyond doubles has no value", eq(at("huge"), lit(1.0)), dunno},
		{"a number that is next to zero has no value", eq(at("tiny"), lit(0.0)), dunno},

		{"a number is less than a greater one", less(at("zero"), at("number")), yes},
		{"a number is not less than itself", less(at("number"), at("seven")), no},
		{"a number is at most itself", atMost(at("number"), at("seven")), yes},
		{"a number is not at most a lesser one", atMost(at("number"), lit(6.9)), no},
		{"texts are ordered by code points", less(at("text"), lit("a")), yes},
		{"a character beyond the first plane is greater than all in it", less(lit("\uffee"), lit("🦊")), yes},
		{"a text is greater than its beginning", less(at("empty"), at("text")), yes},
		{"false is less than true", less(at("no"), at("yes")), yes},
		{"true is at most true", atMost(at("yes"), at("yes")), yes},
		{"true is not less than false", less(at("yes"), at("no")), no},
		{"an earlier time is less", less(domain.ColumnCreated, domain.ColumnChanged), yes},
		{"a later time is not", less(domain.ColumnChanged, domain.ColumnCreated), no},
		{"a time is compared to the microsecond", less(domain.ColumnCreated, lit(noon.Add(time.Microsecond))), yes},
		{"a number and a text have no order", less(at("number"), at("text")), dunno},
		{"nulls have no order", atMost(at("null"), at("null")), dunno},
		{"lists have no order", atMost(at("list"), at("list")), dunno},
		{"a time and a text have no order", less(domain.ColumnCreated, at("when")), dunno},
		{"what is missing has no order", less(at("missing"), lit(1.0)), dunno},
		{"what is beyond doubles has no order", less(lit(1.0), at("huge")), dunno},

		{"a text contains its middle", text(domain.Contains, at("text"), lit("eagl")), yes},
		{"a text contains the empty one", text(domain.Contains, at("empty"), lit("")), yes},
		{"a text contains no other", text(domain.Contains, at("text"), lit("EAGL")), no},
		{"a text begins with its beginning", text(domain.StartsWith, at("wide"), lit("naï")), yes},
		{"a text does not begin with its end", text(domain.StartsWith, at("text"), lit("gle")), no},
		{"a text ends with its end", text(domain.EndsWith, at("wide"), lit("🦊")), yes},
		{"a text does not end with its beginning", text(domain.EndsWith, at("text"), lit("Bea")), no},
		{"a number contains nothing", text(domain.Contains, at("number"), lit("7")), dunno},
		{"a list contains no text so", text(domain.Contains, at("list"), lit("a")), dunno},
		{"no text contains a number", text(domain.StartsWith, at("text"), at("number")), dunno},
		{"what is missing ends with nothing", text(domain.EndsWith, at("missing"), lit("")), dunno},

		{"a number in the list", domain.Among{Item: lit(1.0), List: at("list")}, yes},
		{"a text in the list", domain.Among{Item: lit("a"), List: at("list")}, yes},
		{"null in the list", domain.Among{Item: lit(nil), List: at("list")}, yes},
		{"a boolean in the list", domain.Among{Item: at("yes"), List: at("list")}, yes},
		{"a number that is not in the list", domain.Among{Item: lit(2.0), List: at("list")}, no},
		{"a text that is no number in the list", domain.Among{Item: lit("1"), List: at("list")}, no},
		{"a time in a list of texts", domain.Among{Item: domain.ColumnCreated, List: at("list")}, no},
		{"anything in an empty list", domain.Among{Item: lit(1.0), List: at("none")}, no},
		{"a list in the list", domain.Among{Item: at("none"), List: at("list")}, dunno},
		{"an object in the list", domain.Among{Item: at("object"), List: at("list")}, dunno},
		{"what is missing in the list", domain.Among{Item: at("missing"), List: at("list")}, dunno},
		{"what is beyond doubles in the list", domain.Among{Item: at("huge"), List: at("list")}, dunno},
		{"something in what is no list", domain.Among{Item: lit("x"), List: at("object")}, dunno},
		{"something in a text", domain.Among{Item: lit("B"), List: at("text")}, dunno},
		{"something in what is missing", domain.Among{Item: lit("B"), List: at("missing")}, dunno},

		{"it has a member", domain.Has{Path: at("text")}, yes},
		{"it has a member that is null", domain.Has{Path: at("null")}, yes},
		{"it has a member that is beyond doubles", domain.Has{Path: at("huge")}, yes},
		{"it does not have another", domain.Has{Path: at("missing")}, no},
		{"it has a member of a member", domain.Has{Path: at("object", "deep", "n")}, yes},
		{"it does not have another there", domain.Has{Path: at("object", "deep", "m")}, no},
		{"a member of what is missing", domain.Has{Path: at("missing", "n")}, dunno},
		{"a member of null", domain.Has{Path: at("null", "n")}, dunno},
		{"a member of a number", domain.Has{Path: at("number", "n")}, dunno},
		{"a member of a list", domain.Has{Path: at("list", "0")}, dunno},
		{"no member at all", domain.Has{}, dunno},

		{"what is true", domain.Is{Term: at("yes")}, yes},
		{"what is false", domain.Is{Term: at("no")}, no},
		{"what is null", domain.Is{Term: at("null")}, dunno},
		{"what is a number", domain.Is{Term: at("number")}, dunno},
		{"what is missing", domain.Is{Term: at("missing")}, dunno},

		{"a name with a dot is one name", eq(at("a.b"), lit(1.0)), yes},
		{"a path of two names leads to another", eq(at("a", "b"), lit(2.0)), yes},
		{"a path through a list leads nowhere", eq(at("list", "0"), lit(1.0)), dunno},
		{"a path through null leads nowhere", eq(at("null", "x"), lit(1.0)), dunno},
		{"the data itself is an object", eq(at(), lit(nil)), no},
		{"the id", eq(domain.ColumnID, lit("01900000-0000-7000-8000-000000000001")), yes},
		{"a member of that name is another thing", eq(at("id"), lit("another")), yes},
		{"the owner", eq(domain.ColumnOwner, lit("ada")), yes},
		{"the owner is not null", eq(domain.ColumnOwner, lit(nil)), no},
		{"the time of creation", eq(domain.ColumnCreated, lit(noon)), yes},
		{"the time of change", eq(domain.ColumnChanged, lit(noon.Add(time.Hour))), yes},

		{"the sum", eq(calc(at("number"), domain.Add, lit(1.0)), lit(8.0)), yes},
		{"the difference", eq(calc(at("number"), domain.Subtract, lit(8.0)), lit(-1.0)), yes},
		{"the product", eq(calc(at("number"), domain.Multiply, lit(-2.0)), lit(-14.0)), yes},
		{"the quotient is no integer", eq(calc(at("number"), domain.Divide, lit(2.0)), lit(3.5)), yes},
		{"doubles are not decimals", eq(calc(lit(0.1), domain.Add, lit(0.2)), lit(0.3)), no},
		{"nothing is divided by zero", eq(calc(at("number"), domain.Divide, at("zero")), lit(0.0)), dunno},
		{"nor zero", eq(calc(at("zero"), domain.Divide, at("less")), lit(0.0)), dunno},
		{"a sum that is not finite", less(calc(lit(1e308), domain.Add, lit(1e308)), lit(0.0)), dunno},
		{"a product that is lost in zero", eq(calc(lit(1e-200), domain.Multiply, lit(1e-200)), lit(0.0)), dunno},
		{"a product with zero is zero", eq(calc(at("number"), domain.Multiply, at("zero")), lit(0.0)), yes},
		{"texts are not added", eq(calc(at("text"), domain.Add, at("text")), lit("BeagleBeagle")), dunno},
		{"what is missing is not added", eq(calc(at("missing"), domain.Add, lit(1.0)), lit(1.0)), dunno},
		{"what is beyond doubles is not subtracted", eq(calc(at("huge"), domain.Subtract, at("huge")), lit(0.0)), dunno},

		{"a text has as many code points", eq(domain.Size{Of: at("wide")}, lit(7.0)), yes},
		{"the empty text has none", eq(domain.Size{Of: at("empty")}, lit(0.0)), yes},
		{"a list has as many elements", eq(domain.Size{Of: at("list")}, lit(7.0)), yes},
		{"an object has as many members", eq(domain.Size{Of: at("object")}, lit(3.0)), yes},
		{"the data has, too", less(lit(20.0), domain.Size{Of: at()}), yes},
		{"a number has no size", eq(domain.Size{Of: at("number")}, lit(1.0)), dunno},
		{"null has no size", eq(domain.Size{Of: at("null")}, lit(0.0)), dunno},
		{"a time has no size", eq(domain.Size{Of: domain.ColumnCreated}, lit(0.0)), dunno},
		{"what is missing has no size", eq(domain.Size{Of: at("missing")}, lit(0.0)), dunno},

		{"a day that there is not", less(domain.Moment{Of: at("never")}, lit(noon)), dunno},
		{"a text that tells no time", less(domain.Moment{Of: at("text")}, lit(noon)), dunno},
		{"a number that tells no time", less(domain.Moment{Of: at("number")}, lit(noon)), dunno},
		{"a time tells no time", eq(domain.Moment{Of: domain.ColumnCreated}, lit(noon)), dunno},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := domain.Evaluate(c.p, r); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
			if got := domain.Evaluate(domain.Not{Part: c.p}, r); got != c.want.Not() {
				t.Errorf("the opposite is %d", got)
			}
			if got := domain.Holds(c.p, r); got != (c.want == yes) {
				t.Errorf("it holds: %t", got)
			}
		})
	}
}

func TestARecordOfNobodys(t *testing.T) {
	r := domain.Record{ID: "x"}
	for _, c := range []struct {
		name string
		p    domain.Predicate
		want domain.Truth
	}{
		{"nobody owns it", domain.OwnedBy{}, domain.False},
		{"ada does not own it", domain.OwnedBy{Account: "ada"}, domain.False},
		{"its owner is null", eq(domain.ColumnOwner, lit(nil)), domain.True},
		{"its owner is no empty text", eq(domain.ColumnOwner, lit("")), domain.False},
		{"it has no data", eq(domain.Size{Of: at()}, lit(0.0)), domain.True},
	} {
		if got := domain.Evaluate(c.p, r); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestEverythingHoldsAndNothingDoesNot(t *testing.T) {
	var r domain.Record
	if !domain.Holds(domain.Everything{}, r) || domain.Holds(domain.Nothing{}, r) || domain.Holds(domain.Undecided{}, r) || domain.Holds(nil, r) {
		t.Error("what holds of no data is not what it says")
	}
}

// conditions draws predicates of every form over the fields of sketches.
func conditions() *rapid.Generator[domain.Predicate] {
	leaf := rapid.Custom(func(t *rapid.T) domain.Predicate {
		field := rapid.SampledFrom(fields).Draw(t, "field")
		term := domain.SortKey{Field: field}.Term()
		value := lit(literals().Draw(t, "literal"))
		switch rapid.IntRange(0, 9).Draw(t, "form") {
		case 0:
			return domain.OwnedBy{Account: rapid.SampledFrom(owners).Draw(t, "owner")}
		case 1:
			return domain.Undecided{}
		case 2:
			return domain.Is{Term: term}
		case 3:
			return text(rapid.SampledFrom([]domain.TextTest{domain.Contains, domain.StartsWith, domain.EndsWith}).Draw(t, "test"), term, value)
		case 4:
			if path, ok := term.(domain.Member); ok {
				return domain.Has{Path: path}
			}
			return domain.Everything{}
		case 5, 6:
			return eq(term, value)
		}
		op := rapid.SampledFrom([]domain.Comparison{domain.Equal, domain.Less, domain.AtMost}).Draw(t, "op")
		if rapid.Bool().Draw(t, "exchanged") {
			return domain.Compare{Op: op, Left: value, Right: term}
		}
		return domain.Compare{Op: op, Left: term, Right: value}
	})
	var within func(depth int) *rapid.Generator[domain.Predicate]
	within = func(depth int) *rapid.Generator[domain.Predicate] {
		if depth == 0 {
			return leaf
		}
		part := within(depth - 1)
		return rapid.Custom(func(t *rapid.T) domain.Predicate {
			switch rapid.IntRange(0, 6).Draw(t, "node") {
			case 0, 1, 2:
				return domain.All(rapid.SliceOfN(part, 0, 4).Draw(t, "parts"))
			case 3:
				return domain.Any(rapid.SliceOfN(part, 0, 3).Draw(t, "parts"))
			case 4:
				return domain.Not{Part: part.Draw(t, "part")}
			}
			return leaf.Draw(t, "leaf")
		})
	}
	return within(2)
}

func TestBothIsWhatEachSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := conditions().Draw(t, "p"), conditions().Draw(t, "q")
		r := sketches().Draw(t, "record")
		want := domain.Evaluate(p, r).And(domain.Evaluate(q, r))
		if got := domain.Evaluate(domain.Both(p, q), r); got != want {
			t.Fatalf("both are %d, want %d", got, want)
		}
	})
}

func TestBothLeavesOutWhatSaysNothing(t *testing.T) {
	mine, seven := domain.OwnedBy{Account: "ada"}, eq(at("n"), lit(7.0))
	for _, c := range []struct {
		name       string
		p, q, want domain.Predicate
	}{
		{"everything and everything", all, all, all},
		{"everything and a part", all, mine, mine},
		{"a part and everything", mine, all, mine},
		{"nothing and a part", nothing, mine, nothing},
		{"a part and nothing", mine, nothing, nothing},
		{"two parts", mine, seven, domain.All{mine, seven}},
		{"a part and a conjunction", mine, domain.All{seven, seven}, domain.All{mine, seven, seven}},
		{"a conjunction of no parts and everything", domain.All{}, all, all},
		{"a part and a disjunction", mine, domain.Any{seven}, domain.All{mine, domain.Any{seven}}},
	} {
		if got := domain.Both(c.p, c.q); fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", c.want) {
			t.Errorf("%s: got %#v, want %#v", c.name, got, c.want)
		}
	}
	parts := domain.All{mine, seven}
	domain.Both(parts, seven)
	if len(parts) != 2 {
		t.Error("a part has become another")
	}
	if domain.Holds(domain.Both(nil, all), domain.Record{}) {
		t.Error("no predicate and everything holds")
	}
}

func TestTheConjunctsOfAPredicate(t *testing.T) {
	a, b, c := eq(at("a"), lit(1.0)), domain.Is{Term: at("b")}, domain.Any{all, nothing}
	for _, x := range []struct {
		name string
		p    domain.Predicate
		want []domain.Predicate
	}{
		{"one condition", a, []domain.Predicate{a}},
		{"a conjunction", domain.All{a, b}, []domain.Predicate{a, b}},
		{"a conjunction in a conjunction", domain.All{a, domain.All{b, domain.All{c}}}, []domain.Predicate{a, b, c}},
		{"a disjunction", c, []domain.Predicate{c}},
		{"a negation of a conjunction", not(domain.All{a, b}), []domain.Predicate{not(domain.All{a, b})}},
		{"a conjunction of no parts", domain.All{}, nil},
	} {
		if got := domain.Conjuncts(x.p); fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", x.want) {
			t.Errorf("%s: got %#v, want %#v", x.name, got, x.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p, r := conditions().Draw(t, "p"), sketches().Draw(t, "record")
		joined := domain.True
		for _, part := range domain.Conjuncts(p) {
			joined = joined.And(domain.Evaluate(part, r))
		}
		if want := domain.Evaluate(p, r); joined != want {
			t.Fatalf("its conjuncts are %d, and it is %d", joined, want)
		}
	})
}
