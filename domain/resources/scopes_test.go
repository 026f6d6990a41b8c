package resources_test

import (
	"testing"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// byKey returns ada as one of her access keys makes her ask.
func byKey(scopes ...domain.Scope) domain.Asker {
	return domain.Asker{Account: ada.Account, Key: "nightly", Scopes: scopes}
}

func TestAnAccessKeyDoesNoMoreThanItsScopesName(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(open))
	for _, c := range []struct {
		verb string
		do   func(who domain.Asker, id domain.RecordID) error
		want domain.Scope
	}{
		{"list", func(who domain.Asker, _ domain.RecordID) error {
			_, err := w.List(t.Context(), who, "ships", resources.ListRequest{})
			return err
		}, domain.ReadRecords},
		{"get", func(who domain.Asker, id domain.RecordID) error {
			_, err := w.Get(t.Context(), who, "ships", id)
			return err
		}, domain.ReadRecords},
		{"create", func(who domain.Asker, _ domain.RecordID) error {
			_, err := w.Create(t.Context(), who, "ships", document(t, `{"name":"x"}`))
			return err
		}, domain.WriteRecords},
		{"replace", func(who domain.Asker, id domain.RecordID) error {
			_, err := w.Replace(t.Context(), who, "ships", id, 0, document(t, `{"name":"y"}`))
			return err
		}, domain.WriteRecords},
		{"patch", func(who domain.Asker, id domain.RecordID) error {
			_, err := w.Patch(t.Context(), who, "ships", id, 0, document(t, `{"name":"z"}`))
			return err
		}, domain.WriteRecords},
		{"delete", func(who domain.Asker, id domain.RecordID) error {
			return w.Delete(t.Context(), who, "ships", id, 0)
		}, domain.WriteRecords},
	} {
		for _, scope := range domain.Scopes() {
			r := w.add(t, ada, `{"name":"a"}`)
			err := c.do(byKey(scope), r.ID)
			if scope == c.want {
				ok(t, err)
				continue
			}
			is(t, err, domain.ErrOutOfScope)
			stored, err := w.stored(t, r.ID)
			if ok(t, err); stored.Revision != 1 {
				t.Errorf("%s with %s changed the record", c.verb, scope)
			}
		}
	}
}

// A key adds no right to what its account may do.
func TestAnAccessKeyIsJudgedByTheRulesToo(t *testing.T) {
	w := newWorld()
	w.declare(t, ships(domain.Rules{List: "owner", Read: "owner", Create: "account", Update: "owner", Delete: "owner"}))
	r := w.add(t, bob, `{"name":"a"}`)
	_, err := w.Get(t.Context(), byKey(domain.ReadRecords), "ships", r.ID)
	is(t, err, domain.ErrRecordNotFound)
	is(t, w.Delete(t.Context(), byKey(domain.WriteRecords), "ships", r.ID, 0), domain.ErrRecordNotFound)
}
