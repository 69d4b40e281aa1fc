//go:build unix

package main

import "syscall"

// checkFiles looks at how many files a process of this user may open.
func checkFiles() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	return checkFileLimit(max(l.Cur, l.Max)) // Go raises the soft limit by itself
}

// freeBytes returns the space left for this user on dir's file system.
func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
