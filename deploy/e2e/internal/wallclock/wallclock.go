// Package wallclock jumps the wall clock of a process that runs, as an operator
// or a time server does, without touching the machine's or any other process's.
//
// A process that follows a file sees the time of day moved by what the file says,
// in all its code at once: the runtime, the embedded NATS server and every
// library ask the kernel's vDSO, and its answer is replaced in this process's
// memory. Monotonic time goes on as ever, as it does on a machine whose clock is
// set.
package wallclock

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Clock is a file that processes follow. Make it with New.
type Clock struct {
	// File is what a process follows.
	File string
	off  time.Duration
}

// New returns a clock that shows the true time. It skips the test where a process
// cannot follow one.
func New(t *testing.T) *Clock {
	t.Helper()
	if err := possible(); err != nil {
		t.Skipf("the clock of a process cannot be moved here: %v", err)
	}
	c := &Clock{File: filepath.Join(t.TempDir(), "clock")}
	c.Set(t, 0)
	return c
}

// Set moves the time of day to so much after the true one, in whole seconds.
func (c *Clock) Set(t *testing.T, off time.Duration) {
	t.Helper()
	f, err := os.OpenFile(c.File, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// In one write into a page that is mapped elsewhere: nobody sees half of it.
	if _, err := f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(int64(off/time.Second))), 0); err != nil {
		t.Fatal(err)
	}
	c.off = off
}

// Off returns how far the clock is from the true time.
func (c *Clock) Off() time.Duration { return c.off }
