package main_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const (
	repository = "../.."
	version    = "v1.2.3"
)

// certificates stands for the machine's: what a client trusts is no matter here.
var certificates = []byte("-----BEGIN CERTIFICATE-----\n")

func TestTheSameSourcesGiveTheSameImage(t *testing.T) {
	builder := imageProgram(t)
	here, elsewhere := made(t, builder, repository), made(t, builder, copied(t))
	for _, at := range []string{here, elsewhere} {
		index, err := layout.ImageIndexFromPath(at)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Index(index); err != nil {
			t.Error(err)
		}
	}
	one, err := os.ReadFile(filepath.Join(here, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(filepath.Join(elsewhere, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(one), string(other)); diff != "" {
		t.Errorf("the same sources in another folder give another image:\n%s", diff)
	}
	t.Run("and it is what the Dockerfile says", func(t *testing.T) { isWhatTheDockerfileSays(t, here) })
	t.Run("and it takes the place of a layout, and of nothing else", func(t *testing.T) {
		if out, err := build(builder, filepath.Join(filepath.Dir(here), "keyport"), here); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		folder := t.TempDir()
		kept := filepath.Join(folder, "kept")
		if err := os.WriteFile(kept, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := build(builder, filepath.Join(filepath.Dir(here), "keyport"), folder); err == nil || !strings.Contains(out, "no layout") {
			t.Errorf("%v\n%s", err, out)
		}
		if _, err := os.Stat(kept); err != nil {
			t.Error(err)
		}
	})
}

func TestProgramsThatWouldNotDoAreRefused(t *testing.T) {
	builder := imageProgram(t)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]string{
		builder:                        "tells where or when it was built",
		text:                           "text",
		filepath.Join(text, "missing"): "missing",
	} {
		at := filepath.Join(t.TempDir(), "layout")
		if out, err := build(builder, program, at); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", program, err, out)
		}
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a layout was written (%v)", program, err)
		}
	}
}

// The two differ in where the program is put, and in who knows the version.
func TestTheDockerfileBuildsAsTheMakefileDoes(t *testing.T) {
	want := strings.ReplaceAll(buildLine(t, repository, "$$VERSION"), "-o bin/keyport", "-o /out/keyport")
	if got := dockerfile(t)[0]["RUN"]; !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, want+" ") }) {
		t.Errorf("the Dockerfile runs %q; the Makefile %q", got, want)
	}
}

// imageProgram builds the program under test, with no regard to paths.
func imageProgram(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath=false", "-o", file, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// made builds Keyport in a folder with its sources as the Makefile does, and returns
// the layout with its image. The program is beside it.
func made(t *testing.T, builder, sources string) string {
	t.Helper()
	folder := t.TempDir()
	program, at := filepath.Join(folder, "keyport"), filepath.Join(folder, "layout")
	line := strings.ReplaceAll(buildLine(t, sources, version), "-o bin/keyport", "-o "+program)
	shell := exec.CommandContext(t.Context(), "sh", "-c", line)
	shell.Dir, shell.Env = sources, append(os.Environ(), "GOOS=linux")
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	out, err := build(builder, program, at)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if index, err := os.ReadFile(filepath.Join(at, "index.json")); err != nil || !bytes.Contains(index, []byte(lastLine(out))) {
		t.Fatalf("it prints %s, which is not in %s (%v)", lastLine(out), index, err)
	}
	return at
}

func build(builder, program, at string) (out string, err error) {
	trusted := at + ".crt"
	if err := os.WriteFile(trusted, certificates, 0o600); err != nil {
		return "", err
	}
	text, err := exec.Command(builder, "build", "-certificates", trusted, "-version", version, program, at).CombinedOutput()
	return string(text), err
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// buildLine returns what `make build` would have the shell do.
func buildLine(t *testing.T, folder, version string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-n", "-C", folder, "build", "VERSION="+version).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// copied copies the sources to a folder of another name, and without their history.
func copied(t *testing.T) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "another", "folder")
	err := filepath.WalkDir(repository, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(repository, file)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || name == "bin") {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		if !d.Type().IsRegular() || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// A stage holds the instructions of one stage of a Dockerfile, by their words.
type stage map[string][]string

// dockerfile reads the stages of deploy/Dockerfile.
func dockerfile(t *testing.T) []stage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "deploy/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var stages []stage
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", "")) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "" || strings.HasPrefix(word, "#") {
			continue
		}
		if word == "FROM" {
			stages = append(stages, make(stage))
		}
		last := stages[len(stages)-1]
		last[word] = append(last[word], strings.TrimSpace(rest))
	}
	return stages
}

// isWhatTheDockerfileSays reads the last stage, which knows no other instructions than
// these, and compares all that it says.
func isWhatTheDockerfileSays(t *testing.T, at string) {
	stages := dockerfile(t)
	last := stages[len(stages)-1]
	want := v1.Config{ExposedPorts: make(map[string]struct{}), Labels: make(map[string]string)}
	var copies []string
	for word, lines := range last {
		for _, line := range lines {
			switch word {
			case "FROM":
				if line != "scratch" {
					t.Errorf("the last stage is FROM %s: want scratch", line)
				}
			case "ARG":
			case "USER":
				want.User = line
			case "WORKDIR":
				want.WorkingDir = line
			case "ENV":
				want.Env = append(want.Env, line)
			case "EXPOSE":
				want.ExposedPorts[line] = struct{}{}
			case "ENTRYPOINT":
				want.Entrypoint = words(line)
			case "CMD":
				want.Cmd = words(line)
			case "LABEL":
				for pair := range strings.FieldsFuncSeq(line, outsideQuotes()) {
					name, value, _ := strings.Cut(pair, "=")
					want.Labels[name] = strings.ReplaceAll(strings.Trim(value, `"`), "$VERSION", version)
				}
			case "COPY":
				copies = append(copies, copyOf(line))
			default:
				t.Errorf("this test cannot read %s %s", word, line)
			}
		}
	}
	index, err := layout.ImageIndexFromPath(at)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatal(manifest, err)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, file.Config); diff != "" {
		t.Errorf("the image is not configured as the Dockerfile says (-Dockerfile +image):\n%s", diff)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range layers {
		got = append(got, holds(t, l))
	}
	if diff := cmp.Diff(copies, got); diff != "" {
		t.Errorf("the image holds something else (-Dockerfile +image):\n%s", diff)
	}
}

// words reads ["a", "b"].
func words(line string) []string {
	var all []string
	for word := range strings.SplitSeq(strings.Trim(line, "[]"), ",") {
		all = append(all, strings.Trim(word, ` "`))
	}
	return all
}

// outsideQuotes returns a function that reports a space that stands in no quotes.
func outsideQuotes() func(rune) bool {
	quoted := false
	return func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	}
}

// copyOf says what a COPY puts where: "0:0 /keyport".
func copyOf(line string) string {
	owner := "0:0"
	fields := strings.Fields(line)
	for _, field := range fields {
		if who, ok := strings.CutPrefix(field, "--chown="); ok {
			owner = who
		}
	}
	return owner + " " + fields[len(fields)-1]
}

// holds says of a layer what it puts where, as copyOf does. The folders above it are
// root's, and nothing bears a time.
func holds(t *testing.T, l v1.Layer) string {
	t.Helper()
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var deepest *tar.Header
	for entries := tar.NewReader(r); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.ModTime.Unix() != 0 || h.Uname != "" || h.Gname != "" || h.Mode&0o022 != 0 {
			t.Errorf("%+v", h)
		}
		if deepest != nil && (deepest.Uid != 0 || !strings.HasPrefix(h.Name, deepest.Name)) {
			t.Errorf("%s, of %d, stands before %s", deepest.Name, deepest.Uid, h.Name)
		}
		deepest = h
	}
	return fmt.Sprintf("%d:%d /%s", deepest.Uid, deepest.Gid, strings.TrimSuffix(deepest.Name, "/"))
}
