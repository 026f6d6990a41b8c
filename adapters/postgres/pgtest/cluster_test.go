package pgtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

func start(t *testing.T, options pgtest.Options) *pgtest.Cluster {
	t.Helper()
	c, err := pgtest.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestWhatWasCommittedOutlivesEveryEndOfTheServer(t *testing.T) {
	ends := map[string]func(*pgtest.Cluster) error{
		"a fast stop":         func(c *pgtest.Cluster) error { return c.Stop(pgtest.Fast) },
		"an immediate stop":   func(c *pgtest.Cluster) error { return c.Stop(pgtest.Immediate) },
		"a kill of the whole": (*pgtest.Cluster).Kill,
	}
	c := start(t, pgtest.Options{Durable: true})
	url := c.URL("postgres")
	do(t, url, "CREATE TABLE entry (how text)")
	for how, end := range ends {
		t.Run(how, func(t *testing.T) {
			do(t, url, "INSERT INTO entry VALUES ('"+how+"')")
			if err := end(c); err != nil {
				t.Fatal(err)
			}
			if conn, err := pgx.Connect(t.Context(), url); err == nil {
				_ = conn.Close(t.Context())
				t.Fatal("the server still answers")
			}
			if err := c.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := c.URL("postgres"); got != url {
				t.Error("the address has changed")
			}
			if n := ask[int](t, url, "SELECT count(*) FROM entry WHERE how = '"+how+"'"); n != 1 {
				t.Errorf("%d rows of 1 are left", n)
			}
		})
	}
}

func TestKillEndsAProcessThatWouldNotHaveNoticed(t *testing.T) {
	c := start(t, pgtest.Options{Settings: map[string]string{"statement_timeout": "2min"}})
	busy := connect(t, c.URL("postgres"))
	ctx, cancel := context.WithCancel(t.Context())
	var working sync.WaitGroup
	defer working.Wait()
	defer cancel()
	working.Go(func() {
		// A server process looks for its parent when it waits, which this one never does.
		_, _ = busy.Exec(ctx, "DO $$ BEGIN LOOP END LOOP; END $$")
	})
	backend := int(busy.PgConn().PID())
	wait(t.Context(), t, "it does not start", func() bool {
		return ask[bool](t, c.URL("postgres"), fmt.Sprintf("SELECT state = 'active' FROM pg_stat_activity WHERE pid = %d", backend))
	})
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if running(backend) {
		t.Errorf("process %d still runs", backend)
	}
}

func TestDurableIsAskedFor(t *testing.T) {
	for _, durable := range []bool{true, false} {
		t.Run(strconv.FormatBool(durable), func(t *testing.T) {
			c := start(t, pgtest.Options{Durable: durable, Settings: map[string]string{"work_mem": "1MB"}})
			for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
				if got := ask[string](t, c.URL("postgres"), "SHOW "+setting); (got == "on") != durable {
					t.Errorf("%s is %s", setting, got)
				}
			}
			if got := ask[string](t, c.URL("postgres"), "SHOW work_mem"); got != "1MB" {
				t.Errorf("work_mem is %s, want what the caller set", got)
			}
		})
	}
}

func TestClusterListensOnTheLoopbackAddressAloneAndWantsItsPassword(t *testing.T) {
	c := start(t, pgtest.Options{})
	if got := ask[string](t, c.URL("postgres"), "SHOW listen_addresses") + ask[string](t, c.URL("postgres"), "SHOW unix_socket_directories"); got != "127.0.0.1" {
		t.Errorf("the server listens at %q", got)
	}
	config, err := pgx.ParseConfig(c.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "guess"
	if conn, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a wrong password was let in")
	}
}

func TestServerThatCannotStartSaysWhyAndLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", shortTemp(t))
	_, err := pgtest.Start(t.Context(), pgtest.Options{Settings: map[string]string{"no_such_setting": "1"}})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("err = %v, want the server's own words", err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// abandoned asks a copy of this test's process to start a cluster and then to
// wait for its death.
const abandoned = "KEYPORT_TEST_ABANDON"

func abandon() {
	c, err := pgtest.Start(context.Background(), pgtest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.URL("postgres"))
	_, _ = os.Stdin.Read(make([]byte, 1)) // which nobody writes
}

func TestServerOfAKilledProcessIsEndedAndItsFolderRemoved(t *testing.T) {
	temp := shortTemp(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), abandoned+"=1", "TMPDIR="+temp)
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url := strings.TrimSpace(line)
	if err != nil || !strings.HasPrefix(url, "postgres://") {
		t.Fatal(url, err)
	}
	server := ask[int](t, url, "SELECT pg_backend_pid()")
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // "signal: killed"

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	wait(ctx, t, "its folder is still there", func() bool {
		left, _ := filepath.Glob(filepath.Join(temp, "*"))
		return len(left) == 0
	})
	wait(ctx, t, "its server still runs", func() bool { return !running(server) })
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the server still answers")
	}
}

// wait asks until done says yes, or fails with the complaint when ctx ends.
func wait(ctx context.Context, t *testing.T, complaint string, done func() bool) {
	t.Helper()
	for again := time.Tick(10 * time.Millisecond); !done(); {
		select {
		case <-ctx.Done():
			t.Fatal(complaint)
		case <-again:
		}
	}
}

// running reports whether pid is a process that has not ended.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return !strings.Contains(string(stat), ") Z ")
}

// shortTemp returns a folder that the server's account can reach, which
// t.TempDir's is not where the tests run as root.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyport-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o1777); err != nil {
		t.Fatal(err)
	}
	return dir
}
