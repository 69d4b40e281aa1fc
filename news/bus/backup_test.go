package bus_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/bus"
)

// readAll returns the IDs of the articles up to a sequence.
func readAll(t *testing.T, b *bus.Bus, last uint64) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	var ids []string
	err := b.Read(ctx, bus.ReadConfig{Stream: bus.Articles}, func(_ context.Context, messages []*bus.Message) error {
		for _, m := range messages {
			if m.Seq <= last {
				ids = append(ids, fmt.Sprintf("%d %s", m.Seq, m.ID))
			}
			if m.Seq >= last {
				cancel()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestBackupOfARunningSystemRestores(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	live := open(t, bus.Options{Config: bus.Config{Dir: data}, Name: "live", Logger: testLog(t)})
	publish(t, live, 300)
	large := page("large")
	large.Body = bytes.Repeat([]byte("0123456789abcdef"), 1)
	for i := range 1 << 20 {
		large.Body = append(large.Body, byte(i*i>>7), byte(i*31>>3)) // hard to compress
	}
	if err := live.PublishPage(deadline(t), large); err != nil {
		t.Fatal(err)
	}
	if _, err := live.KV(bus.KVRules).Put(deadline(t), "rule", []byte("台积电")); err != nil {
		t.Fatal(err)
	}
	// A consumer that has come half-way, and a publisher that goes on.
	seen := make(chan string, 1000)
	half := bus.ConsumerConfig{Stream: bus.Articles, Name: "half"}
	c := consume(t, live, half, func(ctx context.Context, m *bus.Message) error {
		if m.Seq > 150 {
			<-ctx.Done()
			return ctx.Err()
		}
		seen <- m.ID
		return nil
	})
	for range 150 {
		next(t, seen)
	}
	var going sync.WaitGroup
	stop := make(chan struct{})
	going.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if err := live.PublishArticle(context.Background(), article()); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	tool := open(t, bus.Options{Config: bus.Config{URL: "unix://" + bus.SocketPath(data)}, Name: "backup"})
	dir := filepath.Join(t.TempDir(), "backup")
	var told []string
	manifest, err := tool.Backup(deadline(t), dir, func(s bus.SavedStream) { told = append(told, s.Name) })
	close(stop)
	going.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != len(manifest.Streams) || len(told) < 13 {
		t.Errorf("told of %v", told)
	}
	c.stop()
	var last uint64
	for _, s := range manifest.Streams {
		if s.Name == bus.Articles {
			last = s.LastSeq
		}
	}
	if last < 300 {
		t.Fatalf("the backup has %d articles, want 300 at least", last)
	}
	want := readAll(t, live, last)

	if _, err := tool.Backup(deadline(t), dir, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("second backup into one directory: got %v, want an error", err)
	}
	if _, err := tool.Restore(deadline(t), dir, nil); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("restore over a running system: got %v, want an error", err)
	}

	other := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "restored", Logger: testLog(t)})
	if _, err := other.Restore(deadline(t), dir, nil); err != nil {
		t.Fatal(err)
	}
	again := 0
	if _, err := other.Restore(deadline(t), dir, func(bus.SavedStream) { again++ }); err != nil || again > 0 {
		t.Errorf("second restore: got %v and %d streams, want nothing left to do", err, again)
	}
	if diff := cmp.Diff(want, readAll(t, other, last)); diff != "" {
		t.Errorf("articles (-saved +restored):\n%s", diff)
	}
	if v, err := other.KV(bus.KVRules).Get(deadline(t), "rule"); err != nil || string(v.Value()) != "台积电" {
		t.Errorf("got rule %v, %v", v, err)
	}
	pages := make(chan *news.Page, 1)
	consume(t, other, bus.ConsumerConfig{Stream: bus.Pages, Name: "pages"}, func(ctx context.Context, m *bus.Message) error {
		p, err := other.Page(ctx, m)
		pages <- p
		return err
	})
	if p := next(t, pages); p == nil || !bytes.Equal(p.Body, large.Body) {
		t.Error("the large page is not what it was")
	}
	first := make(chan uint64, 1000)
	consume(t, other, half, func(_ context.Context, m *bus.Message) error {
		first <- m.Seq
		return nil
	})
	if seq := next(t, first); seq != 151 {
		t.Errorf("the consumer goes on with %d, want 151", seq)
	}
	// It works on.
	publish(t, other, 3)
	if n, err := other.LastSeq(deadline(t), bus.Articles); err != nil || n != last+3 {
		t.Errorf("got last sequence %d, %v, want %d", n, err, last+3)
	}
}

func TestRestoreRefusesADamagedBackup(t *testing.T) {
	t.Parallel()
	live := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir()}})
	publish(t, live, 3)
	for _, c := range []struct {
		name   string
		damage func(dir string) error
		want   string
	}{
		{"no-manifest", func(dir string) error { return os.Remove(filepath.Join(dir, bus.ManifestFile)) }, "finished"},
		{"truncated", func(dir string) error { return os.Truncate(filepath.Join(dir, "ARTICLES.snapshot"), 100) }, "ARTICLES.snapshot is not as it was written"},
		{"missing", func(dir string) error { return os.Remove(filepath.Join(dir, "PAGES.snapshot")) }, "PAGES.snapshot"},
		{"newer", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, bus.ManifestFile), []byte(`{"version": 99}`), 0o600)
		}, "version 99"},
		{"file-elsewhere", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, bus.ManifestFile), []byte(`{"version": 1, "streams": [{"name": "X", "file": "../X", "config": {"name": "X"}}]}`), 0o600)
		}, `"../X"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "backup")
			if _, err := live.Backup(deadline(t), dir, nil); err != nil {
				t.Fatal(err)
			}
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			b := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir()}})
			if _, err := b.Restore(deadline(t), dir, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestSocketIsTheOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	b := open(t, bus.Options{Config: bus.Config{Dir: dir}})
	info, err := os.Stat(bus.SocketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("got permissions %o, want 600", got)
	}
	tool := open(t, bus.Options{Config: bus.Config{URL: "unix://" + bus.SocketPath(dir)}, Name: "tool"})
	if err := tool.PublishArticle(deadline(t), article()); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(bus.SocketPath(dir)); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}
