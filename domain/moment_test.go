package domain_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

func TestATimeIsRead(t *testing.T) {
	utc := func(year int, month time.Month, day, hour, minute, second, micro int) time.Time {
		return time.Date(year, month, day, hour, minute, second, micro*1000, time.UTC)
	}
	for _, c := range []struct {
		name, text string
		want       any // nil: it is none
	}{
		{"in UTC", "2030-01-02T03:04:05Z", utc(2030, 1, 2, 3, 4, 5, 0)},
		{"with microseconds", "2030-01-02T03:04:05.123456Z", utc(2030, 1, 2, 3, 4, 5, 123456)},
		{"with a tenth", "2030-01-02T03:04:05.1Z", utc(2030, 1, 2, 3, 4, 5, 100000)},
		{"cut to the microsecond, not rounded", "2030-01-02T03:04:05.1234569Z", utc(2030, 1, 2, 3, 4, 5, 123456)},
		{"cut to the microsecond before 1970", "1930-01-02T03:04:05.9999999Z", utc(1930, 1, 2, 3, 4, 5, 999999)},
		{"with thirty digits", "2030-01-02T03:04:05." + strings.Repeat("9", 30) + "Z", utc(2030, 1, 2, 3, 4, 5, 999999)},
		{"ahead of UTC", "2030-01-02T03:04:05+05:30", utc(2030, 1, 1, 21, 34, 5, 0)},
		{"behind UTC, with a fraction", "2030-01-02T03:04:05.5-09:00", utc(2030, 1, 2, 12, 4, 5, 500000)},
		{"fourteen hours ahead", "2030-01-02T03:04:05+14:00", utc(2030, 1, 1, 13, 4, 5, 0)},
		{"an unknown offset", "2030-01-02T03:04:05-00:00", utc(2030, 1, 2, 3, 4, 5, 0)},
		{"a leap day", "2028-02-29T00:00:00Z", utc(2028, 2, 29, 0, 0, 0, 0)},
		{"the first there is", "0001-01-01T00:00:00Z", utc(1, 1, 1, 0, 0, 0, 0)},
		{"the first there is, told in the year 0", "0000-12-31T23:00:00-01:00", utc(1, 1, 1, 0, 0, 0, 0)},
		{"the last there is", "9999-12-31T23:59:59.999999Z", utc(9999, 12, 31, 23, 59, 59, 999999)},

		{"nothing", "", nil},
		{"a day alone", "2030-01-02", nil},
		{"no seconds", "2030-01-02T03:04Z", nil},
		{"no offset", "2030-01-02T03:04:05", nil},
		{"a space for the T", "2030-01-02 03:04:05Z", nil},
		{"a small t", "2030-01-02t03:04:05Z", nil},
		{"a small z", "2030-01-02T03:04:05z", nil},
		{"a comma", "2030-01-02T03:04:05,1Z", nil},
		{"a point without digits", "2030-01-02T03:04:05.Z", nil},
		{"thirty-one digits", "2030-01-02T03:04:05." + strings.Repeat("1", 31) + "Z", nil},
		{"a leap second", "2016-12-31T23:59:60Z", nil},
		{"the hour 24", "2030-01-02T24:00:00Z", nil},
		{"the minute 60", "2030-01-02T03:60:00Z", nil},
		{"the month 13", "2030-13-02T03:04:05Z", nil},
		{"the day 0", "2030-01-00T03:04:05Z", nil},
		{"the 29th of February of other years", "2030-02-29T03:04:05Z", nil},
		{"more than fourteen hours ahead", "2030-01-02T03:04:05+14:01", nil},
		{"an offset of sixty minutes", "2030-01-02T03:04:05+01:60", nil},
		{"an offset without a colon", "2030-01-02T03:04:05+0100", nil},
		{"the year 0 in UTC", "0001-01-01T00:00:00+01:00", nil},
		{"the year 10000 in UTC", "9999-12-31T23:00:00-01:00", nil},
		{"five digits of a year", "12030-01-02T03:04:05Z", nil},
		{"a space behind", "2030-01-02T03:04:05Z ", nil},
		{"a line behind", "2030-01-02T03:04:05Z\n", nil},
		{"other digits", "２030-01-02T03:04:05Z", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := domain.ParseMoment(c.text)
			if got != c.want || ok != (c.want != nil) {
				t.Errorf("got %v, %t; want %v", got, ok, c.want)
			}
		})
	}
}

// written is RFC 3339's date-time (section 5.6) as the standard library reads it,
// and then some.
var written = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,30})?(Z|[+-]\d\d:[0-5]\d)$`)

// told returns the time that the standard library reads; nil where it reads none, or
// one that is no Moment.
func told(text string) any {
	if !written.MatchString(text) {
		return nil
	}
	t, err := time.Parse(time.RFC3339, regexp.MustCompile(`\.(\d{1,9})\d*`).ReplaceAllString(text, ".$1"))
	if err != nil {
		return nil
	}
	_, offset := t.Zone()
	t = t.UTC().Truncate(time.Microsecond)
	if max(offset, -offset) > 14*60*60 || t.Year() < 1 || t.Year() > 9999 {
		return nil
	}
	return t
}

func checkMoment(t rapid.TB, text string) {
	t.Helper()
	got, ok := domain.ParseMoment(text)
	if want := told(text); got != want || ok != (want != nil) {
		t.Fatalf("%q: got %v, %t; want %v", text, got, ok, want)
	}
}

func TestATimeIsReadAsTheStandardLibraryReadsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkMoment(t, rapid.StringMatching(`(0000|0001|1969|2030|9999)-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])T([01][0-9]|2[0-5]):[0-6][0-9]:[0-6][0-9](\.[0-9]{1,32})?(Z|[+-][0-1][0-9]:[0-6][0-9])`).Draw(t, "text"))
	})
}

func TestATimeThatIsWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const first, last, day = -62135596800_000000, 253402300799_999999, 86400_000000
		moment := time.UnixMicro(rapid.Int64Range(first+day, last-day).Draw(t, "µs")).UTC() // of four digits everywhere
		zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "offset"))
		text := moment.In(zone).Format("2006-01-02T15:04:05.000000Z07:00")
		if got, ok := domain.ParseMoment(text); !ok || got != any(moment) {
			t.Fatalf("%s: got %v, want %v", text, got, moment)
		}
	})
}

func FuzzParseMoment(f *testing.F) {
	for _, seed := range []string{"2030-01-02T03:04:05Z", "2030-01-02T03:04:05.123456789+14:00", "9999-12-31T23:59:59-00:01", "2016-12-31T23:59:60Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkMoment(t, text) })
}
