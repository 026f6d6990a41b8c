package postgres_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
)

// What documents and conditions are made of: values at the edges of what each kind
// can be.
var (
	numerals = []string{
		"0", "-0", "0.0", "0e1000", "1", "-1", "1.0", "10e-1", "2", "3", "0.1", "-2.5", "1E5", "1e+5", "9007199254740993", "1e100",
		"1e308", "-1e308", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e309", "-1e309", "1e1000", "-1e1000",
		"5e-324", "2.5e-324", "2.4703282292062328e-324", "2.4703282292062327e-324", "-2.4e-324", "1e-1000", "2.2250738585072014e-308", "1e-200",
		"0." + strings.Repeat("0", 98) + "1", strings.Repeat("9", 100), "0." + strings.Repeat("3", 90) + "e-300",
	}
	phrases = []string{
		"", "a", "b", "ab", "B", "é", "e\u0301", "z", "Z", "😀", "\uffff", "o'brien", `\`, `"`, "%", "_", "$1", "true", "null", "1", "/ships", "a b",
		"2030-01-02T12:00:00Z", "2030-01-02T12:00:00.0000009Z", "2030-01-02T12:00:00.123456789+14:00", "2030-01-02T13:00:00+01:00",
		"2030-02-30T12:00:00Z", "2028-02-29T00:00:00-00:00", "2030-02-29T00:00:00Z", "2030-01-02T24:00:00Z", "2030-01-02T12:60:00Z", "2030-01-02T12:00:60Z",
		"2030-13-01T00:00:00Z", "2030-00-01T00:00:00Z", "2030-01-00T00:00:00Z", "2030-04-31T00:00:00Z", "0000-12-31T23:00:00-02:00", "0001-01-01T00:00:00Z",
		"0001-01-01T00:00:00+01:00", "0000-02-29T00:00:00-14:00", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-00:01", "2030-01-02T12:00:00+14:01",
		"2030-01-02t12:00:00Z", "2030-01-02T12:00:00", "2030-01-02T12:00:00.Z", "2030-01-02T12:00:00Z\n", "1500-03-01T00:00:00.5Z", "1900-02-29T00:00:00Z",
		"2030-01-02T12:00:00." + strings.Repeat("1", 30) + "Z", "2030-01-02T12:00:00." + strings.Repeat("1", 31) + "Z",
	}
	names = []string{"a", "a", "a", "b", "b", "0", "1", "-1", " 1", "é", "a.b", `"`, "'", "$1", "", "{}", "m0"}
)

// value draws JSON text.
func value(rt *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 9).Draw(rt, "kind")
	if depth == 0 {
		kind = min(kind, 7)
	}
	switch kind {
	case 0:
		return "null"
	case 1:
		return strconv.FormatBool(rapid.Bool().Draw(rt, "boolean"))
	case 2, 3, 4:
		return rapid.SampledFrom(numerals).Draw(rt, "numeral")
	case 5, 6, 7:
		return strconv.QuoteToGraphic(rapid.SampledFrom(phrases).Draw(rt, "phrase"))
	case 8:
		items := make([]string, rapid.IntRange(0, 3).Draw(rt, "items"))
		for i := range items {
			items[i] = value(rt, depth-1)
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return object(rt, depth-1)
}

func object(rt *rapid.T, depth int) string {
	var members []string
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 5, rapid.ID[string]).Draw(rt, "names") {
		members = append(members, strconv.Quote(name)+":"+value(rt, depth))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func path(rt *rapid.T) domain.Member {
	return rapid.SliceOfN(rapid.SampledFrom(names), rapid.SampledFrom([]int{0, 1, 1, 1, 1, 1, 2, 3}).Draw(rt, "steps"), -1).Draw(rt, "path")[:]
}

// literal draws a value that a condition can name.
func literal(rt *rapid.T) domain.Literal {
	switch rapid.IntRange(0, 9).Draw(rt, "literal") {
	case 0:
		return domain.Literal{}
	case 1:
		return domain.Literal{Value: rapid.Bool().Draw(rt, "boolean")}
	case 2, 3, 4, 5:
		if f, ok := domain.Double(rapid.SampledFrom(numerals).Draw(rt, "number")); ok {
			return domain.Literal{Value: f}
		}
		return domain.Literal{Value: math.MaxFloat64}
	case 6:
		for _, text := range []string{rapid.SampledFrom(phrases).Draw(rt, "time"), "2030-01-02T12:00:00Z"} {
			if at, ok := domain.ParseMoment(text); ok {
				return domain.Literal{Value: at}
			}
		}
	}
	return domain.Literal{Value: rapid.SampledFrom(phrases).Draw(rt, "text")}
}

func termOf(rt *rapid.T, depth int) domain.Term {
	kind := rapid.IntRange(0, 11).Draw(rt, "term")
	if depth == 0 {
		kind = min(kind, 8)
	}
	switch kind {
	case 0, 1, 2, 3, 4:
		return path(rt)
	case 5, 6, 7:
		return literal(rt)
	case 8:
		return rapid.SampledFrom([]domain.Column{domain.ColumnID, domain.ColumnOwner, domain.ColumnCreated, domain.ColumnChanged}).Draw(rt, "column")
	case 9:
		op := rapid.SampledFrom([]domain.Operator{domain.Add, domain.Subtract, domain.Multiply, domain.Divide}).Draw(rt, "operator")
		return domain.Arithmetic{Op: op, Left: termOf(rt, depth-1), Right: termOf(rt, depth-1)}
	case 10:
		return domain.Size{Of: termOf(rt, depth-1)}
	}
	return domain.Moment{Of: termOf(rt, depth-1)}
}

func predicate(rt *rapid.T, depth int) domain.Predicate {
	kind := rapid.IntRange(0, 16).Draw(rt, "predicate")
	if depth == 0 {
		kind = min(kind, 13)
	}
	switch kind {
	case 0, 1, 2, 3:
		op := rapid.SampledFrom([]domain.Comparison{domain.Equal, domain.Less, domain.AtMost}).Draw(rt, "comparison")
		return domain.Compare{Op: op, Left: termOf(rt, 2), Right: termOf(rt, 2)}
	case 4, 5:
		op := rapid.SampledFrom([]domain.TextTest{domain.Contains, domain.StartsWith, domain.EndsWith}).Draw(rt, "test")
		return domain.TestText{Op: op, Text: termOf(rt, 1), Part: termOf(rt, 1)}
	case 6, 7:
		return domain.Among{Item: termOf(rt, 1), List: path(rt)}
	case 8, 9:
		return domain.Has{Path: path(rt)}
	case 10, 11:
		return domain.Is{Term: termOf(rt, 1)}
	case 12:
		return domain.OwnedBy{Account: rapid.SampledFrom([]domain.AccountID{ada, bob, ""}).Draw(rt, "account")}
	case 13:
		return rapid.SampledFrom([]domain.Predicate{domain.Everything{}, domain.Nothing{}, domain.Undecided{}}).Draw(rt, "constant")
	case 14:
		return domain.Not{Part: predicate(rt, depth-1)}
	}
	parts := make([]domain.Predicate, rapid.IntRange(0, 3).Draw(rt, "parts"))
	for i := range parts {
		parts[i] = predicate(rt, depth-1)
	}
	if kind == 15 {
		return domain.All(parts)
	}
	return domain.Any(parts)
}

// Records are added as conditions are tried, and each condition is tried on all. That
// it is unknown shows in its opposite, which then is not true either.
func TestAConditionFindsWhatTheDomainSays(t *testing.T) {
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			s, _ := open(t, postgres.Config{ExecMode: mode})
			things := domain.Collection{Name: "things", Revision: 1}
			if err := s.Collections().Add(t.Context(), things); err != nil {
				t.Fatal(err)
			}
			var all []domain.Record
			add := func(rt rapid.TB, text string) {
				data, err := domain.ParseDocument([]byte(text))
				if err != nil {
					rt.Fatalf("%s: %v", text, err)
				}
				r := ship(len(all))
				r.Data, r.Owner = data, []domain.AccountID{ada, bob, ""}[len(all)%3]
				r.Created = noon.Add(time.Duration(len(all)%4) * time.Second)
				r.Changed = r.Created.Add(time.Microsecond)
				if err := s.Records().Add(t.Context(), things.Ref(), r, domain.Entries{}); err != nil {
					rt.Fatal(err)
				}
				all = append(all, r)
			}
			for i, n := range numerals {
				add(t, fmt.Sprintf(`{"a":%s,"b":%s}`, n, numerals[(i*7+3)%len(numerals)]))
			}
			for i, p := range phrases {
				add(t, fmt.Sprintf(`{"a":%s,"b":%s}`, strconv.QuoteToGraphic(p), strconv.QuoteToGraphic(phrases[(i*5+2)%len(phrases)])))
			}
			rapid.Check(t, func(rt *rapid.T) {
				for range 4 {
					if text := object(rt, 3); len(all) < 1000 {
						add(rt, text)
					}
				}
				p := predicate(rt, 3)
				for _, p := range []domain.Predicate{p, domain.Not{Part: p}} {
					var want []domain.RecordID
					for _, r := range all {
						if domain.Holds(p, r) {
							want = append(want, r.ID)
						}
					}
					found, err := s.Records().List(t.Context(), things.Ref(), domain.Query{Where: p, Limit: len(all) + 1})
					if err != nil {
						rt.Fatalf("%#v: %v", p, err)
					}
					var got []domain.RecordID
					for _, r := range found {
						got = append(got, r.ID)
					}
					for _, r := range all {
						if slices.Contains(got, r.ID) != slices.Contains(want, r.ID) {
							rt.Fatalf("%#v of %s of %q at %s: found %v, want %v", p, r.Data.Text(), r.Owner, r.Created, slices.Contains(got, r.ID), slices.Contains(want, r.ID))
						}
					}
				}
			})
		})
	}
}
