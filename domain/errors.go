package domain

import "fmt"

// Kind is the class of a failure: what the caller may do about it.
// The set is closed; adding one is an API change in every dialect.
//
// A Kind is itself an error, so that callers can ask
// errors.Is(err, domain.NotFound).
type Kind uint8

// The zero Kind is Internal: an error that nobody classified is our fault, and
// its text is not shown to the caller.
const (
	Internal        Kind = iota
	Malformed            // it cannot be read at all
	Invalid              // it can be read, and can never succeed as it stands
	Unauthenticated      // we do not know who is asking
	Forbidden            // we know, and they may not
	NotFound             // no such thing, or none that the caller may know of
	Conflict             // it clashes with what is stored; read again, then retry
	Stale                // its condition no longer holds; read again, then retry
	Unconditional        // it wants a condition and came without
	TooLarge             // it is beyond a stated bound
	Exhausted            // too many attempts; retry later
	Unavailable          // a dependency is away or busy; retry soon
	kinds                // how many there are
)

var kindNames = [kinds]string{
	"internal", "malformed", "invalid", "unauthenticated", "forbidden", "not found",
	"conflict", "stale", "unconditional", "too large", "exhausted", "unavailable",
}

// Error names the kind.
func (k Kind) Error() string { return kindNames[k] }

// Kinds returns every kind, for tables that must leave none out.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Error is a failure that the caller is meant to see.
type Error struct {
	Kind   Kind
	Code   string  // stable slug, unique in Keyport: "login-taken"
	Detail string  // one English sentence, safe to show to the caller
	Remedy string  // what the caller can do about it, for the page of the code
	Fields []Field // which inputs were at fault, if any

	cause error
}

// Field says what was wrong with one input. Path is a JSON pointer (RFC 6901)
// into the body, or the name of a parameter or header. Code is a stable slug.
type Field struct{ Path, Code, Problem string }

// Error returns the text for operators, cause included.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.cause)
	}
	return e.Code + ": " + e.Detail
}

// Is reports whether target is e's Kind, or an Error with e's Code.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case Kind:
		return t == e.Kind
	case *Error:
		return t.Code == e.Code
	}
	return false
}

// Because returns a copy of e that carries err for the log. The cause is hidden
// from errors.Is, so that a store's NotFound cannot be read through a login's
// Unauthenticated.
func (e *Error) Because(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// At returns a copy of e that also blames the input at path.
func (e *Error) At(path, code, problem string) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), Field{path, code, problem})
	return &c
}

// Moved returns a copy of e that blames the input at path for all that e blames.
// It is for a door that calls an input by another name.
func (e *Error) Moved(path string) *Error {
	c := *e
	c.Fields = append([]Field(nil), e.Fields...)
	for i := range c.Fields {
		c.Fields[i].Path = path
	}
	return &c
}
