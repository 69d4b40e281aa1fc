package browser

import (
	"testing"

	"github.com/chromedp/cdproto/page"
)

// Limits of what a page may take. (Machines that run tests are busy: a reader's
// sees a page in a tenth of these times.)
const (
	// maxBytes is what a page may weigh on the wire, with all it loads.
	maxBytes = 150 << 10
	// maxPaint is when something must be seen, maxLargest when the largest part of
	// the page must be, in milliseconds.
	maxPaint   = 6000
	maxLargest = 8000
	// maxShift is how much of what is seen may move by itself.
	maxShift = 0.1
	// maxBlocked is for how long tasks over 50 ms may keep the page from answering,
	// in milliseconds, beyond those 50.
	maxBlocked = 1500
)

// watch notes in the page what a trace would tell of it.
const watch = `window.vitals = {largest: 0, shift: 0, blocked: 0};
new PerformanceObserver(l => { for (const e of l.getEntries()) vitals.largest = e.startTime; }).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(l => { for (const e of l.getEntries()) if (!e.hadRecentInput) vitals.shift += e.value; }).observe({type: "layout-shift", buffered: true});
new PerformanceObserver(l => { for (const e of l.getEntries()) vitals.blocked += Math.max(0, e.duration - 50); }).observe({type: "longtask"});`

func TestPagesAreLightAndSoonSeen(t *testing.T) {
	d := open(t)
	b := d.tab(t, reader{lang: "en"}) // without a cache
	send(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	for _, p := range d.pages() {
		before := b.loaded()
		b.visit(p.path)
		b.until("the paints", `performance.getEntriesByName("first-contentful-paint").length > 0 && vitals.largest > 0`)
		v := value[struct{ First, Largest, Shift, Blocked float64 }](b, `({first: performance.getEntriesByName("first-contentful-paint")[0].startTime, ...vitals})`)
		weight := b.loaded() - before
		t.Logf("%-10s %6.1f KiB on the wire; first paint %4.0f ms, largest %4.0f ms, layout shift %.3f, blocked %3.0f ms", p.name, weight/1024, v.First, v.Largest, v.Shift, v.Blocked)
		for _, limit := range []struct {
			what      string
			got, most float64
		}{
			{"bytes on the wire", weight, maxBytes},
			{"ms to the first paint", v.First, maxPaint},
			{"ms to the largest paint", v.Largest, maxLargest},
			{"of layout shift", v.Shift, maxShift},
			{"ms blocked", v.Blocked, maxBlocked},
		} {
			if limit.got > limit.most {
				t.Errorf("%s: got %.3g %s, want at most %.3g", p.name, limit.got, limit.what, limit.most)
			}
		}
	}
}
