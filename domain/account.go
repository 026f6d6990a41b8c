package domain

import (
	"slices"
	"time"
)

// A Revision counts the writes to a thing. The first write makes revision 1;
// 0 stands for "not there yet".
type Revision int64

// A Status says whether an account may sign in.
type Status string

// The statuses. The zero Status is none.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
)

// ParseStatus reads a status. It fails with ErrInvalidStatus.
func ParseStatus(s string) (Status, error) {
	if st := Status(s); st == Active || st == Suspended {
		return st, nil
	}
	return "", ErrInvalidStatus.At("/status", "invalid-status", "want active or suspended")
}

// A Role is a word that rules may ask for.
type Role string

// The roles that Keyport itself asks for.
const (
	Administrator Role = "admin"
	Introspector  Role = "introspect" // a service that asks what tokens are worth
)

// The bounds of roles and display names.
const (
	MaxRoles = 16
	MaxName  = 200 // characters
)

// ParseRoles reads a set of roles and returns them sorted, each once. It fails
// with ErrInvalidRole.
func ParseRoles(texts []string) ([]Role, error) {
	roles := make([]Role, 0, len(texts))
	for _, s := range texts {
		if !slug(s, 32) {
			return nil, ErrInvalidRole.At("/roles", "invalid-role", "want lower-case letters, digits, - and _, at most 32, beginning with a letter")
		}
		roles = append(roles, Role(s))
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	if len(roles) > MaxRoles {
		return nil, ErrInvalidRole.At("/roles", "too-many", "want at most 16 roles")
	}
	return roles, nil
}

// ParseName reads a display name; "" is none. It fails with ErrInvalidName.
func ParseName(s string) (string, error) {
	if !visible(s, 0, MaxName) {
		return "", ErrInvalidName.At("/name", "invalid-name", "want at most 200 visible characters, and no space at either end")
	}
	return s, nil
}

// slug reports whether s is a lower-case word of at most most bytes: a letter,
// then letters, digits, hyphens and underscores.
func slug(s string, most int) bool {
	if s == "" || len(s) > most || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// An Account is a person or a program that may sign in.
type Account struct {
	ID        AccountID
	Name      string // for display; may be ""
	Logins    []Login
	Roles     []Role // sorted, each once
	Status    Status
	Authority int64     // the least av that a valid access token carries; rises with what an account may do
	Revision  Revision  // of the account
	Created   time.Time // UTC, microseconds
	Changed   time.Time // UTC, microseconds
}

// Login returns the account's login of a kind, or the zero Login.
func (a Account) Login(kind LoginKind) Login {
	for _, l := range a.Logins {
		if l.Kind() == kind {
			return l
		}
	}
	return Login{}
}

// Names returns all that the account is called by.
func (a Account) Names() []string {
	names := []string{a.Name}
	for _, l := range a.Logins {
		names = append(names, l.Value())
	}
	return names
}

// An AccountChange says what is to become of an account; nil leaves a part as
// it is.
type AccountChange struct {
	Name   *string
	Roles  *[]Role
	Status *Status
}

// Apply returns a as the change makes it at now, and whether that differs. New
// roles or a new status raise Authority, so that no access token that was issued
// before is valid after; restoring an account gives none of them back.
func (change AccountChange) Apply(a Account, now time.Time) (Account, bool) {
	old := a
	if change.Name != nil {
		a.Name = *change.Name
	}
	if change.Roles != nil && !slices.Equal(*change.Roles, a.Roles) {
		a.Roles = *change.Roles
		a.Authority = old.Authority + 1
	}
	if change.Status != nil && *change.Status != a.Status {
		a.Status = *change.Status
		a.Authority = old.Authority + 1
	}
	if a.Name == old.Name && a.Authority == old.Authority {
		return old, false
	}
	a.Changed = now
	return a, true
}

// A Credential is what proves an account: for now, a password. Its revision
// rises when the password is changed, and stays when the same password is
// hashed anew.
type Credential struct {
	Account  AccountID
	Hash     PasswordHash
	Revision Revision
}
