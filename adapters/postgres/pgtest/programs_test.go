package pgtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNewestInstalledServerComesFirst(t *testing.T) {
	root := t.TempDir()
	for _, major := range []string{"9.6", "15", "9", "100", "17"} {
		install(t, root, major, "")
	}
	var got []string
	for _, p := range installed(root) {
		got = append(got, filepath.Base(filepath.Dir(p.bin)))
	}
	if want := "100 17 15 9 9.6"; strings.Join(got, " ") != want {
		t.Errorf("looked at in the order %v, want %s", got, want)
	}
}

func TestServerUnpackedBesideItsLibrariesIsGivenThem(t *testing.T) {
	root := t.TempDir()
	install(t, root, "15", "")
	libraries := filepath.Join(root, "usr/lib/x86_64-linux-gnu")
	if err := os.MkdirAll(libraries, 0o755); err != nil {
		t.Fatal(err)
	}
	env := strings.Join(installed(root)[0].environment("/"), "\n")
	if want := "LD_LIBRARY_PATH=" + libraries; !strings.Contains(env, want) {
		t.Errorf("the server's environment lacks %s:\n%s", want, env)
	}
}

func TestServerIsChosenByWhatItSaysOfItself(t *testing.T) {
	root := t.TempDir()
	old := install(t, root, "14", "postgres (PostgreSQL) 14.9 (Debian 14.9-1)")
	broken := install(t, root, "16", "")
	client := programs{bin: filepath.Join(root, "usr/bin")} // as pg_config may name where only a library is installed
	recent := install(t, root, "15", "postgres (PostgreSQL) 15.2")
	for _, c := range []struct {
		name   string
		places []programs
		want   programs
		err    error
	}{
		{name: "nothing is installed", err: ErrNoServer},
		{name: "one too old, one broken, and no server at all", places: []programs{old, broken, client}, err: ErrNoServer},
		{name: "one recent enough after these", places: []programs{old, broken, client, recent}, want: recent},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := choose(t.Context(), c.places)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("chose %v, %v; want %v, %v", got, err, c.want, c.err)
			}
		})
	}
	if !strings.Contains(ErrNoServer.Error(), "make postgres") {
		t.Error("the refusal does not say what to type")
	}
}

// install lays out a server that answers --version with line.
func install(t *testing.T, root, major, line string) programs {
	t.Helper()
	bin := filepath.Join(root, "usr/lib/postgresql", major, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"initdb", "postgres"} {
		if err := os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\necho '"+line+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return programs{bin: bin}
}
