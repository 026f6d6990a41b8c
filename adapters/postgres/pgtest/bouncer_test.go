package pgtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

func TestBouncerLendsOneConnectionToOneTransactionAfterAnother(t *testing.T) {
	t.Setenv("TMPDIR", shortTemp(t))
	c := start(t, pgtest.Options{})
	b, err := pgtest.StartBouncer(t.Context(), c.URL("postgres"), "")
	if err != nil {
		t.Fatal(err)
	}
	do(t, c.URL("postgres"), "CREATE DATABASE other")
	url := b.URL("other")
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	var backends [2]int
	for i := range backends {
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		var database string
		if err := conn.QueryRow(t.Context(), "SELECT pg_backend_pid(), current_database()").Scan(&backends[i], &database); err != nil || database != "other" {
			t.Fatalf("the database is %q (%v), want other", database, err)
		}
	}
	if backends[0] != backends[1] {
		t.Errorf("two clients who wait have the connections %v, want one for both", backends)
	}
	config.Password = "guess"
	if conn, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a wrong password was let in")
	}
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		_ = conn.Close(t.Context())
		t.Error("it still answers")
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "keyport-pgbouncer-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBouncerThatCannotStartSaysWhyAndLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", shortTemp(t))
	t.Run("where its program is missing", func(t *testing.T) {
		if !strings.Contains(pgtest.ErrNoBouncer.Error(), "make pgbouncer") {
			t.Error("the refusal does not say what to type")
		}
	})
	t.Run("before something that is no server", func(t *testing.T) {
		if _, err := pgtest.StartBouncer(t.Context(), "sqlite:keyport.db", ""); err == nil {
			t.Error("it starts")
		}
	})
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
