package domain_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/keyport-go/keyport/domain"
)

func TestLoginsThatLookAlikeAreTheSame(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"in case", "Ada", "aDA"},
		{"in width", "ａｄａ", "ada"},
		{"in the full-width digits", "ada１２", "ada12"},
		{"sharp s and double s", "Straße", "STRASSE"},
		{"the capital sharp s", "STRAẞE", "strasse"},
		{"the long s", "ſam", "Sam"},
		{"a letter composed or not", "Zoë", "Zoe\u0308"},
		{"a final sigma", "ΟΔΟΣ", "οδος"},
		{"a ligature", "ﬁn", "fin"},
		{"the sign for kelvin", "\u212Aelvin", "kelvin"},
		{"the sign for angstrom", "\u212Bngström", "ångström"},
		{"marks in another order", "a\u0301\u0323", "a\u0323\u0301"},
		{"an iota below or beside", "ᾳ", "αι"},
		{"a dotted capital i with its dot apart", "İ", "i\u0307"},
		{"an e-mail address in case", "Ada@Example.ORG", "ada@example.org"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := login(t, c.a), login(t, c.b)
			if !a.Same(b) || a.Normal() != b.Normal() {
				t.Errorf("%q is %q, and %q is %q", c.a, a.Normal(), c.b, b.Normal())
			}
			if a.Value() != c.a || a.String() != c.a {
				t.Errorf("%q is spelled %q", c.a, a.Value())
			}
		})
	}
}

func TestLoginsThatDifferAreNotTheSame(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"a dotless i is a letter of its own", "ılk", "ilk"},
		{"an accent counts", "zoe", "zoë"},
		{"a space between counts", "ada l", "adal"},
		{"a Cyrillic a is none of ours", "аda", "ada"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a, b := login(t, c.a), login(t, c.b); a.Same(b) {
				t.Errorf("%q and %q are both %q", c.a, c.b, a.Normal())
			}
		})
	}
	name := domain.RestoreLogin(domain.Username, "a", "a")
	if address := domain.RestoreLogin(domain.Email, "a", "a"); name.Same(address) {
		t.Error("logins of two kinds are the same")
	}
}

func TestAUserNameThatIsNone(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"nothing", ""},
		{"a space", " "},
		{"a space before", " ada"},
		{"a space behind", "ada "},
		{"a space that is not U+0020", "ada\u00A0l"},
		{"an ideographic space", "ada\u3000l"},
		{"a mark that normalises to a space and itself", "\u00A8ada"},
		{"a tab", "ada\tl"},
		{"a line feed", "ada\n"},
		{"a NUL", "a\x00da"},
		{"a delete", "ada\x7F"},
		{"bad UTF-8", "ada\xFF"},
		{"an @", "ada@example.org"},
		{"a full-width @", "ada＠example.org"},
		{"a small @", "ada﹫example.org"},
		{"a colon", "ada:l"},
		{"a full-width colon", "ada：l"},
		{"a colon inside another character", "ada\u2A74l"},
		{"an override of direction", "ada\u202El"},
		{"an embedding", "\u202Aada"},
		{"an isolate", "ada\u2066"},
		{"a mark of direction", "ada\u200E"},
		{"a joiner of no width", "a\u200Dda"},
		{"a space of no width", "a\u200Bda"},
		{"a soft hyphen", "a\u00ADda"},
		{"a byte order mark", "\uFEFFada"},
		{"a variation selector", "ada\uFE0F"},
		{"a variation selector beyond the first plane", "ada\U000E0100"},
		{"a grapheme joiner", "a\u034Fda"},
		{"a filler of Hangul alone", "\u3164"},
		{"a tag", "ada\U000E0041"},
		{"a private character", "ada\uE000"},
		{"a character that is not assigned", "ada\u0378"},
		{"65 characters", strings.Repeat("a", 65)},
		{"64 characters that fold into 65", strings.Repeat("a", 63) + "ß"},
		{"a few characters that fold into many", strings.Repeat("\uFDFA", 4)},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := domain.ParseUsername(c.text)
			blames(t, err, domain.ErrInvalidLogin, "/username invalid-username")
			if !l.IsZero() {
				t.Errorf("a login came with the error: %q", l.Normal())
			}
		})
	}
}

func TestAUserNameMayBe(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"one letter", "a"},
		{"64 letters", strings.Repeat("a", 64)},
		{"64 letters of three bytes", strings.Repeat("あ", 64)},
		{"two words", "Ada Lovelace"},
		{"Arabic", "آدا"},
		{"Hebrew", "עדה"},
		{"Devanagari with its marks", "हिन्दी"},
		{"Thai with its marks", "ผู้ใช้"},
		{"Hangul in pieces", "\u1112\u1161\u11AB"},
		{"a picture", "🦊"},
		{"signs", "a.d+a_l-o/ve#?=\"'<>&"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := domain.ParseUsername(c.text)
			if err != nil || l.Kind() != domain.Username || l.IsZero() {
				t.Errorf("%q: %v", c.text, err)
			}
		})
	}
}

func TestAnEmailAddressIs(t *testing.T) {
	local, label := strings.Repeat("l", 64), strings.Repeat("h", 63)
	longest := local + "@" + label + "." + label + "." + strings.Repeat("h", 254-64-1-2*64)
	for _, c := range []struct {
		name, text string
		good       bool
	}{
		{"an address", "ada@example.org", true},
		{"an address with all signs", "!#$%&'*+-/=?^_`{|}~.a@example.org", true},
		{"a host without a dot", "ada@localhost", true},
		{"an address of 254 bytes", longest, true},
		{"one of 255 bytes", longest + "h", false},
		{"a local part of 65 bytes", "l" + local + "@example.org", false},
		{"two @", "ada@b@example.org", false},
		{"no local part", "@example.org", false},
		{"no host", "ada@", false},
		{"no @", "ada", false},
		{"a dot at the end of the local part", "ada.@example.org", false},
		{"two dots together", "a..da@example.org", false},
		{"a dot at the end of the host", "ada@example.org.", false},
		{"an underscore in the host", "ada@exa_mple.org", false},
		{"a quoted local part", `"ada"@example.org`, false},
		{"an address literal", "ada@[127.0.0.1]", false},
		{"a letter beyond ASCII", "zoë@example.org", false},
		{"a host beyond ASCII", "ada@exämple.org", false},
		{"the sign for kelvin, which folds into ASCII", "\u212Aelvin@example.org", false},
		{"a space", "ada @example.org", false},
		{"a line feed", "ada@example.org\n", false},
		{"a NUL", "ada\x00@example.org", false},
		{"a display name", "Ada <ada@example.org>", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := domain.ParseEmail(c.text)
			if c.good {
				if err != nil || l.Kind() != domain.Email || l.Normal() != strings.ToLower(c.text) {
					t.Errorf("%v, normal form %q", err, l.Normal())
				}
				return
			}
			blames(t, err, domain.ErrInvalidLogin, "/email invalid-email")
		})
	}
}

func TestWhatWasTypedIsAnAddressWhereThereIsAnAtSign(t *testing.T) {
	for text, kind := range map[string]domain.LoginKind{"ada": domain.Username, "ada@example.org": domain.Email} {
		if got := login(t, text).Kind(); got != kind {
			t.Errorf("%q is a %s", text, got)
		}
	}
	_, err := domain.ParseLogin("a@b@c")
	blames(t, err, domain.ErrInvalidLogin, "/email invalid-email")
}

// The normal form of a normal form is itself: for each character between others,
// but for the large blocks in which all are their own.
func TestEachCharacterHasOneNormalForm(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.IsGraphic(r) || unicode.Is(unicode.Unified_Ideograph, r) || r >= 0xAC00 && r <= 0xD7A3 {
			continue
		}
		text := "a" + string(r) + "\u0323\u0301"
		l, err := domain.ParseUsername(text)
		if err != nil {
			continue
		}
		if again, err := domain.ParseUsername(l.Normal()); err != nil || again.Normal() != l.Normal() {
			t.Errorf("U+%04X: %+q becomes %+q, then %+q (%v)", r, text, l.Normal(), again.Normal(), err)
		}
	}
}

func FuzzParseLogin(f *testing.F) {
	for _, s := range []string{"", "ada", "Ada@Example.org", "ａｄａ＠ｂ", "Straße", "\u0345\u0301a", "İı", "ǰ\u0323", "ﬃ", "\u1E9Ea\u0345", "한\u11A8", "ς Σ", "\xFF"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := domain.ParseLogin(s)
		if err != nil {
			if !l.IsZero() {
				t.Fatalf("%+q: a login came with %v", s, err)
			}
			return
		}
		if l.Value() != s || l.Normal() == "" || !utf8.ValidString(l.Normal()) {
			t.Fatalf("%+q became %+q, %+q", s, l.Value(), l.Normal())
		}
		again, err := domain.ParseLogin(l.Normal())
		if err != nil || !again.Same(l) {
			t.Fatalf("%+q has the normal form %+q, and that has %+q (%v)", s, l.Normal(), again.Normal(), err)
		}
		if restored := domain.RestoreLogin(l.Kind(), l.Value(), l.Normal()); restored != l {
			t.Fatalf("%+q is restored as %+v", s, restored)
		}
		if slices.ContainsFunc([]rune(l.Normal()), unicode.IsControl) {
			t.Fatalf("%+q is let in", s)
		}
	})
}

func login(t testing.TB, s string) domain.Login {
	t.Helper()
	l, err := domain.ParseLogin(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return l
}
