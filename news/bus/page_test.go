package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news"
	"xinwen/news/bus"
)

// noise returns bytes that no compression makes smaller.
func noise(n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(n)})
	out := make([]byte, n)
	_, _ = r.Read(out) // never fails
	return out
}

// samePage spares cmp the bodies, which are large.
func samePage(t *testing.T, got, want *news.Page) {
	t.Helper()
	g, w := *got, *want
	g.Body, w.Body = nil, nil
	if d := cmp.Diff(w, g); d != "" {
		t.Errorf("page (-want +got):\n%s", d)
	}
	if !bytes.Equal(got.Body, want.Body) {
		t.Errorf("page %s: got another body of %d bytes, want %d", want.ID, len(got.Body), len(want.Body))
	}
}

func testLargePage(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	small := &news.Page{
		ID: "small", URL: "https://a.example/s", Source: "a", Status: 200, ContentType: "text/html",
		Fetched: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Body: bytes.Repeat([]byte("<p>芯片</p>\n"), 10000),
	}
	large := &news.Page{ID: "large", URL: "https://a.example/l", Source: "a", Status: 200, Body: noise(3 << 20)}
	got := make(chan *news.Page, 10)
	carried := make(chan *bus.Message, 10)
	poisoned := false
	consume(t, b, bus.ConsumerConfig{Stream: bus.Pages, Name: "large"}, func(ctx context.Context, m *bus.Message) error {
		if poisoned {
			return bus.Permanent(errors.New("poison"))
		}
		p, err := b.Page(ctx, m)
		if err != nil {
			return err
		}
		carried <- m
		got <- p
		return nil
	})
	for _, p := range []*news.Page{small, large, large} {
		if err := b.PublishPage(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []*news.Page{small, large} {
		samePage(t, next(t, got), want)
		if m := next(t, carried); len(m.Data) > 700<<10 || (m.Header.Get(bus.HeaderClaim) != "") != (want == large) {
			t.Errorf("page %s travelled with %d bytes, claim %q", want.ID, len(m.Data), m.Header.Get(bus.HeaderClaim))
		}
	}
	drained(t, b, bus.Pages, "large")

	// In quarantine a large page outlives the age limit of pages.
	poisoned = true
	large.Body = noise(2 << 20)
	if err := b.PublishPage(ctx, large); err != nil {
		t.Fatal(err)
	}
	q := quarantined(t, b, func(q bus.Quarantined) bool { return q.URL == large.URL })
	drained(t, b, bus.Pages, "large")
	poisoned = false
	pages, err := b.JetStream().ObjectStore(ctx, "pages")
	if err != nil {
		t.Fatal(err)
	}
	list, err := pages.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		if err := pages.Delete(ctx, o.Name); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := b.ReplayQuarantine(ctx, q.Seq); n != 1 || err != nil {
		t.Fatalf("got %d, %v, want 1 replayed", n, err)
	}
	samePage(t, next(t, got), large)
	kept, err := b.JetStream().ObjectStore(ctx, "quarantine")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := kept.List(ctx); !errors.Is(err, jetstream.ErrNoObjectsFound) {
		t.Errorf("got %v, %v, want no object left of quarantine", list, err)
	}

	bad := &bus.Message{Stream: bus.Pages, Header: nats.Header{"Content-Encoding": {"zstd"}}, Data: []byte("no zstd")}
	if _, err := b.Page(ctx, bad); !bus.IsPermanent(err) {
		t.Errorf("got %v, want a permanent error for damaged data", err)
	}
	gone := &bus.Message{Stream: bus.Pages, Header: nats.Header{bus.HeaderClaim: {"pages/gone"}}}
	if _, err := b.Page(ctx, gone); !bus.IsPermanent(err) {
		t.Errorf("got %v, want a permanent error for a missing object", err)
	}
	gone.Time = time.Now()
	if _, err := b.Page(ctx, gone); err == nil || bus.IsPermanent(err) {
		t.Errorf("got %v, want another try for an object that may be on its way", err)
	}
}

// Handled pages make room for new ones, others do not.
func testFullPages(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	if err := b.JetStream().DeleteConsumer(ctx, bus.Pages, "large"); err != nil {
		t.Fatal(err)
	}
	s, err := b.JetStream().Stream(ctx, bus.Pages)
	if err == nil {
		err = s.Purge(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	page := func(i int) *news.Page {
		body := noise(10_000)
		body[0] = byte(i)
		return &news.Page{ID: fmt.Sprint("trim", i), URL: "https://a.example/t", Source: "a", Status: 200, Body: body}
	}
	const handled = 4 // pages that are acked before the stream is full
	hold := make(chan struct{})
	got := make(chan uint64, 100)
	var n atomic.Int64
	consume(t, b, bus.ConsumerConfig{Stream: bus.Pages, Name: "trim"}, func(ctx context.Context, m *bus.Message) error {
		got <- m.Seq
		if n.Add(1) > handled {
			select {
			case <-hold:
			case <-ctx.Done():
			}
		}
		return nil
	})
	for i := range handled {
		if err := b.PublishPage(ctx, page(i)); err != nil {
			t.Fatal(err)
		}
	}
	drained(t, b, bus.Pages, "trim")
	restore := limit(t, b, bus.Pages, 100_000)
	defer restore()
	published := 0
	for err := error(nil); err == nil; {
		if err = b.PublishPage(ctx, page(handled+published)); err == nil {
			published++
		} else if !errors.Is(err, bus.ErrFull) {
			t.Fatal(err)
		}
		if published > 40 {
			t.Fatal("a stream with pages not handled yet is never full")
		}
	}
	// Nine have room, and half of those handled before make room for two more.
	if published < 10 {
		t.Errorf("full after %d pages of 10 kB in 100 kB and %d handled before, want their room used", published, handled)
	}
	close(hold)
	drained(t, b, bus.Pages, "trim")
	wait(t, "handled pages make room", func() bool { return b.PublishPage(ctx, page(handled+published)) == nil })
	last, err := b.LastSeq(ctx, bus.Pages)
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(0); seq != last; { // nothing was dropped before it was handled
		n := next(t, got)
		if seq > 0 && n != seq+1 {
			t.Errorf("got page %d after %d", n, seq)
		}
		seq = n
	}
}

func testTooLarge(t *testing.T, b *bus.Bus) {
	a := article()
	a.Text = strings.Repeat("x", 950<<10)
	err := b.PublishArticle(deadline(t), a)
	if !errors.Is(err, bus.ErrTooLarge) || !bus.IsPermanent(err) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	if err := b.Publish(deadline(t), &bus.Message{Subject: "elsewhere.x"}); !bus.IsPermanent(err) {
		t.Errorf("got %v, want a permanent error for a foreign subject", err)
	}
	if err := b.PublishPage(deadline(t), &news.Page{ID: "x", Body: make([]byte, bus.MaxPageBytes)}); !errors.Is(err, bus.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}
