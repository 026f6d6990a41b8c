package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// A child is a server's process, which writes what it has to say into a file.
type child struct {
	name string // what it is
	log  string
	pid  int // 0 while it does not run
}

// launch starts the process in a folder. It is waited for by its number alone, so
// that no goroutine has to stay for it: tests count those.
func (c *child) launch(argv, environment []string, folder string, o *owner) error {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	c.pid, err = syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
		Dir:   folder,
		Env:   environment,
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   o.attributes(),
	})
	if err != nil {
		c.pid = 0
		return fmt.Errorf("start %s: %w", argv[0], err)
	}
	return nil
}

var errExited = errors.New("it has exited")

// answers waits until the server lets a client in at url.
func (c *child) answers(ctx context.Context, url string) error {
	for {
		err := knock(ctx, url)
		if err == nil {
			return nil
		}
		if !c.running() {
			return fmt.Errorf("the %s: %w\n%s", c.name, errExited, c.lastWords())
		}
		if pause(ctx) != nil {
			return fmt.Errorf("the %s does not answer: %w\n%s", c.name, err, c.lastWords())
		}
	}
}

func knock(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// lastWords returns the end of what the server has said, at most 2 KiB.
func (c *child) lastWords() []byte {
	log, _ := os.ReadFile(c.log)
	return log[max(0, len(log)-2048):]
}

// lastSaid reports whether words are among the server's last.
func (c *child) lastSaid(words string) bool { return bytes.Contains(c.lastWords(), []byte(words)) }

// running reports whether the process lives, and buries it if not.
func (c *child) running() bool {
	if c.pid == 0 {
		return false
	}
	if !reap(c.pid) {
		return true
	}
	c.pid = 0
	return false
}

// freePort returns a port of the loopback address that the system says is free.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
