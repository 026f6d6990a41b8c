//go:build unix && !linux

package pgtest

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
)

// children lists the processes whose parent is pid.
func children(pid int) ([]int, error) {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil, err
	}
	var found []int
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var child, parent int
		if _, err := fmt.Sscan(lines.Text(), &child, &parent); err == nil && parent == pid {
			found = append(found, child)
		}
	}
	return found, nil
}

// alive reports whether pid still runs.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// free knows of no file system in memory.
func free(string) uint64 { return 0 }

// forget leaves the few bytes of shared memory that a killed server had: the
// next start on this machine takes them over.
func forget(string) {}
