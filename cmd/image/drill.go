package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// drill starts the image of the layout at, as its own user on a read-only root, with
// SQLite on /data, asks it whether it lives and is ready, and wants it to end with 0
// after SIGTERM.
func drill(ctx context.Context, at string, out io.Writer) (err error) {
	program, err := exec.LookPath("bwrap")
	if err != nil {
		return errors.New("there is no bubblewrap here: type `make bubblewrap`")
	}
	image, err := open(at)
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "keyport-image-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	s := sandbox{program: program, root: filepath.Join(folder, "root"), config: file.Config}
	// The image's user has to get there.
	if err := errors.Join(os.Chmod(folder, 0o755), os.Mkdir(s.root, 0o755), os.Chmod(s.root, 0o755), unpack(image, s.root)); err != nil {
		return err
	}
	if err := s.serves(ctx, out); err != nil {
		return err
	}
	if err := s.keepsOut(ctx, out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s passes\n", digest)
	return err
}

// loopback are settings with which the image serves on a port of this machine alone.
var loopback = []string{"KEYPORT_HTTP_ADDR=127.0.0.1:0", "KEYPORT_OPS_ADDR=127.0.0.1:0", "KEYPORT_LOG_FORMAT=json"}

// serves starts the image as it is, and sees how it lives and ends.
func (s sandbox) serves(ctx context.Context, out io.Writer) (err error) {
	log := newLog()
	start := time.Now()
	c, err := s.start(ctx, loopback, log, s.config.Cmd...)
	if err != nil {
		return err
	}
	ended := false
	defer func() {
		if !ended {
			err = errors.Join(err, c.kill())
		}
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, log)
		}
	}()
	var addr string
	select {
	case addr = <-log.addr:
	case <-time.After(patience):
		return errors.New("it does not serve")
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, path := range []string{"/livez", "/readyz"} {
		status, err := ask(ctx, "http://"+addr+path)
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("%s answers %d, %w", path, status, err)
		}
		if _, err := fmt.Fprintf(out, "%-8s %d, %d ms after the start\n", path, status, time.Since(start).Milliseconds()); err != nil {
			return err
		}
	}
	uid, gid, err := c.users()
	if err != nil || uid != user || gid != user {
		return fmt.Errorf("it runs as %d:%d, %w: want %d:%[4]d", uid, gid, err, user)
	}
	places, err := c.writable()
	if err != nil || !slices.Equal(places, []string{"/data"}) {
		return fmt.Errorf("it can write to %q, %w: want /data alone", places, err)
	}
	asked := time.Now()
	if err := c.terminate(); err != nil {
		return err
	}
	code, err := c.wait()
	ended = true
	if err != nil || code != 0 {
		return fmt.Errorf("after SIGTERM it ended with %d, %w: want 0", code, err)
	}
	_, err = fmt.Fprintf(out, "user %d:%d, writes to /data alone; SIGTERM: exit code %d after %d ms\n", uid, gid, code, time.Since(asked).Milliseconds())
	return err
}

// keepsOut has the image try to write a file to its root, which must fail, and one to
// /data, which must not.
func (s sandbox) keepsOut(ctx context.Context, out io.Writer) error {
	for _, try := range []struct {
		path string
		ok   bool
	}{{"/written", false}, {"/data/written", true}} {
		var said strings.Builder
		c, err := s.start(ctx, loopback, &said, "accounts", "export", try.path)
		if err != nil {
			return err
		}
		code, err := c.wait()
		if err != nil {
			return err
		}
		if refused := strings.Contains(said.String(), "read-only file system"); refused == try.ok || (code == 0) != try.ok {
			return fmt.Errorf("writing %s ended with %d:\n%s", try.path, code, &said)
		}
	}
	_, err := fmt.Fprintln(out, "/written is refused as on a read-only file system, /data/written is there")
	return err
}

// ask returns the status of what is answered to a GET.
func ask(ctx context.Context, url string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// maxLog is the most bytes that a log keeps.
const maxLog = 64 << 10

// A log keeps the beginning of what a container wrote, and tells where it serves.
type log struct {
	addr chan string // the address, once

	mu   sync.Mutex
	text []byte
	told bool
}

func newLog() *log { return &log{addr: make(chan string, 1)} }

// Write implements io.Writer. It never fails.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p[:min(len(p), maxLog-len(l.text))]...)
	if !l.told {
		for line := range strings.Lines(string(l.text)) {
			var said struct{ Msg, Addr string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "serving" {
				l.told = true
				l.addr <- said.Addr
			}
		}
	}
	return len(p), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
