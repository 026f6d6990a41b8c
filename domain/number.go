package domain

import (
	"encoding/json"
	"strconv"
	"strings"
)

// The bounds of a number in a document. Beyond them arithmetic on exact values
// costs more than any real number is worth.
const (
	MaxDigits   = 100
	MaxExponent = 1000 // either way
)

// checkNumber fails with ErrInvalid if s has more than MaxDigits digits or an
// exponent beyond MaxExponent.
func checkNumber(at *place, s string) error {
	mantissa, power, e := s, "", 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, power = s[:i], strings.TrimLeft(s[i+1:], "+-0")
	}
	var err error
	if power != "" {
		e, err = strconv.Atoi(power)
	}
	digits := len(mantissa) - strings.Count(mantissa, "-") - strings.Count(mantissa, ".")
	if digits > MaxDigits || err != nil || e > MaxExponent {
		return ErrInvalid.At(at.String(), "number-out-of-range", "want a number of at most 100 digits and an exponent of at most 1000")
	}
	return nil
}

// byValue returns v with every number in one spelling for its value.
func byValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		return json.Number(normalNumber(v.String()))
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = byValue(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = byValue(v[name])
		}
		return out
	}
	return v
}

// normalNumber writes a JSON number as digits without zeros at either end and a
// power of ten: 1.50 as 15e-1, 0.0 as 0.
func normalNumber(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	e, _ := strconv.Atoi(exponent)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	e -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	short := strings.TrimRight(digits, "0")
	if short == "" {
		return "0"
	}
	return sign + short + "e" + strconv.Itoa(e+len(digits)-len(short))
}
