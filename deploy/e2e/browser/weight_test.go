package browser

import "testing"

const (
	// maxBytes is what a page may weigh on the wire, with all it loads.
	maxBytes = 150 << 10
	// maxPaint is when something must be seen, in milliseconds. (Machines that
	// run tests are busy; a reader's sees it in a tenth of that.)
	maxPaint = 3000
)

func TestPagesAreLightAndSoonSeen(t *testing.T) {
	d := open(t)
	for _, p := range d.pages() {
		t.Run(p.name, func(t *testing.T) {
			b := d.tab(t, reader{lang: "en"})
			b.visit(p.path)
			b.until("the first paint", `performance.getEntriesByName("first-contentful-paint").length > 0`)
			paint := value[float64](b, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)
			b.mu.Lock()
			weight := b.bytes
			b.mu.Unlock()
			t.Logf("%-10s %6.1f KiB on the wire, first contentful paint after %4.0f ms", p.name, weight/1024, paint)
			if weight > maxBytes {
				t.Errorf("got %.1f KiB, want at most %d", weight/1024, maxBytes>>10)
			}
			if paint > maxPaint {
				t.Errorf("got the first paint after %.0f ms, want at most %d", paint, maxPaint)
			}
		})
	}
}
