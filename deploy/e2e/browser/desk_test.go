package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
)

// The widths that pages are made for.
const (
	wide   = 1440
	narrow = 360
)

// hostile is a name with markup and script.
const hostile = `"><img src=https://elsewhere.example/x onerror="document.title='owned'"><script>document.title='owned'</script>`

// desk is a running system with the demo web in its index, and a browser.
type desk struct {
	base    string
	browser context.Context
	web     *simweb.Web // that it crawls
	article string      // ID of one in the index
	story   string
}

var shared struct {
	sync.Mutex
	desk  *desk
	close []func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, f := range slices.Backward(shared.close) {
		f()
	}
	os.Exit(code)
}

// open returns the desk that all tests share: to crawl the demo web takes its
// time.
func open(t *testing.T) *desk {
	t.Helper()
	if testing.Short() {
		t.Skip("crawls the demo web and starts a browser")
	}
	if raced {
		t.Skip("pages are slow with -race; go test without it")
	}
	binary := chromium()
	if binary == "" {
		t.Skip("Chromium is not here: apt-get install chromium")
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.desk == nil {
		shared.desk = start(t, binary)
	}
	return shared.desk
}

func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func start(t *testing.T, binary string) *desk {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	shared.close = append(shared.close, cancel)
	dir, err := os.MkdirTemp("", "xinwen-browser-")
	if err != nil {
		t.Fatal(err)
	}
	shared.close = append(shared.close, func() { _ = os.RemoveAll(dir) })
	web, err := simweb.New(simweb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := web.Start(ctx); err != nil {
		t.Fatal(err)
	}
	shared.close = append(shared.close, func() { _ = web.Close() })
	p := run.Part{Data: filepath.Join(dir, "data"), Sources: filepath.Join(dir, "sources.yaml"), Resolve: []string{web.Resolve()}}
	if err := os.WriteFile(p.Sources, []byte(web.SourcesFor(simweb.SourceOptions{Delay: 20 * time.Millisecond})), 0o600); err != nil {
		t.Fatal(err)
	}
	address, stop := serve(ctx, t, p)
	shared.close = append(shared.close, stop)
	d := &desk{base: address, web: web}
	d.fill(t, len(web.Articles()))

	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(binary), chromedp.UserDataDir(filepath.Join(dir, "chromium")), chromedp.NoSandbox,
		chromedp.Flag("disable-features", "Translate,MediaRouter,OptimizationHints"))
	alloc, cancelAlloc := chromedp.NewExecAllocator(ctx, options...)
	browser, cancelBrowser := chromedp.NewContext(alloc)
	shared.close = append(shared.close, cancelAlloc, cancelBrowser)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	d.browser = browser
	return d
}

// serve starts a system and returns its address, and what stops it.
func serve(ctx context.Context, t *testing.T, p run.Part) (address string, stop func()) {
	t.Helper()
	a, err := app.New(app.Options{Config: p.Config(), Logger: slog.New(slog.DiscardHandler), Version: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return "http://" + a.Addr(), func() {
		stopping, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = a.Stop(stopping) // the tests are over
	}
}

// fill waits until all articles can be found, and makes an alert whose name is
// hostile.
func (d *desk) fill(t *testing.T, articles int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var found struct {
			Total int
			Hits  []struct {
				ID, Story string
				More      *struct{ Articles int }
			}
		}
		err := call(ctx, http.MethodGet, d.base+"/v1/search?collapse=true&size=100&lang=zh", nil, &found)
		var all struct{ Total int }
		if err == nil {
			err = call(ctx, http.MethodGet, d.base+"/v1/search?size=-1", nil, &all)
		}
		if err == nil && all.Total >= articles {
			for _, h := range found.Hits {
				if h.More != nil && h.More.Articles > 1 && d.story == "" {
					d.article, d.story = h.ID, h.Story
				}
			}
			if d.story != "" {
				break
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the demo web is not searchable: %d of %d, %v", all.Total, articles, err)
		}
	}
	rule := map[string]any{"id": "hostile", "name": hostile, "query": "HBM"}
	if err := call(ctx, http.MethodPost, d.base+"/v1/alerts", rule, nil); err != nil {
		t.Fatal(err)
	}
}

// call sends body as JSON and reads the answer into out.
func call(ctx context.Context, method, address string, body, out any) error {
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(res.Body) // for the message
		return fmt.Errorf("%s %s: %s: %s", method, address, res.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}
