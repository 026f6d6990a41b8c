package pgtest

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Oldest is the first major version of PostgreSQL that Keyport supports.
const Oldest = 15

// ErrNoServer is returned where the server's programs are not to be found.
var ErrNoServer = errors.New("no PostgreSQL server (15 or later) is installed here: type `make postgres`, or set " + Variable)

// programs is where a server's programs are.
type programs struct {
	bin       string // the folder of initdb and postgres
	libraries string // where their libraries are, if beside them; a list as in LD_LIBRARY_PATH
}

// find looks for a server: in what pg_config names, then where Debian installs
// it, newest first, then in the folder .postgres at the root of the repository.
func find(ctx context.Context) (programs, error) {
	var places []programs
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		places = append(places, programs{bin: strings.TrimSpace(string(out))})
	}
	places = append(places, installed("/")...)
	if root, ok := repository(); ok {
		places = append(places, installed(filepath.Join(root, ".postgres"))...)
	}
	return choose(ctx, places)
}

// choose returns the first place that has a server recent enough.
func choose(ctx context.Context, places []programs) (programs, error) {
	for _, p := range places {
		if p.major(ctx) >= Oldest {
			return p, nil
		}
	}
	return programs{}, ErrNoServer
}

// installed lists the servers that Debian's packages put below root, newest
// first. Below any other root than "/" they need their libraries from there.
func installed(root string) []programs {
	bins, _ := filepath.Glob(filepath.Join(root, "usr/lib/postgresql/*/bin"))
	slices.SortFunc(bins, func(a, b string) int { return cmp.Compare(debianMajor(b), debianMajor(a)) })
	var libraries string
	if root != "/" {
		libraries = unpackedLibraries(root)
	}
	all := make([]programs, 0, len(bins))
	for _, bin := range bins {
		all = append(all, programs{bin, libraries})
	}
	return all
}

// unpackedLibraries lists where the libraries of Debian's packages are that were
// unpacked below root.
func unpackedLibraries(root string) string {
	var libraries []string
	for _, pattern := range []string{"usr/lib/*-linux-*", "lib/*-linux-*"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern))
		libraries = append(libraries, found...)
	}
	return strings.Join(libraries, ":")
}

// debianMajor reads 15 out of /usr/lib/postgresql/15/bin.
func debianMajor(bin string) int {
	major, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return major
}

var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) (\d+)`)

// major asks the server for its version. It is 0 where there is no server, or
// one without initdb beside it.
func (p programs) major(ctx context.Context) int {
	if _, err := os.Stat(p.path("initdb")); err != nil {
		return 0
	}
	ask := exec.CommandContext(ctx, p.path("postgres"), "--version")
	ask.Env = p.environment("/")
	out, err := ask.Output()
	if err != nil {
		return 0
	}
	found := versionLine.FindSubmatch(out)
	if found == nil {
		return 0
	}
	major, _ := strconv.Atoi(string(found[1]))
	return major
}

func (p programs) path(program string) string { return filepath.Join(p.bin, program) }

// environment is all that the server sees of this process's: a PGDATA or a
// language meant for something else must not reach it.
func (p programs) environment(home string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C"}
	if p.libraries != "" {
		env = append(env, "LD_LIBRARY_PATH="+p.libraries)
	}
	return env
}

// repository returns the nearest folder above the working one that has a go.mod.
func repository() (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", false
		}
		dir = above
	}
}
