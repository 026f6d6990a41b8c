package main_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what was answered into README.md and docs")

// TestReadme types what the README says to type, at a demo that was just started,
// and wants the answers that it shows.
func TestReadme(t *testing.T) {
	k := start(t, []string{"KEYPORT_DIALECTS="}, "serve", "--demo", "--dir", t.TempDir())
	typed(t, "../../README.md", nil, map[string]string{shownURL: k.URL})
}

// TestGuides does the same with the guides that show something to type.
func TestGuides(t *testing.T) {
	t.Run("dialects", func(t *testing.T) {
		dir := t.TempDir()
		env := []string{"KEYPORT_DATABASE_URL=sqlite:" + dir + "/keyport.db"}
		k := start(t, append(env, "KEYPORT_DIALECTS=fleet=127.0.0.1:0,skeleton=127.0.0.1:0,signup=127.0.0.1:0,library=127.0.0.1:0"), "serve", "--demo", "--dir", dir)
		typed(t, "../../docs/dialects.md", env, map[string]string{
			"http://127.0.0.1:5000": k.Older["fleet"], "http://127.0.0.1:5001": k.Older["skeleton"],
			"http://127.0.0.1:5002": k.Older["signup"], "http://127.0.0.1:5003": k.Older["library"],
		})
	})
	t.Run("collections", func(t *testing.T) {
		heard := make(chan string, 64) // more than the page says
		page := livePage(t, func(said string) { heard <- said })
		env := []string{"KEYPORT_DATABASE_URL=sqlite:" + t.TempDir() + "/keyport.db"}
		k := start(t, append(env, "KEYPORT_CORS_ORIGINS="+page.URL), "serve")
		page.keyport = k.URL
		typed(t, collectionsGuide, env, map[string]string{shownURL: k.URL})
		if !*update {
			page.isLive(t, k, heard)
		}
	})
}

// typed types what a document says to type, in one shell, and wants the answers that
// it shows. Ids, times and tokens are different each time, and so is where an address
// leads to.
func typed(t *testing.T, document string, env []string, leads map[string]string) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)( *)```console\n(.*?)```")
	var commands []string
	for _, block := range blocks.FindAllStringSubmatch(string(text), -1) {
		for _, line := range strings.Split(block[2], "\n") {
			line = strings.TrimPrefix(line, block[1])
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				commands = append(commands, command)
			}
			if more, ok := strings.CutPrefix(line, "> "); ok { // as a shell prompts for the rest
				commands[len(commands)-1] += "\n" + more
			}
		}
	}
	if len(commands) < 10 {
		t.Fatalf("%s has %d commands; there are more", document, len(commands))
	}
	const mark = "\x1e"
	script := strings.Join(commands, "\nprintf '"+mark+"'\n")
	var back []string
	for shown, real := range leads {
		if real == "" {
			t.Fatalf("nothing stands for %s", shown)
		}
		script = strings.ReplaceAll(script, shown, real)
		back = append(back, real, shown)
	}
	bin := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(bin, "keyport")); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-c", script)
	shell.Dir, shell.Env = t.TempDir(), append(append(os.Environ(), env...), "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := strings.Split(strings.NewReplacer(back...).Replace(string(out)), mark)
	got := blocks.ReplaceAllStringFunc(string(text), func(block string) string {
		var b strings.Builder
		indent := block[:strings.Index(block, "`")]
		b.WriteString(indent + "```console\n")
		lines := strings.Split(block, "\n")
		for i, line := range lines {
			typed := strings.HasPrefix(line, indent+"$ ") || strings.HasPrefix(line, indent+"> ")
			if typed {
				b.WriteString(line + "\n")
			}
			if typed && !strings.HasPrefix(lines[i+1], indent+"> ") {
				for answer := range strings.Lines(answers[0]) {
					b.WriteString(indent + strings.TrimSuffix(answer, "\n") + "\n")
				}
				answers = answers[1:]
			}
		}
		b.WriteString(indent + "```")
		return b.String()
	})
	if *update {
		if err := os.WriteFile(document, []byte(shorten(got)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(mask(string(text)), mask(got)); diff != "" {
		t.Errorf("%s shows other answers (run with -update):\n%s", document, diff)
	}
}

const shownURL = "http://127.0.0.1:8080"

var (
	tokens = regexp.MustCompile(`\b(eyJhbGciOi|kp[rl]_)[\w.-]*…?`)
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
