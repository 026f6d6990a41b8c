package resources_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// THE LAW of checks: what a check says is what the request then gets.
func TestACheckAnswersAsTheRequestWould(t *testing.T) {
	for _, rule := range []string{"anyone", "account", "owner", "role:editor", "nobody", `name="Terra Nova"`, "owner & crew<=40"} {
		for _, data := range []string{`{"name":"Fram"}`, `{}`} {
			for _, who := range []domain.Asker{stranger, bob, ada, editor, admin, byKey(domain.ReadRecords), byKey(domain.WriteRecords), byKey(domain.Administer)} {
				for _, read := range []string{"anyone", "owner"} {
					for _, v := range domain.Verbs() {
						for _, there := range []bool{true, false} {
							w := newWorld()
							rules := domain.Rules{List: rule, Read: read, Create: rule, Update: rule, Delete: rule}
							if v == domain.VerbRead {
								rules.Read = rule
							}
							w.declare(t, ships(rules))
							id := w.add(t, ada, `{"name":"Terra Nova","crew":31}`).ID
							if !there {
								id = chosen
							}
							d := document(t, data)
							f, err := w.Check(t.Context(), who, resources.Inquiry{Verb: v, Collection: "ships", ID: id, Data: &d})
							got := outcome(err)
							if err == nil && f.Refusal != nil {
								got = f.Refusal.Code
							}
							if f.Allowed != (got == "ok") {
								t.Errorf("it says %t, and %s", f.Allowed, got)
							}
							if want := outcome(w.request(t, who, v, id, d)); got != want && v != domain.VerbCreate {
								t.Errorf("%s of what is there: %t, rule %s, data %s, by %+v: checked %s, done %s", v, there, rule, data, who, got, want)
							} else if v == domain.VerbCreate && got != want && want != "record-exists" {
								t.Errorf("create, rule %s, data %s, by %+v: checked %s, done %s", rule, data, who, got, want)
							}
						}
					}
				}
			}
		}
	}
}

// request does what a check asks about.
func (w *world) request(t testing.TB, who domain.Asker, v domain.Verb, id domain.RecordID, d domain.Document) error {
	t.Helper()
	// A check is a look at records, whatever it asks about.
	if err := who.May(domain.ReadRecords); err != nil {
		return err
	}
	var err error
	switch v {
	case domain.VerbList:
		_, err = w.List(t.Context(), who, "ships", resources.ListRequest{})
	case domain.VerbRead:
		_, err = w.Get(t.Context(), who, "ships", id)
	case domain.VerbCreate:
		_, err = w.CreateAs(t.Context(), who, "ships", id, d)
	case domain.VerbUpdate:
		_, err = w.Replace(t.Context(), who, "ships", id, 0, d)
	case domain.VerbDelete:
		err = w.Delete(t.Context(), who, "ships", id, 0)
	}
	return err
}

func TestACheckChangesNothing(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Fram"}`)
	d := document(t, `{"name":"Beagle"}`)
	for _, v := range domain.Verbs() {
		f, err := w.Check(t.Context(), ada, resources.Inquiry{Verb: v, Collection: "ships", ID: r.ID, Data: &d})
		if ok(t, err); !f.Allowed {
			t.Errorf("%s: %v", v, f.Refusal)
		}
	}
	if now, err := w.stored(t, r.ID); err != nil || now != r {
		t.Errorf("it became %+v (%v)", now, err)
	}
}

// To all but administrators a hidden record is told as one that is not there, to the
// last byte.
func TestACheckDoesNotTellOfWhatIsHidden(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(domain.Rules{List: "anyone", Read: "owner", Create: "anyone", Update: "anyone", Delete: "anyone"}))
	hidden := w.add(t, ada, `{"name":"Fram"}`)
	d := document(t, `{"name":"Beagle"}`)
	for _, v := range []domain.Verb{domain.VerbRead, domain.VerbUpdate, domain.VerbDelete} {
		for _, who := range []domain.Asker{stranger, bob, editor, byKeyOf(bob, domain.ReadRecords, domain.WriteRecords)} {
			a, errHidden := w.Check(t.Context(), who, resources.Inquiry{Verb: v, Collection: "ships", ID: hidden.ID, Data: &d})
			b, errAbsent := w.Check(t.Context(), who, resources.Inquiry{Verb: v, Collection: "ships", ID: chosen, Data: &d})
			if fmt.Sprintf("%#v", errHidden) != fmt.Sprintf("%#v", errAbsent) || fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) {
				t.Errorf("%s by %+v: hidden is %+v (%v), absent is %+v (%v)", v, who, a, errHidden, b, errAbsent)
			}
			if a.Allowed || a.Rulings != nil {
				t.Errorf("%s by %+v: it says %+v", v, who, a)
			}
		}
		a, err := w.Check(t.Context(), admin, resources.Inquiry{Verb: v, Collection: "ships", ID: hidden.ID})
		ok(t, err)
		b, err := w.Check(t.Context(), admin, resources.Inquiry{Verb: v, Collection: "ships", ID: chosen})
		ok(t, err)
		if a.Allowed || b.Allowed || len(a.Rulings) != 1 || a.Rulings[0].Rule != "owner" || a.Rulings[0].Allowed || b.Rulings != nil {
			t.Errorf("%s: administrators hear of the hidden %+v, and of the absent %+v", v, a, b)
		}
	}
}

// byKeyOf returns somebody as one of their access keys makes them ask.
func byKeyOf(who domain.Asker, scopes ...domain.Scope) domain.Asker {
	who.Key, who.Scopes = "nightly", scopes
	return who
}

func TestACheckSaysWhichRulesDecided(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(domain.Rules{List: "account", Read: "account", Create: "role:editor", Update: "owner & crew<=40", Delete: "nobody"}))
	r := w.add(t, ada, `{"name":"Fram","crew":41}`)
	clause := func(text string, value domain.Truth) domain.Clause { return domain.Clause{Text: text, Value: value} }
	shown := domain.Ruling{Verb: domain.VerbRead, Allowed: true, Rule: "account", Clauses: []domain.Clause{clause("account", domain.True)}}
	d := document(t, `{"name":"Fram"}`)
	for _, c := range []struct {
		name string
		q    resources.Inquiry
		want resources.Finding
	}{
		{"to list", resources.Inquiry{Verb: domain.VerbList}, resources.Finding{
			Allowed: true, Rulings: []domain.Ruling{{Verb: domain.VerbList, Allowed: true, Rule: "account", Clauses: []domain.Clause{clause("account", domain.True)}}},
		}},
		{"to read", resources.Inquiry{Verb: domain.VerbRead, ID: r.ID}, resources.Finding{Allowed: true, Rulings: []domain.Ruling{shown}}},
		{"to create", resources.Inquiry{Verb: domain.VerbCreate, Data: &d}, resources.Finding{
			Refusal: domain.ErrNotAllowed,
			Rulings: []domain.Ruling{{Verb: domain.VerbCreate, Rule: "role:editor", Clauses: []domain.Clause{clause("role:editor", domain.False)}}},
		}},
		{"to update", resources.Inquiry{Verb: domain.VerbUpdate, ID: r.ID}, resources.Finding{
			Refusal: domain.ErrNotAllowed,
			Rulings: []domain.Ruling{shown, {
				Verb: domain.VerbUpdate, Rule: "owner & crew<=40", Clauses: []domain.Clause{clause("owner", domain.True), clause("crew<=40", domain.False)},
			}},
		}},
		{"to delete", resources.Inquiry{Verb: domain.VerbDelete, ID: r.ID}, resources.Finding{
			Refusal: domain.ErrNotAllowed,
			Rulings: []domain.Ruling{shown, {Verb: domain.VerbDelete, Rule: "nobody", Clauses: []domain.Clause{clause("nobody", domain.False)}}},
		}},
	} {
		c.q.Collection = "ships"
		f, err := w.Check(t.Context(), ada, c.q)
		ok(t, err)
		if outcome(refusal(f)) != outcome(refusal(c.want)) || f.Allowed != c.want.Allowed || cmp.Diff(c.want.Rulings, f.Rulings) != "" {
			t.Errorf("%s: %v, %s", c.name, f.Refusal, cmp.Diff(c.want.Rulings, f.Rulings))
		}
	}
}

// refusal returns what a finding refuses with, as an error.
func refusal(f resources.Finding) error {
	if f.Refusal == nil {
		return nil
	}
	return f.Refusal
}

func TestAdministratorsAskOnBehalfOfOthers(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(domain.Rules{List: "anyone", Read: "owner", Create: "role:editor", Update: "owner", Delete: "owner"}))
	for _, a := range []domain.Account{
		{ID: "ada", Status: domain.Active}, {ID: "eve", Status: domain.Active, Roles: editor.Roles}, {ID: "sus", Status: domain.Suspended, Roles: editor.Roles},
	} {
		ok(t, w.store.Accounts().Add(t.Context(), a, domain.PasswordHash{}))
	}
	r := w.add(t, ada, `{"name":"Fram"}`)
	d := document(t, `{"name":"Beagle"}`)
	for _, c := range []struct {
		name    string
		who     domain.Asker
		account domain.AccountID
		verb    domain.Verb
		want    string
	}{
		{"an administrator, as themselves", admin, "", domain.VerbRead, "record-not-found"},
		{"an administrator, as the owner", admin, "ada", domain.VerbRead, "ok"},
		{"an administrator, as another", admin, "eve", domain.VerbRead, "record-not-found"},
		{"an administrator, as an editor", admin, "eve", domain.VerbCreate, "ok"},
		{"an administrator, as no editor", admin, "ada", domain.VerbCreate, "not-allowed"},
		{"an administrator, as a suspended editor", admin, "sus", domain.VerbCreate, "account-suspended"},
		{"an administrator, as nobody that there is", admin, "nil", domain.VerbCreate, "account-not-found"},
		{"an editor, as themselves by name", editor, "eve", domain.VerbCreate, "ok"},
		{"an editor, as another", editor, "ada", domain.VerbCreate, "not-allowed"},
		{"a stranger, as another", stranger, "ada", domain.VerbCreate, "unauthenticated"},
		{"an administrator's key without the scope", byKeyOf(admin, domain.ReadRecords), "ada", domain.VerbRead, "out-of-scope"},
	} {
		f, err := w.Check(t.Context(), c.who, resources.Inquiry{Verb: c.verb, Collection: "ships", ID: r.ID, Data: &d, Account: c.account})
		if err == nil {
			err = refusal(f)
		}
		if outcome(err) != c.want || f.Allowed != (c.want == "ok") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// Another replica has declared otherwise since this one last asked.
func TestACheckIsMadeByTheDeclarationThatHolds(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	r := w.add(t, ada, `{"name":"Fram"}`)
	_, err := w.Get(t.Context(), ada, "ships", r.ID) // now it is remembered
	ok(t, err)
	closed := domain.Rules{List: "account", Read: "account", Create: "account", Update: "account", Delete: "account"}
	_, err = w.service().Declare(t.Context(), stranger, ships(closed), operator)
	ok(t, err)
	for _, v := range domain.Verbs() {
		f, err := w.Check(t.Context(), stranger, resources.Inquiry{Verb: v, Collection: "ships", ID: r.ID})
		ok(t, err)
		if is(t, refusal(f), domain.ErrUnauthenticated); f.Allowed {
			t.Errorf("%s is allowed", v)
		}
	}
	_, err = w.Check(t.Context(), ada, resources.Inquiry{Verb: domain.VerbList, Collection: "yards"})
	is(t, err, domain.ErrCollectionNotFound)
	w.store.Fault = func(string) (bool, error) { return false, domain.ErrUnavailable }
	for _, v := range domain.Verbs() {
		_, err := w.Check(t.Context(), ada, resources.Inquiry{Verb: v, Collection: "ships", ID: r.ID})
		is(t, err, domain.ErrUnavailable)
	}
}
