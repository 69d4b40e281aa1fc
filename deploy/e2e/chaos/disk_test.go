package chaos

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"xinwen/deploy/e2e/internal/baddisk"
	"xinwen/deploy/e2e/internal/run"
)

// badDisk is one spell of a bad disk.
type badDisk struct {
	name  string
	fault baddisk.Fault
	lasts time.Duration
	long  bool // only in a long run
}

var badDisks = []badDisk{
	{"slow", baddisk.Fault{Write: 10 * time.Millisecond, Sync: 400 * time.Millisecond}, 8 * time.Second, false},
	{"very-slow", baddisk.Fault{Write: 50 * time.Millisecond, Sync: 2 * time.Second}, time.Minute, true},
	{"failing-now-and-then", baddisk.Fault{Errno: syscall.EIO, Of: 20}, 3 * time.Second, false},
	{"failing", baddisk.Fault{Errno: syscall.EIO, Of: 3}, 5 * time.Second, true},
	{"dead", baddisk.Fault{Errno: syscall.EIO, Of: 1}, 20 * time.Second, true},
	{"full-now-and-then", baddisk.Fault{Errno: syscall.ENOSPC, Of: 5}, 20 * time.Second, true},
}

// TestBadDisk makes the disk that all data is on slow, or lets writes and syncs
// fail, in the middle of a crawl, and mends it: what was begun is done then. No
// process ends because the disk is slow, and no crawler loses its part of the
// frontier. Services in processes of their own share the disk with their NATS
// server.
func TestBadDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls the demo web")
	}
	t.Parallel()
	for _, c := range badDisks {
		for name, system := range map[string]func(*testing.T, *world, string) []run.Part{"whole": wholeOn, "services": partsOn} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				if !long() && (c.long || (name == "whole") != (c.fault.Errno != 0)) {
					t.Skip("only with " + killsEnv)
				}
				t.Parallel()
				c.run(t, system)
			})
		}
	}
}

func wholeOn(t *testing.T, w *world, dir string) []run.Part {
	p := whole(t, w)
	p.Data = filepath.Join(dir, p.Name)
	return []run.Part{p}
}

func partsOn(t *testing.T, w *world, dir string) []run.Part {
	list := parts(t, w)
	for i := range list {
		list[i].Data = filepath.Join(dir, list[i].Name)
	}
	return list
}

func (c badDisk) run(t *testing.T, system func(*testing.T, *world, string) []run.Part) {
	d := baddisk.New(t)
	w := newWorld(t)
	sum := newTally()
	sys := newSystem(t, system(t, w, d.Dir), sum)
	for i := range sys.parts {
		sys.parts[i].MinFree = -1
	}
	w.supervise = sys.supervise
	defer sys.stop()
	sys.startAll(func(*run.Part) {})
	leases := sys.leaseChanges(t)
	w.begun()
	taken := leases.Load()
	d.Set(c.fault)
	w.publish(8)
	began := time.Now()
	w.until(c.lasts+time.Minute, func() string {
		if time.Since(began) < c.lasts {
			return "the disk is bad"
		}
		return ""
	})
	w.publish(2)
	d.Set(baddisk.Fault{})
	mended := time.Now()
	w.settle(settleWithin)
	writes, syncs, failed := d.Counts()
	changes := leases.Load() - taken
	t.Logf("done %s after the disk was mended; %d writes, %d syncs, %d failed; %d changes of leases", time.Since(mended).Round(time.Millisecond), writes, syncs, failed, changes)
	sum.judged(w)
	sum.report(t)
	if c.fault.Errno != 0 {
		if failed == 0 {
			t.Error("nothing failed on the disk")
		}
		return
	}
	if changes > 0 {
		t.Errorf("leases changed %d times while the disk was slow", changes)
	}
	if len(sum.deaths) > 0 {
		t.Errorf("ended while the disk was slow: %v", sum.deaths)
	}
}
