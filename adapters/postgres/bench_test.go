package postgres_test

import (
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
		return s.Records().Add(b.Context(), ships.Ref(), ship(caller<<32+turn), nil)
	})
}

func BenchmarkGetRecord(b *testing.B) {
	s, _ := open(b, postgres.Config{})
	ships := declare(b, s, "ships")
	if err := s.Records().Add(b.Context(), ships.Ref(), ship(1), nil); err != nil {
		b.Fatal(err)
	}
	parallel(b, func(int, int) error {
		_, err := s.Records().Get(b.Context(), ships.Ref(), ship(1).ID)
		return err
	})
}
