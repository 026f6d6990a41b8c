package domain

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// A Secret is text that must not be seen by chance: it prints as "[secret]" in
// every format, log and encoding, and Reveal is the one way to read it. Secrets
// of the same text are equal.
type Secret struct {
	// Package fmt asks no method of a value in an unexported field, and of none
	// for %p, but prints what is in it. Of a handle it prints the address.
	text unique.Handle[string] // the zero Handle for ""
}

// NewSecret wraps s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{unique.Make(s)}
}

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.text.Value()
}

// IsZero reports whether there is nothing in it.
func (s Secret) IsZero() bool { return s == Secret{} }

// Format implements fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

func (Secret) String() string               { return "[secret]" }
func (Secret) LogValue() slog.Value         { return slog.StringValue("[secret]") }
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
