package domain

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxPassword is the longest password that is looked at, in bytes.
const MaxPassword = 1024

// A Password is what somebody typed to prove who they are, as they typed it.
type Password struct{ Secret }

// NewPassword wraps what a caller typed. It checks nothing: an old password may
// be shorter than today's rule.
func NewPassword(s string) Password { return Password{NewSecret(s)} }

// A PasswordHash is a password as it rests: a PHC string with salt and cost
// inside, or a hash of another system in its own format.
type PasswordHash struct{ Secret }

// NewPasswordHash wraps a hash in its text form.
func NewPasswordHash(s string) PasswordHash { return PasswordHash{NewSecret(s)} }

// A PasswordPolicy is what a new password must keep (NIST SP 800-63B-4, section
// 3.1.1.2): a length and a blocklist, and no rule on its composition.
type PasswordPolicy struct {
	Min    int                 // least length in characters after NFC; 0 stands for 15
	Common func(Password) bool // whether it is on the blocklist; required
}

// Check fails with ErrWeakPassword, and says why, if p is too short, too long,
// on the blocklist, or little else than one of the account's own names.
func (policy PasswordPolicy) Check(p Password, names ...string) error {
	least := policy.Min
	if least == 0 {
		least = 15
	}
	text := norm.NFC.String(p.Reveal())
	switch {
	case utf8.RuneCountInString(text) < least:
		return ErrWeakPassword.At("/password", "too-short", fmt.Sprintf("want %d characters or more", least))
	case len(p.Reveal()) > MaxPassword:
		return ErrWeakPassword.At("/password", "too-long", fmt.Sprintf("want %d bytes at most", MaxPassword))
	case policy.Common(p):
		return ErrWeakPassword.At("/password", "common-password", "it is on the list of common passwords")
	}
	folded := fold(text)
	for _, name := range names {
		if name = fold(name); utf8.RuneCountInString(name) >= 4 && strings.Contains(folded, name) &&
			utf8.RuneCountInString(strings.ReplaceAll(folded, name, "")) < least/2 {
			return ErrWeakPassword.At("/password", "repeats-name", "it is little else than your own name")
		}
	}
	return nil
}
