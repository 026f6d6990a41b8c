package sqlite_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Whatever a query asks for, it finds what the domain would find who looks at each
// record of the walk; and SQLite follows an index on the way.
func TestAWalkPassesItsRecordsInOrder(t *testing.T) {
	var heard tally
	s := opened(t, sqlite.Config{Path: litetest.Path(t), OnStatement: heard.hear})
	owners := []domain.AccountID{"", person(1, "ada").ID, person(2, "bob").ID}
	for n, name := range []string{"ada", "bob"} {
		if err := s.Accounts().Add(t.Context(), person(n+1, name), domain.NewPasswordHash("hash")); err != nil {
			t.Fatal(err)
		}
	}
	trials := 0
	rapid.Check(t, func(rt *rapid.T) {
		trials++
		c := searched(domain.CollectionName(fmt.Sprintf("c%d", trials)))
		other := searched(c.Name + "-other") // whose words begin like those of c
		records := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) domain.Record {
			return domain.Record{
				Owner: rapid.SampledFrom(owners).Draw(rt, "owner"), Data: boat(rt), Revision: 1,
				Created: noon.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "created"))), // within one microsecond, or the next
				Changed: noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(rt, "changed")) * time.Second),
			}
		}), 0, 12).Draw(rt, "records")
		for n := range records {
			records[n].ID = domain.RecordID(id(3, n))
			records[n].Created = records[n].Created.Truncate(time.Microsecond)
		}
		if err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
			if err := errors.Join(tx.Collections().Add(t.Context(), c), tx.Collections().Add(t.Context(), other)); err != nil {
				return err
			}
			for n, r := range records {
				for _, c := range []domain.Collection{c, other} {
					if err := tx.Records().Add(t.Context(), c.Ref(), r, c.Entries(r, noon)); err != nil {
						return err
					}
				}
				if rapid.Bool().Draw(rt, "replaced") {
					records[n].Data = boat(rt)
					if err := tx.Records().Replace(t.Context(), c.Ref(), records[n], c.Entries(records[n], noon)); err != nil {
						return err
					}
					records[n].Revision++
				}
			}
			return nil
		}); err != nil {
			rt.Fatal(err)
		}
		for range 8 {
			q := query(rt, c, records, owners)
			for {
				want, wantErr := found(c, records, q)
				page, err := s.Records().List(t.Context(), c.Ref(), q)
				if !errors.Is(err, wantErr) || !reflect.DeepEqual(page, want) {
					rt.Fatalf("%+v\nfinds %v %v, want %v %v\nof %+v", q, idsOf(page), err, idsOf(want), wantErr, records)
				}
				n, err := s.Records().Count(t.Context(), c.Ref(), q)
				if !errors.Is(err, wantErr) || n != len(want) {
					rt.Fatalf("%+v\ncounts %d %v, want %d %v\nof %+v", q, n, err, len(want), wantErr, records)
				}
				if len(page) == 0 {
					break
				}
				q.After = c.PlaceOf(q.Walk, page[len(page)-1])
			}
		}
	})
	if !t.Failed() {
		followIndexes(t, heard.take())
	}
}

// Of words that many records have a search looks along the walk, so far and no further,
// and finds there what has all of them.
func TestASearchForFrequentWordsGoesAlongTheWalk(t *testing.T) {
	var heard tally
	s := opened(t, sqlite.Config{Path: litetest.Path(t), OnStatement: heard.hear})
	ships := fleet("ships")
	const all = 2*domain.RareWord + 1
	if err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		err := tx.Collections().Add(t.Context(), ships)
		for n := range all {
			words := []string{"ship", []string{"even", "odd"}[n%2]}
			err = errors.Join(err, tx.Records().Add(t.Context(), ships.Ref(), ship(n), domain.Entries{Words: words}))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		words []string
		query domain.Query
		want  []int // nil: too broad
	}{
		{"those that all have", []string{"sh"}, domain.Query{Limit: 2, Scan: 2, After: domain.Place{ID: ship(700).ID}}, []int{701, 702}},
		{"those that every other has", []string{"odd"}, domain.Query{Limit: 2, Scan: 4}, []int{1, 3}},
		{"both, the last first", []string{"ship", "ev"}, domain.Query{Walk: domain.Walk{Backward: true}, Limit: 2, Scan: 3}, []int{all - 1, all - 3}},
		{"too many of them", []string{"odd"}, domain.Query{Limit: 2, Scan: 3}, nil},
		{"those that never come together", []string{"odd", "even"}, domain.Query{Limit: 1, Scan: all - 1}, nil},
		{"the same, in all there is", []string{"odd", "even"}, domain.Query{Limit: 1, Scan: all}, []int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.query.Words, c.query.Where = c.words, domain.Everything{}
			page, err := s.Records().List(t.Context(), ships.Ref(), c.query)
			n, countErr := s.Records().Count(t.Context(), ships.Ref(), c.query)
			if c.want == nil {
				if !errors.Is(err, domain.ErrTooBroad) || !errors.Is(countErr, domain.ErrTooBroad) {
					t.Errorf("it finds %v (%v) and counts %d (%v), want it to be too broad", idsOf(page), err, n, countErr)
				}
				return
			}
			var want []domain.RecordID
			for _, n := range c.want {
				want = append(want, ship(n).ID)
			}
			if err := errors.Join(err, countErr); err != nil || !slices.Equal(idsOf(page), want) || n != len(want) {
				t.Errorf("it finds %v and counts %d (%v), want %v", idsOf(page), n, err, want)
			}
		})
	}
	followIndexes(t, heard.take())
}

// searched returns a collection with indexes and searched fields.
func searched(name domain.CollectionName) domain.Collection {
	return domain.Collection{
		Name: name, Revision: 1, Created: noon, Changed: noon,
		Indexes: []domain.Index{
			{Sort: domain.Sort{{Field: "length", Descending: true}}},
			{Sort: domain.Sort{{Field: "owner"}, {Field: "model"}, {Field: "length"}}},
		},
		Search: []string{"model", "crew"},
	}
}

func boat(t *rapid.T) domain.Document {
	words := rapid.SampledFrom([]string{"", "Mercury", "merlin ii", "MERCURY MER", "Zoë", "z"})
	return domain.RestoreDocument(fmt.Sprintf(`{"crew":[%q],"length":%s,"model":%q}`, words.Draw(t, "crew"),
		rapid.SampledFrom([]string{"1", "2", "-3.5", "null", `"12"`}).Draw(t, "length"), words.Draw(t, "model")))
}

// query returns any query. Where it begins and ends is often where a record stands.
func query(t *rapid.T, c domain.Collection, records []domain.Record, owners []domain.AccountID) domain.Query {
	q := domain.Query{
		Walk: domain.Walk{
			Order:    rapid.SampledFrom([]domain.Order{domain.ByID, domain.ByCreated, domain.ByChanged, domain.ByIndex, domain.ByIndex}).Draw(t, "order"),
			Backward: rapid.Bool().Draw(t, "backward"),
			Owner:    rapid.SampledFrom(owners).Draw(t, "walk's owner"),
		},
		Limit: rapid.IntRange(-1, 5).Draw(t, "limit"),
		Scan:  rapid.IntRange(-1, 12).Draw(t, "scan"),
		Words: rapid.SampledFrom([][]string{nil, nil, {"mer"}, {"mercury", "mer"}, {"merlin", "i"}, {"zoë"}, {"none", "z"}}).Draw(t, "words"),
		Where: rapid.SampledFrom([]domain.Predicate{
			domain.Everything{},
			domain.Everything{},
			domain.OwnedBy{Account: owners[1]},
			domain.Nothing{},
			nil,
			domain.Compare{Op: domain.Less, Left: domain.Member{"length"}, Right: domain.Literal{Value: 1.5}},
		}).Draw(t, "where"),
	}
	if q.Order == domain.ByIndex {
		q.Index = rapid.SampledFrom([]string{c.Indexes[0].String(), c.Indexes[1].String(), "model"}).Draw(t, "index")
	}
	some := func(label string) domain.Place {
		if len(records) == 0 || rapid.Bool().Draw(t, label+" is none") {
			return domain.Place{}
		}
		return c.PlaceOf(q.Walk, rapid.SampledFrom(records).Draw(t, label))
	}
	if q.Order == domain.ByIndex {
		q.Low, q.High = some("low").Key, some("high").Key
	}
	q.After = some("after")
	return q
}

// found says what a query finds among all records of c.
func found(c domain.Collection, records []domain.Record, q domain.Query) (page []domain.Record, err error) {
	var passed []domain.Record
	others := func(r domain.Record) bool { return r.Owner != q.Owner }
	if q.Gathers() && q.Scan > 0 && len(slices.DeleteFunc(slices.Clone(records), others)) > q.Scan {
		q = q.Widened()
	}
	for _, r := range records {
		at := c.PlaceOf(q.Walk, r)
		indexed := q.Order != domain.ByIndex || q.Index != "model" && at.Key >= q.Low && (q.High == "" || at.Key < q.High)
		order := at.Compare(q.After)
		ahead := q.After == domain.Place{} || order > 0 && !q.Backward || order < 0 && q.Backward
		if indexed && ahead && (q.Owner == "" || q.Owner == r.Owner) {
			passed = append(passed, r)
		}
	}
	slices.SortFunc(passed, func(a, b domain.Record) int {
		order := c.PlaceOf(q.Walk, a).Compare(c.PlaceOf(q.Walk, b))
		if q.Backward {
			return -order
		}
		return order
	})
	looked := passed
	if q.Scan > 0 && len(q.Words) == 0 { // here each word is rare
		looked = passed[:min(q.Scan, len(passed))]
	}
	for _, r := range looked {
		if len(page) < q.Limit && domain.Holds(q.Where, r) && has(c.Entries(r, noon).Words, q.Words) {
			page = append(page, r)
		}
	}
	if len(page) < q.Limit && len(looked) < len(passed) {
		return nil, domain.ErrTooBroad
	}
	return page, nil
}

func has(words, wanted []string) bool {
	for i, w := range wanted {
		last := i == len(wanted)-1
		if !slices.ContainsFunc(words, func(word string) bool { return word == w || last && strings.HasPrefix(word, w) }) {
			return false
		}
	}
	return true
}
