package sqlite_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func watched() domain.Collection {
	c := fleet("ships")
	c.Unique, c.Watch = nil, true
	return c
}

func TestARecordsLifeIsTold(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	c, ada := watched(), person(1, "ada")
	made := ship(1)
	made.Owner = ada.ID
	changed := made
	changed.Data, changed.Revision, changed.Changed = domain.RestoreDocument(`{"name":"Ship 1"}`), 2, noon.Add(time.Minute)
	put := changed
	put.Revision = 1
	if mark, err := s.Events().Latest(t.Context()); err != nil || mark != "s0" {
		t.Fatal(mark, err)
	}
	later := noon.Add(time.Hour)
	if err := errors.Join(
		s.Accounts().Add(t.Context(), ada, domain.NewPasswordHash("hash")),
		s.Collections().Add(t.Context(), c),
		s.Records().Add(t.Context(), c.Ref(), made, c.Entries(made, noon)),
		s.Records().Replace(t.Context(), c.Ref(), put, c.Entries(put, later)),
		s.Records().Remove(t.Context(), c.Ref(), made.ID, 2, later),
		s.Records().Add(t.Context(), c.Ref(), ship(2), domain.Entries{}), // told to nobody
	); err != nil {
		t.Fatal(err)
	}
	// What is refused, or undone, is not told.
	for _, err := range []error{
		s.Records().Replace(t.Context(), c.Ref(), put, c.Entries(put, later)),
		s.Records().Remove(t.Context(), c.Ref(), ship(2).ID, 7, later),
		s.Atomically(t.Context(), func(tx ports.Repositories) error {
			if err := tx.Records().Remove(t.Context(), c.Ref(), ship(2).ID, 7, later); !errors.Is(err, domain.ErrStale) {
				return err
			}
			return errors.Join(tx.Records().Remove(t.Context(), c.Ref(), ship(2).ID, 1, later), domain.ErrStale)
		}),
	} {
		if _, promised := errors.AsType[*domain.Error](err); !promised {
			t.Error(err)
		}
	}
	want := []domain.Event{
		{Mark: "s1", Kind: domain.RecordCreated, Collection: c.Name, Record: made, At: noon},
		{Mark: "s2", Kind: domain.RecordChanged, Collection: c.Name, Record: changed, Before: made.Data, At: later},
		{Mark: "s3", Kind: domain.RecordDeleted, Collection: c.Name, Record: changed, At: later},
	}
	for _, n := range []struct {
		mark  domain.Mark
		limit int
		want  []domain.Event
	}{{"", 9, want}, {"s0", 2, want[:2]}, {"s1", 9, want[1:]}, {"s3", 9, nil}, {"", 0, nil}, {"", -1, nil}, {"812-3", 9, want}} {
		if news, err := s.Events().News(t.Context(), n.mark, n.limit); err != nil || !reflect.DeepEqual(news, n.want) {
			t.Errorf("after %q: %+v, want %+v: %v", n.mark, news, n.want, err)
		}
	}
}

func TestAMarkOfEventsHoldsWhenAllAreForgotten(t *testing.T) {
	path := litetest.Path(t)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	c := watched()
	if err := errors.Join(s.Collections().Add(t.Context(), c), s.Records().Add(t.Context(), c.Ref(), ship(1), c.Entries(ship(1), noon))); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Events().Forget(t.Context(), noon, 9); err != nil || n != 0 {
		t.Fatal(n, err)
	}
	if n, err := s.Events().Forget(t.Context(), noon.Add(time.Second), 9); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	mark, err := s.Events().Latest(t.Context())
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	again := opened(t, sqlite.Config{Path: path})
	if err := again.Records().Add(t.Context(), c.Ref(), ship(2), c.Entries(ship(2), noon)); err != nil {
		t.Fatal(err)
	}
	if news, err := again.Events().News(t.Context(), mark, 9); err != nil || len(news) != 1 || news[0].Record != ship(2) {
		t.Errorf("heard %+v: %v", news, err)
	}
	if _, err := again.Events().News(t.Context(), "x", 9); err == nil {
		t.Error("a mark that the store did not make was read")
	}
}

// What was claimed in one transaction is not claimed in another before the first ends.
func TestAReceiptIsKeptWithItsEffect(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	c := fleet("ships")
	if err := s.Collections().Add(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	receipt := domain.Receipt{ID: domain.ReceiptID{0, 1, 0xff}, Body: [32]byte{31: 9}, Answer: []byte{0, 7}, At: noon}
	effects := make(chan bool, 8)
	crowd(8, func() {
		err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
			found, kept, err := tx.Receipts().Claim(t.Context(), receipt.ID)
			if err != nil || kept {
				if !reflect.DeepEqual(found, receipt) && err == nil {
					err = errors.New("another receipt")
				}
				return err
			}
			effects <- true
			return errors.Join(tx.Records().Add(t.Context(), c.Ref(), ship(1), domain.Entries{}), tx.Receipts().Keep(t.Context(), receipt))
		})
		if err != nil {
			t.Error(err)
		}
	})
	if len(effects) != 1 {
		t.Errorf("%d effects", len(effects))
	}
	if n, err := s.Receipts().Forget(t.Context(), noon.Add(1), 9); err != nil || n != 0 {
		t.Error(n, err) // to the microsecond, it is not older
	}
	if n, err := s.Receipts().Forget(t.Context(), noon.Add(time.Microsecond), 9); err != nil || n != 1 {
		t.Error(n, err)
	}
	if _, kept, err := s.Receipts().Claim(t.Context(), receipt.ID); err != nil || kept {
		t.Error("a receipt that was forgotten is kept", err)
	}
}

func TestAnImportAdvancesFromWhereItIs(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	i := domain.Import{
		ID: domain.ImportID(id(5, 1)), Account: person(1, "ada").ID, Collection: "ships", Lines: 3, Stored: 1, Refused: 1,
		Problems: []domain.ImportProblem{
			{Line: 2, Code: "not-unique", Detail: "Nö.", Fields: []domain.Field{{Path: "/data/a", Code: "x", Problem: "y"}}},
			{Line: 3, Code: "stale"},
		},
		Created: noon, Changed: noon,
	}
	on := i
	on.Lines, on.Problems, on.Done, on.Changed = 9, nil, true, noon.Add(time.Hour)
	for _, step := range []struct {
		i    domain.Import
		from int64
		want error
	}{
		{i, 1, domain.ErrImportMoved}, {i, 0, nil}, {i, 0, domain.ErrImportMoved}, {on, 2, domain.ErrImportMoved}, {on, 3, nil}, {on, 3, domain.ErrImportMoved},
	} {
		if err := s.Imports().Advance(t.Context(), step.i, step.from); !errors.Is(err, step.want) {
			t.Errorf("from %d: %v, want %v", step.from, err, step.want)
		}
		if found, err := s.Imports().ByID(t.Context(), i.ID); step.want == nil && (err != nil || !reflect.DeepEqual(found, step.i)) {
			t.Errorf("read %+v, want %+v: %v", found, step.i, err)
		}
	}
	if n, err := s.Imports().Forget(t.Context(), noon.Add(time.Minute), 9); err != nil || n != 0 {
		t.Error(n, err)
	}
	if n, err := s.Imports().Forget(t.Context(), noon.Add(2*time.Hour), 9); err != nil || n != 1 {
		t.Error(n, err)
	}
	if _, err := s.Imports().ByID(t.Context(), i.ID); !errors.Is(err, domain.ErrImportNotFound) {
		t.Error(err)
	}
}
