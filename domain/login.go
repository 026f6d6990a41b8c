package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// A LoginKind says what sort of name a login is.
type LoginKind string

// The kinds of login that a person can type.
const (
	Username LoginKind = "username"
	Email    LoginKind = "email"
)

// The bounds of a login.
const (
	MaxUsername = 64  // characters, as typed and in normal form
	MaxEmail    = 254 // bytes (RFC 5321, section 4.5.3.1, less the brackets)
)

// A Login is a name by which an account signs in. The zero Login is none;
// ParseUsername, ParseEmail and ParseLogin make one.
type Login struct {
	kind   LoginKind
	value  string
	normal string
}

// Kind says what sort of name it is.
func (l Login) Kind() LoginKind { return l.kind }

// Value returns the login as its owner spelled it.
func (l Login) Value() string { return l.value }

// Normal returns the form under which a login is unique within its kind: NFKC
// with case folding (Unicode Standard, section 3.13, definition 147).
func (l Login) Normal() string { return l.normal }

// String returns the value.
func (l Login) String() string { return l.value }

// IsZero reports whether l is no login.
func (l Login) IsZero() bool { return l.kind == "" }

// Same reports whether l and other are the same name to the store.
func (l Login) Same(other Login) bool { return l.kind == other.kind && l.normal == other.normal }

// ParseLogin reads what a person typed to sign in: an e-mail address where there
// is an @ in it, else a user name. It fails with ErrInvalidLogin.
func ParseLogin(s string) (Login, error) {
	if strings.Contains(s, "@") {
		return ParseEmail(s)
	}
	return ParseUsername(s)
}

// ParseUsername reads a user name: 1 to MaxUsername visible characters, spaces
// only between others, no @ (which marks an address) and no colon (which ends
// the name in HTTP Basic, RFC 7617, section 2). It fails with ErrInvalidLogin.
func ParseUsername(s string) (Login, error) {
	// Folding comes after the bound: it can make eighteen characters of one.
	if usable(s) {
		if normal := fold(s); usable(normal) {
			return Login{Username, s, normal}, nil
		}
	}
	return Login{}, ErrInvalidLogin.At("/username", "invalid-username", "want 1 to 64 visible characters without @ and colon, and no space at either end")
}

// usable reports whether s may stand as a user name. A character that shows as
// nothing, such as a variation selector, would make two names of one.
func usable(s string) bool {
	return visible(s, 1, MaxUsername) && !strings.ContainsAny(s, "@:") && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	})
}

// ParseEmail reads an e-mail address: the ASCII form of RFC 5321 without quoted
// local parts and address literals, at most MaxEmail bytes. It fails with
// ErrInvalidLogin.
func ParseEmail(s string) (Login, error) {
	local, host, _ := strings.Cut(s, "@")
	if len(s) > MaxEmail || len(local) > 64 || !dotted(local, atext) || !dotted(host, ldh) {
		return Login{}, ErrInvalidLogin.At("/email", "invalid-email", "want an ASCII e-mail address of at most 254 bytes")
	}
	return Login{Email, s, strings.ToLower(s)}, nil
}

// RestoreLogin returns a login that was parsed before, as a store kept it.
func RestoreLogin(kind LoginKind, value, normal string) Login { return Login{kind, value, normal} }

// fold returns the normal form of s. Folding can undo composition and the other
// way round, so it goes on until nothing changes; two turns are the most that
// any assigned character needs.
func fold(s string) string {
	for range 4 {
		next := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
		if next == s {
			break
		}
		s = next
	}
	return s
}

// visible reports whether s has between least and most characters, all of them
// graphic, and no space but U+0020 between others.
func visible(s string, least, most int) bool {
	if n := utf8.RuneCountInString(s); n < least || n > most || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) && r != ' ' {
			return false
		}
	}
	return strings.Trim(s, " ") == s
}

// dotted reports whether s is one or more non-empty runs of allowed bytes with
// single dots between.
func dotted(s string, allowed func(byte) bool) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			if !allowed(part[i]) {
				return false
			}
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// atext is what an unquoted local part may hold (RFC 5322, section 3.2.3).
func atext(c byte) bool {
	return alphanumeric(c) || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

func ldh(c byte) bool { return alphanumeric(c) || c == '-' }
