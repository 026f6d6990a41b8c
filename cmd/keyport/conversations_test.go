package main_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// TestConversations has the conversations of app/testdata with the older APIs over
// sockets: with the stores, the keys and the hashes that serve. What comes back is
// what the fakes answered, but for ids, times and tokens. A conversation ends where
// its clock moves: this one cannot be moved.
func TestConversations(t *testing.T) {
	databases := map[string]func(*testing.T) []string{
		"SQLite": func(t *testing.T) []string {
			return []string{"KEYPORT_DATABASE_URL=sqlite:" + t.TempDir() + "/keyport.db"}
		},
		"PostgreSQL": func(t *testing.T) []string {
			return []string{"KEYPORT_DATABASE_URL=" + pgtest.Database(t, nil), "KEYPORT_MASTER_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}
		},
	}
	for database, env := range databases {
		for _, dialect := range []string{"fleet", "skeleton", "signup", "library"} {
			files, err := filepath.Glob("../../app/testdata/" + dialect + "/*.http")
			if err != nil || len(files) < 3 {
				t.Fatalf("%s has %d transcripts; there are more (%v)", dialect, len(files), err)
			}
			for _, file := range files {
				name := strings.TrimSuffix(filepath.Base(file), ".http")
				t.Run(database+"/"+dialect+"/"+name, func(t *testing.T) { converse(t, env(t), dialect, file) })
			}
		}
	}
}

// converse has the conversation in file with a demo on a database of its own.
func converse(t *testing.T, env []string, dialect, file string) {
	script, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	exchanges := readExchanges(string(script))
	if len(exchanges) == 0 {
		t.Fatalf("%s has no exchange before its clock moves", file)
	}
	k := start(t, append(env, "KEYPORT_DIALECTS="+dialect+"=127.0.0.1:0"), "serve", "--demo", "--dir", t.TempDir())
	if strings.Contains(string(script), `"root"`) {
		newPassword(t, env, "admin", "create", "root")
		if _, err := command(t, env, "a password for root\n", "admin", "password", "--stdin", "root"); err != nil {
			t.Fatal(err)
		}
	}
	s := speaker{older: process.NewClient(k.Older[dialect]), main: k.Client(), heard: make(map[string][]string)}
	t.Cleanup(s.older.Close)
	t.Cleanup(s.main.Close)
	for _, x := range exchanges {
		if got, want := unlike(s.say(t, x)), unlike(x.answer); got != want {
			t.Errorf("%s:%d: to\n%s\nthe answer is\n%s\nwant\n%s", file, x.line, x.request, got, want)
		}
	}
}

// An exchange is a request and its answer, as they stand in a transcript without the
// marks at the beginnings of lines.
type exchange struct {
	line            int
	request, answer string
}

// readExchanges reads a transcript as far as its clock stands still.
func readExchanges(script string) (all []exchange) {
	var x exchange
	done := func() {
		if x.request != "" {
			all = append(all, x)
		}
		x = exchange{}
	}
	n := 0
	for line := range strings.Lines(script) {
		n++
		switch text := strings.TrimPrefix(line[1:], " "); line[0] {
		case '>':
			x.line = cmp.Or(x.line, n)
			x.request += text
		case '<':
			x.answer += text
		default:
			done()
		}
		if line[0] == '@' {
			return all
		}
	}
	done()
	return all
}

// A speaker sends the requests of one conversation: those to /v1 to the public
// listener, and the others to that of the older API.
type speaker struct {
	older, main *process.Client
	heard       map[string][]string // members of answers, for {{name}}
}

var (
	placeholder = regexp.MustCompile(`\{\{([\w-]+)(?::(\d+))?\}\}`)
	member      = regexp.MustCompile(`"(\w+)":"([^"]*)"`)
)

// say sends the request of x, and returns the answer as a transcript would have it.
func (s *speaker) say(t *testing.T, x exchange) string {
	t.Helper()
	head, body, _ := strings.Cut(placeholder.ReplaceAllStringFunc(x.request, s.recall), "\n\n")
	first, fields, _ := strings.Cut(head, "\n")
	r := process.Request{Header: make(http.Header)}
	r.Method, r.Path, _ = strings.Cut(strings.TrimSpace(first), " ")
	if body != "" {
		r.Body = []byte(strings.TrimSuffix(body, "\n"))
	}
	for field := range strings.Lines(fields) {
		name, value, _ := strings.Cut(field, ":")
		r.Header.Set(name, credentials(strings.TrimSpace(value)))
	}
	to := s.older
	if strings.HasPrefix(r.Path, "/v1/") {
		to = s.main
	}
	a, err := to.Send(t.Context(), r)
	if err != nil {
		t.Fatalf("%s: %v", first, err)
	}
	for _, m := range member.FindAllStringSubmatch(string(a.Body), -1) {
		s.heard[m[1]] = append(s.heard[m[1]], m[2])
	}
	return transcribed(a, x.answer)
}

// recall returns what a placeholder stands for, or the placeholder if nothing of
// that name was heard.
func (s *speaker) recall(placed string) string {
	m := placeholder.FindStringSubmatch(placed)
	values := s.heard[m[1]]
	n := len(values)
	if m[2] != "" {
		n, _ = strconv.Atoi(m[2])
	}
	if n < 1 || n > len(values) {
		return placed
	}
	return values[n-1]
}

// credentials writes Basic credentials as they travel (RFC 7617, section 2).
func credentials(field string) string {
	scheme, pair, _ := strings.Cut(field, " ")
	if !strings.EqualFold(scheme, "Basic") || !strings.Contains(pair, ":") {
		return field
	}
	return scheme + " " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// said are the headers by which clients of the older APIs go: they are told where the
// transcript has none, too.
var said = []string{"Allow", "Cache-Control", "Content-Type", "Location", "Www-Authenticate"}

// transcribed writes an answer as a transcript has it: with the headers that are said,
// and those that are in the one that is wanted.
func transcribed(a process.Answer, want string) string {
	names := slices.Clone(said)
	head, _, _ := strings.Cut(want, "\n\n")
	_, fields, _ := strings.Cut(head, "\n")
	for field := range strings.Lines(fields) {
		if name, _, more := strings.Cut(field, ":"); more && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", a.Status, http.StatusText(a.Status))
	for _, name := range names {
		if values := a.Header.Values(name); len(values) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(values, ", "))
		}
	}
	b.WriteString("\n")
	if len(a.Body) > 0 {
		b.WriteString(strings.TrimSuffix(string(a.Body), "\n") + "\n")
	}
	return b.String()
}

// made are what is different each time: the tokens of the fakes and the real ones,
// and what mask hides.
var made = regexp.MustCompile(`(fake\.|eyJ[\w-]+\.|kp[rlk]_)[\w.~+-]+`)

func unlike(s string) string { return mask(made.ReplaceAllString(s, "TOKEN")) }
