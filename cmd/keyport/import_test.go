package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

const theirHash = "pbkdf2:sha1:1000$013lmrqn$23784933c6deb6efe4fa985295e8f05a6d9214e2" // of python

// anEmbedded returns the environment of a new database of SQLite.
func anEmbedded(t *testing.T) []string {
	t.Helper()
	return []string{"KEYPORT_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "keyport.db")}
}

// aServer returns the environment of a new database of PostgreSQL.
func aServer(t *testing.T) []string {
	t.Helper()
	return []string{"KEYPORT_DATABASE_URL=" + pgtest.Database(t, nil), "KEYPORT_MASTER_KEY=" + oldMaster}
}

func build(t *testing.T) {
	t.Helper()
	if binary != "" {
		return
	}
	var err error
	if binary, remove, err = process.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

const house = `{"username":"ada","email":"Ada@example.com","name":"Ada, \"Lady\"","roles":["admin","editor"],"status":"active","hash":"` + theirHash + `","created_at":"2001-02-03T04:05:06.123456Z"}
{"username":"Élan vital ☃","status":"suspended","hash":"` + theirHash + `","created_at":"1970-01-01T00:00:00Z"}
{"email":"bob@example.com","status":"active","hash":"` + theirHash + `","created_at":"2024-02-29T12:00:00Z"}
`

// TestAccountsMoveOutAsTheyCameIn moves three accounts from store to store.
func TestAccountsMoveOutAsTheyCameIn(t *testing.T) {
	build(t)
	stores := [][]string{anEmbedded(t), aServer(t), anEmbedded(t)}
	text := house
	for i, env := range stores {
		said, err := command(t, env, text, "accounts", "import", "-")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the import", said, "3 lines: 3 imported, 0 there already, 0 refused\n")
		text = printed(t, env, "accounts", "export")
		same(t, fmt.Sprintf("store %d", i), text, house)
	}
	env := stores[2]
	path := filepath.Join(t.TempDir(), "accounts.ndjson")
	same(t, "the export to a file", printed(t, env, "accounts", "export", path), "")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the file", string(file), house)
	if about, err := os.Stat(path); err != nil || about.Mode().Perm() != 0o600 {
		t.Errorf("others can read it: %v, %v", about.Mode(), err)
	}
	if _, err := command(t, env, "", "accounts", "export", path); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("a file that is there is written over: %v", err)
	}

	k := start(t, env, "serve")
	v := visit(t, k)
	if _, err := v.SignIn(t.Context(), "ADA@example.com", "python"); err != nil {
		t.Error(err)
	}
	_, err = v.SignIn(t.Context(), "Élan vital ☃", "python")
	if r, ok := errors.AsType[*process.Refusal](err); !ok || r.Status != http.StatusForbidden {
		t.Errorf("who was suspended signs in: %v", err)
	}
}

// TestADryRunSaysWhatTheImportSays runs both on a file with a line of each fate.
func TestADryRunSaysWhatTheImportSays(t *testing.T) {
	build(t)
	for name, env := range map[string][]string{"SQLite": anEmbedded(t), "PostgreSQL": aServer(t)} {
		t.Run(name, func(t *testing.T) {
			if _, err := command(t, env, `{"username":"old","email":"old@example.com","hash":"`+theirHash+`"}`, "accounts", "import", "-"); err != nil {
				t.Fatal(err)
			}
			before := printed(t, env, "accounts", "export")
			file := write(t, "accounts.csv", strings.ReplaceAll("\ufeffusername,email,roles,hash,password\r\n"+
				"ada,ada@example.com,editor admin,HASH,\r\n"+
				"ADA,,,HASH,\r\n"+ // there already, by the line before
				"\r\n"+
				"ada,eve@example.com,,HASH,\r\n"+
				"old,,,HASH,\r\n"+
				"new,old@example.com,,HASH,\r\n"+
				"kim,,,plain$$cat,\r\n"+
				"kim,,,,cat\r\n"+
				"kim,,HASH\r\n"+
				"eve,eve@example.com,,HASH,\r\n", "HASH", theirHash))
			const refusals = "line 5: username: it is taken by an account that does not have the other login\n" +
				"line 7: email: it is taken by an account that does not have the other login\n" +
				"line 8: hash: not a hash of a format that is read\n" +
				"line 9: password: it is not hashed; --passwords hashes it\n" +
				"line 10: it has 3 columns, and the head has 5\n"
			said, err := command(t, env, "", "accounts", "import", "--dry-run", file)
			same(t, "the dry run", said, refusals+"9 lines: 2 to be imported, 2 there already, 5 refused\nkeyport: 5 lines were refused\n")
			wants(t, err, 1)
			same(t, "what is there after the dry run", printed(t, env, "accounts", "export"), before)
			said, err = command(t, env, "", "accounts", "import", file)
			same(t, "the import", said, refusals+"9 lines: 2 imported, 2 there already, 5 refused\nkeyport: 5 lines were refused\n")
			wants(t, err, 1)
			if after := printed(t, env, "accounts", "export"); !strings.HasPrefix(after, before) || strings.Count(after, "\n") != 3 {
				t.Errorf("got\n%s", after)
			}
			said, err = command(t, env, "username,password\nkim,cat\n", "accounts", "import", "--passwords", "-")
			same(t, "the import of a password", said, "1 line: 1 imported, 0 there already, 0 refused\n")
			if after := printed(t, env, "accounts", "export"); err != nil || !regexp.MustCompile(`"username":"kim".*"hash":"\$argon2id\$`).MatchString(after) {
				t.Errorf("got\n%s, %v", after, err)
			}
		})
	}
	env := anEmbedded(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"import"}, "usage:"},
		{[]string{"import", "--id", "-"}, "usage:"},
		{[]string{"export", "a", "b"}, "usage:"},
		{[]string{"import", "--dialect", "swim", "-"}, `no older API "swim": want fleet, library, signup, skeleton`},
		{[]string{"import", "/nowhere/to/be/found"}, "no such file"},
	} {
		if _, err := command(t, env, "", append([]string{"accounts"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.args, err)
		}
	}
}

// wants fails the test unless the command ended with the exit code.
func wants(t *testing.T, err error, code int) {
	t.Helper()
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != code {
		t.Errorf("got %v, want exit code %d", err, code)
	}
}

// TestAnImportThatIsKilledGoesOn kills it twice, as soon as something is there and while
// it has more to do: nobody is there twice then, and all are numbered in the order of the
// file.
func TestAnImportThatIsKilledGoesOn(t *testing.T) {
	build(t)
	const lines = 4000
	var text strings.Builder
	for n := range lines {
		fmt.Fprintf(&text, `{"username":"user-%d","status":"active","hash":%q,"created_at":"2020-01-01T00:00:00Z"}`+"\n", n, theirHash)
	}
	env, there := anEmbedded(t), 0
	for _, part := range []int{text.Len() / 2, text.Len() * 3 / 4} { // the second always has more to import
		there = killed(t, env, text.String()[:part], there)
	}
	said, err := command(t, env, "", "accounts", "import", "--dialect", "skeleton", write(t, "accounts.ndjson", text.String()))
	same(t, "the last run", said, fmt.Sprintf("%d lines: %d imported, %d there already, 0 refused\n", lines, lines-there, there))
	if err != nil {
		t.Error(err)
	}
	same(t, "all", printed(t, env, "accounts", "export"), text.String())

	k := start(t, append(env, "KEYPORT_DIALECTS=skeleton=/s"), "serve")
	v := visit(t, k)
	for _, n := range []int{1, 2, 256, 257, 1000, lines} {
		a, err := v.Send(t.Context(), process.Request{Method: http.MethodGet, Path: fmt.Sprintf("/s/api/users/%d", n)})
		if want := fmt.Sprintf(`{"username":"user-%d"}`, n-1); err != nil || strings.TrimSpace(string(a.Body)) != want {
			t.Errorf("%d is %v, %v, want %s", n, a, err, want)
		}
	}
}

// killed imports a text that goes on without end, kills that by SIGKILL once there are
// more accounts than before, and returns how many.
func killed(t *testing.T, env []string, text string, before int) int {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	c := exec.CommandContext(ctx, binary, "accounts", "import", "--dialect", "skeleton", "-")
	c.Env = append(os.Environ(), env...)
	in, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(in, text) }() // it may be killed meanwhile
	number := func() int { return strings.Count(printed(t, env, "accounts", "export"), "\n") }
	within(t, func() error {
		if number() <= before {
			return errors.New("nothing more is imported")
		}
		return nil
	})
	kill()
	if err := c.Wait(); err == nil || c.ProcessState.Exited() {
		t.Errorf("it was not killed: %v, %v", c.ProcessState, err)
	}
	return number()
}

// TestAHashThatCameAlongIsReplacedAtTheFirstSignIn imports all hashes that the importer
// has to know and to refuse, and signs in by each.
func TestAHashThatCameAlongIsReplacedAtTheFirstSignIn(t *testing.T) {
	text, err := os.ReadFile("../../adapters/password/testdata/hashes.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Format, Password, Hash string
		Match, Reject          bool
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	lines, refused := json.NewEncoder(&file), 0
	for i, vector := range vectors {
		if err := lines.Encode(map[string]string{"username": fmt.Sprint("user-", i), "hash": vector.Hash}); err != nil {
			t.Fatal(err)
		}
		if vector.Reject {
			refused++
		}
	}
	env := anEmbedded(t)
	k := start(t, env, "serve")
	v := visit(t, k)
	said, err := command(t, env, file.String(), "accounts", "import", "-")
	wants(t, err, 1)
	if want := fmt.Sprintf("%d lines: %d imported, 0 there already, %d refused\n", len(vectors), len(vectors)-refused, refused); !strings.Contains(said, want) {
		t.Errorf("got %s, want %s", said, want)
	}
	for i, vector := range vectors {
		_, err := v.SignIn(t.Context(), fmt.Sprint("user-", i), vector.Password)
		if r, _ := errors.AsType[*process.Refusal](err); err != nil && (r == nil || r.Status != http.StatusUnauthorized) || (err == nil) != vector.Match {
			t.Errorf("%d, %s: %v, want %t", i, vector.Format, err, vector.Match)
		}
		if told := strings.Contains(said, fmt.Sprintf("line %d: hash: ", i+1)); told != vector.Reject {
			t.Errorf("%d, %s: refused %t, want %t", i, vector.Format, told, vector.Reject)
		}
	}
	all := printed(t, env, "accounts", "export")
	for i, vector := range vectors {
		if _, rest, there := strings.Cut(all, fmt.Sprintf(`{"username":"user-%d",`, i)); there == vector.Reject {
			t.Errorf("%d, %s: there %t", i, vector.Format, there)
		} else if rest, _, _ = strings.Cut(rest, "\n"); there && strings.Contains(rest, `"hash":"$argon2id$`) != vector.Match {
			t.Errorf("%d, %s: the hash is now %s", i, vector.Format, rest)
		}
	}
}
