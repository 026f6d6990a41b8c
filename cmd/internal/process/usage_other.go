//go:build unix && !linux

package process

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// attributes start the child plainly: no other system ends it with its parent.
func attributes() *syscall.SysProcAttr { return nil }

// CPU returns the processor time that a process has used, as exactly as ps tells
// it.
func CPU(pid int) (time.Duration, error) {
	text, err := ps(pid, "time=")
	if err != nil {
		return 0, err
	}
	var sum float64 // seconds, of [HH:]MM:SS[.FF]
	for part := range strings.SplitSeq(text, ":") {
		n, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return 0, fmt.Errorf("process %d: %q is no time", pid, text)
		}
		sum = sum*60 + n
	}
	return time.Duration(sum * float64(time.Second)), nil
}

// FamilyCPU returns the processor time that a process has used. Its children's is
// not told here.
func FamilyCPU(pid int) (time.Duration, error) { return CPU(pid) }

// RSS returns the memory of a process that is resident, in bytes.
func RSS(pid int) (int64, error) {
	text, err := ps(pid, "rss=")
	if err != nil {
		return 0, err
	}
	kilobytes, err := strconv.ParseInt(text, 10, 64)
	return kilobytes << 10, err
}

func ps(pid int, column string) (string, error) {
	out, err := exec.Command("ps", "-o", column, "-p", strconv.Itoa(pid)).Output()
	return strings.TrimSpace(string(out)), err
}
