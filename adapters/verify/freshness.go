package verify

import (
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// How long a document is kept: as long as its Cache-Control says, within bounds.
const (
	leastFresh   = time.Second
	mostFresh    = 24 * time.Hour
	defaultFresh = 5 * time.Minute
)

// freshness returns how long an answer is fresh from now on, leastFresh to
// mostFresh, and how old it is already (RFC 9111, section 4.2): its max-age less its
// Age. no-cache and no-store count as a max-age of 0, and of several the least
// counts. A max-age that is no number counts as none, and with none an answer is
// fresh for defaultFresh: the feed tells of new keys, so nothing is lost by that.
func freshness(h http.Header) (fresh, age time.Duration) {
	age, _ = seconds(h.Get("Age"))
	fresh = defaultFresh
	told := false
	for name, value := range directives(strings.Join(h.Values("Cache-Control"), ",")) {
		life, means := time.Duration(0), false
		switch strings.ToLower(name) {
		case "no-cache", "no-store":
			means = value == "" // with a value it is about some fields of the header alone
		case "max-age":
			life, means = seconds(value)
		}
		if means && (!told || life < fresh) {
			fresh, told = life, true
		}
	}
	return min(max(fresh-age, leastFresh), mostFresh), age
}

// directives yields each directive of a Cache-Control header with its value, or ""
// (RFC 9111, section 5.2). Values may be quoted (RFC 9110, section 5.6.4).
func directives(header string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for header != "" {
			var name, value string
			end := strings.IndexAny(header, ",=")
			if end < 0 {
				end = len(header)
			}
			name, header = strings.TrimSpace(header[:end]), header[end:]
			if rest, given := strings.CutPrefix(header, "="); given {
				value, header = argument(rest)
			}
			_, header, _ = strings.Cut(header, ",")
			if name != "" && !yield(name, value) {
				return
			}
		}
	}
}

// argument returns the value that s begins with, and what follows it.
func argument(s string) (value, rest string) {
	s = strings.TrimLeft(s, " \t")
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s, ',')
		if end < 0 {
			end = len(s)
		}
		return strings.TrimSpace(s[:end]), s[end:]
	}
	var text strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return text.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		text.WriteByte(s[i])
	}
	return text.String(), "" // the quotation does not end
}

// seconds reads a number of seconds (RFC 9111, section 1.2.2). One that is too
// great to count stands for very long.
func seconds(s string) (time.Duration, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		n = 1 << 31
	}
	return time.Duration(n) * time.Second, true
}
