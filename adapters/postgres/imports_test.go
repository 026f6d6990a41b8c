package postgres_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
)

// importOf returns an import of ships that has dealt with so many lines.
func importOf(lines int64) domain.Import {
	return domain.Import{
		ID: "01900005-0000-7000-8000-000000000001", Account: ada, Collection: "ships", Lines: lines, Stored: lines - 1, Refused: 1,
		Problems: []domain.ImportProblem{{Line: 1, Code: "invalid-record", Detail: "It's \"no\" ship.", Fields: []domain.Field{{Path: "/data/n", Code: "type", Problem: "want a number"}}}},
		Created:  noon, Changed: noon.Add(time.Duration(lines) * time.Second),
	}
}

func TestAnImportGoesOnFromWhereItIs(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	is(t, s.Imports().Advance(t.Context(), importOf(20), 10), domain.ErrImportMoved)
	_, err := s.Imports().ByID(t.Context(), importOf(1).ID)
	is(t, err, domain.ErrImportNotFound)
	for _, step := range []struct{ from, to int64 }{{0, 10}, {10, 20}} {
		if err := s.Imports().Advance(t.Context(), importOf(step.to), step.from); err != nil {
			t.Fatal(err)
		}
		is(t, s.Imports().Advance(t.Context(), importOf(step.to), step.from), domain.ErrImportMoved)
		if i, err := s.Imports().ByID(t.Context(), importOf(1).ID); err != nil || !reflect.DeepEqual(i, importOf(step.to)) {
			t.Fatalf("it is\n%+v (%v), want\n%+v", i, err, importOf(step.to))
		}
	}
}

func TestOneOfManyTakesAnImportOn(t *testing.T) {
	s, _ := open(t, postgres.Config{MaxConns: 8})
	for from := int64(0); from < 30; from += 10 {
		const callers = 8
		ended := make(chan error)
		for range callers {
			go func() { ended <- s.Imports().Advance(t.Context(), importOf(from+10), from) }()
		}
		won := 0
		for range callers {
			if err := <-ended; err == nil {
				won++
			} else if !errors.Is(err, domain.ErrImportMoved) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d take it on from line %d, want one", won, from)
		}
	}
}

func TestWhatIsOldIsForgottenAndNothingElse(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	notes := domain.Collection{Name: "notes", Revision: 1}
	err := errors.Join(
		s.Collections().Add(t.Context(), notes),
		s.Imports().Advance(t.Context(), importOf(10), 0),
		s.Receipts().Keep(t.Context(), domain.Receipt{ID: domain.ReceiptID{1}, At: noon.Add(10 * time.Second)}),
		s.Records().Add(t.Context(), notes.Ref(), ship(1), domain.Entries{Event: noon.Add(10 * time.Second)}),
	)
	if err != nil {
		t.Fatal(err)
	}
	forgets(t, s, noon.Add(10*time.Second), 0)
	forgets(t, s, noon.Add(11*time.Second), 1)
	forgets(t, s, noon.Add(time.Hour), 0)
}

func forgets(t *testing.T, s *postgres.Store, before time.Time, want int) {
	t.Helper()
	for name, forget := range map[string]func() (int, error){
		"imports":  func() (int, error) { return s.Imports().Forget(t.Context(), before, 10) },
		"receipts": func() (int, error) { return s.Receipts().Forget(t.Context(), before, 10) },
		"events":   func() (int, error) { return s.Events().Forget(t.Context(), before, 10) },
	} {
		if n, err := forget(); err != nil || n != want {
			t.Errorf("%d %s are forgotten (%v), want %d", n, name, err, want)
		}
	}
}
