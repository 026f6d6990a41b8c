package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Options say what is to be started.
type Options struct {
	// Binary is the program, as Build returns it; required.
	Binary string

	// Args follow the program's name: "serve", or "serve", "--demo", "--dir", D.
	Args []string

	// Env is added to the environment, less the KEYPORT_ variables of this
	// process. Unless it says otherwise, both listeners are on ports of the
	// loopback address that the system chooses, and the log is JSON.
	//
	// Tokens name the public URL. Whoever wants them to outlive the process gives
	// the same KEYPORT_PUBLIC_URL to the next.
	Env []string

	// Dir is the working directory; "" is that of this process.
	Dir string
}

// patience bounds the wait for the first answer, and for the end after SIGTERM.
const patience = 30 * time.Second

// maxOutput bounds what is read of standard output, in bytes.
const maxOutput = 16 << 10

// A Keyport is a process that answered. It dies with the process that started
// it, however that ends. Its methods may be called at once.
type Keyport struct {
	// URL is where the public listener is, and OpsURL the private one:
	// http://127.0.0.1:PORT.
	URL, OpsURL string

	// Older are where the demo said that the older APIs are, by their names.
	Older map[string]string

	// AdminPassword is what the demo printed when it made the account admin; ""
	// if it did not.
	AdminPassword string

	cmd    *exec.Cmd
	tail   *tail
	exited chan struct{} // closed when the process has been waited for
}

// Start starts a process and returns once /readyz has answered 200. Its error
// holds the end of the log where there is no such answer within half a minute.
// Whoever started it calls Stop or Kill.
func Start(ctx context.Context, o Options) (_ *Keyport, err error) {
	out, err := scratch()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	k := &Keyport{tail: newTail(), exited: make(chan struct{})}
	k.cmd = exec.Command(o.Binary, o.Args...)
	k.cmd.Dir, k.cmd.Env, k.cmd.SysProcAttr = o.Dir, environment(o.Env), attributes()
	k.cmd.Stdout, k.cmd.Stderr = out, k.tail
	if err := k.launch(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := k.ready(ctx, out); err != nil {
		return nil, errors.Join(fmt.Errorf("keyport %s: %w\n%s", strings.Join(o.Args, " "), err, k.Log()), k.Kill())
	}
	return k, nil
}

// scratch returns a file that has no name any more.
func scratch() (*os.File, error) {
	f, err := os.CreateTemp("", "keyport-output-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func environment(more []string) []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "KEYPORT_") {
			env = append(env, pair)
		}
	}
	env = append(env, "KEYPORT_HTTP_ADDR=127.0.0.1:0", "KEYPORT_OPS_ADDR=127.0.0.1:0", "KEYPORT_LOG_FORMAT=json")
	return append(env, more...) // of two values the last counts
}

// launch starts the process, and waits for it beside. The same thread does both:
// the system ends the process when the thread that started it ends (prctl(2),
// PR_SET_PDEATHSIG), and Go ends a thread that has nothing to do.
func (k *Keyport) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := k.cmd.Start()
		started <- err
		if err == nil {
			_ = k.cmd.Wait() // ProcessState says how it ended
			close(k.exited)
		}
	}()
	return <-started
}

var (
	printedPassword = regexp.MustCompile(`admin, password (\S+)`)
	printedOlder    = regexp.MustCompile(`(?m)^  (fleet|skeleton|signup|library) +(http://\S+)`)
)

// ready waits for the line that tells the addresses, then for the first answer.
func (k *Keyport) ready(ctx context.Context, out *os.File) error {
	var at serving
	select {
	case at = <-k.tail.serving:
	case <-k.exited:
		return fmt.Errorf("it ended with %v before it served", k.cmd.ProcessState)
	case <-ctx.Done():
		return fmt.Errorf("it does not serve: %w", ctx.Err())
	}
	k.URL, k.OpsURL = "http://"+at.Addr, "http://"+at.Ops
	printed, err := io.ReadAll(io.NewSectionReader(out, 0, maxOutput))
	if err != nil {
		return err
	}
	if found := printedPassword.FindSubmatch(printed); found != nil {
		k.AdminPassword = string(found[1])
	}
	k.Older = make(map[string]string)
	for _, found := range printedOlder.FindAllStringSubmatch(string(printed), -1) {
		k.Older[found[1]] = found[2]
	}
	client := k.Client()
	defer client.Close()
	for {
		a, err := client.Send(ctx, Request{Method: http.MethodGet, Path: "/readyz"})
		if err == nil && a.Status == http.StatusOK {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("it is not ready: %s %w", a, err)
		}
		select {
		case <-k.exited:
			return fmt.Errorf("it ended with %v before it was ready", k.cmd.ProcessState)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Pid returns the number of the process.
func (k *Keyport) Pid() int { return k.cmd.Process.Pid }

// CPU returns the processor time that the process has used.
func (k *Keyport) CPU() (time.Duration, error) { return CPU(k.Pid()) }

// RSS returns the memory of the process that is resident, in bytes.
func (k *Keyport) RSS() (int64, error) { return RSS(k.Pid()) }

// Log returns the end of what the process wrote to its log: 8 KiB at most.
func (k *Keyport) Log() string { return k.tail.String() }

// Exited is closed when the process has ended.
func (k *Keyport) Exited() <-chan struct{} { return k.exited }

// Kill ends the process by SIGKILL and waits until it has gone. It does nothing
// where it has gone already.
func (k *Keyport) Kill() error {
	if err := k.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-k.exited
	return nil
}

// Stop asks the process to end by SIGTERM, waits for it, and returns its exit
// code. One that has not ended within half a minute is killed, which is an
// error. Where it has gone already, Stop returns how.
func (k *Keyport) Stop() (code int, err error) {
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return -1, err
	}
	select {
	case <-k.exited:
		return k.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		return -1, errors.Join(errors.New("keyport did not end after SIGTERM"), k.Kill())
	}
}
