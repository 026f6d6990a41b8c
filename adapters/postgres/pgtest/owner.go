package pgtest

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// An owner is the account that a server runs as where this process is root,
// for a PostgreSQL server refuses to. A nil owner is whoever runs this.
type owner struct{ uid, gid uint32 }

// unprivileged returns the account postgres, or nobody where there is none, and
// nil where this process is not root.
func unprivileged() (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("an account to run the server as, which root cannot be: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &owner{uint32(uid), uint32(gid)}, nil
}

// own gives a file to the owner.
func (o *owner) own(file string) error {
	if o == nil {
		return nil
	}
	return os.Chown(file, int(o.uid), int(o.gid))
}

// attributes start a process as the owner, and in a session of its own: a key
// pressed at the terminal is for the tests, which end the process in order.
func (o *owner) attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setsid: true}
	if o != nil {
		a.Credential = &syscall.Credential{Uid: o.uid, Gid: o.gid}
	}
	return a
}
