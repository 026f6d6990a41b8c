package litetest

import "syscall"

// free returns how many bytes a folder has room for; 0 where it cannot be used.
func free(folder string) uint64 {
	var s syscall.Statfs_t
	if syscall.Statfs(folder, &s) != nil {
		return 0
	}
	return s.Bavail * uint64(s.Bsize)
}
