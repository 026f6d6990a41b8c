package pgtest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

// pair starts a server and one that follows it.
func pair(t *testing.T) (primary, standby *pgtest.Cluster) {
	t.Helper()
	primary = start(t, pgtest.Options{Standbys: 1, Settings: map[string]string{"synchronous_commit": "on"}})
	standby, err := primary.Standby(t.Context(), "second")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.Close(); err != nil {
			t.Error(err)
		}
	})
	return primary, standby
}

func await(t *testing.T, c *pgtest.Cluster, standby string) {
	t.Helper()
	if err := c.Await(t.Context(), standby); err != nil {
		t.Fatal(err)
	}
}

func end(t *testing.T, c *pgtest.Cluster) {
	t.Helper()
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasAwaitedIsOnTheStandbyThatIsPromoted(t *testing.T) {
	primary, standby := pair(t)
	either := pgtest.URLOf("postgres", primary, standby)
	await(t, primary, "second")
	do(t, either, "CREATE TABLE ship (name text); INSERT INTO ship VALUES ('Aurora')")
	if !ask[bool](t, standby.URL("postgres"), "SELECT pg_is_in_recovery()") {
		t.Error("the standby follows nobody")
	}
	end(t, primary)
	if conn, err := pgx.Connect(t.Context(), either); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a standby was taken for a primary")
	}
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, standby, "")
	if n := ask[int](t, either, "SELECT count(*) FROM ship"); n != 1 {
		t.Errorf("%d rows of 1 are on the standby", n)
	}
	do(t, either, "INSERT INTO ship VALUES ('Borealis')")
}

func TestACommitWaitsForTheStandbyUntilNobodyIsAwaited(t *testing.T) {
	primary, standby := pair(t)
	url := primary.URL("postgres")
	do(t, url, "CREATE TABLE ship (name text)")
	await(t, primary, "second")
	end(t, standby)
	written := make(chan error, 1)
	conn := connect(t, url)
	go func() {
		_, err := conn.Exec(t.Context(), "INSERT INTO ship VALUES ('Aurora')")
		written <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	wait(ctx, t, "the commit does not wait", func() bool {
		return ask[bool](t, url, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')")
	})
	select {
	case err := <-written:
		t.Fatalf("the commit did not wait: %v", err)
	default:
	}
	await(t, primary, "")
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func TestAStandbyThatWasKilledComesBackAndIsAwaitedAgain(t *testing.T) {
	primary, standby := pair(t)
	end(t, standby)
	do(t, primary.URL("postgres"), "CREATE TABLE ship (name text)")
	if err := standby.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, primary, "second")
	if n := ask[int](t, standby.URL("postgres"), "SELECT count(*) FROM pg_class WHERE relname = 'ship'"); n != 1 {
		t.Error("the standby does not have what came while it was away")
	}
}

func TestAStandbyOfAClusterThatHasNoneToSpareLeavesNothing(t *testing.T) {
	c := start(t, pgtest.Options{})
	t.Setenv("TMPDIR", shortTemp(t))
	_, err := c.Standby(t.Context(), "second")
	if err == nil || !strings.Contains(err.Error(), "pg_basebackup") {
		t.Errorf("err = %v, want the program's own words", err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
