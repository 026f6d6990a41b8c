package cel_test

import (
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/cel"
	"github.com/keyport-go/keyport/adapters/cel/celtest"
	"github.com/keyport-go/keyport/domain"
)

const (
	ownersRule   = `account != null && record.owner == account.id`
	mediumFilter = `record.data.n >= 10 && record.data.n < 500 && (record.data.name.startsWith("a") || "red" in record.data.tags) && record.created_at > timestamp("2024-05-01T12:00:00Z")`
)

func BenchmarkAllows(b *testing.B) {
	rule, err := cel.Compiler{}.Compile(domain.VerbRead, ownersRule, celtest.Worlds[0].Schema)
	if err != nil {
		b.Fatal(err)
	}
	q := domain.Question{
		Who:    domain.Asker{Account: "a1"},
		Record: domain.Record{ID: "r", Owner: "a1", Data: celtest.Parse(`{"name":"abc","n":12,"tags":["red"]}`)},
		Now:    time.Now(),
	}
	b.ReportAllocs()
	for b.Loop() {
		if !rule.Allows(q) {
			b.Fatal("denied")
		}
	}
}

func BenchmarkWhere(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"of the owner", ownersRule}, {"of a medium filter", mediumFilter}} {
		b.Run(c.name, func(b *testing.B) {
			s, err := cel.Compiler{}.Select(c.text, celtest.Worlds[0].Schema)
			if err != nil {
				b.Fatal(err)
			}
			who, now := domain.Asker{Account: "a1"}, time.Now()
			b.ReportAllocs()
			for b.Loop() {
				if s.Where(who, now) == nil {
					b.Fatal("nothing")
				}
			}
		})
	}
}

func BenchmarkSelect(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"of the owner", ownersRule}, {"of a medium filter", mediumFilter}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (cel.Compiler{}).Select(c.text, celtest.Worlds[0].Schema); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (cel.Compiler{}).Compile(domain.VerbRead, ownersRule, celtest.Worlds[0].Schema); err != nil {
			b.Fatal(err)
		}
	}
}
