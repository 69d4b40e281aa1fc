package bus

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// diskWatch refuses messages before the disk is full: a server that cannot
// write only times out. A nil one refuses nothing.
type diskWatch struct {
	dir  string
	min  int64
	log  *slog.Logger
	free func(dir string) (int64, error)

	mu      sync.Mutex
	checked time.Time
	bytes   int64
	err     error
	low     bool
}

func newDiskWatch(c Config, log *slog.Logger) *diskWatch {
	return &diskWatch{dir: c.Dir, min: c.MinFreeBytes, log: log, free: freeBytes}
}

// DiskStatus tells of the disk that the embedded server writes to.
type DiskStatus struct {
	// Free bytes are left, Required are needed for pages and frontier entries to
	// be accepted. Both are 0 on an external server, whose disk it does not see.
	Free     int64 `json:"free"`
	Required int64 `json:"required"`
	// Low is set while less than that is left: crawling pauses.
	Low bool `json:"low"`
}

// Disk tells how much room the embedded server's disk has.
func (b *Bus) Disk() DiskStatus {
	d := b.disk
	if d == nil {
		return DiskStatus{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.look()
	return DiskStatus{Free: d.bytes, Required: max(d.min, 0), Low: d.low}
}

// look measures at most once a second, and tells of changes. The caller holds
// d.mu.
func (d *diskWatch) look() {
	now := time.Now()
	if now.Sub(d.checked) < time.Second {
		return
	}
	d.checked = now
	d.bytes, d.err = d.free(d.dir)
	low := d.err == nil && d.bytes < d.min
	switch {
	case low && !d.low:
		d.log.Error("disk nearly full, crawling pauses", "dir", d.dir, "free_mib", d.bytes>>20, "required_mib", d.min>>20,
			"hint", "free some space; crawling goes on by itself then")
	case !low && d.low:
		d.log.Info("disk has room again, crawling goes on", "dir", d.dir, "free_mib", d.bytes>>20)
	}
	d.low = low
}

// watch looks every few seconds, so that a change is told of without traffic
// too, until done is closed.
func (d *diskWatch) watch(done <-chan struct{}) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		d.mu.Lock()
		d.look()
		d.mu.Unlock()
		select {
		case <-tick.C:
		case <-done:
			return
		}
	}
}

// check returns ErrFull when there is less than the minimum free for what comes
// from outside (bulk), or less than half of it for anything.
func (d *diskWatch) check(bulk bool) error {
	if d == nil || d.min < 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.look()
	if d.err != nil {
		return nil // no evidence of a full disk
	}
	need := d.min / 2
	if bulk {
		need = d.min
	}
	if d.bytes >= need {
		return nil
	}
	return hint("disk of "+d.dir, fmt.Errorf("%w: %d MiB free, %d MiB required", ErrFull, d.bytes>>20, need>>20),
		"free some space; work goes on by itself then")
}
