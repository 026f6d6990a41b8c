package domain

import "slices"

// An Asker is who asks for something. The zero Asker is a stranger.
type Asker struct {
	Account AccountID
	Session SessionID
	Roles   []Role
}

// Stranger reports whether we do not know who is asking.
func (a Asker) Stranger() bool { return a.Account == "" }

// Has reports whether the asker has the role.
func (a Asker) Has(r Role) bool { return slices.Contains(a.Roles, r) }

// MustBe fails with ErrUnauthenticated for a stranger, and with ErrNotAllowed
// for an account that lacks the role.
func (a Asker) MustBe(r Role) error {
	switch {
	case a.Stranger():
		return ErrUnauthenticated
	case !a.Has(r):
		return ErrNotAllowed
	}
	return nil
}
