package crawler

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Report counts what a crawl did.
type Report struct {
	// Sources is the number of sources to poll once; Polls counts polls, and
	// FailedPolls those that brought nothing.
	Sources     int `json:"sources,omitempty"`
	Polls       int `json:"polls"`
	FailedPolls int `json:"failed_polls"`
	// Entries counts what feeds and list pages named, New what was not known.
	Entries int `json:"entries"`
	New     int `json:"new"`
	// Pages and Bytes count what was published.
	Pages int   `json:"pages"`
	Bytes int64 `json:"bytes"`
	// Denied counts addresses that robots.txt forbids, Quarantined pages that
	// failed for good, Later entries that wait for a server that put us off.
	Denied      int           `json:"denied"`
	Quarantined int           `json:"quarantined"`
	Later       int           `json:"later"`
	Took        time.Duration `json:"took"`
}

// String returns r in one line.
func (r Report) String() string {
	return fmt.Sprintf("%d polls (%d failed), %d entries (%d new), %d pages, %d denied, %d quarantined, %d later, in %s",
		r.Polls, r.FailedPolls, r.Entries, r.New, r.Pages, r.Denied, r.Quarantined, r.Later, r.Took.Round(time.Millisecond))
}

// LogValue returns r as attributes.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Int("polls", r.Polls), slog.Int("failed_polls", r.FailedPolls), slog.Int("entries", r.Entries), slog.Int("new", r.New),
		slog.Int("pages", r.Pages), slog.Int64("bytes", r.Bytes), slog.Int("denied", r.Denied),
		slog.Int("quarantined", r.Quarantined), slog.Int("later", r.Later), slog.Duration("took", r.Took),
	)
}

// report collects a Report.
type report struct {
	mu sync.Mutex
	r  Report
}

func (p *report) change(f func(*Report)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.r)
}

func (p *report) get() Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.r
}

func (p *report) sources(n int) { p.change(func(r *Report) { r.Sources = n }) }
func (p *report) poll(ok bool) {
	p.change(func(r *Report) {
		r.Polls++
		if !ok {
			r.FailedPolls++
		}
	})
}

func (p *report) entries(all, added int) {
	p.change(func(r *Report) { r.Entries += all; r.New += added })
}

func (p *report) page(bytes int)       { p.change(func(r *Report) { r.Pages++; r.Bytes += int64(bytes) }) }
func (p *report) denied()              { p.change(func(r *Report) { r.Denied++ }) }
func (p *report) failed()              { p.change(func(r *Report) { r.Quarantined++ }) }
func (p *report) later(n int)          { p.change(func(r *Report) { r.Later = n }) }
func (p *report) took(d time.Duration) { p.change(func(r *Report) { r.Took = d }) }
