package resources_test

import (
	"fmt"
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

const (
	signIn = "unauthenticated"
	no     = "not-allowed"
	hidden = "record-not-found"
)

// Each verb under each rule, asked by a stranger, by an account, by the owner of
// the record, and by an editor. The other verbs are anyone's.
func TestWhoMayDoWhat(t *testing.T) {
	type outcomes [4]string // of stranger, bob, ada, editor
	for _, c := range []struct {
		verb string
		set  func(*domain.Rules, string)
		do   func(w *world, t testing.TB, who domain.Asker, r domain.Record) string
		want map[string]outcomes
	}{
		{
			"list", func(r *domain.Rules, s string) { r.List = s },
			func(w *world, t testing.TB, who domain.Asker, _ domain.Record) string {
				page, err := w.List(t.Context(), who, "ships", resources.ListRequest{})
				if err != nil {
					return outcome(err)
				}
				return fmt.Sprint(len(page.Items))
			},
			map[string]outcomes{
				"anyone":      {"2", "2", "2", "2"},
				"account":     {signIn, "2", "2", "2"},
				"owner":       {signIn, "0", "1", "0"},
				"role:editor": {signIn, no, no, "2"},
				"nobody":      {signIn, no, no, no},
			},
		},
		{
			"read", func(r *domain.Rules, s string) { r.Read = s },
			func(w *world, t testing.TB, who domain.Asker, r domain.Record) string {
				got, err := w.Get(t.Context(), who, "ships", r.ID)
				if (err == nil) != (got.ID == r.ID) {
					t.Errorf("%v came with %+v", err, got)
				}
				return outcome(err)
			},
			map[string]outcomes{
				"anyone":      {"ok", "ok", "ok", "ok"},
				"account":     {signIn, "ok", "ok", "ok"},
				"owner":       {signIn, hidden, "ok", hidden},
				"role:editor": {signIn, hidden, hidden, "ok"},
				"nobody":      {signIn, hidden, hidden, hidden},
			},
		},
		{
			"create", func(r *domain.Rules, s string) { r.Create = s },
			func(w *world, t testing.TB, who domain.Asker, _ domain.Record) string {
				got, err := w.Create(t.Context(), who, "ships", document(t, `{"name":"Beagle"}`))
				if err == nil && got.Owner != who.Account {
					t.Errorf("it belongs to %q", got.Owner)
				}
				return outcome(err)
			},
			map[string]outcomes{
				"anyone":      {"ok", "ok", "ok", "ok"},
				"account":     {signIn, "ok", "ok", "ok"},
				"owner":       {signIn, "ok", "ok", "ok"},
				"role:editor": {signIn, no, no, "ok"},
				"nobody":      {signIn, no, no, no},
			},
		},
		{
			"update", func(r *domain.Rules, s string) { r.Update = s },
			func(w *world, t testing.TB, who domain.Asker, r domain.Record) string {
				_, replaced := w.Replace(t.Context(), who, "ships", r.ID, 0, document(t, `{"name":"Fram"}`))
				_, patched := w.Patch(t.Context(), who, "ships", r.ID, 0, document(t, `{"crew":13}`))
				if outcome(replaced) != outcome(patched) {
					t.Errorf("%v to replace it, %v to patch it", replaced, patched)
				}
				return outcome(replaced)
			},
			map[string]outcomes{
				"anyone":      {"ok", "ok", "ok", "ok"},
				"account":     {signIn, "ok", "ok", "ok"},
				"owner":       {signIn, no, "ok", no},
				"role:editor": {signIn, no, no, "ok"},
				"nobody":      {signIn, no, no, no},
			},
		},
		{
			"delete", func(r *domain.Rules, s string) { r.Delete = s },
			func(w *world, t testing.TB, who domain.Asker, r domain.Record) string {
				return outcome(w.Delete(t.Context(), who, "ships", r.ID, 0))
			},
			map[string]outcomes{
				"anyone":      {"ok", "ok", "ok", "ok"},
				"account":     {signIn, "ok", "ok", "ok"},
				"owner":       {signIn, no, "ok", no},
				"role:editor": {signIn, no, no, "ok"},
				"nobody":      {signIn, no, no, no},
			},
		},
	} {
		for rule, want := range c.want {
			t.Run(c.verb+" is for "+rule, func(t *testing.T) {
				var got outcomes
				for i, who := range []domain.Asker{stranger, bob, ada, editor} {
					w := newWorld()
					rules := open
					c.set(&rules, rule)
					w.declare(t, ships(rules))
					r := w.add(t, ada, `{"name":"Terra Nova"}`)
					w.add(t, stranger, `{"name":"Fram"}`)
					got[i] = c.do(w, t, who, r)
					now, err := w.stored(t, r.ID)
					if touched := err != nil || now != r; touched != (got[i] == "ok" && (c.verb == "update" || c.verb == "delete")) {
						t.Errorf("%+v was told %s, and the record is %+v (%v)", who, got[i], now, err)
					}
				}
				if got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

// Whatever is asked of it, a record that may not be seen answers as one that is
// not there: with the same error, to the last byte.
func TestAHiddenRecordIsToldAsAbsent(t *testing.T) {
	w := newWorld()
	rules := open
	rules.Read = "owner"
	w.declare(t, ships(rules))
	r := w.add(t, ada, `{"name":"Terra Nova"}`)
	absent := domain.RecordID(w.newID())
	name := document(t, `{"name":"Fram"}`)
	nameless := document(t, `{}`)
	for verb, call := range map[string]func(domain.Asker, domain.RecordID) (domain.Record, error){
		"get": func(who domain.Asker, id domain.RecordID) (domain.Record, error) {
			return w.Get(t.Context(), who, "ships", id)
		},
		"replace": func(who domain.Asker, id domain.RecordID) (domain.Record, error) {
			return w.Replace(t.Context(), who, "ships", id, 1, name)
		},
		"replace at another revision": func(who domain.Asker, id domain.RecordID) (domain.Record, error) {
			return w.Replace(t.Context(), who, "ships", id, 7, name)
		},
		"replace with what does not fit": func(who domain.Asker, id domain.RecordID) (domain.Record, error) {
			return w.Replace(t.Context(), who, "ships", id, 0, nameless)
		},
		"patch": func(who domain.Asker, id domain.RecordID) (domain.Record, error) {
			return w.Patch(t.Context(), who, "ships", id, 0, name)
		},
		"delete": func(who domain.Asker, id domain.RecordID) (domain.Record, error) {
			return domain.Record{}, w.Delete(t.Context(), who, "ships", id, 0)
		},
	} {
		for who, want := range map[*domain.Asker]string{&stranger: signIn, &bob: hidden, &editor: hidden} {
			a, errHidden := call(*who, r.ID)
			b, errAbsent := call(*who, absent)
			if outcome(errHidden) != want || fmt.Sprintf("%#v", errHidden) != fmt.Sprintf("%#v", errAbsent) {
				t.Errorf("%s: hidden is %v, absent is %v", verb, errHidden, errAbsent)
			}
			if a != b || a != (domain.Record{}) {
				t.Errorf("%s: a record came with the error: %+v, %+v", verb, a, b)
			}
		}
	}
	if now, err := w.stored(t, r.ID); err != nil || now != r {
		t.Errorf("it became %+v (%v)", now, err)
	}
}

func TestWhoeverMayChangeButNotSeeMayDoNeither(t *testing.T) {
	w := newWorld()
	rules := open
	rules.Read, rules.Update = "owner", "anyone"
	w.declare(t, ships(rules))
	r := w.add(t, ada, `{"name":"Terra Nova"}`)
	_, err := w.Patch(t.Context(), bob, "ships", r.ID, 0, document(t, `{"name":"Fram"}`))
	is(t, err, domain.ErrRecordNotFound)
}
