// Package baddisk is a disk that is slow, or fails, while a test wants it to: a
// FUSE file system that passes everything on to a directory. What uses it is not
// changed and not asked; maps, locks and sockets work on it as on any other.
//
// A process of its own serves it, the test binary again, since a process that
// waits for a disk that it serves itself may wait for ever. So a package that
// uses New needs
//
//	func TestMain(m *testing.M) {
//		if !baddisk.Serve() {
//			os.Exit(m.Run())
//		}
//	}
package baddisk

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// serveEnv makes the test binary serve a disk instead of running tests; its value
// is the mount.
const serveEnv = "XINWEN_E2E_BAD_DISK"

// Fault is how a disk behaves. The zero value is a good disk.
type Fault struct {
	// Write and Sync are how long a write and a sync of a file take on average;
	// each takes between half and one and a half of it.
	Write, Sync time.Duration
	// Errno is what one of Of writes and syncs, chosen by chance, ends with.
	Errno syscall.Errno
	Of    int
}

// mount says where a disk is mounted, and what directory it passes everything to.
type mount struct{ Dir, Below string }

// request is what the serving process is asked: to behave so from now on, or, with
// no fault, only for the counts, which answer every request.
type request struct{ Fault *Fault }

type counts struct{ Writes, Syncs, Failed int64 }

// Disk is a bad disk. Make it with New.
type Disk struct {
	// Dir is where it is mounted.
	Dir string

	t   *testing.T
	mu  sync.Mutex
	in  *json.Encoder
	out *json.Decoder
}

// New mounts a good disk that ends with the test. It skips the test where that is
// not permitted.
func New(t *testing.T) *Disk {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a bad disk is a file system of Linux")
	}
	d := &Disk{Dir: t.TempDir(), t: t}
	where, err := json.Marshal(mount{d.Dir, t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serveEnv+"="+string(where))
	var said strings.Builder
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.in, d.out = json.NewEncoder(in), json.NewDecoder(out)
	var mounted counts
	if err := d.out.Decode(&mounted); err != nil {
		_, _ = io.Copy(io.Discard, out) // until it has ended
		_ = cmd.Wait()                  // what it said tells more
		t.Skipf("no file system of its own can be mounted here: %s", strings.TrimSpace(said.String()))
	}
	t.Cleanup(func() {
		in.Close() // that ends it
		if err := cmd.Wait(); err != nil {
			t.Errorf("the process that serves the disk: %v: %s", err, said.String())
		}
	})
	return d
}

// Set makes the disk behave so from now on.
func (d *Disk) Set(f Fault) { d.ask(request{&f}) }

// Counts returns how many writes and syncs there were, and how many of both
// failed, since the disk was made.
func (d *Disk) Counts() (writes, syncs, failed int64) {
	n := d.ask(request{})
	return n.Writes, n.Syncs, n.Failed
}

func (d *Disk) ask(r request) (n counts) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.in.Encode(r); err != nil {
		d.t.Fatal(err)
	}
	if err := d.out.Decode(&n); err != nil {
		d.t.Fatal(err)
	}
	return n
}
