package extractor

import "testing"

// BenchmarkSavedPages extracts real pages, without entities: what one core does
// in a second, parsing included.
func BenchmarkSavedPages(b *testing.B) {
	x := newExtractor(b, Options{})
	var pages []goldPage
	for _, lang := range []string{"zh", "en"} {
		for i, g := range goldPages(b, lang) {
			if lang == "zh" || i%6 == 0 {
				pages = append(pages, g)
			}
		}
	}
	size := 0
	for _, g := range pages {
		g.page.Fast = true
		size += len(g.page.Body)
	}
	b.SetBytes(int64(size / len(pages)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := x.Extract(pages[n%len(pages)].page); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pages/s")
}
