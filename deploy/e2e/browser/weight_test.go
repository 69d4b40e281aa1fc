package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// weight is what a page costs its reader. Nothing in it is a time on the clock,
// which says more of the machine that runs the test than of the page.
type weight struct {
	Bytes    float64 // on the wire, with all that is loaded
	Blocking float64 // requests that the first paint waits for
	Elements float64
	Layouts  float64
	CPU      float64 // of the page's main thread, in ms
	Shift    float64 // how much of what is seen moves by itself
}

// limits are the most that a page may cost: two to three times the heaviest today.
var limits = weight{Bytes: 100 << 10, Blocking: 2, Elements: 2500, Layouts: 8, CPU: 400, Shift: 0.1}

// over returns what of w is more than the limits.
func (w weight) over() []string {
	var out []string
	for _, l := range []struct {
		what      string
		got, most float64
	}{
		{"bytes on the wire", w.Bytes, limits.Bytes},
		{"requests before the first paint", w.Blocking, limits.Blocking},
		{"elements", w.Elements, limits.Elements},
		{"layouts", w.Layouts, limits.Layouts},
		{"ms of CPU", w.CPU, limits.CPU},
		{"of layout shift", w.Shift, limits.Shift},
	} {
		if l.got > l.most {
			out = append(out, fmt.Sprintf("%.3g %s, want at most %.3g", l.got, l.what, l.most))
		}
	}
	return out
}

// watch notes in the page what a trace would tell of it.
const watch = `window.vitals = {largest: 0, shift: 0};
new PerformanceObserver(l => { for (const e of l.getEntries()) vitals.largest = e.startTime; }).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(l => { for (const e of l.getEntries()) if (!e.hadRecentInput) vitals.shift += e.value; }).observe({type: "layout-shift", buffered: true});`

// weigh loads a page in a tab of its own, without a cache.
func (d *desk) weigh(t *testing.T, path string) weight {
	t.Helper()
	b := d.tab(t, reader{lang: "en"})
	send(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	send(b, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	b.visit(path)
	b.until("the paints", `performance.getEntriesByName("first-contentful-paint").length > 0 && vitals.largest > 0 && document.readyState === "complete"`)
	w := value[weight](b, `({elements: document.querySelectorAll("*").length, shift: vitals.shift,
		blocking: performance.getEntriesByType("resource").filter(r => r.renderBlockingStatus === "blocking").length})`)
	w.Bytes = b.loaded()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		r, err := cdp.Call(ctx, target, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, m := range r.Metrics {
			switch m.Name {
			case "LayoutCount":
				w.Layouts = m.Value
			case "TaskDuration":
				w.CPU = 1000 * m.Value
			}
		}
		return nil
	}))
	return w
}

func TestPagesAreLight(t *testing.T) {
	d := open(t)
	for _, p := range d.pages() {
		w := d.weigh(t, p.path)
		t.Logf("%-10s %5.1f KiB on the wire, %.0f requests before the first paint, %4.0f elements, %2.0f layouts, %3.0f ms of CPU, layout shift %.3f", p.name, w.Bytes/1024, w.Blocking, w.Elements, w.Layouts, w.CPU, w.Shift)
		for _, more := range w.over() {
			t.Errorf("%s: got %s", p.name, more)
		}
	}
}

// A page that is heavy in each way is found to be so in each way.
func TestHeavyPageIsFound(t *testing.T) {
	shared := open(t)
	heavy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, ".css"):
			w.Header().Set("Content-Type", "text/css")
		case strings.HasSuffix(r.URL.Path, ".js"):
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = fmt.Fprint(w, `addEventListener("load", () => {
				for (let i = 0; i < 50; i++) { document.body.style.fontSize = 10 + i % 9 + "px"; document.body.offsetHeight; }
			});`) // the client waits
		default:
			_, _ = fmt.Fprint(w, `<!DOCTYPE html><title>heavy</title><link rel="stylesheet" href="a.css"><link rel="stylesheet" href="b.css"><script src="c.js"></script><body><h1>heavy</h1>`, strings.Repeat("<p>one of a great many, each as long as this", 3000)) // as above
		}
	}))
	defer heavy.Close()
	d := &desk{base: heavy.URL, browser: shared.browser}
	over := strings.Join(d.weigh(t, "/").over(), "; ")
	for _, want := range []string{"bytes", "requests", "elements", "layouts", "CPU"} {
		if !strings.Contains(over, want) {
			t.Errorf("got %q, want too many %s among it", over, want)
		}
	}
}
