package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// printed runs a command to its end and returns the password that it printed, if
// it did.
func printed(t *testing.T, env []string, stdin string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Env = append(os.Environ(), env...)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("keyport %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	_, password, _ := strings.Cut(string(out), "password ")
	return strings.TrimSpace(password)
}
