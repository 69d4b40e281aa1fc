package main

import "math"

// checkFiles has nothing to look at.
func checkFiles() error { return nil }

// freeBytes leaves the watch of the disk to the bus.
func freeBytes(string) (int64, error) { return math.MaxInt64, nil }
