package app_test

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
)

// BenchmarkImport imports a thousand accounts with hashes into a new database of SQLite.
func BenchmarkImport(b *testing.B) {
	const lines = 1000
	var file strings.Builder
	for n := range lines {
		fmt.Fprintf(&file, `{"username":"user-%d","email":"user-%[1]d@example.com","hash":"pbkdf2:sha256:260000$MaqXupxZJeCVitNz$%064[1]x"}`+"\n", n)
	}
	for b.Loop() {
		c := defaults()
		c.LogFormat = "text"
		c.DatabaseURL = app.Secret{Secret: domain.NewSecret("sqlite:" + filepath.Join(b.TempDir(), "keyport.db"))}
		err := app.ImportAccounts(b.Context(), c, app.Import{File: "-", Dialect: "skeleton"}, strings.NewReader(file.String()), io.Discard, io.Discard)
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(lines*float64(b.N)/b.Elapsed().Seconds(), "accounts/s")
}
