package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build builds cmd/keyport, static and stripped as it is released, into a
// temporary folder that cleanup removes. The working directory must lie in the
// module.
func Build(ctx context.Context) (binary string, cleanup func() error, err error) {
	folder, err := os.MkdirTemp("", "keyport-build-")
	if err != nil {
		return "", nil, err
	}
	cleanup = func() error { return os.RemoveAll(folder) }
	binary = filepath.Join(folder, "keyport")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary,
		"github.com/keyport-go/keyport/cmd/keyport")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("go build: %w\n%s", err, out), cleanup())
	}
	return binary, cleanup, nil
}
