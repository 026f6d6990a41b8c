package main_test

import (
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what was answered into README.md")

const readme = "../../README.md"

// TestReadme types what the README says to type, at a demo that was just started,
// and wants the answers that it shows. Ids, times, tokens and the address are
// different each time.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	k := start(t, nil, "serve", "--demo", "--dir", t.TempDir())
	blocks := regexp.MustCompile("(?s)```console\n(.*?)```")
	var commands []string
	for _, block := range blocks.FindAllStringSubmatch(string(text), -1) {
		for _, line := range strings.Split(block[1], "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				commands = append(commands, command)
			}
		}
	}
	if len(commands) < 10 {
		t.Fatalf("the README has %d commands; there are more", len(commands))
	}
	const mark = "\x1e"
	script := strings.ReplaceAll(strings.Join(commands, "\nprintf '"+mark+"'\n"), shownURL, k.URL)
	shell := exec.CommandContext(t.Context(), "bash", "-c", script)
	shell.Dir = t.TempDir()
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Split(strings.ReplaceAll(string(out), k.URL, shownURL), mark)
	got := blocks.ReplaceAllStringFunc(string(text), func(block string) string {
		var b strings.Builder
		b.WriteString("```console\n")
		for _, line := range strings.Split(block, "\n") {
			if strings.HasPrefix(line, "$ ") {
				b.WriteString(line + "\n" + answers[0])
				if answers[0] != "" && !strings.HasSuffix(answers[0], "\n") {
					b.WriteString("\n")
				}
				answers = answers[1:]
			}
		}
		b.WriteString("```")
		return b.String()
	})
	if *update {
		if err := os.WriteFile(readme, []byte(shorten(got)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(mask(string(text)), mask(got)); diff != "" {
		t.Errorf("README.md shows other answers (run with -update):\n%s", diff)
	}
}

const shownURL = "http://127.0.0.1:8080"

var (
	tokens = regexp.MustCompile(`\b(eyJhbGciOi|kpr_)[\w.-]*…?`)
	varied = []struct {
		seen *regexp.Regexp
		mask string
	}{
		{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "ID"},
		{regexp.MustCompile(`20\d\d-\d\d-\d\dT[\d:.]+Z`), "TIME"},
		{regexp.MustCompile(`("next":"|cursor=)[\w-]+…?`), "${1}CURSOR"},
		{tokens, "${1}TOKEN"},
	}
)

// mask hides what is different each time.
func mask(s string) string {
	for _, v := range varied {
		s = v.seen.ReplaceAllString(s, v.mask)
	}
	return s
}

// shorten leaves of a token what tells its kind.
func shorten(s string) string { return tokens.ReplaceAllString(s, "${1}…") }
