package main_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// embedded returns the settings of a Keyport with an embedded database, and its own key
// beside it.
func embedded(path string) []string {
	return []string{"KEYPORT_PUBLIC_URL=http://kept.example", "KEYPORT_DATABASE_URL=sqlite:" + path}
}

// models returns the models of all ships of a Keyport.
func models(t *testing.T, k *process.Keyport) []string {
	t.Helper()
	v := visit(t, k)
	var all []string
	for path := shipRecords + "?limit=200"; path != ""; {
		var page shipsPage
		v.want(200, "GET", path, nil, &page)
		for _, r := range page.Items {
			all = append(all, r.Data.Model)
		}
		if path = ""; page.Next != "" {
			path = shipRecords + "?limit=200&cursor=" + page.Next
		}
	}
	return all
}

// TestBackup takes backups while others write, and puts each to another place. What was
// acknowledged before one began is in it, whoever was signed in stays so, and what is in
// it is whole.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	k := start(t, embedded(dir+"/keyport.db"), "serve", "--demo", "--dir", dir)
	admin, err := visit(t, k).SignIn(t.Context(), "admin", k.AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var written []string
	working, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for n := range 4 {
		writers.Go(func() {
			c := k.Client()
			defer c.Close()
			for i := 0; working.Err() == nil; i++ {
				model := "Written " + string(rune('a'+n)) + " " + time.Duration(i).String()
				a, err := c.Send(t.Context(), process.Request{Method: "POST", Path: shipRecords, Token: admin.AccessToken, Body: ship(model)})
				if err != nil || a.Status != 201 {
					t.Errorf("a write beside a backup: %s, %v", a, err)
					return
				}
				mu.Lock()
				written = append(written, model)
				mu.Unlock()
			}
		})
	}
	const backups = 3
	var before [backups]int
	for n := range backups {
		mu.Lock()
		before[n] = len(written)
		mu.Unlock()
		file := dir + "/backup-" + string(rune('0'+n))
		out := printed(t, embedded(dir+"/keyport.db"), "backup", file, "--with-key")
		if !strings.Contains(out, "keep them apart") {
			t.Errorf("it does not say that the key is in it:\n%s", out)
		}
	}
	stop()
	writers.Wait()
	if len(written) <= before[backups-1] {
		t.Fatal("nobody wrote")
	}
	for n := range backups {
		path := filepath.Join(dir, "restored", string(rune('0'+n)), "keyport.db")
		file := dir + "/backup-" + string(rune('0'+n))
		for _, name := range []string{file, file + ".key"} {
			if about, err := os.Stat(name); err != nil || about.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, about, err)
			}
		}
		printed(t, embedded(path), "restore", file)
		there := start(t, embedded(path), "serve")
		has := make(map[string]bool)
		for _, model := range models(t, there) {
			has[model] = true
		}
		for _, model := range written[:before[n]] {
			if !has[model] {
				t.Errorf("backup %d has no %s, which was acknowledged before it began", n, model)
			}
		}
		visitor := visit(t, there)
		visitor.token = admin.AccessToken
		visitor.want(200, "GET", "/v1/me", nil, nil)
	}
	if left, _ := filepath.Glob(dir + "/.*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestABackupIsRefusedWhereItWouldBeOfNoUse(t *testing.T) {
	dir := t.TempDir()
	env := embedded(dir + "/keyport.db")
	k := start(t, env, "serve", "--demo", "--dir", dir)
	if out := printed(t, env, "backup", dir+"/good"); !strings.Contains(out, "the master key is not in it") {
		t.Errorf("it does not say that the key is missing:\n%s", out)
	}
	printed(t, env, "backup", "--with-key", dir+"/full")
	good, err := os.ReadFile(dir + "/good")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		if err := os.WriteFile(dir+"/"+name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return dir + "/" + name
	}
	key, err := os.ReadFile(dir + "/full.key")
	if err != nil {
		t.Fatal(err)
	}
	master := "KEYPORT_MASTER_KEY=" + strings.TrimSpace(string(key))
	for _, test := range []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{"a backup over a file", env, []string{"backup", dir + "/good"}, "there already"},
		{"a key over a file", env, []string{"backup", "--with-key", write("x", nil)}, "there already"},
		{"a backup of nothing", embedded(dir + "/none.db"), []string{"backup", dir + "/none"}, "no database"},
		{"a backup where no folder is", env, []string{"backup", dir + "/no/where"}, "no such file"},
		{"over a database in use", env, []string{"restore", dir + "/full"}, "there already"},
		{"beside what one in use has", embedded(strings.TrimSuffix(write("gone.db-wal", nil), "-wal")), []string{"restore", dir + "/full"}, "there already"},
		{"what is no database", embedded(dir + "/to.db"), []string{"restore", write("text", []byte("select 1"))}, "no backup"},
		{"what is not there", embedded(dir + "/to.db"), []string{"restore", dir + "/nothing"}, "no such file"},
		{"a half", embedded(dir + "/to.db"), []string{"restore", write("half", good[:len(good)/2])}, "damaged"},
		{"nothing but a head", embedded(dir + "/to.db"), []string{"restore", write("head", good[:100])}, "damaged"},
		{"without a key", embedded(dir + "/to.db"), []string{"restore", dir + "/good"}, "of no use without its master key"},
		{"with a key that does not fit", append(embedded(dir+"/to.db"), "KEYPORT_MASTER_KEY="+newMaster), []string{"restore", dir + "/good"}, "does not fit"},
		{"of PostgreSQL", at("postgres://ada:hunter2@db.example/keyport"), []string{"backup", "it's"}, `--file='it'\''s' \
    'postgres://ada@db.example:5432/keyport'`},
		{"to PostgreSQL", at("postgres://ada:hunter2@db.example/keyport"), []string{"restore", "f"}, "pg_restore"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := filesIn(t, dir)
			out, err := command(t, test.env, "", test.args...)
			if err == nil || !strings.Contains(out, test.want) || strings.Contains(out, "hunter2") {
				t.Errorf("want %q: %v\n%s", test.want, err, out)
			}
			if after := filesIn(t, dir); !slices.Equal(before, after) {
				t.Errorf("there was %q, and is %q", before, after)
			}
		})
	}

	// A bit that turns is found, or was none of what is kept.
	want := models(t, k)
	random := rand.New(rand.NewPCG(1, 2))
	damaged := 0
	for range 25 {
		bad := slices.Clone(good)
		at := random.IntN(len(bad))
		bad[at] ^= 1 << random.IntN(8)
		path := filepath.Join(t.TempDir(), "keyport.db")
		if _, err := command(t, append(embedded(path), master), "", "restore", write("bad", bad)); err != nil {
			if !strings.Contains(err.Error(), "damaged") && !strings.Contains(err.Error(), "no backup") && !strings.Contains(err.Error(), "later release") {
				t.Errorf("byte %d: %v", at, err)
			}
			damaged++
			continue
		}
		if got := models(t, start(t, append(embedded(path), master), "serve")); !slices.Equal(got, want) {
			t.Errorf("byte %d was changed, and there is %q", at, got)
		}
	}
	if damaged == 0 {
		t.Error("no damage was found")
	}
}

func filesIn(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestARestoreThatIsKilledLeavesNothingHalfDone kills it again and again, a little later
// each time, until one comes to its end.
func TestARestoreThatIsKilledLeavesNothingHalfDone(t *testing.T) {
	dir := t.TempDir()
	env := embedded(dir + "/keyport.db")
	k := start(t, env, "serve", "--demo", "--dir", dir)
	printed(t, env, "backup", "--with-key", dir+"/full")
	want := models(t, k)
	path := dir + "/restored.db"
	kills := 0
	for patience := time.Millisecond; ; patience += patience/6 + time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		c := exec.CommandContext(ctx, binary, "restore", dir+"/full")
		c.Env = append(os.Environ(), embedded(path)...)
		out, err := c.CombinedOutput()
		killed := ctx.Err() != nil
		cancel()
		_, there := os.Stat(path)
		switch {
		case err != nil && !killed:
			t.Fatalf("%v\n%s", err, out)
		case errors.Is(there, fs.ErrNotExist):
			kills++
			continue
		}
		break
	}
	if kills == 0 {
		t.Error("it was never killed")
	}
	if got := models(t, start(t, embedded(path), "serve")); !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
}
