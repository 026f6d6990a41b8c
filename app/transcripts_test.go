package app_test

import (
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what is answered into testdata and docs")

// TestTranscripts replays the conversations in testdata. In a transcript "#"
// starts a remark, ">" a line that is sent, "<" a line that must come back, and
// "@" moves the clock. A "{{name}}" in what is sent stands for the last value of
// the member or the cookie of that name in an answer, "{{name:1}}" for the first.
// Basic credentials are written as name:password. The folder is the dialect; those of
// older APIs are spoken to at the demo, on an address of their own.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.http")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".http"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := player{world: worldOf(t, filepath.Base(filepath.Dir(file))), heard: make(map[string][]string)}
			got := p.play(t, string(want))
			if *update {
				err = os.WriteFile(file, []byte(got), 0o644)
			} else if got != string(want) {
				t.Errorf("%s differs; run with -update and read the diff. Got:\n%s", file, got)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A player speaks one transcript.
type player struct {
	world
	heard    map[string][]string // members and cookies of answers, for {{name}}
	out, req strings.Builder
}

func (p *player) play(t *testing.T, script string) string {
	for line := range strings.Lines(script) {
		switch {
		case strings.HasPrefix(line, "<"):
			p.send()
		case strings.HasPrefix(line, ">"):
			p.req.WriteString(strings.TrimPrefix(strings.TrimPrefix(line, ">"), " "))
			p.out.WriteString(line)
		case strings.HasPrefix(line, "@"):
			d, err := time.ParseDuration(strings.TrimSpace(line[1:]))
			if err != nil {
				t.Fatal(err)
			}
			p.send()
			p.clock.Advance(d)
			p.out.WriteString(line)
		default:
			p.send()
			p.out.WriteString(line)
		}
	}
	p.send()
	return p.out.String()
}

// same are the headers of every answer, which would drown the others; a test of
// their own holds them.
var same = []string{"Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options", "X-Frame-Options", "X-Request-Id"}

var (
	placeholder = regexp.MustCompile(`\{\{([\w-]+)(?::(\d+))?\}\}`)
	member      = regexp.MustCompile(`"(\w+)":"([^"]*)"`)
)

func (p *player) send() {
	if p.req.Len() == 0 {
		return
	}
	text := placeholder.ReplaceAllStringFunc(p.req.String(), p.recall)
	p.req.Reset()
	head, body, _ := strings.Cut(text, "\n\n")
	first, headers, _ := strings.Cut(head, "\n")
	method, path, _ := strings.Cut(strings.TrimSpace(first), " ")
	r := httptest.NewRequest(method, path, strings.NewReader(strings.TrimSuffix(body, "\n")))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for h := range strings.Lines(headers) {
		k, v, _ := strings.Cut(h, ":")
		r.Header.Set(k, encoded(strings.TrimSpace(v)))
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	for _, m := range member.FindAllStringSubmatch(w.Body.String(), -1) {
		p.heard[m[1]] = append(p.heard[m[1]], m[2])
	}
	for _, c := range w.Result().Cookies() {
		p.heard[c.Name] = append(p.heard[c.Name], c.Value)
	}
	fmt.Fprintf(&p.out, "< %d %s\n", w.Code, http.StatusText(w.Code))
	var names []string
	for k := range w.Header() {
		if !slices.Contains(same, k) {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	for _, k := range names {
		fmt.Fprintf(&p.out, "< %s: %s\n", k, strings.Join(w.Header()[k], ", "))
	}
	p.out.WriteString("<\n")
	if w.Body.Len() > 0 && method != http.MethodHead { // a server sends none then
		fmt.Fprintf(&p.out, "< %s\n", strings.ReplaceAll(strings.TrimSuffix(w.Body.String(), "\n"), "\n", "\n< "))
	}
}

// encoded writes Basic credentials as they travel (RFC 7617, section 2).
func encoded(header string) string {
	scheme, credentials, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") || !strings.Contains(credentials, ":") {
		return header
	}
	return scheme + " " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

// recall returns what a placeholder stands for, or the placeholder if nothing of
// that name was heard.
func (p *player) recall(s string) string {
	m := placeholder.FindStringSubmatch(s)
	values := p.heard[m[1]]
	n := len(values)
	if m[2] != "" {
		n, _ = strconv.Atoi(m[2])
	}
	if n < 1 || n > len(values) {
		return s
	}
	return values[n-1]
}
