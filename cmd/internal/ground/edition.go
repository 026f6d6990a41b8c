package ground

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Empty returns a site in a new database of the server, and the URL of that.
func (g *Ground) Empty(ctx context.Context, database string) (_ Site, url string, err error) {
	c, err := pgx.Connect(ctx, g.Postgres.URL("postgres"))
	if err != nil {
		return Site{}, "", err
	}
	_, err = c.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize())
	if err := errors.Join(err, c.Close(context.WithoutCancel(ctx))); err != nil {
		return Site{}, "", err
	}
	url = g.Postgres.URL(database)
	site, err := g.site("PostgreSQL", "KEYPORT_DATABASE_URL="+url, "KEYPORT_MASTER_KEY="+g.master)
	return site, url, err
}

// Build builds Keyport as it was at a revision of the repository at root, once, and
// returns the binary, which the ground keeps, and the commit. It fails where the
// history does not reach as far.
func (g *Ground) Build(ctx context.Context, root, revision string) (binary, commit string, err error) {
	commit, err = output(exec.CommandContext(ctx, "git", "-C", root, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}"))
	if err != nil {
		return "", "", fmt.Errorf("there is no commit %s here: fetch more of the history (git fetch --deepen 10), or name another with -previous", revision)
	}
	commit = commit[:min(len(commit), 12)]
	binary = filepath.Join(g.folder, "keyport-"+commit)
	if _, err := os.Stat(binary); err == nil {
		return binary, commit, nil
	}
	source := binary + "-source"
	if err := os.Mkdir(source, 0o700); err != nil {
		return "", "", err
	}
	archive := source + ".tar"
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/keyport")
	build.Dir, build.Env = source, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	for _, c := range []*exec.Cmd{
		exec.CommandContext(ctx, "git", "-C", root, "archive", "--format=tar", "--output", archive, commit),
		exec.CommandContext(ctx, "tar", "--extract", "--file", archive, "--directory", source),
		build,
	} {
		if out, err := c.CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, out)
		}
	}
	return binary, commit, nil
}

// By returns the site as another binary serves it.
func (s Site) By(binary string) Site {
	g := *s.g
	g.Binary = binary
	s.g = &g
	return s
}

// Knows returns those settings, NAME=VALUE, that the site's binary knows of.
func (s Site) Knows(ctx context.Context, settings ...string) (known []string, err error) {
	table, err := s.Run(ctx, nil, "env")
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for lines := bufio.NewScanner(strings.NewReader(table)); lines.Scan(); {
		if _, rest, ok := strings.Cut(lines.Text(), "| `"); ok {
			name, _, _ := strings.Cut(rest, "`")
			names[name] = true
		}
	}
	for _, setting := range settings {
		if name, _, _ := strings.Cut(setting, "="); names[name] {
			known = append(known, setting)
		}
	}
	return known, nil
}

func output(c *exec.Cmd) (string, error) {
	out, err := c.Output()
	return strings.TrimSpace(string(out)), err
}
