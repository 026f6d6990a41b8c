package pgtest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

var filled atomic.Int32

// fill stands for a store's migrations.
func fill(ctx context.Context, url string) error {
	filled.Add(1)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE TABLE ship (name text); INSERT INTO ship VALUES ('Aurora')")
	return errors.Join(err, conn.Close(ctx))
}

func TestDatabaseIsACloneOfATemplateFilledOnce(t *testing.T) {
	const tests = 4
	urls := make([]string, tests)
	var all sync.WaitGroup
	for i := range urls {
		all.Go(func() { urls[i] = pgtest.Database(t, fill) })
	}
	all.Wait()
	for _, url := range urls {
		if got := ask[string](t, url, "SELECT string_agg(name, ',') FROM ship"); got != "Aurora" {
			t.Errorf("a database holds %q before it is used, want Aurora alone", got)
		}
		do(t, url, "INSERT INTO ship VALUES ('Borealis')")
	}
	if n := filled.Load(); n != 1 {
		t.Errorf("the template was filled %d times, want once", n)
	}
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	var url string
	t.Run("a test that leaves a connection open", func(t *testing.T) {
		url = pgtest.Open(t)
		left, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := left.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
	const invalidCatalogName = "3D000"
	_, err := pgx.Connect(t.Context(), url)
	if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != invalidCatalogName {
		t.Errorf("after the test its database answers %v, want SQLSTATE %s", err, invalidCatalogName)
	}
}

func TestOpenGivesAnEmptyDatabase(t *testing.T) {
	tables := "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
	if n := ask[int](t, pgtest.Open(t), tables); n != 0 {
		t.Errorf("an empty database has %d relations", n)
	}
}

// connect opens a connection that ends with the test.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func do(t *testing.T, url, sql string) {
	t.Helper()
	if _, err := connect(t, url).Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t *testing.T, url, sql string) (answer T) {
	t.Helper()
	if err := connect(t, url).QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
