package password_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/domain"
)

func lines(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("blocklist/common.txt")
	if err != nil {
		t.Fatal(err)
	}
	text, whole := strings.CutSuffix(string(b), "\n")
	if !whole {
		t.Error("the list does not end with a line break")
	}
	return strings.Split(text, "\n")
}

func TestTheListIsFoldedSortedAndOfUsefulLength(t *testing.T) {
	all := lines(t)
	if len(all) != 17950 {
		t.Errorf("got %d lines, want the 17950 that its comment names", len(all))
	}
	for i, line := range all {
		if i > 0 && all[i-1] >= line {
			t.Errorf("line %d, %q, does not belong after %q", i+1, line, all[i-1])
		}
		if utf8.RuneCountInString(line) < 8 {
			t.Errorf("line %d, %q, is shorter than any password may be", i+1, line)
		}
		if cases.Fold().String(norm.NFC.String(line)) != line {
			t.Errorf("line %d, %q, is not folded", i+1, line)
		}
	}
}

func TestEveryLineIsFoundInAnyCaseAndNothingElseIs(t *testing.T) {
	var list password.Blocklist
	all := lines(t)
	for _, line := range all {
		for _, spelling := range []string{line, strings.ToUpper(line)} {
			if !list.Contains(domain.NewPassword(spelling)) {
				t.Errorf("%q is not found", spelling)
			}
		}
		for _, other := range []string{line[:len(line)-1], line + "\x00", line + "\n", "\n" + line} {
			if _, known := slices.BinarySearch(all, other); list.Contains(domain.NewPassword(other)) != known {
				t.Errorf("%q: got %v, want %v", other, !known, known)
			}
		}
	}
	for _, other := range []string{"", "\n", all[0] + "\n" + all[1], "correct horse battery staple", strings.Repeat("a", 1<<20), "\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if list.Contains(domain.NewPassword(other)) {
			t.Errorf("%.40q is found", other)
		}
	}
}

func BenchmarkBlocklist(b *testing.B) {
	b.ReportAllocs()
	var list password.Blocklist
	p := domain.NewPassword("Correct Horse Battery Staple")
	for b.Loop() {
		list.Contains(p)
	}
}
