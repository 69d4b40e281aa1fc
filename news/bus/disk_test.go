package bus_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/bus"
)

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func page(id string) *news.Page {
	return &news.Page{ID: id, URL: "https://chips.example/" + id, Source: "chips.example", Status: 200, Body: []byte(id)}
}

func TestDiskWatchPausesAndResumes(t *testing.T) {
	var log lockedBuffer
	b := open(t, bus.Options{
		Config: bus.Config{Dir: t.TempDir(), MinFreeBytes: 100 << 20}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	// A consumer that publishes a page for each article, as crawling does for
	// each entry: it waits out the disk, and nothing is lost or counted as a
	// failed try.
	pages := make(chan error, 10)
	consume(t, b, bus.ConsumerConfig{Stream: bus.Articles, Name: "pager", MaxDeliver: 1}, func(ctx context.Context, m *bus.Message) error {
		err := b.PublishPage(ctx, page(m.ID))
		pages <- err
		return err
	})
	for _, c := range []struct {
		name          string
		free          int64
		page, article bool // accepted
	}{
		{"enough", 200 << 20, true, true},
		{"low", 60 << 20, false, true},
		{"very-low", 40 << 20, false, false},
		{"enough-again", 200 << 20, true, true},
	} {
		b.SetFree(c.free)
		if err := b.PublishPage(deadline(t), page(c.name)); errors.Is(err, bus.ErrFull) == c.page || !c.page == (err == nil) {
			t.Errorf("%s: page: got %v, want accepted: %v", c.name, err, c.page)
		}
		if err := b.PublishArticle(deadline(t), article()); errors.Is(err, bus.ErrFull) == c.article || !c.article == (err == nil) {
			t.Errorf("%s: article: got %v, want accepted: %v", c.name, err, c.article)
		}
		if err := b.Check(deadline(t)); (err == nil) != c.article {
			t.Errorf("%s: Check: got %v, want fit: %v", c.name, err, c.article)
		}
		want := bus.DiskStatus{Free: c.free, Required: 100 << 20, Low: !c.page}
		if diff := cmp.Diff(want, b.Disk()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	if low, again := log.count("crawling pauses"), log.count("disk has room"); low != 1 || again != 1 {
		t.Errorf("got %d and %d lines of log, want one when it begins and one when it ends", low, again)
	}
	for done := 0; done < 3; {
		if err := next(t, pages); err == nil {
			done++
		} else if !errors.Is(err, bus.ErrFull) {
			t.Fatal(err)
		}
	}
	drained(t, b, bus.Articles, "pager")
	if q, err := b.ListQuarantine(deadline(t), 0); err != nil || len(q) > 0 {
		t.Errorf("got %v, %v in quarantine, want nothing", q, err)
	}
}
