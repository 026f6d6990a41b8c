package domain

import "slices"

// An Asker is who asks for something. The zero Asker is a stranger.
type Asker struct {
	Account AccountID
	Session SessionID // "" where an access key asks
	Roles   []Role

	// Key is the access key that asks in the account's name; "" where the account
	// itself does, through a session. A key may do no more than Scopes name.
	Key    AccessKeyID
	Scopes []Scope
}

// Stranger reports whether we do not know who is asking.
func (a Asker) Stranger() bool { return a.Account == "" }

// Has reports whether the asker has the role.
func (a Asker) Has(r Role) bool { return slices.Contains(a.Roles, r) }

// May fails with ErrOutOfScope for an access key that lacks the scope. Of whoever
// asks without a key it says nothing: whether a stranger may is the caller's
// question.
func (a Asker) May(s Scope) error {
	if a.Key != "" && !slices.Contains(a.Scopes, s) {
		return ErrOutOfScope
	}
	return nil
}

// MustBe fails with ErrUnauthenticated for a stranger, with ErrOutOfScope for an
// access key that lacks the scope, and with ErrNotAllowed for an account that has
// none of the roles.
func (a Asker) MustBe(s Scope, roles ...Role) error {
	if a.Stranger() {
		return ErrUnauthenticated
	}
	if err := a.May(s); err != nil {
		return err
	}
	if !slices.ContainsFunc(roles, a.Has) {
		return ErrNotAllowed
	}
	return nil
}

// MustInspect fails as MustBe does, unless the asker may know of other accounts' tokens:
// an Introspector or an Administrator.
func (a Asker) MustInspect() error { return a.MustBe(Inspect, Introspector, Administrator) }

// InPerson fails with ErrUnauthenticated for a stranger, and with ErrNotByKey for
// an access key, whatever its scopes: what decides over the account itself wants a
// session.
func (a Asker) InPerson() error {
	switch {
	case a.Stranger():
		return ErrUnauthenticated
	case a.Key != "":
		return ErrNotByKey
	}
	return nil
}
