package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

func TestNumbersHaveBounds(t *testing.T) {
	digits := func(n int) string { return strings.Repeat("9", n) }
	for _, c := range []struct {
		name, number string
		good         bool
	}{
		{"zero", "0", true},
		{"less than nothing", "-0", true},
		{"100 digits", digits(100), true},
		{"100 digits below zero", "-" + digits(100), true},
		{"100 digits with a point", digits(50) + "." + digits(50), true},
		{"100 digits with a point and an exponent", "-" + digits(1) + "." + digits(99) + "E-1000", true},
		{"101 digits", digits(101), false},
		{"101 digits below zero", "-" + digits(101), false},
		{"101 digits with a point", digits(1) + "." + digits(100), false},
		{"101 digits, most of them zeros", "0." + strings.Repeat("0", 99) + "1", false},
		{"an exponent of 1000", "1e1000", true},
		{"an exponent of 1000 with its sign", "1E+1000", true},
		{"an exponent of -1000", "1e-1000", true},
		{"an exponent with zeros before it", "1e-0001000", true},
		{"an exponent of 1001", "1e1001", false},
		{"an exponent of -1001", "1E-1001", false},
		{"an exponent beyond every integer", "1e" + digits(40), false},
		{"an exponent beyond, of zero", "0e99999999999999999999", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := domain.ParseDocument([]byte(`{"a":[` + c.number + `]}`))
			if !c.good {
				blames(t, err, domain.ErrInvalid, "/a/- number-out-of-range")
				return
			}
			if err != nil || d.Text() != `{"a":[`+c.number+`]}` {
				t.Errorf("got %s (%v)", d.Text(), err)
			}
		})
	}
}

// A number has one unique key, however it is spelled: here m·10^e, with zeros and
// the point wherever they may stand.
func TestNumbersAreTheSameWhateverTheirSpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.Int64Range(0, 99999).Draw(t, "m")
		e := rapid.IntRange(-20, 20).Draw(t, "e")
		sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
		plain := fmt.Sprintf("%s%de%d", sign, m, e)

		zeros := rapid.IntRange(0, 5).Draw(t, "zeros behind")
		digits := fmt.Sprint(m) + strings.Repeat("0", zeros)
		point := rapid.IntRange(0, len(digits)).Draw(t, "point")
		power := e - zeros + len(digits) - point
		whole, fraction := digits[:point], digits[point:]
		if whole = strings.TrimLeft(whole, "0"); whole == "" {
			whole = "0"
		}
		if fraction != "" {
			fraction = "." + fraction
		}
		other := fmt.Sprintf("%s%s%s%s%d", sign, whole, fraction, rapid.SampledFrom([]string{"e", "E"}).Draw(t, "letter"), power)
		if key(t, plain) != key(t, other) {
			t.Fatalf("%s and %s have different keys", plain, other)
		}
		if m != 0 && key(t, plain) == key(t, fmt.Sprintf("%s%de%d", sign, m, e+1)) {
			t.Fatalf("%s and ten times as much have the same key", plain)
		}
	})
}
