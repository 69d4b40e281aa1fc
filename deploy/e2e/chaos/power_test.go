package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"xinwen/deploy/e2e/internal/run"
)

// disk is a file system of its own in a file.
type disk struct {
	t    *testing.T
	file string
	dir  string
}

// newDisk makes and mounts an ext4 file system that writes nothing back by itself
// for ten minutes. It skips the test where that is not permitted.
func newDisk(t *testing.T, megabytes int64) *disk {
	t.Helper()
	d := &disk{t: t, file: filepath.Join(t.TempDir(), "disk"), dir: t.TempDir()}
	err := os.WriteFile(d.file, nil, 0o600)
	if err == nil {
		err = os.Truncate(d.file, megabytes<<20)
	}
	if err == nil {
		err = exec.CommandContext(t.Context(), "mkfs.ext4", "-q", "-F", d.file).Run()
	}
	if err == nil {
		err = d.mount()
	}
	if err != nil {
		t.Skipf("no disk of its own can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		// A process that failed the test may be there for a moment yet.
		if out, err := exec.Command("umount", "--lazy", d.dir).CombinedOutput(); err != nil {
			t.Errorf("unmount %s: %v: %s", d.dir, err, out)
		}
	})
	return d
}

func (d *disk) mount() error {
	out, err := exec.CommandContext(d.t.Context(), "mount", "-o", "loop,commit=600", d.file, d.dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

const (
	ext4Shutdown    = 0x8004587d // EXT4_IOC_SHUTDOWN
	withoutLogFlush = 2          // what is not on the disk now never will be
)

// cut takes the disk's power: what was written and neither synced nor written
// back by the kernel is gone, and every later write fails.
func (d *disk) cut() {
	d.t.Helper()
	f, err := os.Open(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	flags := uint32(withoutLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), ext4Shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		d.t.Fatalf("shut down the file system: %v", errno)
	}
}

// restore gives the power back.
func (d *disk) restore() {
	d.t.Helper()
	if err := syscall.Unmount(d.dir, 0); err != nil {
		d.t.Fatal(err)
	}
	if err := d.mount(); err != nil {
		d.t.Fatal(err)
	}
}

// TestPowerCut takes the power at any time: what was acknowledged must have been
// synced before.
func TestPowerCut(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls the demo web")
	}
	t.Parallel()
	left := kills(t, 3)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 5))
	again, cuts := 0, 0
	for crawl := 1; left > 0; crawl++ {
		n := min(left, 3)
		left -= n
		if !t.Run(fmt.Sprint("crawl-", crawl), func(t *testing.T) {
			d := newDisk(t, 512)
			w := newWorld(t)
			p := whole(t, w)
			p.Data, p.MinFree = filepath.Join(d.dir, "data"), -1
			for range n {
				x := run.Launch(t, p)
				<-x.Started()
				life := time.NewTimer(time.Duration(random.Int64N(int64(3 * time.Second))))
				<-life.C
				d.cut()
				x.Kill()
				d.restore()
				cuts++
			}
			x := run.Launch(t, p)
			w.settle(settleWithin)
			x.Stop(t)
			again += w.receiver.Again()
		}) {
			break
		}
	}
	t.Logf("%d power cuts; %d deliveries came again under their name", cuts, again)
}
