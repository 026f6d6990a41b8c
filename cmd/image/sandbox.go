package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// patience bounds each wait for the container: for its start, and for its end.
const patience = 30 * time.Second

// A sandbox is an unpacked image, and runs it as an engine would that is told to
// allow nothing: as the image's user, without capabilities or a way to get any, as
// process 1, on a root that nobody can write to but for /data. It shares the network
// with its caller. Bubblewrap does it, which wants no more than unprivileged user
// namespaces.
type sandbox struct {
	program string // bubblewrap
	root    string
	config  v1.Config
}

// A container is a program that runs in a sandbox.
type container struct {
	cmd *exec.Cmd
	pid int // of process 1, as the caller sees it
}

// start runs the image's entrypoint with args in place of its own. env is added to
// the image's. Whoever started it calls wait.
func (s sandbox) start(ctx context.Context, env []string, out io.Writer, args ...string) (_ *container, err error) {
	told, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer told.Close()
	defer tell.Close()
	uid, gid, err := s.owner()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.root, "data")
	wrap := []string{
		"--unshare-all", "--share-net", "--uid", strconv.Itoa(uid), "--gid", strconv.Itoa(gid), "--as-pid-1", "--die-with-parent", "--new-session",
		"--cap-drop", "ALL", "--info-fd", "3", "--clearenv",
		"--bind", s.root, "/", "--proc", "/proc", "--dev", "/dev", "--bind", data, "/data", "--remount-ro", "/", "--chdir", s.config.WorkingDir,
	}
	for _, pair := range append(s.config.Env, env...) { // of two values the last counts
		name, value, _ := strings.Cut(pair, "=")
		wrap = append(wrap, "--setenv", name, value)
	}
	wrap = append(append(append(wrap, "--"), s.config.Entrypoint...), args...)
	c := &container{cmd: exec.CommandContext(ctx, s.program, wrap...)}
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.ExtraFiles, c.cmd.WaitDelay = out, out, []*os.File{tell}, patience
	if os.Getuid() == 0 { // the user is then the same outside
		c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if err := errors.Join(tell.Close(), told.SetReadDeadline(time.Now().Add(patience))); err != nil {
		return nil, errors.Join(err, c.kill())
	}
	var info struct {
		Pid int `json:"child-pid"`
	}
	if err := json.NewDecoder(told).Decode(&info); err != nil {
		return nil, errors.Join(fmt.Errorf("bubblewrap does not say what it started: %w", err), c.kill())
	}
	c.pid = info.Pid
	return c, nil
}

// owner reads the image's user.
func (s sandbox) owner() (uid, gid int, err error) {
	if _, err := fmt.Sscanf(s.config.User, "%d:%d", &uid, &gid); err != nil {
		return 0, 0, fmt.Errorf("the image's user is %q: want numbers, which need no /etc/passwd", s.config.User)
	}
	return uid, gid, nil
}

// wait returns the exit code of what ran, once it has ended. What does not end within
// half a minute is killed, which is an error.
func (c *container) wait() (code int, err error) {
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	err = c.cmd.Wait()
	if !late.Stop() {
		return -1, errors.New("it did not end")
	}
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return -1, err
	}
	return c.cmd.ProcessState.ExitCode(), nil
}

// terminate asks process 1 to end, as the kubelet does.
func (c *container) terminate() error { return syscall.Kill(c.pid, syscall.SIGTERM) }

// kill ends the sandbox at once, and all that is in it.
func (c *container) kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = c.cmd.Wait() // its state says how it ended
	return nil
}

// users returns the user and group numbers of process 1 as it sees them itself.
func (c *container) users() (uid, gid int, err error) {
	var ids [2]int
	for i, of := range []struct{ field, table string }{{"Uid:", "uid_map"}, {"Gid:", "gid_map"}} {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
		if err != nil {
			return 0, 0, err
		}
		table, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", c.pid, of.table))
		if err != nil {
			return 0, 0, err
		}
		var inside, outside, seen int
		if _, err := fmt.Sscan(string(table), &inside, &outside); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", of.table, err)
		}
		_, line, _ := strings.Cut(string(status), of.field)
		if _, err := fmt.Sscan(line, &seen); err != nil {
			return 0, 0, fmt.Errorf("%s %w", of.field, err)
		}
		ids[i] = seen - outside + inside
	}
	return ids[0], ids[1], nil
}

// writable lists where process 1 could write: the mounts that are not read-only, but
// for those that a kernel fills.
func (c *container) writable() ([]string, error) {
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mounts", c.pid))
	if err != nil {
		return nil, err
	}
	var places []string
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			return nil, fmt.Errorf("a mount that reads %q", line)
		}
		place, options := fields[1], strings.Split(fields[3], ",")
		if options[0] == "rw" && place != "/proc" && place != "/dev" && !strings.HasPrefix(place, "/dev/") && !strings.HasPrefix(place, "/proc/") {
			places = append(places, place)
		}
	}
	return places, nil
}
