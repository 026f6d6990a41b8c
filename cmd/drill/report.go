package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A report prints figures as they come, and keeps them for the document.
type report struct {
	out    io.Writer
	root   string // of the repository
	commit string
	drill  string
	rows   []row
}

type row struct{ drill, on, what, figure string }

// newReport names the commit that is about to be built.
func newReport(ctx context.Context, out io.Writer) (*report, error) {
	root, err := output(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	commit, err := output(ctx, "git", "-C", root, "describe", "--always", "--dirty", "--abbrev=12")
	return &report{out: out, root: root, commit: commit}, err
}

// begin names the drill whose figures come, and which of its rounds they are of.
func (r *report) begin(drill string, round, of int) {
	r.drill = drill
	if of > 1 {
		r.drill = fmt.Sprintf("%s, %d of %d", drill, round, of)
	}
	fmt.Fprintf(r.out, "%s\n", r.drill)
}

// add prints a figure. on is the store, or "" where there is none.
func (r *report) add(on, what, format string, args ...any) {
	figure := fmt.Sprintf(format, args...)
	r.rows = append(r.rows, row{r.drill, on, what, figure})
	fmt.Fprintf(r.out, "  %-10s  %-62s  %s\n", on, what, figure)
}

// write writes docs/drills.md.
func (r *report) write() error {
	file := filepath.Join(r.root, "docs", "drills.md")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, r.document(time.Now()), 0o644); err != nil {
		return err
	}
	_, err := fmt.Fprintln(r.out, "written to docs/drills.md")
	return err
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (r *report) document(now time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Drills

Written by `+"`make drill`"+`, which fails where one of these promises is broken:

- Keyport killed in mid-write, or PostgreSQL under it: every write that was
  acknowledged is there, none is torn, and a write that was not acknowledged is
  there whole or not at all. A session that was signed out stays dead.
- While PostgreSQL is away the answers are 503 with Retry-After, none takes 2 s, and
  Keyport writes again, without a restart, within 5 s of its return.
- Where the primary is lost and its synchronous standby promoted, what was acknowledged
  is there, and all replicas write again within 10 s of the promotion. Where the standby
  is lost, reads go on, and writes get 503 with Retry-After within 2 s, until somebody
  has the primary wait for no standby.
- When everybody signs in at once, those who must wait get 503 with Retry-After,
  no more hashes run than there are processors, and a reader is served.
- A session that was signed out on one replica is refused by another, and by a
  service that checks tokens itself, within 1 s, 99 times of 100, and within 2 s
  always; also where the connections that listen are cut each second, and through a
  PgBouncer in transaction mode. Without the store a replica relies on what it has
  heard for KEYPORT_REVOCATION_MAX and no longer, and so does such a service.
- While all keys turn, no genuine token and no cursor is refused: not at another
  replica, nor by a verifier that knows the key set alone, and keeps it for as long
  as Cache-Control lets it.
- Whoever watches hears each change that they may see once, and all in one order, also
  where their connection breaks and they go on at another replica; of what they may not
  see, nothing. Who does not read is dropped within 30 s, while the others go on. An
  ended session loses its streams within KEYPORT_REVOCATION_MAX. A stream takes at most
  96 KiB. At SIGTERM each is told, and the process ends within KEYPORT_DRAIN_GRACE.
- While an index is built for records that are in use, no request is refused, none takes
  a second, and the list by it is complete and in order from the first. A schema that
  some records do not fit is refused, and these are named, while the old one holds.
- While another session locks a table of PostgreSQL, requests that want it get 503 with
  Retry-After within 2 s, and none of the others is refused.
- Replicas that want more connections than PostgreSQL has all start, and all serve; whoever
  finds no connection gets 503 with Retry-After within 2 s. One that is killed meanwhile and
  started anew serves again.
- Where each packet to PostgreSQL is 200 ms late reads go on, and replicas say that they are
  ready; one in ten at most finds no connection made in time, and gets 503 with
  Retry-After. Where nothing comes through at all, without a word, whoever wants the
  store gets 503 with Retry-After within 2 s, and no token is taken on what was heard longer ago than KEYPORT_REVOCATION_MAX. 2 s after
  that has ended nobody is refused any more.
- A migration that is killed at any moment leaves nothing half done and no lock: several
  replicas that start then go on together, and what is there in the end is what it would
  have been.
- While two replicas of the previous commit are replaced by this one's, one after the
  other, and back, and the schema goes a step ahead and is contracted: no request fails,
  no acknowledged write is lost, and a watcher hears each change once.

Other times and sizes are figures, not promises.

Commit %s, %s, %d processors, %s.

| drill | store | what | figure |
| --- | --- | --- | --- |
`, r.commit, now.UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version())
	for _, w := range r.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", w.drill, w.on, w.what, w.figure)
	}
	return b.Bytes()
}
