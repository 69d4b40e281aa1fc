//go:build !linux

package baddisk

// Serve returns false: there are bad disks on Linux only.
func Serve() bool { return false }
