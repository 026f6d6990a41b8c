package wire_test

import (
	"math"
	"testing"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

func TestAConditionToChange(t *testing.T) {
	for _, c := range []struct {
		name, header string
		revision     domain.Revision
		want         string
		optional     string
	}{
		{"is missing", "", 0, "precondition-required", "ok"},
		{"is a space", "  ", 0, "precondition-required", "ok"},
		{"is whatever is there", "*", 0, "ok", "ok"},
		{"is whatever is there, between spaces", " * ", 0, "ok", "ok"},
		{"is a revision", `"7"`, 7, "ok", "ok"},
		{"is a revision between spaces", ` "7" `, 7, "ok", "ok"},
		{"is the last revision of all", `"9223372036854775807"`, math.MaxInt64, "ok", "ok"},
		{"is beyond the last", `"9223372036854775808"`, -1, "ok", "ok"},
		{"is weak, and so never holds", `W/"7"`, -1, "ok", "ok"},
		{"has no quotation marks", `7`, -1, "ok", "ok"},
		{"has one", `"7`, -1, "ok", "ok"},
		{"has only one", `"`, -1, "ok", "ok"},
		{"is empty", `""`, -1, "ok", "ok"},
		{"is of another server", `"a7"`, -1, "ok", "ok"},
		{"is the revision in another spelling", `"07"`, -1, "ok", "ok"},
		{"is the revision with a sign", `"+7"`, -1, "ok", "ok"},
		{"is the revision with a space", `" 7"`, -1, "ok", "ok"},
		{"is no revision", `"0"`, -1, "ok", "ok"},
		{"is below all revisions", `"-1"`, -1, "ok", "ok"},
		{"is several", `"7", "8"`, 0, "invalid-request If-Match several", "invalid-request If-Match several"},
		{"is a revision or whatever is there", `"7",*`, 0, "invalid-request If-Match several", "invalid-request If-Match several"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := wire.IfMatch(c.header)
			if got != c.revision || blamed(err) != c.want {
				t.Errorf("got %d, %s", got, blamed(err))
			}
			got, err = wire.OptionalIfMatch(c.header)
			if got != c.revision || blamed(err) != c.optional {
				t.Errorf("where it is optional: got %d, %s", got, blamed(err))
			}
		})
	}
}

func TestAConditionToPut(t *testing.T) {
	for _, c := range []struct {
		name, ifMatch, ifNoneMatch string
		revision                   domain.Revision
		create                     bool
		want                       string
	}{
		{"is missing", "", "", 0, false, "precondition-required"},
		{"is two spaces", " ", " ", 0, false, "precondition-required"},
		{"is a revision", `"7"`, "", 7, false, "ok"},
		{"is whatever is there", "*", " ", 0, false, "ok"},
		{"is that nothing is there", "", "*", 0, true, "ok"},
		{"is that nothing is there, between spaces", " ", " * ", 0, true, "ok"},
		{"is that a revision is not there", "", `"7"`, 0, false, "invalid-request If-None-Match invalid"},
		{"is that nothing is there, or not a revision", "", `*, "7"`, 0, false, "invalid-request If-None-Match invalid"},
		{"contradicts itself", "*", "*", 0, false, "invalid-request If-None-Match contradictory"},
		{"wants one revision, and not another", `"7"`, `"8"`, 0, false, "invalid-request If-None-Match contradictory"},
		{"is several", `"7", "8"`, "", 0, false, "invalid-request If-Match several"},
	} {
		match, create, err := wire.PutCondition(c.ifMatch, c.ifNoneMatch)
		if match != c.revision || create != c.create || blamed(err) != c.want {
			t.Errorf("%s: got %d, %t, %s", c.name, match, create, blamed(err))
		}
	}
}

func TestAConditionToSend(t *testing.T) {
	for _, c := range []struct {
		name, header string
		send         bool
	}{
		{"is missing", "", true},
		{"is the revision that is there", `"7"`, false},
		{"is the same, weakly", `W/"7"`, false},
		{"is whatever is there", "*", false},
		{"is an older revision", `"6"`, true},
		{"is among several", `"6", W/"7"`, false},
		{"is not among several", `"6","8"`, true},
		{"has no quotation marks", "7", true},
		{"is a revision that begins alike", `"77"`, true},
		{"is a list of nothing", ", ,", true},
	} {
		if got := wire.NoneMatch(c.header, 7); got != c.send {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

func TestATagIsStrongAndReadAgain(t *testing.T) {
	for _, r := range []domain.Revision{1, 7, math.MaxInt64} {
		tag := wire.ETag(r)
		if got, err := wire.IfMatch(tag); got != r || err != nil {
			t.Errorf("%s is read as %d (%v)", tag, got, err)
		}
		if wire.NoneMatch(tag, r) || tag[0] != '"' {
			t.Errorf("%s does not match itself", tag)
		}
	}
}

func FuzzIfMatch(f *testing.F) {
	for _, s := range []string{"", "*", `"1"`, `W/"1"`, `"01"`, `"`, `"1","2"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, err := wire.OptionalIfMatch(header)
		if err != nil && got != 0 || got < -1 {
			t.Fatalf("%q: %d, %v", header, got, err)
		}
		if got > 0 && wire.NoneMatch(header, got) {
			t.Fatalf("%q is revision %d to change, and another to send", header, got)
		}
	})
}
