package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// BenchmarkAdd measures the creating of single records, each durable before it
// is answered, by 1, 32 and 128 callers at once.
func BenchmarkAdd(b *testing.B) {
	for _, callers := range []int{1, 32, 128} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) {
			s, ships := harbour(b)
			var made atomic.Int64
			before := s.Stats()
			b.ResetTimer()
			crowd(callers, func() {
				for n := made.Add(1); n <= int64(b.N); n = made.Add(1) {
					if err := s.Records().Add(context.Background(), ships, ship(int(n)), domain.Entries{}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			after := s.Stats()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
			b.ReportMetric(float64(after.Members-before.Members)/float64(max(1, after.Groups-before.Groups)), "creates/commit")
		})
	}
}

// BenchmarkAddOwned measures the creating of records that belong to 32 accounts, by as
// many callers at once.
func BenchmarkAddOwned(b *testing.B) {
	s, ships := harbour(b)
	const callers = 32
	var owners []domain.AccountID
	for n := range callers {
		p := person(n+1, fmt.Sprintf("ada-%d", n))
		owners = append(owners, p.ID)
		if err := s.Accounts().Add(b.Context(), p, domain.NewPasswordHash("hash")); err != nil {
			b.Fatal(err)
		}
	}
	var made atomic.Int64
	b.ResetTimer()
	crowd(callers, func() {
		for n := made.Add(1); n <= int64(b.N); n = made.Add(1) {
			r := ship(int(n))
			r.Owner = owners[n%callers]
			if err := s.Records().Add(context.Background(), ships, r, domain.Entries{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
}

// BenchmarkAddEntries measures the creating of records with what is kept beside them, by
// 32 callers at once.
func BenchmarkAddEntries(b *testing.B) {
	indexed, told, found := fleet("ships"), fleet("ships"), fleet("ships")
	indexed.Indexes = []domain.Index{{Sort: domain.Sort{{Field: "built"}}}, {Sort: domain.Sort{{Field: "class"}, {Field: "name"}}}}
	told.Watch = true
	found.Search = []string{"name", "class"}
	for _, kind := range []struct {
		name string
		domain.Collection
	}{{"none", domain.Collection{}}, {"two indexes", indexed}, {"words", found}, {"an event", told}} {
		kind.Unique = nil
		b.Run(kind.name, func(b *testing.B) {
			s, ships := harbour(b)
			var made atomic.Int64
			b.ResetTimer()
			crowd(32, func() {
				for n := made.Add(1); n <= int64(b.N); n = made.Add(1) {
					r := ship(int(n))
					if err := s.Records().Add(context.Background(), ships, r, kind.Entries(r, noon)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
		})
	}
}

// BenchmarkAddAll measures the creating of 500 records at once.
func BenchmarkAddAll(b *testing.B) {
	s, ships := harbour(b)
	made := 0
	for b.Loop() {
		all := make([]ports.Newcomer, 500)
		for i := range all {
			made++
			all[i].Record = ship(made)
		}
		if _, err := s.Records().AddAll(b.Context(), ships, all); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(made)/b.Elapsed().Seconds(), "creates/s")
}

// BenchmarkQuery measures pages of 30 in the middle of 100,000 records.
func BenchmarkQuery(b *testing.B) {
	const all = 100_000
	s, ships := harbour(b)
	c := fleet("ships")
	c.Unique, c.Search = nil, []string{"name", "class"}
	c.Indexes = []domain.Index{{Sort: domain.Sort{{Field: "built"}}}}
	for from := 0; from < all; from += 10_000 {
		if err := s.Atomically(b.Context(), func(tx ports.Repositories) error {
			for n := from; n < from+10_000; n++ {
				if err := tx.Records().Add(b.Context(), ships, ship(n), c.Entries(ship(n), noon)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	middle := domain.Walk{Order: domain.ByIndex, Index: "built"}
	after := c.PlaceOf(middle, ship(all/2))
	built := func(n float64) domain.Predicate {
		return domain.Compare{Op: domain.Less, Left: domain.Literal{Value: 2363 + n}, Right: domain.Member{"built"}}
	}
	for _, q := range []struct {
		name  string
		query domain.Query
		found int
	}{
		{"by id", domain.Query{Where: domain.Everything{}, After: domain.Place{ID: after.ID}}, 30},
		{"by index", domain.Query{Walk: middle, Where: domain.Everything{}, After: after}, 30},
		{"by index, filtered", domain.Query{Walk: middle, Where: built(1), After: after}, 30},
		{"by id, a filter that passes 1,000", domain.Query{Where: built(all/2 + 1000), After: domain.Place{ID: after.ID}}, 30},
		{"by id, a filter that passes all", domain.Query{Where: built(all)}, 0},
		{"of a rare word", domain.Query{Where: domain.Everything{}, Words: []string{"ship", "77777"}}, 1},
		{"of a frequent word", domain.Query{Where: domain.Everything{}, Words: []string{"s"}}, 30},
	} {
		q.query.Limit, q.query.Scan = 30, all
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				page, err := s.Records().List(context.Background(), ships, q.query)
				if err != nil || len(page) != q.found {
					b.Fatal(len(page), err)
				}
			}
		})
	}
}

// BenchmarkGet measures the reading of one record among 1,000.
func BenchmarkGet(b *testing.B) {
	s, ships := harbour(b)
	fill(b, s, ships, 1000)
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) {
			var read atomic.Int64
			crowd(callers, func() {
				for n := read.Add(1); n <= int64(b.N); n = read.Add(1) {
					if _, err := s.Records().Get(context.Background(), ships, ship(int(n%1000)+1).ID); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkList measures a page of 30 records among 1,000.
func BenchmarkList(b *testing.B) {
	s, ships := harbour(b)
	fill(b, s, ships, 1000)
	for n := range b.N {
		page, err := s.Records().List(context.Background(), ships, domain.Query{Where: domain.Everything{}, After: domain.Place{ID: ship(n%900 + 1).ID}, Limit: 30})
		if err != nil || len(page) != 30 {
			b.Fatal(len(page), err)
		}
	}
}

// BenchmarkRefresh measures refreshes of 32 sessions at once.
func BenchmarkRefresh(b *testing.B) {
	s, _ := harbour(b)
	ada := person(1, "ada")
	if err := s.Accounts().Add(b.Context(), ada, domain.NewPasswordHash("hash")); err != nil {
		b.Fatal(err)
	}
	const callers = 32
	for n := range callers {
		if _, err := s.Sessions().Open(b.Context(), visit(n, ada), 1); err != nil {
			b.Fatal(err)
		}
	}
	var next, done atomic.Int64
	b.ResetTimer()
	crowd(callers, func() {
		t := domain.RefreshToken{Session: visit(int(next.Add(1))-1, ada).ID}
		for done.Add(1) <= int64(b.N) {
			answer, err := s.Sessions().Refresh(context.Background(), t, noon, domain.SessionPolicy{Idle: time.Hour})
			if err != nil || answer.Verdict != domain.Rotated {
				b.Error(answer.Verdict, err)
				return
			}
			t.Counter = answer.Session.Counter
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "refreshes/s")
}

// BenchmarkAuthority measures what the check of a token asks of the store.
func BenchmarkAuthority(b *testing.B) {
	s, _ := harbour(b)
	ada := person(1, "ada")
	if err := s.Accounts().Add(b.Context(), ada, domain.NewPasswordHash("hash")); err != nil {
		b.Fatal(err)
	}
	if _, err := s.Sessions().Open(b.Context(), visit(1, ada), 1); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Sessions().Authority(context.Background(), visit(1, ada).ID, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func crowd(n int, f func()) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(f)
	}
	wg.Wait()
}

// harbour returns a new store with a collection.
func harbour(tb testing.TB) (*sqlite.Store, domain.CollectionRef) {
	tb.Helper()
	s := opened(tb, sqlite.Config{Path: filepath.Join(tb.TempDir(), "keyport.db")})
	c := fleet("ships")
	if err := s.Collections().Add(tb.Context(), c); err != nil {
		tb.Fatal(err)
	}
	return s, c.Ref()
}

func fill(tb testing.TB, s *sqlite.Store, c domain.CollectionRef, n int) {
	tb.Helper()
	var made atomic.Int64
	crowd(32, func() {
		for i := made.Add(1); i <= int64(n); i = made.Add(1) {
			if err := s.Records().Add(context.Background(), c, ship(int(i)), domain.Entries{}); err != nil {
				tb.Error(err)
			}
		}
	})
}
