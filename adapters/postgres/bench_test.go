package postgres_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
)

// callers is how many ask at once.
const callers = 32

func parallel(b *testing.B, do func(caller, turn int) error) {
	b.SetParallelism(max(callers/runtime.GOMAXPROCS(0), 1))
	var next atomic.Int32
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		caller := int(next.Add(1))
		for turn := 0; pb.Next(); turn++ {
			if err := do(caller, turn); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "1/s")
}

// BenchmarkRefresh rotates 32 sessions of one account, each by a caller of its
// own.
func BenchmarkRefresh(b *testing.B) {
	s, _ := open(b, postgres.Config{})
	register(b, s, ada, "ada")
	for n := range 2 * callers {
		if _, err := s.Sessions().Open(b.Context(), session(n, ada), 1); err != nil {
			b.Fatal(err)
		}
	}
	policy := domain.SessionPolicy{Idle: time.Hour, Max: time.Hour}
	parallel(b, func(caller, turn int) error {
		t := domain.RefreshToken{Session: session(caller, ada).ID, Counter: domain.Counter(turn)}
		r, err := s.Sessions().Refresh(b.Context(), t, noon, policy)
		if err == nil && r.Verdict != domain.Rotated {
			b.Errorf("turn %d of caller %d has verdict %d", turn, caller, r.Verdict)
		}
		return err
	})
}

// BenchmarkAddRecord adds to one collection, which every caller holds.
func BenchmarkAddRecord(b *testing.B) {
	s, _ := open(b, postgres.Config{})
	ships := declare(b, s, "ships")
	parallel(b, func(caller, turn int) error {
		return s.Records().Add(b.Context(), ships.Ref(), ship(caller<<32+turn), domain.Entries{})
	})
}

func BenchmarkGetRecord(b *testing.B) {
	s, _ := open(b, postgres.Config{})
	ships := declare(b, s, "ships")
	if err := s.Records().Add(b.Context(), ships.Ref(), ship(1), domain.Entries{}); err != nil {
		b.Fatal(err)
	}
	parallel(b, func(int, int) error {
		_, err := s.Records().Get(b.Context(), ships.Ref(), ship(1).ID)
		return err
	})
}

// BenchmarkCreate adds records of which more and more is kept beside them.
func BenchmarkCreate(b *testing.B) {
	for _, c := range []struct {
		name    string
		entries func(n int) domain.Entries
	}{
		{"bare", func(int) domain.Entries { return domain.Entries{} }},
		{"two indexes", func(n int) domain.Entries {
			return domain.Entries{Index: []domain.IndexKey{{Index: "n", Key: fmt.Sprintf("%016x", n)}, {Index: "m", Key: fmt.Sprintf("%016x", n*7919%100_003)}}}
		}},
		{"an event", func(int) domain.Entries { return domain.Entries{Event: noon} }},
		{"ten words", func(n int) domain.Entries {
			var words []string
			for i := range 10 {
				words = append(words, fmt.Sprint("word", n*(i+7)%10_007))
			}
			return domain.Entries{Words: words}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, _ := open(b, postgres.Config{})
			ships := declare(b, s, "ships")
			for n := 0; b.Loop(); n++ {
				if err := s.Records().Add(b.Context(), ships.Ref(), ship(n), c.entries(n)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPage reads 30 records in the middle of 100,000.
func BenchmarkPage(b *testing.B) {
	s, url := open(b, postgres.Config{})
	ships := declare(b, s, "ships")
	fillRecords(b, url, 100_000, "ships", "authors")
	instruct(b, url, []string{`VACUUM ANALYZE`})
	long := domain.Compare{Op: domain.Less, Left: domain.Literal{Value: 50_000.0}, Right: domain.Member{"length"}}
	seldom := domain.TestText{Op: domain.EndsWith, Text: domain.Member{"name"}, Part: domain.Literal{Value: "00"}}
	byLength := domain.Walk{Order: domain.ByIndex, Index: "length"}
	behind := domain.Place{Key: "\x00\x00\xc3\x50", ID: ship(0).ID}
	for _, q := range []struct {
		name string
		domain.Query
	}{
		{"by id", domain.Query{Where: domain.Everything{}, After: domain.Place{ID: "80000000-0000-4000-8000-000000000000"}}},
		{"by time", domain.Query{Walk: domain.Walk{Order: domain.ByCreated}, Where: domain.Everything{}, After: domain.Place{Key: domain.TimeKey(noon.Add(50_000 * time.Second)), ID: ship(0).ID}}},
		{"by index", domain.Query{Walk: byLength, Where: domain.Everything{}, After: behind}},
		{"by index, filtered", domain.Query{Walk: byLength, Where: long, After: behind}},
		{"by index, filtered, one of a hundred", domain.Query{Walk: byLength, Where: seldom, After: behind}},
		{"a rare word", domain.Query{Where: domain.Everything{}, Words: []string{"4711"}}},
		{"a frequent word", domain.Query{Where: domain.Everything{}, Words: []string{"ship"}}},
	} {
		b.Run(q.name, func(b *testing.B) {
			q.Limit, q.Scan = 30, 100_000
			for b.Loop() {
				if _, err := s.Records().List(b.Context(), ships.Ref(), q.Query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
