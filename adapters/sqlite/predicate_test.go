package sqlite_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A list of a predicate has the records for which it is True, and one of its opposite
// those for which it is False: so what is Unknown to one of the two is to the other.
func TestAPredicateHoldsInSQLForWhatItHoldsInTheDomain(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	ada := person(1, "ada")
	if err := s.Accounts().Add(t.Context(), ada, domain.NewPasswordHash("hash")); err != nil {
		t.Fatal(err)
	}
	trials := 0
	rapid.Check(t, func(rt *rapid.T) {
		trials++
		c := domain.Collection{Name: domain.CollectionName(fmt.Sprintf("c%d", trials)), Created: noon, Changed: noon}
		var records []domain.Record
		for n, data := range rapid.SliceOfN(documents, 1, 8).Draw(rt, "documents") {
			r := domain.Record{ID: domain.RecordID(id(3, n)), Data: data, Revision: 1, Created: noon.Add(time.Duration(n%3) * time.Second), Changed: noon.Add(time.Minute)}
			if n%2 == 0 {
				r.Owner = ada.ID
			}
			records = append(records, r)
		}
		records[len(records)-1].ID = "12" // as a number would be spelt
		if err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
			if err := tx.Collections().Add(t.Context(), c); err != nil {
				return err
			}
			for _, r := range records {
				if err := tx.Records().Add(t.Context(), domain.CollectionRef{Name: c.Name, Revision: 1}, r, domain.Entries{}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			rt.Fatal(err)
		}
		for _, p := range rapid.SliceOfN(predicates(3), 1, 12).Draw(rt, "predicates") {
			for _, where := range []domain.Predicate{p, domain.Not{Part: p}} {
				q := domain.Query{Where: where, Limit: 100}
				var want []domain.RecordID
				for _, r := range records {
					if domain.Holds(where, r) {
						want = append(want, r.ID)
					}
				}
				found, err := s.Records().List(t.Context(), domain.CollectionRef{Name: c.Name, Revision: 1}, q)
				if err != nil {
					rt.Fatalf("%#v: %v", where, err)
				}
				if got := idsOf(found); !slices.Equal(got, want) {
					rt.Fatalf("%#v\nis true of %v, want %v\nof %+v", where, got, want, records)
				}
				if n, err := s.Records().Count(t.Context(), domain.CollectionRef{Name: c.Name, Revision: 1}, q); err != nil || n != len(want) {
					rt.Fatalf("%#v\ncounts %d, want %d: %v", where, n, len(want), err)
				}
			}
		}
	})
}

func idsOf(records []domain.Record) []domain.RecordID {
	var ids []domain.RecordID
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

// Names and values are few, so that predicates often meet what they ask about; and odd.
var (
	names = rapid.SampledFrom([]string{
		"a", "b", "", "x.y", `q"uote`, `back\slash`, "tab\t", "\x01", "a\n", "é", "a[0]", "$", "$.a", "#", "[0]", "0", "\u2028", " ", "\x7f", "😀", "A",
	})

	texts = rapid.OneOf(
		rapid.SampledFrom([]string{
			"", "a", "ab", "b", "abab", "é", "e\u0301", "\u2028", "12", "1", "1.0", "true", "null", "[]", "\uffff", "😀", "x\ty", `"`, `\u0041`,
			"2030-01-02T12:00:00.123456Z", "2030-01-02T13:00:00.123456789+01:00", "2030-02-30T12:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z",
			id(3, 1), id(1, 1),
		}),
		rapid.StringMatching(`[ab%_*"'\\é]{0,4}`),
	)

	numbers = rapid.OneOf(
		rapid.SampledFrom([]string{
			"0", "-0", "1", "1.0", "12", "1e0", "10e-1", "2", "-1", "3", "0.1", "0.3", "0.30000000000000004", "9007199254740992", "9007199254740993",
			"9007199254740993.0", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1e400", "-1e400",
			"1e-400", "0e-999", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "1.7976931348623157e308", "1.7976931348623159e308",
			"1" + strings.Repeat("0", 99), strings.Repeat("9", 100), "0." + strings.Repeat("3", 98), "8.5e22", "6929495644600919.5", "3.7455744005952583e15",
		}),
		rapid.StringMatching(`-?[1-9][0-9]{0,30}(\.[0-9]{1,30})?(e-?[1-9][0-9]?)?`),
	)

	times = rapid.SampledFrom([]time.Time{noon, noon.Add(time.Second), noon.Add(time.Microsecond), noon.Add(time.Minute), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)})

	documents = rapid.Custom(func(t *rapid.T) domain.Document {
		d, err := domain.DocumentOf(objects(3).Draw(t, "members"))
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
)

func objects(depth int) *rapid.Generator[any] {
	return rapid.Map(rapid.MapOfN(names, values(depth-1), 0, 6), func(m map[string]any) any { return m })
}

func values(depth int) *rapid.Generator[any] {
	all := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), toAny), rapid.Map(texts, toAny), rapid.Map(texts, toAny),
		rapid.Map(numbers, func(s string) any { return json.Number(s) }), rapid.Map(numbers, func(s string) any { return json.Number(s) }),
	}
	if depth > 0 {
		all = append(all, objects(depth), rapid.Map(rapid.SliceOfN(values(depth-1), 0, 4), func(l []any) any { return l }))
	}
	return rapid.OneOf(all...)
}

func toAny[T any](v T) any { return v }

var paths = rapid.Map(rapid.SliceOfN(names, 0, 2), func(p []string) domain.Member { return p })

func terms(depth int) *rapid.Generator[domain.Term] {
	literals := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), toAny), rapid.Map(texts, toAny), rapid.Map(times, toAny),
		rapid.SampledFrom([]any{"a\x00", "a\x00b", "\x00"}),
		rapid.Map(numbers, func(s string) any {
			f, ok := domain.Double(s)
			if !ok {
				return math.MaxFloat64
			}
			return f
		}))
	all := []*rapid.Generator[domain.Term]{
		rapid.Map(literals, func(v any) domain.Term { return domain.Literal{Value: v} }),
		rapid.Map(literals, func(v any) domain.Term { return domain.Literal{Value: v} }),
		rapid.Map(paths, func(m domain.Member) domain.Term { return m }),
		rapid.Map(names, func(name string) domain.Term { return domain.Member{name} }),
		rapid.Map(names, func(name string) domain.Term { return domain.Member{name} }),
		rapid.SampledFrom([]domain.Term{
			domain.ColumnID, domain.ColumnOwner, domain.ColumnCreated, domain.ColumnChanged, domain.Column("none"), domain.Member{"\xff"}, domain.Member{"a\x00"},
		}),
	}
	if depth > 0 {
		all = append(all, rapid.Custom(func(t *rapid.T) domain.Term {
			inner := terms(depth - 1)
			switch rapid.IntRange(0, 2).Draw(t, "term") {
			case 0:
				op := rapid.SampledFrom([]domain.Operator{domain.Add, domain.Subtract, domain.Multiply, domain.Divide}).Draw(t, "op")
				return domain.Arithmetic{Op: op, Left: inner.Draw(t, "left"), Right: inner.Draw(t, "right")}
			case 1:
				return domain.Size{Of: inner.Draw(t, "of")}
			}
			return domain.Moment{Of: inner.Draw(t, "of")}
		}))
	}
	return rapid.OneOf(all...)
}

func predicates(depth int) *rapid.Generator[domain.Predicate] {
	return rapid.Custom(func(t *rapid.T) domain.Predicate {
		most := 9
		if depth == 0 {
			most = 6
		}
		switch rapid.IntRange(0, most).Draw(t, "predicate") {
		case 0, 1:
			op := rapid.SampledFrom([]domain.Comparison{domain.Equal, domain.Less, domain.AtMost}).Draw(t, "op")
			return domain.Compare{Op: op, Left: terms(2).Draw(t, "left"), Right: terms(2).Draw(t, "right")}
		case 2:
			op := rapid.SampledFrom([]domain.TextTest{domain.Contains, domain.StartsWith, domain.EndsWith, 9}).Draw(t, "op")
			return domain.TestText{Op: op, Text: terms(1).Draw(t, "text"), Part: terms(1).Draw(t, "part")}
		case 3:
			return domain.Among{Item: terms(1).Draw(t, "item"), List: paths.Draw(t, "list")}
		case 4:
			return domain.Has{Path: paths.Draw(t, "path")}
		case 5:
			return domain.Is{Term: terms(1).Draw(t, "term")}
		case 6:
			return rapid.SampledFrom([]domain.Predicate{
				domain.Everything{}, domain.Nothing{}, domain.Undecided{}, nil, domain.OwnedBy{}, domain.OwnedBy{Account: person(1, "ada").ID},
			}).Draw(t, "whole")
		case 7:
			return domain.All(rapid.SliceOfN(predicates(depth-1), 0, 3).Draw(t, "parts"))
		case 8:
			return domain.Any(rapid.SliceOfN(predicates(depth-1), 0, 3).Draw(t, "parts"))
		}
		return domain.Not{Part: predicates(depth-1).Draw(t, "part")}
	})
}
