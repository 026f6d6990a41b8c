package pgtest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// watch waits for its input to end, which it does when the process that holds
// the other end of the pipe is no more, however it died. Then it ends the server
// and removes the folder. A number that a killed server left behind may belong
// to another process by now: only one whose command names the file is the server.
const watch = `
read -r never
pid=$(head -n 1 "$2" 2>/dev/null)
is_server() { { cat "/proc/$pid/cmdline" || ps -o args= -p "$pid"; } 2>/dev/null | grep -qF -- "$3"; }
if [ -n "$pid" ] && is_server "$@"; then
	kill -QUIT "$pid"
	tries=100
	while [ "$tries" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; tries=$((tries - 1)); done
fi
rm -rf "$1"
`

// A guard is a small process that outlives this one by a moment, to clean up
// where this one was killed.
type guard struct {
	pid  int
	pipe *os.File // its input: never written to
}

// stand posts a guard over a folder and the server that keeps its number in
// pidFile, and whose command names the file.
func stand(folder, pidFile, file string, o *owner) (*guard, error) {
	end, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer end.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, errors.Join(err, pipe.Close())
	}
	defer null.Close()
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", watch, "sh", folder, pidFile, file}, &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{"PATH=" + os.Getenv("PATH")},
		Files: []uintptr{end.Fd(), null.Fd(), null.Fd()},
		Sys:   o.attributes(),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("post a guard: %w", err), pipe.Close())
	}
	return &guard{pid, pipe}, nil
}

// dismiss ends the guard without its doing anything. A nil guard was never
// posted.
func (g *guard) dismiss() error {
	if g == nil {
		return nil
	}
	err := syscall.Kill(g.pid, syscall.SIGKILL)
	bury(g.pid)
	return errors.Join(err, g.pipe.Close())
}
