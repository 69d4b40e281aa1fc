package bus

import "time"

// SetFree makes the disk watch take free for the space that is left, from its
// next look on, which comes at once.
func (b *Bus) SetFree(free int64) {
	b.disk.mu.Lock()
	defer b.disk.mu.Unlock()
	b.disk.free = func(string) (int64, error) { return free, nil }
	b.disk.checked = time.Time{}
}
