package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nuid"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/news"
	"xinwen/news/bus"
)

// TestIndexIsWhatArticlesSay gives ARTICLES again in any order, and damages the
// index while the system is stopped.
func TestIndexIsWhatArticlesSay(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls the demo web")
	}
	t.Parallel()
	w := newWorld(t)
	p := whole(t, w)
	x := run.Launch(t, p)
	w.settle(60 * time.Second)
	if !t.Run("articles-again", func(t *testing.T) { articlesAgain(t, w, p) }) {
		return
	}
	x.Stop(t)
	index := filepath.Join(p.Data, "index")
	for _, c := range []struct {
		name   string
		damage func() error
	}{
		{"deleted", func() error { return os.RemoveAll(index) }},
		{"truncated", func() error {
			return damage(index, func(path string, size int64) error { return os.Truncate(path, size/2) })
		}},
		{"emptied", func() error { return damage(index, func(path string, _ int64) error { return os.Truncate(path, 0) }) }},
		{"overwritten", func() error {
			return damage(index, func(path string, size int64) error {
				noise := make([]byte, size)
				for i := range noise {
					noise[i] = byte(i * 7)
				}
				return os.WriteFile(path, noise, 0o600)
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !long() && c.name != "deleted" && c.name != "truncated" {
				t.Skip("only with " + killsEnv)
			}
			if err := c.damage(); err != nil {
				t.Fatal(err)
			}
			x := run.Launch(t, p)
			w.settle(60 * time.Second)
			x.Stop(t)
			if n := w.receiver.Again(); n > 0 {
				t.Errorf("%d alerts were told again", n)
			}
		})
	}
}

// damage does something to every file under dir.
func damage(dir string, f func(path string, size int64) error) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return f(path, info.Size())
	})
}

// articlesAgain publishes every message of ARTICLES twice more, shuffled, and
// older revisions: the index stays as it is, nobody is told again.
func articlesAgain(t *testing.T, w *world, p run.Part) {
	before := contents(t, w)
	tool, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{URL: "unix://" + bus.SocketPath(filepath.Join(p.Data, "nats"))}, Name: "tool"})
	if err != nil {
		t.Fatal(err)
	}
	defer tool.Close()
	last, err := tool.LastSeq(t.Context(), bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	var all []*bus.Message
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = tool.Read(ctx, bus.ReadConfig{Stream: bus.Articles}, func(_ context.Context, messages []*bus.Message) error {
		all = append(all, messages...)
		if messages[len(messages)-1].Seq >= last {
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d messages", seed, len(all))
	random := rand.New(rand.NewPCG(seed, 3))
	again := append(append([]*bus.Message(nil), all...), all...)
	random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	for _, m := range again {
		data := m.Data
		if random.IntN(3) == 0 { // a late older revision
			a, err := news.ParseArticle(m.Data)
			if err != nil {
				t.Fatal(err)
			}
			a.Revision, a.Title = a.Revision-1, "旧"+a.Title
			if err := tool.PublishArticle(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		if err := tool.Publish(t.Context(), &bus.Message{Subject: m.Subject, ID: nuid.Next(), Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	w.settle(60 * time.Second)
	if diff := cmp.Diff(before, contents(t, w)); diff != "" {
		t.Errorf("the index has changed (-before +after):\n%s", diff)
	}
	if n := w.receiver.Again(); n > 0 {
		t.Errorf("%d alerts were told again", n)
	}
}

// contents returns the title and revision of every article in the index.
func contents(t *testing.T, w *world) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, id := range w.want {
		var a news.Article
		if err := w.Ask("/v1/articles/"+id, nil, &a); err != nil {
			t.Fatal(err)
		}
		all[id] = fmt.Sprint(a.Revision, " ", a.Title)
	}
	return all
}

// TestFullDiskStopsNothingForGood fills a small disk twice: to where crawling
// pauses, and to the last byte.
func TestFullDiskStopsNothingForGood(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls the demo web")
	}
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	for _, c := range []struct {
		name    string
		minFree int64
		leave   int64 // bytes that are left free
	}{
		{"watched", 32 << 20, 20 << 20},
		{"to-the-last-byte", -1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !long() && c.name == "watched" {
				t.Skip("news/bus tests the watch; here only with " + killsEnv)
			}
			w := newWorld(t)
			p := whole(t, w)
			p.Data, p.MinFree = filepath.Join(dir, c.name), c.minFree
			x := run.Launch(t, p)
			defer func() { x.Kill() }() // before the disk goes; it has stopped by then if all is well
			w.until(30*time.Second, func() string {
				if w.Count() < 2 {
					return "no articles yet"
				}
				return ""
			})
			ballast := filepath.Join(dir, "ballast")
			if err := fill(ballast, dir, c.leave); err != nil {
				t.Fatal(err)
			}
			full := w.Count()
			if c.minFree > 0 {
				w.until(10*time.Second, func() string {
					var s struct {
						Disk     bus.DiskStatus
						Problems []string
					}
					if err := w.Ask("/v1/status", nil, &s); err != nil || !s.Disk.Low || len(s.Problems) == 0 {
						return fmt.Sprintf("the status says %+v, %v", s, err)
					}
					return ""
				})
			}
			// Searches go on, crawling does not get to its end.
			began := time.Now()
			w.until(10*time.Second, func() string {
				if n := w.Count(); n < full {
					return fmt.Sprintf("%d of %d articles can be found", n, full)
				}
				if time.Since(began) < 2*time.Second {
					return "still watching"
				}
				return ""
			})
			if n := w.Count(); n >= len(w.want) {
				t.Log("the crawl was done before the disk was full")
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			w.settle(60 * time.Second)
			x.Stop(t)
			x = run.Launch(t, p) // what is on the disk is whole
			w.settle(30 * time.Second)
			x.Stop(t)
		})
	}
}

// fill writes a file until so many bytes are left on its disk.
func fill(path, dir string, leave int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for {
		var st syscall.Statfs_t
		if err := syscall.Statfs(dir, &st); err != nil {
			return errors.Join(err, f.Close())
		}
		if int64(st.Bavail)*int64(st.Bsize) <= leave {
			return f.Close()
		}
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return f.Close()
		} else if err != nil {
			return errors.Join(err, f.Close())
		}
	}
}
