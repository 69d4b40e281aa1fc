package indexer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xinwen/indexer/search"
	"xinwen/indexer/search/searchtest"
	"xinwen/news"
	"xinwen/news/bus"
)

func openBus(t testing.TB, dir string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: dir, MinFreeBytes: -1}, Name: "indexer"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func numbered(i int) *news.Article {
	return &news.Article{
		Version: news.Version, ID: fmt.Sprintf("article%06d", i), Revision: 1, Source: "demo", Lang: "zh", Script: news.ScriptHans,
		URL: fmt.Sprintf("https://news.example/%d", i), Title: fmt.Sprintf("第%d条", i),
		Text: strings.Repeat("晶圆厂的先进封装产能翻倍。", 20), Fetched: time.UnixMilli(int64(i)).UTC(),
	}
}

func publish(t testing.TB, b *bus.Bus, articles ...*news.Article) {
	t.Helper()
	for _, a := range articles {
		if err := b.PublishArticle(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
}

// start runs an indexer until the test ends or the returned function is called.
func start(t *testing.T, o Options) (*Indexer, func()) {
	t.Helper()
	o.Config.BatchWait = 10 * time.Millisecond
	i, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			if err := i.Stop(); err != nil {
				t.Error(err)
			}
			select {
			case err := <-i.Failed():
				t.Errorf("failed while running: %v", err)
			default:
			}
		}
	}
	t.Cleanup(stop)
	return i, stop
}

// until waits for ok to hold.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func status(t *testing.T, s search.Searcher) search.Status {
	t.Helper()
	st, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestArticlesBecomeSearchable(t *testing.T) {
	b := openBus(t, t.TempDir())
	r := prometheus.NewPedanticRegistry()
	i, stop := start(t, Options{Bus: b, Dir: t.TempDir(), Metrics: r, Config: Config{Serve: true}})
	publish(t, b, searchtest.Articles()...)
	until(t, "the articles", func() bool { return status(t, i).Docs == 5 })
	until(t, "readiness", func() bool { return i.Ready(t.Context()) == nil })
	t.Run("embedded", func(t *testing.T) { searchtest.Run(t, i.Searcher()) })
	c := search.NewClient(b.Conn())
	until(t, "the service", func() bool { _, err := c.Status(t.Context()); return err == nil })
	t.Run("remote", func(t *testing.T) { searchtest.Run(t, c) })

	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
	}
	for _, want := range []string{
		"xinwen_indexer_articles_total", "xinwen_indexer_batch_seconds", "xinwen_indexer_docs",
		"xinwen_indexer_lag_messages", "xinwen_indexer_applied_seq", "xinwen_indexer_index_bytes",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("metric %s is missing of %v", want, names)
		}
	}
	stop()
	if families, err := r.Gather(); err != nil || len(families) > 0 {
		t.Errorf("after Stop: got %v, %v, want no metrics", families, err)
	}
}

func TestRestartGoesOnWhereTheIndexEnds(t *testing.T) {
	b, dir := openBus(t, t.TempDir()), t.TempDir()
	publish(t, b, numbered(1), numbered(2))
	i, stop := start(t, Options{Bus: b, Dir: dir})
	until(t, "two articles", func() bool { return status(t, i).Docs == 2 })
	stop()
	gone := numbered(1)
	gone.Revision, gone.Deleted = 2, true
	publish(t, b, gone, numbered(3))
	i, _ = start(t, Options{Bus: b, Dir: dir})
	if st := status(t, i); st.AppliedSeq < 2 {
		t.Errorf("got %+v right after the start, want the two messages of before", st)
	}
	until(t, "the new messages", func() bool { return status(t, i).Lag == 0 })
	if st := status(t, i); st.Docs != 2 || st.AppliedSeq != 4 {
		t.Errorf("got %+v, want 2 articles of 4 messages", st)
	}
	if _, err := i.Article(t.Context(), gone.ID); !errors.Is(err, search.ErrNotFound) {
		t.Errorf("deleted article: got %v, want ErrNotFound", err)
	}
}

func TestUnreadableMessageGoesToQuarantine(t *testing.T) {
	b := openBus(t, t.TempDir())
	i, _ := start(t, Options{Bus: b, Dir: t.TempDir()})
	for _, data := range []string{`not JSON`, `{"v":1}`, `{"v":99,"id":"future"}`} {
		if err := b.Publish(t.Context(), &bus.Message{Subject: "xinwen.articles.demo", Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, b, numbered(1))
	until(t, "the good article", func() bool { return status(t, i).Docs == 1 })
	list, err := b.ListQuarantine(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, q := range list {
		if q.Service == "indexer" && q.Reason != "" {
			n++
		}
	}
	if n != 3 {
		t.Errorf("got %+v, want three messages with a reason", list)
	}
}

func TestRebuild(t *testing.T) {
	b, dir := openBus(t, t.TempDir()), t.TempDir()
	i, stop := start(t, Options{Bus: b, Dir: dir})
	before := i.current()
	for n := range 300 {
		publish(t, b, numbered(n))
	}
	until(t, "all articles", func() bool { return status(t, i).Docs == 300 })
	if err := i.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := 300; n < 340; n++ { // news comes in meanwhile
		publish(t, b, numbered(n))
		if st := status(t, i); st.Docs < 300 {
			t.Fatalf("%d articles can be found during the rebuild, want at least 300", st.Docs)
		}
	}
	until(t, "the rebuild", func() bool { st := status(t, i); return !st.Rebuilding && st.Docs == 340 })
	if i.current() == before {
		t.Error("the index is still the old one")
	}
	publish(t, b, numbered(340))
	until(t, "what comes after", func() bool { return status(t, i).Docs == 341 })
	stop()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 1 {
		t.Errorf("got %v, %v, want one index", names, err)
	}
}

// TestExchangedIndexIsFilledUp puts an empty index in the place of a full one
// while the indexer runs.
func TestExchangedIndexIsFilledUp(t *testing.T) {
	b := openBus(t, t.TempDir())
	publish(t, b, numbered(1), numbered(2))
	i, _ := start(t, Options{Bus: b, Dir: t.TempDir()})
	until(t, "two articles", func() bool { return status(t, i).Docs == 2 })
	func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		err := errors.Join(i.index.Close(), os.RemoveAll(i.index.Path()))
		if err != nil {
			t.Fatal(err)
		}
		if i.index, err = i.engine.open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}()
	publish(t, b, numbered(3))
	until(t, "all articles", func() bool { return status(t, i).Docs == 3 })
}

func TestIndexOfAnotherAnalysisIsReplaced(t *testing.T) {
	b, dir := openBus(t, t.TempDir()), t.TempDir()
	old := filepath.Join(dir, "bleve-000000000000")
	if err := os.MkdirAll(old, 0o755); err != nil {
		t.Fatal(err)
	}
	publish(t, b, numbered(1))
	i, _ := start(t, Options{Bus: b, Dir: dir})
	until(t, "readiness", func() bool { return i.Ready(t.Context()) == nil })
	until(t, "the old index to go", func() bool { _, err := os.Stat(old); return errors.Is(err, os.ErrNotExist) })
	if st := status(t, i); st.Docs != 1 {
		t.Errorf("got %+v, want one article", st)
	}
}

func TestIndexAheadOfTheStreamIsBuiltAnew(t *testing.T) {
	dir := t.TempDir()
	b := openBus(t, t.TempDir())
	for n := range 5 {
		publish(t, b, numbered(n))
	}
	i, stop := start(t, Options{Bus: b, Dir: dir})
	until(t, "five articles", func() bool { return status(t, i).Docs == 5 })
	stop()

	other := openBus(t, t.TempDir())
	publish(t, other, numbered(7))
	i, _ = start(t, Options{Bus: other, Dir: dir})
	until(t, "the other stream's article", func() bool { return status(t, i).Docs == 1 })
	if aside, _ := filepath.Glob(filepath.Join(dir, "*.ahead")); len(aside) != 1 {
		t.Errorf("got %v, want the index set aside", aside)
	}
}

const killDir = "XINWEN_TEST_KILL_DIR"

// TestMain runs the indexer that TestKillLosesNothing kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		fmt.Fprintln(os.Stderr, indexUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// indexUntilKilled publishes articles and indexes them. It prints a line for
// each article that is in the stream.
func indexUntilKilled(dir string) error {
	ctx := context.Background()
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: filepath.Join(dir, "bus"), MinFreeBytes: -1}, Name: "indexer"})
	if err != nil {
		return err
	}
	i, err := New(Options{Bus: b, Dir: filepath.Join(dir, "index"), Config: Config{BatchArticles: 7, BatchWait: 20 * time.Millisecond}})
	if err != nil {
		return err
	}
	if err := i.Start(ctx); err != nil {
		return err
	}
	n, err := b.LastSeq(ctx, bus.Articles)
	if err != nil {
		return err
	}
	for {
		n++
		if err := b.PublishArticle(ctx, numbered(int(n))); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestKillLosesNothing kills a running indexer with its embedded bus at random
// moments and expects every article of the stream in the index, each once.
func TestKillLosesNothing(t *testing.T) {
	kills := 5
	if testing.Short() {
		kills = 2
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for range kills {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 1)
		if _, err := out.Read(first); err != nil {
			t.Fatalf("the indexer did not start: %v", errors.Join(err, cmd.Wait()))
		}
		kill := time.AfterFunc(time.Duration(rand.IntN(400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		for buf := make([]byte, 4096); err == nil; {
			_, err = out.Read(buf)
		}
		_ = cmd.Wait() // it was killed
		kill.Stop()
	}

	b := openBus(t, filepath.Join(dir, "bus"))
	last, err := b.LastSeq(t.Context(), bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	i, _ := start(t, Options{Bus: b, Dir: filepath.Join(dir, "index")})
	until(t, "the index to catch up", func() bool { return status(t, i).Lag == 0 })
	if st := status(t, i); st.Docs != last || st.AppliedSeq != last {
		t.Errorf("got %+v, want %d articles", st, last)
	}
	want := 1
	for r := (search.Request{Sort: search.SortOldest, Size: search.MaxSize}); ; {
		res, err := i.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range res.Hits {
			if id := numbered(want).ID; h.ID != id {
				t.Fatalf("got %s, want %s", h.ID, id)
			}
			want++
		}
		if r.Cursor = res.NextCursor; r.Cursor == "" {
			break
		}
	}
	if uint64(want-1) != last {
		t.Errorf("got %d articles, want %d", want-1, last)
	}
	t.Logf("%d articles after %d kills", last, kills)
}

func TestConfigFaultsAreAllNamed(t *testing.T) {
	err := Config{BatchArticles: -1, BatchBytes: -1, BatchWait: -1}.Validate()
	for _, name := range []string{"batch_articles", "batch_bytes", "batch_wait"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want it to name %s", err, name)
		}
	}
}
