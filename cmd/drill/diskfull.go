package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// diskSize is how large the file system is on which the database has to live, in bytes.
const diskSize = 32 << 20

// diskFull fills the disk of an embedded database to its last byte while a crew writes,
// and makes room again. Meanwhile writes are refused with 503, and reads go on; then
// writes go on, without a restart. In the end Keyport is killed, and what is on the disk
// is served anew.
func diskFull(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	folder, err := os.MkdirTemp("", "keyport-disk-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	wrapper, mount := filepath.Join(folder, "keyport"), filepath.Join(folder, "disk")
	if err := errors.Join(os.Mkdir(mount, 0o700), os.WriteFile(wrapper, []byte(onDisk(g.Binary, mount)), 0o700)); err != nil {
		return err
	}
	site, err := embedded(g, mount)
	if err != nil {
		return err
	}
	k, err := site.By(wrapper).ServeDemo(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	// The file system goes when nobody has anything of it open.
	disk, err := os.Open(fmt.Sprintf("/proc/%d/root%s", k.Pid(), mount))
	if err != nil {
		return err
	}
	defer disk.Close()
	client := k.Client()
	defer client.Close()
	crew, err := newCrew(ctx, client, "disk", writers, counters)
	if err != nil {
		return err
	}
	crew.patient = true
	var told string
	var healed time.Duration
	for range s.outages {
		if err := crew.prepare(ctx, client); err != nil {
			return err
		}
		took, problem, err := fillWriting(ctx, disk, crew, client)
		if err != nil {
			return err
		}
		told, healed = problem, max(healed, took)
		if err := crew.ledger.check(ctx, client); err != nil {
			return err
		}
	}
	if err := crew.prepare(ctx, client); err != nil {
		return err
	}
	r.add(site.Store, "times that the disk was full, for a second each", "%d", s.outages)
	t := crew.ledger.tally
	r.add(site.Store, "writes acknowledged: creates, patches, refreshes, sign-outs", "%d, %d, %d, %d", t.creates, t.patches, t.refreshes, t.signOuts)
	r.add(site.Store, "answers 503 with Retry-After, to writes alone", "%d", crew.refused)
	r.add(site.Store, "what they told", "%s", told)
	r.add(site.Store, "from the first free byte to the first write, at most", "%v", healed.Round(time.Millisecond))
	if err := k.Kill(); err != nil {
		return err
	}
	return errors.Join(anew(ctx, g, disk, crew.ledger), verdict(crew.ledger, site, r))
}

// embedded returns the site of an embedded database in a folder.
func embedded(g *ground.Ground, folder string) (ground.Site, error) {
	site, err := g.Elsewhere("sqlite:" + folder + "/keyport.db")
	site.Store = "SQLite"
	return site, err
}

// onDisk returns a script that runs a program where a small file system is mounted, which
// nobody else sees. Who may not mount may do so as the root of their own namespace.
func onDisk(binary, mount string) string {
	private := "--mount"
	if os.Geteuid() != 0 {
		private = "--user --map-root-user --mount"
	}
	script := fmt.Sprintf(`mount -t tmpfs -o size=%d,mode=700 keyport "%s" && exec "$0" "$@"`, diskSize, mount)
	return fmt.Sprintf("#!/bin/sh\nexec unshare %s sh -c '%s' '%s' \"$@\"\n", private, script, binary)
}

// fillWriting fills the disk while the crew writes, looks how Keyport does, and frees
// it. It returns how long after that a write succeeded, and what the refusals say.
func fillWriting(ctx context.Context, disk *os.File, crew *crew, client *process.Client) (healed time.Duration, told string, err error) {
	writing, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		crew.write(writing, client)
	}()
	defer func() {
		stop()
		<-done
	}()
	if err := pause(ctx, before); err != nil {
		return 0, "", err
	}
	free, err := stuff(disk)
	if err != nil {
		return 0, "", err
	}
	told, err = whileFull(ctx, crew, client)
	if err = errors.Join(err, free()); err != nil {
		return 0, "", err
	}
	select {
	case <-crew.success: // one from before may wait there
	default:
	}
	start := time.Now()
	select {
	case <-crew.success:
	case <-time.After(hangs):
		return 0, "", fmt.Errorf("no write has succeeded %v after there was room again", hangs)
	case <-ctx.Done():
		return 0, "", ctx.Err()
	}
	return time.Since(start), told, pause(ctx, after)
}

// stuff writes a file until there is no byte left, and returns what takes it away.
func stuff(disk *os.File) (free func() error, err error) {
	path := filepath.Join("/proc/self/fd", strconv.Itoa(int(disk.Fd())), "ballast")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	for piece := 1 << 20; piece > 0; {
		if _, err := f.Write(make([]byte, piece)); errors.Is(err, syscall.ENOSPC) {
			piece /= 2
		} else if err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return func() error { return errors.Join(f.Close(), os.Remove(path)) }, nil
}

// whileFull looks for a second how a Keyport does whose disk is full, and returns what a
// write is told. What little room the log of the database has in itself may be written.
func whileFull(ctx context.Context, crew *crew, client *process.Client) (told string, err error) {
	for begun := time.Now(); time.Since(begun) < time.Second || told == ""; {
		if time.Since(begun) > hangs {
			return "", errors.New("no write was refused: the drill has proved nothing")
		}
		for _, path := range []string{"/livez", ships + "?limit=200", "/v1/collections"} {
			a, err := client.Send(ctx, process.Request{Method: http.MethodGet, Path: path, Token: crew.writers[0].grant.AccessToken})
			if err != nil {
				return "", err
			}
			if a.Status != http.StatusOK && a.Status != http.StatusForbidden {
				crew.ledger.fault("a read while the disk is full", "GET %s: %s", path, a)
			}
		}
		a, err := client.Send(ctx, process.Request{Method: http.MethodPost, Path: "/v1/sessions", Body: map[string]any{"login": crew.writers[0].login, "password": password}})
		if err != nil {
			return "", err
		}
		var problem struct{ Detail string }
		if a.Status == http.StatusServiceUnavailable && a.Into(&problem) == nil && strings.Contains(problem.Detail, "full") {
			told = problem.Detail
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return "", err
		}
	}
	return told, nil
}

// anew serves what a killed Keyport has left on the disk, and looks for what was lost.
func anew(ctx context.Context, g *ground.Ground, disk *os.File, l *ledger) (err error) {
	folder, err := os.MkdirTemp("", "keyport-anew-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	from := filepath.Join("/proc/self/fd", strconv.Itoa(int(disk.Fd())))
	for _, name := range []string{"keyport.db", "keyport.db-wal"} {
		if err := carry(filepath.Join(from, name), filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	site, err := embedded(g, folder)
	if err != nil {
		return err
	}
	k, err := site.Serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	client := k.Client()
	defer client.Close()
	return l.check(ctx, client)
}

func carry(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
