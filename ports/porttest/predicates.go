package porttest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// So many predicates are made up for each seed, and so many records to try them on.
// After so many that are judged wrongly no more are tried.
const (
	madeUp    = 250
	specimens = 48
	enough    = 10
)

// TestPredicates checks that a store finds exactly the records for which a
// predicate is True, as domain.Evaluate has it: for predicates written by hand,
// whose truth is written beside them, and for others that a seed makes up. Each is
// tried on all records, and so is its opposite. open is called once a seed and
// returns an empty store.
//
// A failure prints the seed of its round. With KEYPORT_TEST_SEED set to it that
// round alone is played again.
func TestPredicates(t *testing.T, open func(*testing.T) ports.Store) {
	t.Helper()
	t.Run("by hand", func(t *testing.T) {
		if err := handwritten(t.Context(), open(t), enough); err != nil {
			t.Error(err)
		}
	})
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			if err := random(t.Context(), open(t), seed, enough); err != nil {
				t.Errorf("%v\nKEYPORT_TEST_SEED=%d plays this round again.", err, seed)
			}
		})
	}
}

// handwritten fails with the first predicates, at most so many, that are judged
// otherwise than is written.
func handwritten(ctx context.Context, s ports.Store, most int) error {
	type subject struct {
		data  string
		owner int
	}
	known := make(map[subject]domain.Record)
	var all []domain.Record
	for _, c := range judgements() {
		key := subject{c.data, c.owner}
		r, twice := known[key]
		if !twice {
			r = record(len(all), "")
			if c.owner > 0 {
				r.Owner = accountID(c.owner)
			}
			r.Data = document(c.data)
			known[key] = r
			all = append(all, r)
		}
		if got := domain.Evaluate(c.where, r); got != c.want {
			return fmt.Errorf("%s of %s is %s, want %s", describe(c.where), spell(r), truth(got), truth(c.want))
		}
	}
	if err := shelved(ctx, s, all); err != nil {
		return err
	}
	var errs []error
	for _, c := range judgements() {
		if err := agrees(ctx, s, c.where, all); err != nil {
			errs = append(errs, err)
		}
		if len(errs) == most {
			break
		}
	}
	return errors.Join(errs...)
}

// random fails with the first predicates of a seed, at most so many, that the store
// judges otherwise than domain.Evaluate does.
func random(ctx context.Context, s ports.Store, seed uint64, most int) error {
	g := inventor{newRand(seed)}
	all := make([]domain.Record, specimens)
	for i := range all {
		all[i] = g.record(i)
	}
	if err := shelved(ctx, s, all); err != nil {
		return err
	}
	var errs []error
	for range madeUp {
		if err := agrees(ctx, s, g.predicate(3), all); err != nil {
			errs = append(errs, err)
		}
		if len(errs) == most {
			break
		}
	}
	return errors.Join(errs...)
}

// shelved stores records in ships, and the accounts that own them.
func shelved(ctx context.Context, s ports.Store, all []domain.Record) error {
	err := errors.Join(
		declared(ctx, s, collection("ships")),
		s.Accounts().Add(ctx, account(1, "ada"), hash(1)),
		s.Accounts().Add(ctx, account(2, "bob"), hash(2)),
	)
	for _, r := range all {
		err = errors.Join(err, s.Records().Add(ctx, collection("ships").Ref(), r, entries()))
	}
	return err
}

// agrees fails unless the store finds those records for which a predicate is True,
// and by its opposite those for which it is False.
func agrees(ctx context.Context, s ports.Store, where domain.Predicate, all []domain.Record) error {
	c := collection("ships").Ref()
	is := make([]domain.Truth, len(all))
	for i, r := range all {
		is[i] = domain.Evaluate(where, r)
	}
	for _, ask := range []struct {
		p    domain.Predicate
		when domain.Truth
	}{{where, domain.True}, {domain.Not{Part: where}, domain.False}} {
		q := byID(ask.p, "", len(all))
		list, err := s.Records().List(ctx, c, q)
		if err != nil {
			return fmt.Errorf("%s: %w", describe(ask.p), err)
		}
		found := make(map[domain.RecordID]bool, len(list))
		for _, r := range list {
			found[r.ID] = true
		}
		for i, r := range all {
			if found[r.ID] != (is[i] == ask.when) {
				return fmt.Errorf("%s of %s is %s; the store finds it by %s: %t", describe(where), brief(spell(r)), truth(is[i]), describe(ask.p), found[r.ID])
			}
		}
		if err := reads(len(list))(s.Records().Count(ctx, c, q)); err != nil {
			return fmt.Errorf("%s is counted otherwise than it is listed: %w", describe(ask.p), err)
		}
	}
	return nil
}

// truth names a Truth.
func truth(t domain.Truth) string {
	return map[domain.Truth]string{domain.True: "true", domain.False: "false", domain.Unknown: "unknown"}[t]
}

// describe writes a predicate or a term as Go has it, without the package's name.
func describe(v any) string {
	return brief(strings.NewReplacer("domain.", "", "interface {}", "any").Replace(fmt.Sprintf("%#v", v)))
}

// An inventor makes up predicates and records. It takes names and values from small
// sets, so that predicates meet what they ask for.
type inventor struct{ *rand.Rand }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// pick returns one of a few.
func pick[T any](g *rand.Rand, list ...T) T { return list[g.IntN(len(list))] }

func (g inventor) record(n int) domain.Record {
	r := record(n, pick(g.Rand, "", accountID(1), accountID(2)))
	r.Created = pick(g.Rand, noon, noon.Add(time.Microsecond), noon.Add(-time.Hour))
	r.Changed = r.Created.Add(time.Duration(g.IntN(2)) * time.Microsecond)
	r.Data = document(g.object(3))
	return r
}

// A kind is what a value mostly is under a name, so that predicates find what they
// ask for.
type kind int

const (
	aValue kind = iota
	aNumber
	aText
	aMoment
	aTruth
	aList
	anObject
)

// kinds are those of the names that are mostly taken.
var kinds = map[string]kind{"a": aValue, "n": aNumber, "m": aNumber, "s": aText, "t": aMoment, "b": aTruth, "list": aList, "obj": anObject}

// name is mostly one of a few, so that paths lead somewhere.
func (g inventor) name() string {
	if g.IntN(8) > 0 {
		return pick(g.Rand, "a", "n", "m", "s", "t", "b", "list", "obj")
	}
	return pick(g.Rand, "", "0", "1", "a.b", "x y", "é", "😀", `"q"`, `\`, "$", "$.a", "%", "'", "e/mail", "A", "id", "null", "\u2028")
}

// object writes an object of at most so many levels.
func (g inventor) object(levels int) string {
	members := make(map[string]string)
	for range g.IntN(10) {
		name := g.name()
		members[name] = g.value(kinds[name], levels-1)
	}
	texts := make([]string, 0, len(members))
	for name, v := range members {
		texts = append(texts, quoted(name)+":"+v)
	}
	return "{" + strings.Join(texts, ",") + "}"
}

func (g inventor) value(k kind, levels int) string {
	if k == aValue || g.IntN(6) == 0 {
		k = pick(g.Rand, aNumber, aText, aMoment, aTruth, aList, anObject)
	}
	switch {
	case levels > 0 && k == anObject:
		return g.object(levels)
	case levels > 0 && k == aList:
		items := make([]string, g.IntN(6))
		for i := range items {
			items[i] = pick(g.Rand, `"a"`, "1", "null", g.value(aValue, levels-1), g.value(aValue, levels-1))
		}
		return "[" + strings.Join(items, ",") + "]"
	case k == aNumber:
		return pick(g.Rand, numerals()...)
	case k == aText:
		return quoted(pick(g.Rand, texts()...))
	case k == aMoment:
		return quoted(pick(g.Rand, moments()[:pick(g.Rand, 5, len(moments()))]...))
	}
	return pick(g.Rand, "null", "true", "false")
}

// predicate returns one of at most so many levels above its terms.
func (g inventor) predicate(levels int) domain.Predicate {
	if levels > 0 && g.IntN(10) < 4 {
		parts := make([]domain.Predicate, g.IntN(4))
		for i := range parts {
			parts[i] = g.predicate(levels - 1)
		}
		return pick[domain.Predicate](g.Rand, domain.All(parts), domain.Any(parts), domain.Not{Part: g.predicate(levels - 1)})
	}
	switch g.IntN(12) {
	case 0:
		return pick[domain.Predicate](g.Rand, domain.Everything{}, domain.Nothing{}, domain.Undecided{})
	case 1:
		return domain.OwnedBy{Account: pick(g.Rand, "", accountID(1), accountID(2), accountID(3))}
	case 2, 3:
		return domain.TestText{Op: pick(g.Rand, domain.Contains, domain.StartsWith, domain.EndsWith), Text: g.term(aText, 1), Part: pick[domain.Term](g.Rand, lit("a"), lit("b"), lit("é"), g.term(aText, 1), g.term(aText, 1))}
	case 4:
		return domain.Among{Item: pick[domain.Term](g.Rand, lit("a"), lit(1.0), lit(nil), g.term(aValue, 1), g.term(aValue, 1)), List: g.path(aList)}
	case 5:
		return domain.Has{Path: g.path(aValue)}
	case 6:
		return domain.Is{Term: g.term(aTruth, 1)}
	}
	k := pick(g.Rand, aNumber, aNumber, aText, aMoment, aTruth, aValue)
	return domain.Compare{Op: pick(g.Rand, domain.Equal, domain.Less, domain.AtMost), Left: g.term(k, 2), Right: g.term(k, 2)}
}

// term returns one that mostly is of a kind.
func (g inventor) term(k kind, levels int) domain.Term {
	if k == aValue || g.IntN(8) == 0 {
		k = pick(g.Rand, aNumber, aText, aMoment, aTruth, aList, anObject)
	}
	n := g.IntN(12)
	switch {
	case k == aNumber && levels > 0 && n < 4:
		op := pick(g.Rand, domain.Add, domain.Subtract, domain.Multiply, domain.Divide)
		return domain.Arithmetic{Op: op, Left: g.term(aNumber, levels-1), Right: g.term(aNumber, levels-1)}
	case k == aNumber && levels > 0 && n < 6:
		return domain.Size{Of: g.term(pick(g.Rand, aText, aList, anObject), levels-1)}
	case k == aMoment && levels > 0 && n < 6:
		return domain.Moment{Of: g.term(pick(g.Rand, aMoment, aMoment, aText), levels-1)}
	case k == aMoment && n < 9:
		return pick(g.Rand, domain.ColumnCreated, domain.ColumnChanged)
	case k == aText && n < 2:
		return pick(g.Rand, domain.ColumnID, domain.ColumnOwner)
	case n < 9 && (k == aNumber || k == aText || k == aMoment || k == aTruth):
		return domain.Literal{Value: g.literal(k)}
	}
	return g.path(k)
}

// path leads to what mostly is of a kind.
func (g inventor) path(k kind) domain.Member {
	var path domain.Member
	for range pick(g.Rand, 0, 0, 0, 0, 1, 2) {
		path = append(path, pick(g.Rand, "obj", "obj", "obj", g.name()))
	}
	switch g.IntN(8) {
	case 0:
		return path
	case 1:
		return append(path, g.name())
	}
	return append(path, map[kind]string{aValue: g.name(), aNumber: pick(g.Rand, "n", "m"), aText: "s", aMoment: "t", aTruth: "b", aList: "list", anObject: "obj"}[k])
}

func (g inventor) literal(k kind) any {
	switch {
	case k == aText && g.IntN(6) == 0:
		return pick[any](g.Rand, string(recordID(3)), string(accountID(1)))
	case k == aText:
		return pick(g.Rand, append(texts(), "a", "a", "é", "", "Z")...)
	case k == aMoment && g.IntN(3) == 0:
		return pick(g.Rand, moments()...)
	case k == aMoment:
		return pick(g.Rand, noon, noon.Add(time.Microsecond), noon.Add(-time.Hour), noon.Truncate(time.Second), time.Unix(-1, 999999000).UTC())
	case k == aNumber:
		return pick(g.Rand, 0, math.Copysign(0, -1), 1, -1, 2, 3, 0.1, 0.2, 0.3, 1.5, 100, 1e22, 1<<53, 1<<63, 1e300, -1e300, 1e-300, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Nextafter(1, 2))
	}
	return pick[any](g.Rand, nil, true, false)
}

// numerals are numbers as authors write them: of one value, at the bounds of a
// double and beyond them, and half way between two doubles.
func numerals() []string {
	return []string{
		"0", "-0", "-0.0", "0e400", "1", "1.0", "10e-1", "-1", "2", "3", "0.1", "0.10", "1E+2", "100", "1.5", "1e22", "1e23",
		"1e400", "-1e400", "1e-400", "-1e-400", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
		"2.2250738585072011e-308", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308",
		"9007199254740992", "9007199254740993", "9007199254740993.0", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
		"1.00000000000000011102230246251565404236316680908203125", "1.00000000000000011102230246251565404236316680908203126",
		strings.Repeat("9", 100), "0." + strings.Repeat("3", 99), strings.Repeat("1", 50) + "e-50",
	}
}

// texts are of all planes, with what query languages take for their own.
func texts() []string {
	return []string{
		"", "a", "A", "b", "ab", "aé", "é", "e\u0301", "😀", "a😀b", "\uffff", "\u2028", "\u007f", "zoë", "ZOË", "%", "_", "a%", `\`, "'", `"`, "a\tb", " ", "a ",
		"1", "100", "true", "null", "[]", "{}", "Zoë", "zoe", "za", "aa", "ba", "bé",
	}
}

// moments are times in good and bad form.
func moments() []string {
	return []string{
		"2030-01-02T12:00:00.123456Z", "2030-01-02T12:00:00.1234569Z", "2030-01-02T13:30:00.123456+01:30", "2030-01-02T12:00:00Z",
		"2030-01-02T12:00:00.123456789012345678901234567890Z", "1969-12-31T23:59:59.9999999Z", "2028-02-29T00:00:00-14:00",
		"2030-01-02", "2030-01-02T12:00:00", "2030-01-02 12:00:00Z", "2030-01-02t12:00:00z", "2030-02-29T00:00:00Z", "2030-01-02T24:00:00Z",
		"2030-01-02T12:00:60Z", "2030-01-02T12:00:00+14:01", "2030-01-02T12:00:00,5Z", "0000-12-31T23:59:59Z", "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01",
		"2030-01-02T11:00:00.123456Z", "2030-01-02T12:00:00.123457+00:00", "2030-01-02T12:00:00.Z", "2030-13-01T00:00:00Z", "infinity", "now",
	}
}

// quoted writes a text as JSON.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
