package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// profile returns the head and the first five lines of a CPU profile that is
// taken from Keyport for d while the load runs.
func profile(ctx context.Context, k *process.Keyport, l *load, d time.Duration) (lines []string, err error) {
	f, err := os.CreateTemp("", "keyport-profile-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	defer f.Close()
	ops := k.Ops()
	defer ops.Close()
	taken := make(chan error, 1)
	go func() {
		a, err := ops.Send(ctx, process.Request{
			Method: http.MethodGet, Path: fmt.Sprintf("/debug/pprof/profile?seconds=%d", d/time.Second),
		})
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("the profile: %s", a)
		}
		if err == nil {
			_, err = f.Write(a.Body)
		}
		taken <- err
	}()
	_, _, err = l.run(ctx, d+200*time.Millisecond)
	if err := errors.Join(err, <-taken); err != nil {
		return nil, err
	}
	top, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-nodecount=5", f.Name()).Output()
	if err != nil {
		return nil, fmt.Errorf("go tool pprof: %w", err)
	}
	for line := range strings.Lines(string(top)) {
		if head := strings.Contains(line, "flat%"); head || len(lines) > 0 {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	return lines, nil
}
