package pgtest

import (
	"errors"
	"syscall"
)

// reap reports whether the child pid has ended, and takes its number back.
func reap(pid int) bool {
	for {
		done, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		if !errors.Is(err, syscall.EINTR) {
			return done == pid || err != nil
		}
	}
}

// bury waits for a child that has been killed.
func bury(pid int) {
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}
