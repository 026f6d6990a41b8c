// Package litetest gives each test an SQLite file of its own, with the tables that
// Keyport makes in a new one and nothing in them.
//
// They are made once a process and copied: to make them takes ten times as long as to
// open a file that has them. Tests of what happens to a new file, or to an old one,
// make it themselves.
package litetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
)

// Path returns the path of a file that is the test's own, and is removed with all that
// was put beside it when the test ends.
func Path(tb testing.TB) string {
	tb.Helper()
	text, err := empty()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(folder(tb), "keyport.db")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// empty returns what a file holds once a store was opened on it and closed.
var empty = sync.OnceValues(func() (text []byte, err error) {
	folder, err := os.MkdirTemp("", "keyport-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "keyport.db")
	s, err := sqlite.Open(context.Background(), sqlite.Config{Path: path})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// folder makes one: in memory where there is plenty of it, and nobody has asked for
// another place. Nothing here needs to last, and every commit waits for its disk.
func folder(tb testing.TB) string {
	tb.Helper()
	const memory, plenty = "/dev/shm", 1 << 30 // bytes
	if os.Getenv("TMPDIR") != "" || free(memory) < plenty {
		return tb.TempDir()
	}
	path, err := os.MkdirTemp(memory, "keyport-sqlite-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(path); err != nil {
			tb.Error(err)
		}
	})
	return path
}
