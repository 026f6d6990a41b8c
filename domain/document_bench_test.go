package domain_test

import (
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

const benchShip = `{"affiliation": "Rebel Alliance", "category": "Starfighters", "ship_class": "Starfighter", "model": "T-65 X-Wing", "manufacturer": "Incom Corporation", "crew": 1, "length": 13, "roles": ["Space Superiority Starfighter", "Escort"]}`

// The documents that a front-end sends, and one that somebody sends to keep us
// busy.
func BenchmarkParseDocument(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := domain.ParseDocument([]byte(benchShip)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTree(b *testing.B) {
	d, err := domain.ParseDocument([]byte(benchShip))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Tree()
	}
}

func BenchmarkParseDocumentOfNumbers(b *testing.B) {
	text := []byte(`{"a":[` + strings.Repeat("1,", 500000) + `1]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := domain.ParseDocument(text); err != nil {
			b.Fatal(err)
		}
	}
}
