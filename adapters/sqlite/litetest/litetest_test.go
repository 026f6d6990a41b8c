package litetest_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
)

// Each test has a file of its own, which a store opens as it would one that it has
// made, and which is gone with all beside it when the test ends.
func TestAFileIsTheTestsOwnAndEmpty(t *testing.T) {
	var paths [2]string
	t.Run("a test", func(t *testing.T) {
		for n := range paths {
			paths[n] = litetest.Path(t)
			s, err := sqlite.Open(t.Context(), sqlite.Config{Path: paths[n]})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			people, err := s.Accounts().List(t.Context(), "", 9)
			if err != nil || len(people) > 0 {
				t.Errorf("file %d begins with %v, %v", n, people, err)
			}
			ada, err := domain.ParseUsername("ada")
			if err != nil {
				t.Fatal(err)
			}
			a := domain.Account{ID: "01900000-0000-7000-8000-000000000001", Logins: []domain.Login{ada}, Status: domain.Active}
			if err := s.Accounts().Add(t.Context(), a, domain.NewPasswordHash("hash")); err != nil {
				t.Error(err)
			}
		}
	})
	for n, path := range paths {
		if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("file %d is still there: %v", n, err)
		}
	}
}

// Whoever asks for a place for temporary files has them there.
func TestFilesAreWhereTheyAreWanted(t *testing.T) {
	wanted := t.TempDir()
	t.Run("a test", func(t *testing.T) {
		t.Setenv("TMPDIR", wanted)
		if path, err := filepath.Rel(wanted, litetest.Path(t)); err != nil || !filepath.IsLocal(path) {
			t.Errorf("it is at %s of %s: %v", path, wanted, err)
		}
	})
}
