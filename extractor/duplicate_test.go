package extractor

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestRunMarksCopies publishes an article, restarts the extractor, and publishes
// a copy of it in the other script.
func TestRunMarksCopies(t *testing.T) {
	b := openBus(t)
	const hans = "多家封装厂表示，由于金价和基板价格上涨，将从明年一月起上调报价，幅度约为百分之五。客户正在评估，有的已经提前下单。"
	const hant = "多家封裝廠表示，由於金價和基板價格上漲，將從明年一月起上調報價，幅度約為百分之五。客戶正在評估，有的已經提前下單。"
	run := func(path, text string, n int) {
		ctx, cancel := context.WithCancel(t.Context())
		x, err := New(Options{Bus: b})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Start(ctx); err != nil {
			t.Fatal(err)
		}
		deadline := time.After(30 * time.Second)
		for x.copies.Len() < n-1 { // what is there is read in the background
			select {
			case <-deadline:
				t.Fatal("the earlier article is not remembered")
			case <-time.After(5 * time.Millisecond):
			}
		}
		page := "<html><head><title>报价</title><meta property=\"og:site_name\" content=\"" + path + "观察\"></head><body><h1>报价</h1><p>2025-11-10</p><p>" + text + "</p></body></html>"
		if err := b.PublishPage(t.Context(), htmlPage(path, page)); err != nil {
			t.Fatal(err)
		}
		articles(t, b, n)
		cancel()
		if err := x.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	run("a", hans, 1)
	run("b", hant, 2)
	list := articles(t, b, 2)
	if list[0].DuplicateOf != "" {
		t.Errorf("the first article is a duplicate of %s", list[0].DuplicateOf)
	}
	if got := list[1]; got.DuplicateOf != list[0].ID || !strings.HasPrefix(got.FirstPublisher, "a") {
		t.Errorf("the copy: got duplicate of %q, first published by %q; want %q, by a观察", got.DuplicateOf, got.FirstPublisher, list[0].ID)
	}
	for _, a := range list {
		if a.Published.Location() != time.UTC || a.Published.Format(time.DateOnly) != "2025-11-10" {
			t.Errorf("published: got %s, want 2025-11-10 in UTC", a.Published)
		}
	}
}
