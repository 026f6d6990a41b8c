package app_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/cel"
	"github.com/keyport-go/keyport/adapters/cel/celtest"
	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// id returns the nth id of a kind of thing.
func id(kind, n int) string { return fmt.Sprintf("0190%04x-0000-7000-8000-%012x", kind, n) }

// pool returns records of two accounts and of nobody, the same each time.
func pool() (people []domain.AccountID, records []domain.Record) {
	people = []domain.AccountID{domain.AccountID(id(1, 1)), domain.AccountID(id(1, 2))}
	owners := map[domain.AccountID]domain.AccountID{"a1": people[0], "a2": people[1]}
	drawn := rapid.Custom(celtest.DrawRecord)
	for n := range 150 {
		r := drawn.Example(n)
		r.ID, r.Owner, r.Revision = domain.RecordID(id(3, n)), owners[r.Owner], 1
		records = append(records, r)
	}
	return people, records
}

// stocked puts the pool into a store, and returns the collection.
func stocked(t *testing.T, s ports.Store, people []domain.AccountID, records []domain.Record) domain.CollectionRef {
	t.Helper()
	ctx := t.Context()
	c := domain.Collection{Name: "things", Revision: 1, Created: records[0].Created, Changed: records[0].Created}
	err := s.Collections().Add(ctx, c)
	for n, person := range people {
		login, bad := domain.ParseLogin(fmt.Sprint("person", n))
		if bad != nil {
			t.Fatal(bad)
		}
		if err == nil {
			err = s.Accounts().Add(ctx, domain.Account{
				ID: person, Logins: []domain.Login{login}, Status: domain.Active, Authority: 1, Revision: 1, Created: c.Created, Changed: c.Changed,
			}, domain.NewPasswordHash("hash"))
		}
	}
	if err == nil {
		err = s.Atomically(ctx, func(tx ports.Repositories) error {
			for _, r := range records {
				if err := tx.Records().Add(ctx, c.Ref(), r, domain.Entries{}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c.Ref()
}

// What a store finds for a rule or a filter are the records of which CEL says true,
// one by one: on the fake, on SQLite and on PostgreSQL.
func TestStoresFindWhatCELAllows(t *testing.T) {
	people, records := pool()
	stores := []ports.Store{new(fake.Store), openSQLite(t), openPostgres(t)}
	var c domain.CollectionRef
	for _, s := range stores {
		c = stocked(t, s, people, records)
	}
	found, asked, refused := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom(celtest.Worlds).Draw(t, "world")
		text := celtest.DrawRule(t, w)
		rule, err := cel.Compiler{}.Compile(domain.VerbRead, text, w.Schema)
		if err != nil {
			refused++
			return // the writer knows the grammar, and not all of its types
		}
		selector, err := cel.Compiler{}.Select(text, w.Schema)
		if err != nil {
			refused++
			return
		}
		who, now := celtest.DrawAsker(t), celtest.DrawNow(t)
		if who.Account != "" {
			who.Account = rapid.SampledFrom(people).Draw(t, "person")
		}
		var want []domain.RecordID
		for _, r := range records {
			if rule.Allows(domain.Question{Who: who, Record: r, Now: now}) {
				want = append(want, r.ID)
			}
		}
		for _, s := range stores {
			got, err := list(context.Background(), s, c, selector.Where(who, now))
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%s\nfor %+v\n%T finds %v, %v\nCEL allows %v", text, who, s, got, err, want)
			}
		}
		found, asked = found+len(want), asked+len(records)
	})
	t.Logf("%d of %d; %d rules were refused", found, asked, refused)
	if tried := asked / len(records); tried < 4*refused || found == 0 || found == asked {
		t.Error("too few of the rules were tried, or they all say the same")
	}
}

func list(ctx context.Context, s ports.Store, c domain.CollectionRef, where domain.Predicate) (ids []domain.RecordID, err error) {
	page, err := s.Records().List(ctx, c, domain.Query{Where: where, Limit: 1000})
	for _, r := range page {
		ids = append(ids, r.ID)
	}
	return ids, err
}
