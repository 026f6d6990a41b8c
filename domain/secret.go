package domain

import "log/slog"

// A Secret is text that must not be seen by chance: it prints as "[secret]" in
// every format, log and encoding, and Reveal is the one way to read it.
type Secret struct{ s string }

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return s.s }

// IsZero reports whether there is nothing in it.
func (s Secret) IsZero() bool { return s.s == "" }

func (Secret) String() string               { return "[secret]" }
func (Secret) GoString() string             { return "[secret]" }
func (Secret) LogValue() slog.Value         { return slog.StringValue("[secret]") }
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
