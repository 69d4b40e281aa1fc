// Package baddisk is a disk that is slow, or fails, while a test wants it to: a
// FUSE file system that passes everything on to a directory. What uses it is not
// changed and not asked; maps, locks and sockets work on it as on any other.
package baddisk

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Fault is how a disk behaves. The zero value is a good disk.
type Fault struct {
	// Write and Sync are how long a write and a sync of a file take on average;
	// each takes between half and one and a half of it.
	Write, Sync time.Duration
	// Errno is what one of Of writes and syncs, chosen by chance, ends with.
	Errno syscall.Errno
	Of    int
}

// Disk is a bad disk. Make it with New.
type Disk struct {
	// Dir is where it is mounted.
	Dir   string
	fault atomic.Pointer[Fault]
	// writes, syncs and failed are counts.
	writes, syncs, failed atomic.Int64
}

// New mounts a good disk that ends with the test. It skips the test where that is
// not permitted.
func New(t *testing.T) *Disk {
	t.Helper()
	d := &Disk{Dir: t.TempDir()}
	d.Set(Fault{})
	below := t.TempDir()
	var st syscall.Stat_t
	if err := syscall.Stat(below, &st); err != nil {
		t.Fatal(err)
	}
	root := &fs.LoopbackRoot{Path: below, Dev: st.Dev}
	root.RootNode = &node{LoopbackNode: fs.LoopbackNode{RootData: root}, disk: d}
	server, err := fs.Mount(d.Dir, root.RootNode, &fs.Options{MountOptions: fuse.MountOptions{
		FsName: "baddisk", DirectMountStrict: true, MaxWrite: 1 << 20,
	}})
	if err != nil {
		t.Skipf("no file system of its own can be mounted here: %v", err)
	}
	closeOnExec(t)
	t.Cleanup(func() {
		// A process that failed the test may be there for a moment yet.
		if err := syscall.Unmount(d.Dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", d.Dir, err)
		}
		server.Wait()
	})
	return d
}

// closeOnExec keeps processes that the test starts from holding the file system
// open: when the test ends without a cleanup, its requests must fail, not wait.
func closeOnExec(t *testing.T) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range open {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || to != "/dev/fuse" {
			continue
		}
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			syscall.CloseOnExec(fd)
		}
	}
}

// Set makes the disk behave so from now on.
func (d *Disk) Set(f Fault) { d.fault.Store(&f) }

// Counts returns how many writes and syncs there were, and how many of both
// failed, since the disk was made.
func (d *Disk) Counts() (writes, syncs, failed int64) {
	return d.writes.Load(), d.syncs.Load(), d.failed.Load()
}

// suffer takes the time that a write or sync takes, and says how it ends. No
// signal interrupts it: Go sends itself many, and a disk knows of none.
func (d *Disk) suffer(took func(*Fault) time.Duration) syscall.Errno {
	f := d.fault.Load()
	if mean := took(f); mean > 0 {
		<-time.After(mean/2 + rand.N(mean))
	}
	if f.Errno != 0 && rand.IntN(max(f.Of, 1)) == 0 {
		d.failed.Add(1)
		return f.Errno
	}
	return fs.OK
}

// node is a directory or file.
type node struct {
	fs.LoopbackNode
	disk *Disk
}

// WrapChild implements fs.NodeWrapChilder.
func (n *node) WrapChild(_ context.Context, ops fs.InodeEmbedder) fs.InodeEmbedder {
	below, ok := ops.(*fs.LoopbackNode)
	if !ok {
		return ops
	}
	return &node{LoopbackNode: fs.LoopbackNode{RootData: below.RootData}, disk: n.disk}
}

// Open implements fs.NodeOpener.
func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	h, flags, errno := n.LoopbackNode.Open(ctx, flags)
	return n.disk.wrap(h), flags, errno
}

// Create implements fs.NodeCreater.
func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	i, h, flags, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	return i, n.disk.wrap(h), flags, errno
}

// file is an open file.
type file struct {
	*fs.LoopbackFile
	disk *Disk
}

func (d *Disk) wrap(h fs.FileHandle) fs.FileHandle {
	if f, ok := h.(*fs.LoopbackFile); ok {
		return &file{f, d}
	}
	return h
}

// PassthroughFd implements fs.FilePassthroughFder: the kernel must not write
// without asking.
func (f *file) PassthroughFd() (int, bool) { return 0, false }

// Write implements fs.FileWriter.
func (f *file) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	f.disk.writes.Add(1)
	if errno := f.disk.suffer(func(f *Fault) time.Duration { return f.Write }); errno != fs.OK {
		return 0, errno
	}
	return f.LoopbackFile.Write(ctx, data, off)
}

// Fsync implements fs.FileFsyncer.
func (f *file) Fsync(context.Context, uint32) syscall.Errno {
	f.disk.syncs.Add(1)
	// What is below keeps what was written though its process is killed, and
	// nobody takes its power: to sync that, too, would only be slower.
	return f.disk.suffer(func(f *Fault) time.Duration { return f.Sync })
}
