package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// rows counts the rows of a table by a connection of its own.
func rows(t *testing.T, path, table string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatIsKeptOfARecordIsGoneWithIt(t *testing.T) {
	path := litetest.Path(t)
	s := opened(t, sqlite.Config{Path: path})
	c := searched("boats")
	c.Unique = []domain.Unique{{Field: "model"}}
	boat := func(n int) domain.Record {
		r := ship(n)
		r.Data = domain.RestoreDocument(fmt.Sprintf(`{"crew":["ada"],"length":%d,"model":"Mercury %d"}`, n, n))
		return r
	}
	entered := func(keys, index, words int) {
		t.Helper()
		for table, want := range map[string]int{"record_keys": keys, "record_index": index, "record_texts": words, "record_words_docsize": words} {
			if n := rows(t, path, table); n != want {
				t.Errorf("%s has %d rows, want %d", table, n, want)
			}
		}
	}
	bare := boat(1)
	bare.Data = domain.RestoreDocument(`{}`)
	if err := errors.Join(
		s.Collections().Add(t.Context(), c),
		s.Records().Add(t.Context(), c.Ref(), boat(1), c.Entries(boat(1), noon)),
		s.Records().Add(t.Context(), c.Ref(), boat(2), c.Entries(boat(2), noon)),
	); err != nil {
		t.Fatal(err)
	}
	entered(2, 4, 2)
	if err := s.Records().Replace(t.Context(), c.Ref(), bare, domain.Entries{}); err != nil {
		t.Fatal(err)
	}
	entered(1, 2, 1)
	if err := s.Records().Remove(t.Context(), c.Ref(), boat(2).ID, 1, noon); err != nil {
		t.Fatal(err)
	}
	entered(0, 0, 0)
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if err := tx.Records().Add(t.Context(), c.Ref(), boat(3), c.Entries(boat(3), noon)); err != nil {
			return err
		}
		return domain.ErrStale
	})
	if !errors.Is(err, domain.ErrStale) {
		t.Fatal(err)
	}
	entered(0, 0, 0)
}

// A collection's words lie apart from those of others, whatever the collections are
// called, and whatever is sought.
func TestAWordIsSoughtAsItStands(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	for i, name := range []domain.CollectionName{"a", "a-b", "a_b", "ab"} {
		c := searched(name)
		if err := errors.Join(
			s.Collections().Add(t.Context(), c),
			s.Records().Add(t.Context(), c.Ref(), ship(i), domain.Entries{Words: []string{"b", "größe", "near", "or"}}),
		); err != nil {
			t.Fatal(err)
		}
		for _, q := range []struct {
			words []string
			found bool
		}{
			{[]string{"b"}, true},
			{[]string{"or"}, true},
			{[]string{"near", "b"}, true},
			{[]string{"größe"}, true},
			{[]string{"grö"}, true},
			{[]string{"grö", "b"}, false},
			{[]string{"GRÖSSE"}, false},
			{[]string{""}, true},
			{[]string{`"`}, false},
			{[]string{`b"OR"b`}, false},
			{[]string{"b*", "b"}, false},
			{[]string{"a:b"}, false},
			{[]string{"c"}, false},
			{[]string{"("}, false},
			{[]string{"-"}, false},
			{[]string{"^b"}, false},
			{[]string{"b'"}, false},
		} {
			found, err := s.Records().List(t.Context(), c.Ref(), domain.Query{Where: domain.Everything{}, Words: q.words, Limit: 9})
			if err != nil || (len(found) == 1) != q.found || len(found) > 1 {
				t.Errorf("%q in %s finds %d: %v", q.words, name, len(found), err)
			}
		}
	}
}

// What few records have is found by their words, and what many have is asked of each that
// a walk passes: the answers are the same.
func TestAWordOfManyRecordsIsFoundAsOneOfFew(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	c := searched("boats")
	if err := s.Collections().Add(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	const all = 2500
	if err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		for n := range all {
			words := []string{"common"}
			if n%1000 == 7 || n > 2490 {
				words = append(words, "rare")
			}
			if err := tx.Records().Add(t.Context(), c.Ref(), ship(n), domain.Entries{Words: words}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []struct {
		words []string
		want  int
	}{{[]string{"common"}, all}, {[]string{"rare"}, 12}, {[]string{"rare", "common"}, 12}, {[]string{"common", "ra"}, 12}, {[]string{"common", "common", "c"}, all}, {[]string{"common", "x"}, 0}} {
		if n, err := s.Records().Count(t.Context(), c.Ref(), domain.Query{Where: domain.Everything{}, Words: q.words, Limit: 2 * all}); err != nil || n != q.want {
			t.Errorf("%v: %d records, want %d: %v", q.words, n, q.want, err)
		}
	}
}

func TestWhatIsEnteredAnewIsWhatIsFound(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	c := searched("boats")
	if err := s.Collections().Add(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		e := domain.Entries{}
		if n == 3 {
			e = domain.Entries{Index: []domain.IndexKey{{Index: "x", Key: "3"}}, Words: []string{"old"}}
		}
		if err := s.Records().Add(t.Context(), c.Ref(), ship(n), e); err != nil {
			t.Fatal(err)
		}
	}
	filing := func(n int, rev domain.Revision, key string) ports.Filing {
		return ports.Filing{ID: ship(n).ID, Revision: rev, Entries: domain.Entries{Index: []domain.IndexKey{{Index: "x", Key: key}}, Words: []string{"new"}}}
	}
	if err := s.Records().Enter(t.Context(), c.Ref(), []ports.Filing{
		filing(0, 1, "2"), filing(1, 2, "1"), filing(2, 1, "0"), filing(3, 1, "1"), filing(9, 1, "9"), filing(9, 0, "9"), filing(2, 1, "1"),
	}); err != nil {
		t.Fatal(err)
	}
	byIndex := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "x"}, Where: domain.Everything{}, Limit: 9}
	found, err := s.Records().List(t.Context(), c.Ref(), byIndex)
	if want := []domain.RecordID{ship(2).ID, ship(3).ID, ship(0).ID}; err != nil || !slices.Equal(idsOf(found), want) {
		t.Errorf("found %v, want %v: %v", idsOf(found), want, err)
	}
	for word, want := range map[string]int{"old": 0, "new": 3} {
		q := everything(9)
		q.Words = []string{word}
		if n, err := s.Records().Count(t.Context(), c.Ref(), q); err != nil || n != want {
			t.Errorf("%d records have %q, want %d: %v", n, word, want, err)
		}
	}
	for ref, want := range map[domain.CollectionRef]*domain.Error{
		{Name: "boats", Revision: 2}: domain.ErrCollectionChanged, {Name: "none", Revision: 1}: domain.ErrCollectionNotFound,
	} {
		if err := s.Records().Enter(t.Context(), ref, nil); !errors.Is(err, want) {
			t.Errorf("%v: %v", ref, err)
		}
	}
}

// Rendered statements come and go: a line keeps the last of them, and no more.
func TestMoreQuestionsThanALineKeeps(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t), Readers: 1})
	c := fleet("ships")
	if err := errors.Join(s.Collections().Add(t.Context(), c), s.Records().Add(t.Context(), c.Ref(), ship(1), domain.Entries{})); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for n := range 200 {
			crew := domain.Predicate(domain.Has{Path: domain.Member{"crew"}})
			where := append(domain.All{domain.Everything{}}, slices.Repeat([]domain.Predicate{crew}, n%100)...)
			q := domain.Query{Where: where, Limit: 9}
			if found, err := s.Records().List(t.Context(), c.Ref(), q); err != nil || !reflect.DeepEqual(found, []domain.Record{ship(1)}) {
				t.Fatalf("with %d conditions: %v %v", n, found, err)
			}
		}
	}
}

func TestADeepConditionCanBeAsked(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	c := fleet("ships")
	if err := errors.Join(s.Collections().Add(t.Context(), c), s.Records().Add(t.Context(), c.Ref(), ship(1), domain.Entries{})); err != nil {
		t.Fatal(err)
	}
	var term domain.Term = domain.Member{"crew"}
	var deep domain.Predicate = domain.Compare{Op: domain.Less, Left: term, Right: domain.Literal{Value: 2000.0}}
	for n := range 100 {
		term = domain.Arithmetic{Op: domain.Add, Left: domain.Literal{Value: 1.0}, Right: term}
		name := strings.Repeat("x", n)
		deep = domain.Not{Part: domain.Any{domain.Has{Path: domain.Member{name}}, domain.Not{Part: domain.All{deep, domain.Compare{Op: domain.AtMost, Left: term, Right: domain.Literal{Value: 1014 + float64(n) + 1}}}}}}
	}
	if n, err := s.Records().Count(t.Context(), c.Ref(), domain.Query{Where: deep, Limit: 9}); err != nil || n != 1 {
		t.Errorf("%d records: %v", n, err)
	}
}

// A row of an index counts while the record has its revision.
func TestAStaleRowOfAnIndexShowsNothing(t *testing.T) {
	path := litetest.Path(t)
	s := opened(t, sqlite.Config{Path: path})
	c := fleet("ships")
	if err := errors.Join(
		s.Collections().Add(t.Context(), c),
		s.Records().Add(t.Context(), c.Ref(), ship(1), domain.Entries{Index: []domain.IndexKey{{Index: "x", Key: "1"}}}),
	); err != nil {
		t.Fatal(err)
	}
	q := domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "x"}, Where: domain.Everything{}, Limit: 9}
	if n, err := s.Records().Count(t.Context(), c.Ref(), q); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "UPDATE records SET revision = 2"); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Records().Count(t.Context(), c.Ref(), q); err != nil || n != 0 {
		t.Errorf("%d records: %v", n, err)
	}
}
