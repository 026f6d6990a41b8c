package domain

import "slices"

// A Scope is one thing that an access key may do in its account's name (RFC 6749,
// section 3.3). It adds no right that the account does not have.
type Scope string

// The scopes. The set is closed.
const (
	ReadAccount  Scope = "account:read"      // read the account itself
	ReadRecords  Scope = "records:read"      // read and list records
	WriteRecords Scope = "records:write"     // create, change and delete records
	Inspect      Scope = "tokens:introspect" // ask what tokens are worth, and hear what was revoked; the account needs the role
	Administer   Scope = "admin"             // what administrators do; the account needs the role
)

// Scopes returns every scope, sorted.
func Scopes() []Scope {
	return []Scope{ReadAccount, Administer, ReadRecords, WriteRecords, Inspect}
}

// ParseScopes reads a set of scopes and returns them sorted, each once. It fails
// with ErrInvalidScope if one is unknown, or if there is none.
func ParseScopes(texts []string) ([]Scope, error) {
	scopes := make([]Scope, 0, len(Scopes()))
	for _, s := range texts {
		if !slices.Contains(Scopes(), Scope(s)) {
			return nil, ErrInvalidScope.At("/scopes", "unknown", "want some of account:read, admin, records:read, records:write, tokens:introspect")
		}
		scopes = append(scopes, Scope(s))
	}
	if len(scopes) == 0 {
		return nil, ErrInvalidScope.At("/scopes", "required", "want one scope at least")
	}
	slices.Sort(scopes)
	return slices.Compact(scopes), nil
}
