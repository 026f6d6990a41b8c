package app_test

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/ports"
)

// What a copy has brought before FROM changed is not left as it is, wherever the change
// lies: at the end of what was brought, in it, or before it.
func TestACopyThatGoesOnMendsWhatHasChanged(t *testing.T) {
	numbers := ports.Archived()[13]
	if numbers.Name != "numbers" {
		t.Fatal("the tables have another order")
	}
	rows := func(ids ...string) (all []ports.Row) {
		for n, id := range ids {
			all = append(all, ports.Row{"series", int64(n + 1), id})
		}
		return all
	}
	for _, test := range []struct {
		name          string
		before, after []ports.Row
	}{
		{"nothing", rows("a", "b"), rows("a", "b")},
		{"there is more", rows("a", "b"), rows("a", "b", "c")},
		{"there is less", rows("a", "b", "c"), rows("a", "b")},
		{"there is none", rows("a", "b"), nil},
		{"another", rows("a", "b"), rows("a", "c")},
		{"another, and more", rows("a", "b"), rows("c", "b", "d")},
		{"one before", rows("a", "b")[1:], rows("a", "b")},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, to := filepath.Join(t.TempDir(), "from.db"), filepath.Join(t.TempDir(), "to.db")
			source, target := sqlite.NewArchive(from), sqlite.NewArchive(to)
			add := func(a ports.Archive, rows []ports.Row) error {
				if len(rows) == 0 {
					return nil
				}
				return a.Add(t.Context(), numbers, rows)
			}
			err := errors.Join(
				source.Reserve(t.Context(), "a test"), add(source, test.after), source.Release(t.Context()),
				target.Reserve(t.Context(), "sqlite:"+from), add(target, test.before), target.Close(),
			)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if err := app.Copy(t.Context(), app.Config{}, "sqlite:"+from, "sqlite:"+to, &out, io.Discard); err != nil {
				t.Fatal(err)
			}
			var got []ports.Row
			err = target.Read(t.Context(), func(tables ports.Tables) error {
				return tables.Rows(t.Context(), numbers, func(r ports.Row) error { got = append(got, r); return nil })
			})
			if err != nil || len(got) != len(test.after) {
				t.Fatalf("there are %v: %v", got, err)
			}
			for n, want := range test.after {
				if got[n][2] != want[2] {
					t.Errorf("row %d is %v, want %v", n, got[n], want)
				}
			}
		})
	}
}
