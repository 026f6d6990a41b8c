package jose_test

import (
	"runtime"
	"testing"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

// each runs a benchmark for each algorithm.
func each(b *testing.B, run func(b *testing.B, k *jose.Keyring)) {
	for _, a := range domain.SigningAlgorithms() {
		b.Run(string(a), func(b *testing.B) {
			k := openWith(b, a)
			b.ReportAllocs()
			run(b, k)
		})
	}
}

func BenchmarkIssue(b *testing.B) {
	each(b, func(b *testing.B, k *jose.Keyring) {
		for b.Loop() {
			if _, err := k.Tokens().Issue(b.Context(), claims()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerifyForTheFirstTime(b *testing.B) {
	each(b, func(b *testing.B, k *jose.Keyring) {
		// Expired, so that it is never remembered.
		c := claims()
		c.Expires = noon
		token := issue(b, k, c)
		for b.Loop() {
			if _, err := k.Tokens().Verify(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerifyRemembered(b *testing.B) {
	each(b, func(b *testing.B, k *jose.Keyring) {
		token := issue(b, k, claims())
		for b.Loop() {
			if _, err := k.Tokens().Verify(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerifyRefused(b *testing.B) {
	k := open(b, config())
	token := issue(b, open(b, config()), claims())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Tokens().Verify(b.Context(), token); err == nil {
			b.Fatal("it was taken")
		}
	}
}

func BenchmarkReaderRemembered(b *testing.B) {
	k := open(b, config())
	r, token := readerOf(b, k), issue(b, k, claims())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReaderKnows(b *testing.B) {
	k := open(b, config())
	r, token := readerOf(b, k), issue(b, k, claims())
	b.ReportAllocs()
	for b.Loop() {
		if !r.Knows(token) {
			b.Fatal("it does not know its key")
		}
	}
}

// BenchmarkReload tells what it takes to find that no key has changed.
func BenchmarkReload(b *testing.B) {
	k := open(b, config())
	b.ReportAllocs()
	for b.Loop() {
		if err := k.Reload(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefresh(b *testing.B) {
	k := open(b, config())
	t := domain.RefreshToken{Session: claims().Session, Counter: 3}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Refresh().Verify(k.Refresh().Issue(t).Reveal()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCursor(b *testing.B) {
	k := open(b, config())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Cursors().Open("ships", k.Cursors().Seal("ships", string(claims().Subject))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRemembered tells what each remembered token takes of the heap.
func BenchmarkRemembered(b *testing.B) {
	for b.Loop() {
		k := open(b, config())
		const tokens = 5000
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range tokens {
			c := claims()
			c.Authority = int64(i)
			if _, err := k.Tokens().Verify(b.Context(), issue(b, k, c)); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/tokens, "heap-B/token")
		if got := k.Stats(); got.Remembered != tokens {
			b.Fatalf("got %+v, want %d remembered", got, tokens)
		}
	}
}
