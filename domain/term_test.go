package domain_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

// nearest returns the double that is nearest to a JSON number by way of exact
// fractions; false where that is none, or 0 for a number that is not.
func nearest(t rapid.TB, number string) (float64, bool) {
	t.Helper()
	exact, good := new(big.Rat).SetString(number)
	if !good {
		t.Fatalf("%s is no number", number)
	}
	f, _ := exact.Float64()
	return f, !math.IsInf(f, 0) && (f != 0 || exact.Sign() == 0)
}

func TestTheDoubleOfANumber(t *testing.T) {
	for _, c := range []struct {
		name, number string
		want         float64
		good         bool
	}{
		{"zero", "0", 0, true},
		{"minus zero", "-0", 0, true},
		{"zero with a point and an exponent", "-0.000e-400", 0, true},
		{"zero with a great exponent", "0E1000", 0, true},
		{"an integer", "42", 42, true},
		{"an integer in another spelling", "4.2E+1", 42, true},
		{"the last integer that all doubles reach", "9007199254740991", 9007199254740991, true},
		{"a tie goes to the even one below", "9007199254740993", 9007199254740992, true},
		{"a tie goes to the even one above", "9007199254740995", 9007199254740996, true},
		{"the greatest double", "1.7976931348623157e308", math.MaxFloat64, true},
		{"what is just below the middle to infinity", "1.7976931348623158e308", math.MaxFloat64, true},
		{"what is beyond it", "1.7976931348623159e308", 0, false},
		{"far beyond", "1e400", 0, false},
		{"far below", "-1e1000", 0, false},
		{"the least above zero", "5e-324", math.SmallestNonzeroFloat64, true},
		{"what is nearest to it", "3e-324", math.SmallestNonzeroFloat64, true},
		{"what is nearer to zero", "2e-324", 0, false},
		{"far nearer to zero", "-1e-400", 0, false},
		{"100 digits", strings.Repeat("9", 100), 1e100, true},
		{"100 digits behind the point", "0." + strings.Repeat("0", 98) + "1", 1e-99, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, good := domain.Double(c.number)
			if got != c.want || good != c.good || math.Signbit(got) != math.Signbit(c.want) {
				t.Errorf("got %g, %t; want %g, %t", got, good, c.want, c.good)
			}
		})
	}
}

// numbers draws JSON numbers within the bounds of documents.
func numbers() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		b.WriteString(rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign"))
		b.WriteString(rapid.StringMatching(`0|[1-9][0-9]{0,49}`).Draw(t, "whole"))
		b.WriteString(rapid.StringMatching(`(\.[0-9]{1,49})?`).Draw(t, "fraction"))
		b.WriteString(rapid.StringMatching(`([eE][+-]?([0-9]{1,2}|[1-3][0-9]{2}))?`).Draw(t, "exponent"))
		return b.String()
	})
}

func TestTheDoubleOfANumberIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := numbers().Draw(t, "number")
		want, good := nearest(t, number)
		if !good {
			want = 0
		}
		if got, ok := domain.Double(number); ok != good || got != want {
			t.Fatalf("%s: got %g, %t; want %g, %t", number, got, ok, want, good)
		}
	})
}

func FuzzDouble(f *testing.F) {
	for _, seed := range []string{"0", "-0.0e7", "1e400", "5e-324", "2.4703282292062327208e-324", "9007199254740993", "1.7976931348623158e308"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		if !json.Valid([]byte(number)) || strings.Trim(number, "0123456789+-.eE") != "" {
			return
		}
		if _, err := domain.ParseDocument([]byte(`{"n":` + number + `}`)); err != nil {
			return
		}
		want, good := nearest(t, number)
		if !good {
			want = 0
		}
		if got, ok := domain.Double(number); ok != good || got != want {
			t.Errorf("%s: got %g, %t; want %g, %t", number, got, ok, want, good)
		}
	})
}

// exactly returns a op b as fractions have it, rounded once; false where Arithmetic
// has no value.
func exactly(op domain.Operator, a, b float64) (float64, bool) {
	x, y, z := new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(b), new(big.Rat)
	switch op {
	case domain.Add:
		z.Add(x, y)
	case domain.Subtract:
		z.Sub(x, y)
	case domain.Multiply:
		z.Mul(x, y)
	case domain.Divide:
		if y.Sign() == 0 {
			return 0, false
		}
		z.Quo(x, y)
	}
	f, _ := z.Float64()
	return f, !math.IsInf(f, 0) && (f != 0 || z.Sign() == 0)
}

func TestArithmeticIsExactButForOneRounding(t *testing.T) {
	finite := rapid.OneOf(
		rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }),
		rapid.SampledFrom([]float64{
			0, math.Copysign(0, -1), 1, -1, 3, 0.1, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64,
			-math.SmallestNonzeroFloat64, 1e-200, 1e200, 1 << 53, 0x1p-1022,
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom([]domain.Operator{domain.Add, domain.Subtract, domain.Multiply, domain.Divide}).Draw(t, "op")
		a, b := finite.Draw(t, "a"), finite.Draw(t, "b")
		want, good := exactly(op, a, b)
		if !good {
			want = 0
		}
		got, ok := domain.Calculate(op, a, b)
		if ok != good || got != want {
			t.Fatalf("%g, %d, %g: got %g, %t; want %g, %t", a, op, b, got, ok, want, good)
		}
		r := domain.Record{}
		if judged := domain.Evaluate(eq(calc(lit(a), op, lit(b)), lit(want)), r); (judged == domain.True) != good || (judged == domain.Unknown) == good {
			t.Fatalf("%g, %d, %g: it is judged %d", a, op, b, judged)
		}
	})
}
