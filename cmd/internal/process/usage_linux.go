package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// attributes end the child with its parent.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// CPU returns the processor time that a process has used, in steps of 10 ms.
func CPU(pid int) (time.Duration, error) {
	s, err := stat(pid)
	return s.own, err
}

// FamilyCPU returns the processor time that a process and its children have
// used, those that have ended included.
func FamilyCPU(pid int) (time.Duration, error) {
	s, err := stat(pid)
	if err != nil {
		return 0, err
	}
	sum := s.own + s.ended
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, file := range all {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		if s, err := stat(child); err == nil && s.parent == pid { // it may be gone by now
			sum += s.own
		}
	}
	return sum, nil
}

// status is what is read of /proc/PID/stat.
type status struct {
	parent     int
	own, ended time.Duration // its own time, and that of the children it has waited for
}

// tick is the unit of the times in /proc: USER_HZ, which is 100 on every
// architecture that Go runs on.
const tick = 10 * time.Millisecond

// stat reads /proc/PID/stat. The name comes second there and may hold anything, so
// the fields are counted from behind it (proc(5)).
func stat(pid int) (s status, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return s, err
	}
	line := string(text)
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 15 {
		return s, fmt.Errorf("process %d: its stat has %d fields", pid, len(fields))
	}
	if s.parent, err = strconv.Atoi(fields[1]); err != nil {
		return s, err
	}
	for i, into := range []*time.Duration{&s.own, &s.own, &s.ended, &s.ended} {
		n, err := strconv.ParseInt(fields[11+i], 10, 64)
		if err != nil {
			return s, err
		}
		*into += time.Duration(n) * tick
	}
	return s, nil
}

// RSS returns the memory of a process that is resident, in bytes.
func RSS(pid int) (int64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("process %d: its statm has %d fields", pid, len(fields))
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
