package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A fleet is a collection with indexes and a search, and its records.
type fleet struct {
	store *postgres.Store
	domain.Collection
	records []domain.Record
}

// found returns the records of a query, and whether it is too broad, as the domain
// and the contract have it.
func (f fleet) found(q domain.Query) (found []domain.RecordID, tooBroad bool) {
	walk := slices.Clone(f.records)
	others := func(r domain.Record) bool { return r.Owner != q.Owner }
	if q.Gathers() && q.Scan > 0 && len(slices.DeleteFunc(slices.Clone(walk), others)) > q.Scan {
		q = q.Widened()
	}
	compare := func(a, b domain.Record) int {
		if q.Backward {
			a, b = b, a
		}
		return f.PlaceOf(q.Walk, a).Compare(f.PlaceOf(q.Walk, b))
	}
	slices.SortFunc(walk, compare)
	looked := 0
	for _, r := range walk {
		at := f.PlaceOf(q.Walk, r)
		order := at.Compare(q.After)
		behind := q.After == domain.Place{} || order > 0 && !q.Backward || order < 0 && q.Backward
		within := q.Order != domain.ByIndex || at.Key >= q.Low && (q.High == "" || at.Key < q.High)
		if !behind || !within || q.Owner != "" && r.Owner != q.Owner {
			continue
		}
		if len(found) >= q.Limit {
			break
		}
		if looked++; q.Scan > 0 && looked > q.Scan && len(q.Words) == 0 { // here each word is rare
			return nil, true
		}
		if f.says(r, q.Words) && domain.Holds(q.Where, r) {
			found = append(found, r.ID)
		}
	}
	return found, false
}

func (f fleet) says(r domain.Record, words []string) bool {
	said := f.Entries(r, noon).Words
	for i, w := range words {
		last := i == len(words)-1
		if !slices.ContainsFunc(said, func(s string) bool { return s == w || last && strings.HasPrefix(s, w) }) {
			return false
		}
	}
	return true
}

func launch(t *testing.T, ships int) fleet {
	t.Helper()
	f := fleet{}
	f.store, _ = open(t, postgres.Config{})
	order := func(s string) domain.Index {
		sort, err := domain.ParseSort(s)
		if err != nil {
			t.Fatal(err)
		}
		return domain.Index{Sort: sort}
	}
	f.Collection = domain.Collection{
		Name: "ships", Indexes: []domain.Index{order("length"), order("-length,name"), order("owner,name")}, Search: []string{"name"}, Revision: 1, Created: noon, Changed: noon,
	}
	others := f.Collection
	others.Name = "others"
	if err := errors.Join(f.store.Collections().Add(t.Context(), f.Collection), f.store.Collections().Add(t.Context(), others)); err != nil {
		t.Fatal(err)
	}
	for n := range ships {
		r := ship(n * 37 % ships)
		r.Owner = []domain.AccountID{ada, bob, ""}[n%3]
		r.Data = domain.RestoreDocument(fmt.Sprintf(`{"length":%d,"name":"%s"}`, n%7-3, []string{"sea star", "seal", "o'star", "ARK", "star ark"}[n%5]))
		r.Created, r.Changed = noon.Add(time.Duration(n%11)*time.Microsecond), noon.Add(time.Duration(n*n%17)*time.Microsecond)
		f.records = append(f.records, r)
		err := errors.Join(
			f.store.Records().Add(t.Context(), f.Ref(), r, f.Entries(r, noon)),
			f.store.Records().Add(t.Context(), others.Ref(), r, f.Entries(r, noon)),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func TestAWalkFindsWhatTheContractSays(t *testing.T) {
	f := launch(t, 60)
	rapid.Check(t, func(rt *rapid.T) {
		place := func(w domain.Walk, name string) domain.Place {
			return f.PlaceOf(w, rapid.SampledFrom(f.records).Draw(rt, name))
		}
		w := domain.Walk{
			Order:    rapid.SampledFrom([]domain.Order{domain.ByID, domain.ByCreated, domain.ByChanged, domain.ByIndex, domain.ByIndex}).Draw(rt, "order"),
			Backward: rapid.Bool().Draw(rt, "backward"),
			Owner:    rapid.SampledFrom([]domain.AccountID{"", "", ada, bob}).Draw(rt, "owner"),
		}
		if w.Order == domain.ByIndex {
			w.Index = rapid.SampledFrom(f.Indexes).Draw(rt, "index").String()
			if rapid.Bool().Draw(rt, "low") {
				w.Low = place(w, "low").Key
			}
			if rapid.Bool().Draw(rt, "high") {
				w.High = place(w, "high").Key
			}
		}
		q := domain.Query{Walk: w, Limit: rapid.IntRange(0, 70).Draw(rt, "limit"), Scan: rapid.SampledFrom([]int{0, 0, 1, 5, 20, 59, 60, 61}).Draw(rt, "scan")}
		q.Where = rapid.SampledFrom([]domain.Predicate{
			domain.Everything{},
			domain.All{},
			domain.OwnedBy{Account: ada},
			domain.Nothing{},
			nil,
			domain.Compare{Op: domain.AtMost, Left: domain.Literal{Value: 2.0}, Right: domain.Member{"length"}},
			domain.All{domain.OwnedBy{Account: ada}, domain.TestText{Op: domain.Contains, Text: domain.Member{"name"}, Part: domain.Literal{Value: "'"}}},
		}).Draw(rt, "where")
		if rapid.Bool().Draw(rt, "search") {
			q.Words = rapid.SampledFrom([][]string{{"s"}, {"star"}, {"star", "s"}, {"sea", "st"}, {"o", "star"}, {"none", "s"}, {"ship"}, {"ark", "star"}}).Draw(rt, "words")
		}
		switch rapid.IntRange(0, 3).Draw(rt, "after") {
		case 0, 1:
			q.After = place(w, "after")
		case 2:
			if q.After = place(w, "after"); q.After.Key != "" {
				q.After.ID = ""
			}
		}
		want, tooBroad := f.found(q)
		found, err := f.store.Records().List(t.Context(), f.Ref(), q)
		n, errCount := f.store.Records().Count(t.Context(), f.Ref(), q)
		if tooBroad {
			if !errors.Is(err, domain.ErrTooBroad) || !errors.Is(errCount, domain.ErrTooBroad) {
				rt.Fatalf("%+v: %d are found (%v), and %d counted (%v); want it to be too broad", q, len(found), err, n, errCount)
			}
			return
		}
		var got []domain.RecordID
		for _, r := range found {
			got = append(got, r.ID)
		}
		if err := errors.Join(err, errCount); err != nil || !slices.Equal(got, want) || n != len(want) {
			rt.Fatalf("%+v: found (%v), and counted %d,\n%v, want\n%v", q, err, n, got, want)
		}
	})
}

// Words that many have are met on the walk; those that few have are looked up, however
// far along it they are.
func TestASearchFindsWhatFewHaveAndWhatManyHave(t *testing.T) {
	s, url := open(t, postgres.Config{})
	ships := declare(t, s, "ships")
	c := connect(t, url)
	for _, sql := range []string{
		`INSERT INTO records (collection, id, data, revision, created, changed)
			SELECT 'ships', ('01900003-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '{}', 1, now(), now() FROM generate_series(1, 3000) n`,
		`INSERT INTO record_words (collection, record, words)
			SELECT collection, id, array_to_tsvector(ARRAY['/ships', 'many', CASE WHEN id > '01900003-0000-7000-8000-000000000bb3' THEN 'few' ELSE 'none' END]) FROM records`,
	} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []struct {
		name  string
		query domain.Query
		want  []int
	}{
		{"what few have", domain.Query{Words: []string{"fe"}, Limit: 9, Scan: 100}, []int{0xbb4, 0xbb5, 0xbb6, 0xbb7, 0xbb8}},
		{"what few have, the last first", domain.Query{Walk: domain.Walk{Backward: true}, Words: []string{"many", "few"}, Limit: 2, Scan: 100}, []int{0xbb8, 0xbb7}},
		{"what many have", domain.Query{Words: []string{"many"}, Limit: 3, Scan: 100}, []int{1, 2, 3}},
		{"what many have, behind a place", domain.Query{Words: []string{"m"}, Limit: 3, Scan: 100, After: domain.Place{ID: ship(1000).ID}}, []int{1001, 1002, 1003}},
		{"what nobody has", domain.Query{Words: []string{"many", "nobody"}, Limit: 3, Scan: 100}, nil},
	} {
		t.Run(q.name, func(t *testing.T) {
			q.query.Where = domain.Everything{}
			found, err := s.Records().List(t.Context(), ships.Ref(), q.query)
			var got, want []domain.RecordID
			for _, r := range found {
				got = append(got, r.ID)
			}
			for _, n := range q.want {
				want = append(want, ship(n).ID)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("it finds %v (%v), want %v", got, err, want)
			}
		})
	}
	_, err := s.Records().List(t.Context(), ships.Ref(), domain.Query{Where: domain.Nothing{}, Words: []string{"many"}, Limit: 3, Scan: 100})
	is(t, err, domain.ErrTooBroad)
}

// What is kept of a record changes with it, and goes with it.
func TestARecordIsFoundByWhatWasLastWrittenWithIt(t *testing.T) {
	f := launch(t, 1)
	old := f.records[0]
	byLength := domain.Walk{Order: domain.ByIndex, Index: "length"}
	finds := func(step string, indexed, said int) {
		t.Helper()
		for _, q := range []struct {
			domain.Query
			want int
		}{{domain.Query{Walk: byLength}, indexed}, {domain.Query{Words: []string{"sea"}}, said}} {
			q.Where, q.Limit = domain.Everything{}, 9
			if found, err := f.store.Records().List(t.Context(), f.Ref(), q.Query); err != nil || len(found) != q.want {
				t.Fatalf("%s: %+v finds %d (%v), want %d", step, q.Query, len(found), err, q.want)
			}
		}
	}
	finds("added", 1, 1)
	old.Data = domain.RestoreDocument(`{"length":9,"name":"seaside"}`)
	steps := []struct {
		name          string
		entries       domain.Entries
		indexed, said int
	}{
		{"replaced with other keys", f.Entries(old, noon), 1, 1},
		{"replaced with the same keys", f.Entries(old, noon), 1, 1},
		{"replaced with no keys", domain.Entries{}, 0, 0},
		{"replaced with keys again", f.Entries(old, noon), 1, 1},
	}
	for _, step := range steps {
		if err := f.store.Records().Replace(t.Context(), f.Ref(), old, step.entries); err != nil {
			t.Fatal(err)
		}
		old.Revision++
		finds(step.name, step.indexed, step.said)
	}
	enter := func(rev domain.Revision, e domain.Entries) {
		t.Helper()
		filings := []ports.Filing{{ID: old.ID, Revision: rev, Entries: e}, {ID: ship(99).ID, Revision: 1, Entries: e}}
		if err := f.store.Records().Enter(t.Context(), f.Ref(), filings); err != nil {
			t.Fatal(err)
		}
	}
	enter(old.Revision, domain.Entries{})
	finds("entered with nothing", 0, 0)
	enter(old.Revision-1, f.Entries(old, noon))
	finds("entered at an old revision", 0, 0)
	enter(old.Revision, f.Entries(old, noon))
	finds("entered", 1, 1)
	if err := f.store.Records().Remove(t.Context(), f.Ref(), old.ID, old.Revision, time.Time{}); err != nil {
		t.Fatal(err)
	}
	finds("removed", 0, 0)
	is(t, f.store.Records().Enter(t.Context(), domain.CollectionRef{Name: "ships", Revision: 2}, nil), domain.ErrCollectionChanged)
	is(t, f.store.Records().Enter(t.Context(), domain.CollectionRef{Name: "none", Revision: 1}, nil), domain.ErrCollectionNotFound)
}

// Replicas that build the same index at once do not get in each other's way.
func TestManyEnterTheSameRecordsAtOnce(t *testing.T) {
	f := launch(t, 60)
	var filings []ports.Filing
	for _, r := range f.records {
		filings = append(filings, ports.Filing{ID: r.ID, Revision: 1, Entries: f.Entries(r, noon)})
	}
	ended := make(chan error)
	const replicas = 6
	for n := range replicas {
		mine := slices.Concat(filings[n*10:], filings[:n*10])
		go func() { ended <- f.store.Records().Enter(t.Context(), f.Ref(), mine) }()
	}
	for range replicas {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	q := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "length"}, Where: domain.Everything{}, Limit: 100}
	if n, err := f.store.Records().Count(t.Context(), f.Ref(), q); err != nil || n != 60 {
		t.Errorf("%d records are in the index (%v), want 60", n, err)
	}
}
