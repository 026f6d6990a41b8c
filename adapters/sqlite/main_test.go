package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// Some tests need processes of their own. They run this binary again, with these
// variables: the name of a part in parts, and the file that it works on.
const (
	partVariable = "KEYPORT_TEST_SQLITE_PART"
	pathVariable = "KEYPORT_TEST_SQLITE_PATH"
)

var parts = map[string]func(ctx context.Context, path string) error{
	"migrates and adds an account": migrates,
	"posts":                        posts,
}

func TestMain(m *testing.M) {
	part := os.Getenv(partVariable)
	if part == "" {
		goleak.VerifyTestMain(m)
		return
	}
	// The parent closes the pipe when all its children are there.
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if err := parts[part](context.Background(), os.Getenv(pathVariable)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// play runs a part in n processes at once and fails unless all succeed.
func play(t *testing.T, part, path string, n int) {
	t.Helper()
	type child struct {
		*exec.Cmd
		start io.Closer
		said  strings.Builder
	}
	children := make([]*child, n)
	for i := range children {
		c := &child{Cmd: exec.CommandContext(t.Context(), os.Args[0])}
		c.Env = append(os.Environ(), partVariable+"="+part, pathVariable+"="+path)
		c.Stdout, c.Stderr = &c.said, &c.said
		pipe, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		c.start = pipe
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		children[i] = c
	}
	for _, c := range children {
		if err := c.start.Close(); err != nil {
			t.Error(err)
		}
	}
	for i, c := range children {
		if err := c.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, c.said.String())
		}
	}
}
