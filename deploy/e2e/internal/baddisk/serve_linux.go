package baddisk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Serve serves a disk if this process was started for one, and returns whether it
// was. It ends with the process that started it, and so does the disk: what still
// waits for it fails.
func Serve() bool {
	text := os.Getenv(serveEnv)
	if text == "" {
		return false
	}
	if err := serve(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func serve(text string) (err error) {
	var where mount
	if err := json.Unmarshal([]byte(text), &where); err != nil {
		return err
	}
	var st syscall.Stat_t
	if err := syscall.Stat(where.Below, &st); err != nil {
		return err
	}
	d := new(disk)
	d.fault.Store(new(Fault))
	root := &fs.LoopbackRoot{Path: where.Below, Dev: uint64(st.Dev)}
	root.RootNode = &node{LoopbackNode: fs.LoopbackNode{RootData: root}, disk: d}
	_, err = fs.Mount(where.Dir, root.RootNode, &fs.Options{MountOptions: fuse.MountOptions{
		FsName: "baddisk", DirectMountStrict: true, MaxWrite: 1 << 20,
	}})
	if err != nil {
		return err
	}
	// What is open on it must not keep the directory busy, nor this process.
	defer func() { err = errors.Join(err, syscall.Unmount(where.Dir, syscall.MNT_DETACH)) }()
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		if err := out.Encode(counts{d.writes.Load(), d.syncs.Load(), d.failed.Load()}); err != nil {
			return err
		}
		var ask request
		if err := in.Decode(&ask); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if ask.Fault != nil {
			d.fault.Store(ask.Fault)
		}
	}
}

// disk is what nodes and files share.
type disk struct {
	fault                 atomic.Pointer[Fault]
	writes, syncs, failed atomic.Int64
}

// suffer takes the time that a write or sync takes, and says how it ends. No
// signal interrupts it: Go sends itself many, and a disk knows of none.
func (d *disk) suffer(took func(*Fault) time.Duration) syscall.Errno {
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
	disk *disk
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
	disk *disk
}

func (d *disk) wrap(h fs.FileHandle) fs.FileHandle {
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
