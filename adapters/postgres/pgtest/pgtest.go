// Package pgtest gives tests and drills a PostgreSQL server to use up.
//
// It owns finding the server's programs, a throw-away cluster on the loopback
// address, one database a test, cloned from a template, and a PgBouncer before it.
// It knows nothing of Keyport's tables: what fills a template is the caller's
// function. Production code never imports it.
//
// A package whose tests call Database or Open ends its server in one line:
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
// KEYPORT_TEST_DATABASE_URL names a server to use in place of a cluster; its
// role must be allowed to create databases. Where neither can be had, the tests
// fail and say what to type. They are never skipped.
package pgtest

import (
	"context"
	"os"
	"testing"
	"time"
)

// Migrate fills an empty database at url. It closes every connection that it
// opened before it returns, for a database that is in use cannot be cloned.
type Migrate = func(ctx context.Context, url string) error

// setup bounds the making of one database, the start of the server included;
// teardown bounds its end.
const (
	setup    = 2 * time.Minute
	teardown = 30 * time.Second
)

// Main runs the tests of a package, ends what Database and Open started, and
// then exits the process. The checks, if any, run after that and fail a run
// that has passed so far: a hunt for goroutines left behind has its place here.
func Main(m *testing.M, checks ...func() error) {
	os.Exit(shared.run(m.Run, checks))
}

// Open returns the URL of an empty database made for t and dropped at its end.
func Open(t testing.TB) string {
	t.Helper()
	return Database(t, nil)
}

// Database returns the URL of a database made for t and dropped at its end,
// connections and all. It is a clone of a template that migrate filled; nil
// gives an empty one. Each migrate function runs once a process, so it must be a
// plain function: a closure is taken for another made at the same line.
func Database(t testing.TB, migrate Migrate) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), setup)
	defer cancel()
	name, err := shared.create(ctx, migrate)
	if err != nil {
		t.Fatal("pgtest:", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), teardown)
		defer cancel()
		if err := shared.drop(ctx, name); err != nil {
			t.Error("pgtest:", err)
		}
	})
	return shared.url(name)
}
