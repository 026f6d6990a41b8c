package porttest

import (
	"math"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A judgement is what a predicate is of a record.
type judgement struct {
	where domain.Predicate
	data  string
	want  domain.Truth
	owner int // the number of the account; 0: nobody
}

// judgements are of every node and every term, and of each way in which it can come
// to nothing.
func judgements() []judgement {
	var list []judgement
	note := func(want domain.Truth, data string, parts ...domain.Predicate) {
		for _, p := range parts {
			list = append(list, judgement{where: p, data: data, want: want})
		}
	}
	holds := func(data string, parts ...domain.Predicate) { note(domain.True, data, parts...) }
	denies := func(data string, parts ...domain.Predicate) { note(domain.False, data, parts...) }
	wonders := func(data string, parts ...domain.Predicate) { note(domain.Unknown, data, parts...) }
	owned := func(want domain.Truth, owner int, parts ...domain.Predicate) {
		for _, p := range parts {
			list = append(list, judgement{where: p, data: `{"owned":true}`, want: want, owner: owner})
		}
	}

	yes, no, maybe := domain.Everything{}, domain.Nothing{}, domain.Undecided{}

	// What holds of all records alike.
	holds(`{}`, yes, domain.Not{Part: no}, domain.All{}, domain.Not{Part: domain.Any{}}, domain.Not{Part: domain.Not{Part: yes}})
	denies(`{}`, no, domain.Not{Part: yes}, domain.Any{})
	wonders(`{}`, maybe, domain.Not{Part: maybe}, domain.Not{Part: domain.Not{Part: maybe}})
	holds(`{}`, domain.All{yes}, domain.All{yes, yes}, domain.Any{yes}, domain.Any{yes, no}, domain.Any{no, yes}, domain.Any{yes, maybe}, domain.Any{maybe, yes}, domain.Any{no, maybe, yes})
	denies(`{}`, domain.All{no}, domain.All{yes, no}, domain.All{no, yes}, domain.All{no, maybe}, domain.All{maybe, no}, domain.All{yes, maybe, no}, domain.Any{no}, domain.Any{no, no})
	wonders(`{}`, domain.All{maybe}, domain.All{yes, maybe}, domain.All{maybe, yes}, domain.All{maybe, maybe}, domain.Any{maybe}, domain.Any{no, maybe}, domain.Any{maybe, no}, domain.Any{maybe, maybe},
		domain.All{domain.Any{maybe, no}, domain.Not{Part: domain.All{no, maybe}}})

	// Owners.
	ada, bob := accountID(1), accountID(2)
	owned(domain.True, 1, domain.OwnedBy{Account: ada}, equals(domain.ColumnOwner, lit(string(ada))), domain.Not{Part: domain.OwnedBy{Account: bob}},
		domain.Not{Part: domain.OwnedBy{}}, domain.Any{domain.OwnedBy{Account: bob}, domain.OwnedBy{Account: ada}})
	owned(domain.False, 1, domain.OwnedBy{Account: bob}, domain.OwnedBy{}, equals(domain.ColumnOwner, lit(string(bob))), equals(domain.ColumnOwner, lit(nil)))
	owned(domain.True, 0, equals(domain.ColumnOwner, lit(nil)), domain.Not{Part: domain.OwnedBy{Account: ada}})
	owned(domain.False, 0, domain.OwnedBy{}, domain.OwnedBy{Account: ada}, equals(domain.ColumnOwner, lit(string(ada))), equals(domain.ColumnOwner, lit("")))
	owned(domain.Unknown, 0, below(domain.ColumnOwner, lit("x")), has(domain.ColumnOwner, ""), domain.Compare{Op: domain.Equal, Left: domain.Size{Of: domain.ColumnOwner}, Right: lit(36.0)})
	owned(domain.True, 2, below(domain.ColumnOwner, lit("x")), has(domain.ColumnOwner, ""), equals(domain.Size{Of: domain.ColumnOwner}, lit(36.0)))

	// The other columns. Records are created at noon, and changed three microseconds
	// later.
	holds(`{}`, equals(domain.ColumnCreated, lit(noon)), below(domain.ColumnCreated, domain.ColumnChanged), atMost(domain.ColumnCreated, lit(noon)),
		below(domain.ColumnCreated, lit(noon.Add(time.Microsecond))), equals(domain.ColumnChanged, lit(noon.Add(3*time.Microsecond))), has(domain.ColumnID, "0190"), below(domain.ColumnID, lit("0191")))
	denies(`{}`, below(domain.ColumnCreated, lit(noon)), equals(domain.ColumnCreated, domain.ColumnChanged), atMost(domain.ColumnChanged, lit(noon)),
		equals(domain.ColumnCreated, lit("2030-01-02T12:00:00.123456Z")), equals(domain.ColumnID, lit("")), equals(domain.ColumnCreated, lit(nil)))
	wonders(`{}`, below(domain.ColumnCreated, lit("2031")), below(domain.ColumnCreated, lit(1.0)), has(domain.ColumnCreated, "2030"), domain.Is{Term: domain.ColumnID})
	holds(`{"t":"2030-01-02T13:00:00.123456+01:00"}`, equals(domain.Moment{Of: at("t")}, domain.ColumnCreated), below(domain.Moment{Of: at("t")}, domain.ColumnChanged))

	// Literals alone.
	holds(`{}`, equals(lit(nil), lit(nil)), equals(lit(1.0), lit(1.0)), equals(lit("a"), lit("a")), equals(lit(true), lit(true)), below(lit(false), lit(true)), below(lit("a"), lit("b")),
		equals(lit(0.0), lit(math.Copysign(0, -1))), atMost(lit(noon), lit(noon)), domain.Is{Term: lit(true)})
	denies(`{}`, equals(lit(nil), lit(false)), equals(lit(1.0), lit("1")), equals(lit(true), lit(1.0)), equals(lit("true"), lit(true)), equals(lit(nil), lit("")), below(lit(math.Copysign(0, -1)), lit(0.0)), domain.Is{Term: lit(false)})
	wonders(`{}`, below(lit(nil), lit(nil)), atMost(lit(nil), lit(nil)), below(lit(1.0), lit("2")), below(lit(false), lit(1.0)), domain.Is{Term: lit(nil)}, domain.Is{Term: lit(1.0)}, domain.Is{Term: lit("true")})

	// Members that are there, and that are not.
	nested := `{"a":{"b":{"c":1},"list":[{"c":2}],"null":null},"list":["x","y"],"n":1,"s":"text"}`
	holds(nested, equals(at("a", "b", "c"), lit(1.0)), equals(at("a", "null"), lit(nil)), domain.Has{Path: at("a")}, domain.Has{Path: at("a", "b")}, domain.Has{Path: at("a", "null")}, domain.Has{Path: at("list")})
	denies(nested, equals(at("a", "b", "c"), lit("1")), equals(at("a"), lit(nil)), equals(at("list"), lit("x")), equals(lit(1.0), at("a")), equals(at("list"), lit(nil)), equals(domain.Member{}, lit(nil)), equals(at("a", "null"), at("a", "b")),
		domain.Has{Path: at("b")}, domain.Has{Path: at("a", "c")}, domain.Has{Path: at("a", "b", "list")})
	wonders(nested, equals(at("b"), lit(1.0)), equals(at("b"), lit(nil)), equals(at("b"), at("b")), equals(at("a", "b", "c", "d"), lit(1.0)), equals(at("a"), at("a")), equals(at("a"), at("list")), equals(domain.Member{}, at("a")),
		equals(at("list", "0"), lit("x")), equals(at("a", "list", "0", "c"), lit(2.0)), equals(at("s", "0"), lit("t")), below(at("a"), at("a")), below(at("list"), lit("z")), below(at("a", "null"), lit(1.0)),
		domain.Has{}, domain.Has{Path: at("list", "0")}, domain.Has{Path: at("n", "x")}, domain.Has{Path: at("b", "c")}, domain.Has{Path: at("a", "null", "x")}, domain.Is{Term: at("a")}, domain.Is{Term: at("b")}, domain.Is{Term: domain.Member{}})
	holds(`{"":{"":1}}`, equals(at("", ""), lit(1.0)), domain.Has{Path: at("")}, domain.Has{Path: at("", "")})
	odd := `{"0":1,"a.b":2,"x y":3,"\"q\"":4,"\\":5,"$":6,"%":7,"'":8,"é":9,"😀":10,"\u2028":11,"[0]":12,"{a}":13,"a,b":14,"A":15,"#-1":16,"*":17,"?":18,"null":19,"\\u0041":20,"\t":21}`
	for name, n := range map[string]float64{"0": 1, "a.b": 2, "x y": 3, `"q"`: 4, `\`: 5, "$": 6, "%": 7, "'": 8, "é": 9, "😀": 10, "\u2028": 11, "[0]": 12, "{a}": 13, "a,b": 14, "A": 15, "#-1": 16, "*": 17, "?": 18, "null": 19, `\u0041`: 20, "\t": 21} {
		holds(odd, equals(at(name), lit(n)), domain.Has{Path: at(name)})
	}
	denies(odd, domain.Has{Path: at("a")}, domain.Has{Path: at("e\u0301")}, domain.Has{Path: at("")}, domain.Has{Path: at("$.A")})
	wonders(odd, equals(at("a"), lit(15.0)), equals(at("a", "b"), lit(2.0)), equals(at("1"), lit(1.0)))

	// Booleans.
	holds(`{"b":true}`, domain.Is{Term: at("b")}, equals(at("b"), lit(true)), below(lit(false), at("b")), atMost(at("b"), lit(true)))
	denies(`{"b":true}`, domain.Not{Part: domain.Is{Term: at("b")}}, equals(at("b"), lit(1.0)), equals(at("b"), lit("true")), below(at("b"), lit(true)))
	denies(`{"b":false}`, domain.Is{Term: at("b")}, equals(at("b"), lit(nil)), equals(at("b"), lit(0.0)))
	wonders(`{"b":1}`, domain.Is{Term: at("b")})
	wonders(`{"b":"true"}`, domain.Is{Term: at("b")})
	wonders(`{"b":null}`, domain.Is{Term: at("b")}, below(at("b"), lit(true)))

	// Numbers are doubles.
	n := at("n")
	holds(`{"n":0.10}`, equals(n, lit(0.1)), below(n, lit(0.2)), atMost(n, lit(0.1)))
	holds(`{"n":-0}`, equals(n, lit(0.0)), atMost(n, lit(math.Copysign(0, -1))))
	holds(`{"n":-0.0}`, equals(n, lit(0.0)))
	holds(`{"n":0e400}`, equals(n, lit(0.0)))
	holds(`{"n":1E+2}`, equals(n, lit(100.0)), below(lit(99.5), n))
	holds(`{"n":9}`, below(n, lit(10.0))) // not as texts
	denies(`{"n":9}`, below(lit(10.0), n), equals(n, lit("9")))
	holds(`{"n":9007199254740993}`, equals(n, lit(9007199254740992.0)))
	denies(`{"n":9007199254740993}`, below(lit(9007199254740992.0), n))
	holds(`{"n":9007199254740993.0}`, equals(n, lit(9007199254740992.0)))
	holds(`{"n":9223372036854775807}`, equals(n, lit(math.Exp2(63))))
	holds(`{"n":18446744073709551617}`, equals(n, lit(math.Exp2(64))))
	holds(`{"n":1.00000000000000011102230246251565404236316680908203125}`, equals(n, lit(1.0)))
	holds(`{"n":1.00000000000000011102230246251565404236316680908203126}`, equals(n, lit(math.Nextafter(1, 2))))
	holds(`{"n":2.2250738585072011e-308}`, equals(n, lit(2.225073858507201e-308)))
	holds(`{"n":1e23}`, equals(n, lit(1e23)))
	holds(`{"n":2.4703282292062328e-324}`, equals(n, lit(math.SmallestNonzeroFloat64)))
	holds(`{"n":1.7976931348623158e308}`, equals(n, lit(math.MaxFloat64)))
	holds(`{"n":1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890}`, equals(n, lit(1.2345678901234567e99)))
	for _, beyond := range []string{`{"n":1e400}`, `{"n":-1e400}`, `{"n":1e-400}`, `{"n":2.4703282292062327e-324}`, `{"n":1.7976931348623159e308}`} {
		wonders(beyond, equals(n, lit(0.0)), equals(n, lit(nil)), equals(n, n), below(n, lit(1.0)), below(lit(1.0), n), domain.Among{Item: n, List: at("list")}, equals(plus(n, lit(1.0)), lit(1.0)))
		holds(beyond, domain.Has{Path: n})
	}

	// Texts are compared by code points.
	s := at("s")
	holds(`{"s":"zoë"}`, equals(s, lit("zoë")), below(lit("zoe"), s), below(lit("zoz"), s), atMost(s, lit("zoë")), below(lit("Zoë"), s))
	denies(`{"s":"zoë"}`, equals(s, lit("ZOË")), equals(s, lit("zoe\u0308")), equals(s, lit("zoë ")), below(s, lit("zoë")))
	holds(`{"s":"\uffff"}`, below(s, lit("😀"))) // not by UTF-16
	holds(`{"s":"😀"}`, below(lit("\uffff"), s), equals(s, lit("😀")))
	holds(`{"s":""}`, equals(s, lit("")), below(s, lit("\u0001")), atMost(lit(""), s))
	denies(`{"s":""}`, equals(s, lit(nil)))
	holds(`{"s":"a"}`, below(s, lit("a\u0001")), below(s, lit("ab")), below(lit("B"), s))
	holds(`{"s":"\u2028"}`, equals(s, lit("\u2028")))
	holds(`{"s":"10"}`, below(s, lit("9")))
	denies(`{"s":"10"}`, equals(s, lit(10.0)))
	wonders(`{"s":"10"}`, below(lit(9.0), s))

	// Tests of texts.
	holds(`{"s":"zoë"}`, has(s, "oë"), starts(s, "zo"), ends(s, "ë"), has(s, ""), starts(s, ""), ends(s, ""), has(s, "zoë"), starts(s, "zoë"), ends(s, "zoë"))
	denies(`{"s":"zoë"}`, has(s, "OË"), has(s, "oe"), starts(s, "Zo"), starts(s, "o"), ends(s, "o"), ends(s, "\u0308"), starts(s, "zoës"), ends(s, "a zoë"), has(s, "%"), has(s, "_"), starts(s, "_"), starts(s, "z%"), ends(s, "%"))
	holds(`{"s":"100%_\\*?[a]'\"^$.😀"}`, has(s, `%_\`), has(s, `*?[a]`), has(s, `'"`), ends(s, "^$.😀"), starts(s, "100%"))
	denies(`{"s":"100%_\\*?[a]'\"^$.😀"}`, has(s, "%%"), starts(s, "1_0"), has(s, "*?a"), ends(s, "😁"), starts(s, "100_"))
	holds(`{"s":""}`, has(s, ""), starts(s, ""), ends(s, ""))
	denies(`{"s":""}`, has(s, "a"), starts(s, " "), ends(s, "a"))
	wonders(`{"s":1,"n":null,"list":["a"]}`, has(s, "1"), starts(s, ""), ends(n, ""), has(at("list"), "a"), has(at("none"), ""), has(domain.Member{}, ""),
		domain.TestText{Op: domain.Contains, Text: lit("a"), Part: s}, domain.TestText{Op: domain.StartsWith, Text: lit("a"), Part: n}, domain.TestText{Op: domain.EndsWith, Text: lit("a"), Part: at("none")})
	holds(`{"s":"zoë","n":"oë"}`, domain.TestText{Op: domain.Contains, Text: s, Part: n}, domain.TestText{Op: domain.EndsWith, Text: s, Part: n}, domain.TestText{Op: domain.StartsWith, Text: lit("oël"), Part: n})
	denies(`{"s":"zoë","n":"oë"}`, domain.TestText{Op: domain.Contains, Text: n, Part: s}, domain.TestText{Op: domain.StartsWith, Text: s, Part: n})

	// Lists.
	mixed := `{"list":[1.0,"a",null,true,1e400,[2],{"b":3},"2030-01-02T12:00:00Z"],"n":1,"s":"a","empty":[],"obj":{"a":1}}`
	list1 := at("list")
	holds(mixed, among(lit(1.0), list1), among(lit("a"), list1), among(lit(nil), list1), among(lit(true), list1), among(n, list1), among(s, list1), among(plus(n, lit(0.0)), list1))
	denies(mixed, among(lit("1"), list1), among(lit(false), list1), among(lit("A"), list1), among(lit(2.0), list1), among(lit(""), list1), among(lit(noon.Truncate(time.Second)), list1),
		among(lit(1.0), at("empty")), among(lit(nil), at("empty")), among(lit("[2]"), list1), among(domain.Moment{Of: lit("2030-01-02T12:00:00Z")}, list1))
	wonders(mixed, among(lit(1.0), at("none")), among(lit(1.0), n), among(lit("a"), s), among(lit("a"), at("obj")), among(lit(1.0), domain.Member{}), among(list1, list1), among(at("obj"), list1), among(at("none"), list1),
		among(at("none"), at("empty")), among(at("empty"), at("empty")))
	denies(`{"list":[[1],{"a":1}]}`, among(lit(1.0), list1), among(lit(nil), list1))

	// Sizes.
	holds(mixed, equals(domain.Size{Of: list1}, lit(8.0)), equals(domain.Size{Of: at("empty")}, lit(0.0)), equals(domain.Size{Of: at("obj")}, lit(1.0)), equals(domain.Size{Of: domain.Member{}}, lit(5.0)), equals(domain.Size{Of: s}, lit(1.0)),
		below(lit(7.5), domain.Size{Of: list1}))
	wonders(mixed, equals(domain.Size{Of: n}, lit(1.0)), equals(domain.Size{Of: at("none")}, lit(0.0)), equals(domain.Size{Of: domain.ColumnCreated}, lit(0.0)), equals(domain.Size{Of: lit(nil)}, lit(0.0)), equals(domain.Size{Of: lit(true)}, lit(1.0)))
	holds(`{"s":"e\u0301😀"}`, equals(domain.Size{Of: s}, lit(3.0)), equals(domain.Size{Of: lit("zoë")}, lit(3.0)), equals(domain.Size{Of: lit("")}, lit(0.0)))
	holds(`{}`, equals(domain.Size{Of: domain.Member{}}, lit(0.0)))

	// Arithmetic.
	holds(`{"n":7,"m":2}`, equals(plus(n, at("m")), lit(9.0)), equals(minus(n, at("m")), lit(5.0)), equals(times(n, at("m")), lit(14.0)), equals(over(n, at("m")), lit(3.5)), equals(over(minus(n, lit(1.0)), at("m")), lit(3.0)),
		equals(plus(lit(0.1), lit(0.2)), lit(0.30000000000000004)), equals(times(lit(0.0), n), lit(0.0)), equals(over(lit(0.0), n), lit(0.0)), equals(over(lit(math.Copysign(0, -1)), n), lit(0.0)), equals(minus(n, n), lit(0.0)), equals(plus(lit(1e16), lit(1.0)), lit(1e16)),
		equals(times(lit(5e-324), lit(1.0)), lit(5e-324)), equals(over(lit(1.0), lit(3.0)), lit(0.3333333333333333)))
	denies(`{"n":7,"m":2}`, equals(plus(lit(0.1), lit(0.2)), lit(0.3)), below(over(n, at("m")), lit(3.5)), equals(plus(n, at("m")), lit("9")))
	wonders(`{"n":7,"m":2}`, equals(over(n, lit(0.0)), lit(0.0)), equals(over(n, lit(math.Copysign(0, -1))), lit(0.0)), equals(over(lit(0.0), lit(0.0)), lit(0.0)), equals(times(lit(1e200), lit(1e200)), lit(0.0)), equals(plus(lit(math.MaxFloat64), lit(math.MaxFloat64)), lit(0.0)),
		equals(minus(lit(-math.MaxFloat64), lit(math.MaxFloat64)), lit(0.0)), equals(times(lit(1e-200), lit(1e-200)), lit(0.0)), equals(over(lit(1e-300), lit(1e300)), lit(0.0)), equals(over(lit(1e300), lit(1e-300)), lit(0.0)), equals(times(lit(5e-324), lit(0.5)), lit(0.0)),
		equals(plus(n, lit("1")), lit("71")), equals(plus(lit("a"), lit("b")), lit("ab")), equals(plus(n, at("none")), lit(7.0)), equals(plus(n, lit(nil)), lit(7.0)), equals(plus(n, lit(true)), lit(8.0)), equals(plus(domain.ColumnCreated, lit(0.0)), domain.ColumnCreated), equals(times(at("none"), lit(0.0)), lit(0.0)))

	// Times that texts write.
	second := noon.Truncate(time.Second)
	for text, want := range map[string]time.Time{
		"2030-01-02T12:00:00Z":                                second,
		"2030-01-02T12:00:00.0Z":                              second,
		"2030-01-02T12:00:00+00:00":                           second,
		"2030-01-02T12:00:00-00:00":                           second,
		"2030-01-02T13:30:00+01:30":                           second,
		"2030-01-01T22:00:00-14:00":                           second,
		"2030-01-02T12:00:00.123456Z":                         noon,
		"2030-01-02T12:00:00.1234569Z":                        noon, // cut, not rounded
		"2030-01-02T12:00:00.123456999999999999999999999999Z": noon,
		"2028-02-29T00:00:00Z":                                time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC),
		"1969-12-31T23:59:59.9999999Z":                        time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
		"0001-01-01T00:00:00Z":                                time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		"0001-01-01T12:00:00+12:00":                           time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		"9999-12-31T23:59:59.999999Z":                         time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		"0000-12-31T23:59:59-00:01":                           time.Date(1, 1, 1, 0, 0, 59, 0, time.UTC),
	} {
		data := `{"t":"` + text + `"}`
		holds(data, equals(domain.Moment{Of: at("t")}, lit(want)), below(domain.Moment{Of: at("t")}, lit(want.Add(time.Microsecond))), atMost(lit(want), domain.Moment{Of: at("t")}))
		denies(data, equals(at("t"), lit(want)), equals(domain.Moment{Of: at("t")}, at("t")))
		holds(`{}`, equals(domain.Moment{Of: lit(text)}, lit(want)))
	}
	for _, text := range []string{
		"", "now", "infinity", "-infinity", "epoch", "2030-01-02", "12:00:00Z", "2030-01-02T12:00Z", "2030-01-02T12:00:00", "2030-01-02 12:00:00Z", "2030-01-02t12:00:00Z", "2030-01-02T12:00:00z",
		"2030-01-02T24:00:00Z", "2030-01-02T12:60:00Z", "2030-01-02T12:00:60Z", "2016-12-31T23:59:60Z", "2030-02-29T00:00:00Z", "2030-00-01T00:00:00Z", "2030-13-01T00:00:00Z", "2030-01-00T00:00:00Z", "2030-04-31T00:00:00Z",
		"2030-01-02T12:00:00+14:01", "2030-01-02T12:00:00+15:00", "2030-01-02T12:00:00+01:60", "2030-01-02T12:00:00+1:00", "2030-01-02T12:00:00+0100", "2030-01-02T12:00:00,5Z", "2030-01-02T12:00:00.Z",
		"2030-01-02T12:00:00.1234567890123456789012345678901Z", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z",
		" 2030-01-02T12:00:00Z", "2030-01-02T12:00:00Z ", "2030-01-02T12:00:00Z\n", "２030-01-02T12:00:00Z", "2030-01-02T12:00:00 UTC",
	} {
		data := `{"t":` + quoted(text) + `}`
		wonders(data, equals(domain.Moment{Of: at("t")}, lit(noon)), equals(domain.Moment{Of: at("t")}, lit(nil)), below(domain.Moment{Of: at("t")}, lit(noon)))
		wonders(`{}`, equals(domain.Moment{Of: lit(text)}, lit(noon)))
	}
	wonders(`{"n":1,"list":[],"s":null}`, equals(domain.Moment{Of: n}, lit(noon)), equals(domain.Moment{Of: list1}, lit(noon)), equals(domain.Moment{Of: s}, lit(noon)), equals(domain.Moment{Of: at("none")}, lit(noon)),
		equals(domain.Moment{Of: domain.ColumnCreated}, domain.ColumnCreated), equals(domain.Moment{Of: domain.ColumnID}, lit(noon)))
	return list
}

func at(path ...string) domain.Member { return path }

func lit(v any) domain.Literal { return domain.Literal{Value: v} }

func equals(a, b domain.Term) domain.Predicate {
	return domain.Compare{Op: domain.Equal, Left: a, Right: b}
}

func below(a, b domain.Term) domain.Predicate {
	return domain.Compare{Op: domain.Less, Left: a, Right: b}
}

func atMost(a, b domain.Term) domain.Predicate {
	return domain.Compare{Op: domain.AtMost, Left: a, Right: b}
}

func has(text domain.Term, part string) domain.Predicate {
	return domain.TestText{Op: domain.Contains, Text: text, Part: lit(part)}
}

func starts(text domain.Term, part string) domain.Predicate {
	return domain.TestText{Op: domain.StartsWith, Text: text, Part: lit(part)}
}

func ends(text domain.Term, part string) domain.Predicate {
	return domain.TestText{Op: domain.EndsWith, Text: text, Part: lit(part)}
}

func among(item domain.Term, list domain.Member) domain.Predicate {
	return domain.Among{Item: item, List: list}
}

func plus(a, b domain.Term) domain.Term {
	return domain.Arithmetic{Op: domain.Add, Left: a, Right: b}
}

func minus(a, b domain.Term) domain.Term {
	return domain.Arithmetic{Op: domain.Subtract, Left: a, Right: b}
}

func times(a, b domain.Term) domain.Term {
	return domain.Arithmetic{Op: domain.Multiply, Left: a, Right: b}
}

func over(a, b domain.Term) domain.Term {
	return domain.Arithmetic{Op: domain.Divide, Left: a, Right: b}
}
