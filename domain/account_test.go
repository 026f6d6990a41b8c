package domain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

func TestAChangeOfAnAccount(t *testing.T) {
	later := noon.Add(time.Hour)
	ada := domain.Account{
		ID: "ada", Name: "Ada", Roles: []domain.Role{"editor"}, Status: domain.Active,
		Authority: 7, Revision: 3, Created: noon, Changed: noon,
	}
	suspended := ada
	suspended.Status = domain.Suspended
	name := func(s string) *string { return &s }
	roles := func(r ...domain.Role) *[]domain.Role { return &r }
	status := func(s domain.Status) *domain.Status { return &s }
	become := func(a domain.Account, edit func(*domain.Account)) domain.Account {
		a.Changed = later
		edit(&a)
		return a
	}
	for _, c := range []struct {
		name    string
		account domain.Account
		change  domain.AccountChange
		want    domain.Account
		differs bool
	}{
		{"of nothing", ada, domain.AccountChange{}, ada, false},
		{"to what it is", ada, domain.AccountChange{Name: name("Ada"), Roles: roles("editor"), Status: status(domain.Active)}, ada, false},
		{
			"of the name leaves its authority", ada,
			domain.AccountChange{Name: name("Countess")},
			become(ada, func(a *domain.Account) { a.Name = "Countess" }), true,
		},
		{
			"of the name to none", ada,
			domain.AccountChange{Name: name("")},
			become(ada, func(a *domain.Account) { a.Name = "" }), true,
		},
		{
			"of the roles raises its authority", ada,
			domain.AccountChange{Roles: roles("admin", "editor")},
			become(ada, func(a *domain.Account) { a.Roles, a.Authority = *roles("admin", "editor"), 8 }), true,
		},
		{
			"to no role raises its authority", ada,
			domain.AccountChange{Roles: roles()},
			become(ada, func(a *domain.Account) { a.Roles, a.Authority = nil, 8 }), true,
		},
		{
			"by suspending it raises its authority", ada,
			domain.AccountChange{Status: status(domain.Suspended)},
			become(ada, func(a *domain.Account) { a.Status, a.Authority = domain.Suspended, 8 }), true,
		},
		{
			"by restoring it raises its authority too", suspended,
			domain.AccountChange{Status: status(domain.Active)},
			become(suspended, func(a *domain.Account) { a.Status, a.Authority = domain.Active, 8 }), true,
		},
		{
			"of all at once raises its authority once", ada,
			domain.AccountChange{Name: name("A"), Roles: roles("admin"), Status: status(domain.Suspended)},
			become(ada, func(a *domain.Account) {
				a.Name, a.Roles, a.Status, a.Authority = "A", *roles("admin"), domain.Suspended, 8
			}), true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, differs := c.change.Apply(c.account, later)
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(domain.Login{})); diff != "" || differs != c.differs {
				t.Errorf("differs is %t, and what it became is not what was wanted:\n%s", differs, diff)
			}
		})
	}
}

func TestAuthorityRisesExactlyWithRolesOrStatus(t *testing.T) {
	names := rapid.SampledFrom([]string{"", "Ada", "Bob"})
	roles := rapid.SampledFrom([][]domain.Role{nil, {"admin"}, {"admin", "editor"}})
	statuses := rapid.SampledFrom([]domain.Status{domain.Active, domain.Suspended})
	rapid.Check(t, func(t *rapid.T) {
		a := domain.Account{
			Name: names.Draw(t, "name"), Roles: roles.Draw(t, "roles"), Status: statuses.Draw(t, "status"),
			Authority: 5, Revision: 2, Changed: noon,
		}
		change := domain.AccountChange{
			Name: rapid.Ptr(names, true).Draw(t, "to name"), Roles: rapid.Ptr(roles, true).Draw(t, "to roles"), Status: rapid.Ptr(statuses, true).Draw(t, "to status"),
		}
		got, differs := change.Apply(a, noon.Add(time.Second))
		more := !slices.Equal(got.Roles, a.Roles) || got.Status != a.Status
		if raised := got.Authority == a.Authority+1; raised != more || !raised && got.Authority != a.Authority {
			t.Fatalf("authority went from %d to %d", a.Authority, got.Authority)
		}
		if differs != (more || got.Name != a.Name) || differs != got.Changed.After(a.Changed) || got.Revision != a.Revision {
			t.Fatalf("differs is %t:\n%+v\n%+v", differs, a, got)
		}
		if change.Name != nil && got.Name != *change.Name || change.Status != nil && got.Status != *change.Status || change.Roles != nil && !slices.Equal(got.Roles, *change.Roles) {
			t.Fatalf("it did not become what was asked for: %+v", got)
		}
	})
}

func TestRolesAreASortedSet(t *testing.T) {
	many := func(n int) (texts []string) {
		for i := range n {
			texts = append(texts, "r"+string(rune('a'+i)))
		}
		return texts
	}
	for _, c := range []struct {
		name   string
		texts  []string
		want   string
		blamed string
	}{
		{"none", nil, "", ""},
		{"one", []string{"admin"}, "admin", ""},
		{"several, one twice", []string{"editor", "admin", "editor", "a-1_b"}, "a-1_b admin editor", ""},
		{"32 letters", []string{strings.Repeat("a", 32)}, strings.Repeat("a", 32), ""},
		{"33 letters", []string{strings.Repeat("a", 33)}, "", "invalid-role"},
		{"nothing as one", []string{"admin", ""}, "", "invalid-role"},
		{"a capital", []string{"Admin"}, "", "invalid-role"},
		{"a digit first", []string{"1st"}, "", "invalid-role"},
		{"a space", []string{"an editor"}, "", "invalid-role"},
		{"a letter beyond ASCII", []string{"rédacteur"}, "", "invalid-role"},
		{"a list in one", []string{"admin,editor"}, "", "invalid-role"},
		{"sixteen", many(16), strings.Join(many(16), " "), ""},
		{"sixteen, all twice", append(many(16), many(16)...), strings.Join(many(16), " "), ""},
		{"seventeen", many(17), "", "too-many"},
	} {
		t.Run(c.name, func(t *testing.T) {
			roles, err := domain.ParseRoles(c.texts)
			if c.blamed != "" {
				blames(t, err, domain.ErrInvalidRole, "/roles "+c.blamed)
				return
			}
			var got []string
			for _, r := range roles {
				got = append(got, string(r))
			}
			if strings.Join(got, " ") != c.want || err != nil || roles == nil {
				t.Errorf("got %q, %v", roles, err)
			}
		})
	}
}

func TestAStatusIsOneOfTwo(t *testing.T) {
	for _, good := range []string{"active", "suspended"} {
		if s, err := domain.ParseStatus(good); err != nil || string(s) != good {
			t.Errorf("%q: %q, %v", good, s, err)
		}
	}
	for _, bad := range []string{"", "Active", "deleted", "active "} {
		_, err := domain.ParseStatus(bad)
		blames(t, err, domain.ErrInvalidStatus, "/status invalid-status")
	}
}

func TestADisplayName(t *testing.T) {
	for _, good := range []string{"", "Ada", "Ada King, Countess of Lovelace", "ada@example.org", "Zoë 🦊", "I ❤️ ships", strings.Repeat("あ", 200)} {
		if n, err := domain.ParseName(good); err != nil || n != good {
			t.Errorf("%q: %q, %v", good, n, err)
		}
	}
	for _, bad := range []string{" ", " Ada", "Ada ", "Ada\n", "Ada\x00", "Ada\xFF", "\u202EadA", "Ada\u2028", "Ada\u00A0King", strings.Repeat("あ", 201)} {
		n, err := domain.ParseName(bad)
		blames(t, err, domain.ErrInvalidName, "/name invalid-name")
		if n != "" {
			t.Errorf("%q came with the error", n)
		}
	}
}

func TestAnAccountIsCalledByItsNameAndItsLogins(t *testing.T) {
	a := domain.Account{Name: "Countess", Logins: []domain.Login{login(t, "Ada"), login(t, "Ada@Example.org")}}
	if got := strings.Join(a.Names(), "|"); got != "Countess|Ada|Ada@Example.org" {
		t.Error(got)
	}
	if a.Login(domain.Email).Value() != "Ada@Example.org" || a.Login(domain.Username).Value() != "Ada" || !a.Login("passkey").IsZero() {
		t.Error("a login is not found by its kind")
	}
}
