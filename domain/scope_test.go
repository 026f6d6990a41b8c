package domain_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestScopesAreASortedSet(t *testing.T) {
	all := domain.Scopes()
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("the scopes are %q", all)
	}
	for _, s := range all {
		if !strings.Contains(domain.ErrInvalidScope.Remedy, string(s)) {
			t.Errorf("who names no usable scope is not told of %s", s)
		}
	}
	all[0] = "spoilt"
	if slices.Contains(domain.Scopes(), "spoilt") {
		t.Error("a caller can change the scopes")
	}
}

func TestScopesAreRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		want  []domain.Scope
	}{
		{"one", []string{"admin"}, []domain.Scope{domain.Administer}},
		{"in any order", []string{"records:write", "account:read", "records:read"}, []domain.Scope{domain.ReadAccount, domain.ReadRecords, domain.WriteRecords}},
		{"more than once", []string{"admin", "tokens:introspect", "admin"}, []domain.Scope{domain.Administer, domain.Inspect}},
		{"many times", slices.Repeat([]string{"admin"}, 1000), []domain.Scope{domain.Administer}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := domain.ParseScopes(c.texts); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestScopesThatAreNone(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		place string
	}{
		{"none", nil, "/scopes required"},
		{"an empty one", []string{""}, "/scopes unknown"},
		{"in capitals", []string{"Admin"}, "/scopes unknown"},
		{"with a space", []string{"admin "}, "/scopes unknown"},
		{"several in one", []string{"records:read records:write"}, "/scopes unknown"},
		{"one that there is not", []string{"records:read", "records:delete"}, "/scopes unknown"},
		{"all at once", []string{"*"}, "/scopes unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := domain.ParseScopes(c.texts)
			blames(t, err, domain.ErrInvalidScope, c.place)
			if got != nil {
				t.Errorf("%q came with the error", got)
			}
		})
	}
}
