package verify

import (
	"net/http"
	"testing"
	"time"
)

// These tests stand inside, because a header's meaning is seen from outside only in
// hours. The rest is tested as its users have it.

func TestHowLongAnAnswerIsFresh(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		age   string
		want  time.Duration
	}{
		{name: "as long as max-age says", lines: []string{"max-age=60"}, want: time.Minute},
		{name: "whatever stands beside it", lines: []string{"public, max-age=60, immutable"}, want: time.Minute},
		{name: "on whichever line", lines: []string{"public", "max-age=60"}, want: time.Minute},
		{name: "in whatever case", lines: []string{"Max-Age=60"}, want: time.Minute},
		{name: "with quotes", lines: []string{`max-age="60"`}, want: time.Minute},
		{name: "with spaces around it", lines: []string{" ,, max-age = 60 ,"}, want: time.Minute},
		{name: "and not as long as a quotation says", lines: []string{`private="a, max-age=7\", max-age=8", max-age=60`}, want: time.Minute},
		{name: "and not as long as shared caches may keep it", lines: []string{"s-maxage=7, max-age=60"}, want: time.Minute},
		{name: "as long as the least of two", lines: []string{"max-age=90, max-age=60, max-age=70"}, want: time.Minute},
		{name: "less its age", lines: []string{"max-age=60"}, age: "20", want: 40 * time.Second},
		{name: "a second at least, where it is older", lines: []string{"max-age=60"}, age: "61", want: time.Second},
		{name: "a second at least, where that is not at all", lines: []string{"max-age=0"}, want: time.Second},
		{name: "a second where it must not be kept", lines: []string{"max-age=60, no-store"}, want: time.Second},
		{name: "a second where it must be asked about", lines: []string{"no-cache, max-age=60"}, want: time.Second},
		{name: "where only a field must be asked about", lines: []string{`no-cache="Set-Cookie", max-age=60`}, want: time.Minute},
		{name: "a day at most", lines: []string{"max-age=86401"}, want: 24 * time.Hour},
		{name: "a day where nobody can count so far", lines: []string{"max-age=99999999999999999999999"}, want: 24 * time.Hour},
		{name: "five minutes where nothing is said", want: 5 * time.Minute},
		{name: "five minutes where it is no number", lines: []string{"max-age=1m"}, want: 5 * time.Minute},
		{name: "five minutes where it is below nothing", lines: []string{"max-age=-1"}, want: 5 * time.Minute},
		{name: "five minutes where it is a fraction", lines: []string{"max-age=1.5"}, want: 5 * time.Minute},
		{name: "five minutes where it has no value", lines: []string{"max-age", "max-age="}, want: 5 * time.Minute},
		{name: "what it would be with an age that is none", lines: []string{"max-age=60"}, age: "old", want: time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := http.Header{"Cache-Control": test.lines}
			if test.age != "" {
				h.Set("Age", test.age)
			}
			if got, _ := freshness(h); got != test.want {
				t.Errorf("%q, of age %q: %v, want %v", test.lines, test.age, got, test.want)
			}
		})
	}
}

func FuzzFreshness(f *testing.F) {
	for _, s := range []string{"", "max-age=60", `private="a,b\"", max-age="60"`, "no-cache=,=,=", `x="`, `x="\`, "MAX-AGE=18446744073709551616"} {
		f.Add(s, "10")
	}
	f.Fuzz(func(t *testing.T, header, age string) {
		h := http.Header{"Cache-Control": {header}, "Age": {age}}
		fresh, old := freshness(h)
		if fresh < leastFresh || fresh > mostFresh || old < 0 {
			t.Errorf("%q, of age %q: fresh for %v, old %v", header, age, fresh, old)
		}
		h.Add("Cache-Control", "max-age=1")
		if joined, _ := freshness(h); joined > fresh && joined != time.Second {
			t.Errorf("%q and max-age=1: fresh for %v, before for %v", header, joined, fresh)
		}
	})
}
