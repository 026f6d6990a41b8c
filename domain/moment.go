package domain

import (
	"regexp"
	"strings"
	"time"
)

// moment is the form of a time: RFC 3339 with capital T and Z, no leap second, and
// an offset of at most 14 hours.
var moment = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,30})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)$`)

// ParseMoment reads a time in the form of RFC 3339 (section 5.6), of the years 1
// to 9999 in UTC, and returns it in UTC, cut to the microsecond. The value is nil
// and false if text is none.
func ParseMoment(text string) (any, bool) {
	if !moment.MatchString(text) {
		return nil, false
	}
	if whole, fraction, ok := strings.Cut(text, "."); ok { // time.Parse takes nine digits
		end := strings.IndexAny(fraction, "Z+-")
		text = whole + "." + fraction[:min(end, 6)] + fraction[end:]
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, false
	}
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return nil, false
	}
	return t, true
}
