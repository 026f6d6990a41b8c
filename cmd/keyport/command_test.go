package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// command runs a command to its end, and returns all that it wrote.
func command(t *testing.T, env []string, stdin string, args ...string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Env = append(os.Environ(), env...)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("keyport %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// printed runs a command that succeeds, and returns what it printed.
func printed(t *testing.T, env []string, args ...string) string {
	t.Helper()
	out, err := command(t, env, "", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// newPassword runs a command that prints a password, and returns that.
func newPassword(t *testing.T, env []string, args ...string) string {
	t.Helper()
	_, password, _ := strings.Cut(printed(t, env, args...), "password ")
	return strings.TrimSpace(password)
}
