package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
	"xinwen/extractor"
	"xinwen/news"
	"xinwen/news/weburl"
)

// TestSavedPagesReachIndexOrQuarantine crawls a folder of real pages. It is not
// part of the project.
func TestSavedPagesReachIndexOrQuarantine(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls a folder of saved pages")
	}
	dir := filepath.Join("..", "..", "..", "shared", "data", "replay")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no saved pages at ../shared/data/replay")
	}
	for _, mode := range []simweb.CharsetMode{simweb.CharsetNone, simweb.CharsetDeclared} {
		t.Run("charset-"+string(mode), func(t *testing.T) {
			web := startWeb(t, simweb.Options{NoDemo: true, Folder: dir, FolderCharset: mode})
			c := start(t, prepare(t, web, simweb.SourceOptions{Delay: time.Millisecond, Interval: time.Hour}))
			pages := expectedOf(t, web)
			c.Until(2*time.Minute, func() string {
				failed := failuresOf(c)
				for _, p := range pages {
					if _, ok := failed[p.request]; ok {
						continue
					}
					if _, err := c.Article(p.id); err != nil {
						return fmt.Sprintf("%s is neither in the index nor in quarantine: %v", p.URL, err)
					}
				}
				return ""
			})
			checkSaved(t, c, pages)
		})
	}
}

// expected is a saved page with the ID of the article it must become, and that
// of the address it is asked for by. They differ where a page names another
// address as its own.
type expected struct {
	simweb.SavedPage
	id, request string
}

func expectedOf(t *testing.T, web *simweb.Web) []expected {
	t.Helper()
	x, err := extractor.New(extractor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fetch := fetcher(t, web)
	var all []expected
	for _, p := range web.SavedPages() {
		canonical, err := weburl.Canonical(p.URL)
		if err != nil {
			t.Fatalf("%s: %v", p.URL, err)
		}
		page := fetch(p.URL)
		page.URL, page.ID = canonical, weburl.ID(canonical)
		e := expected{p, page.ID, page.ID}
		if a, err := x.Extract(page); err == nil {
			e.id = a.ID
		}
		all = append(all, e)
	}
	return all
}

// failuresOf returns the reasons of what is in quarantine by the ID of its URL.
func failuresOf(c *run.Client) map[string]string {
	c.T.Helper()
	failed := make(map[string]string)
	for _, q := range c.Quarantine() {
		failed[weburl.ID(q.URL)] = q.Reason
	}
	return failed
}

func checkSaved(t *testing.T, c *run.Client, pages []expected) {
	t.Helper()
	failed := failuresOf(c)
	indexed, quarantined := 0, 0
	for _, p := range pages {
		if reason, ok := failed[p.request]; ok {
			t.Logf("quarantine: %s: %s", p.URL, reason)
			if reason == "" {
				t.Errorf("%s is in quarantine without a reason", p.URL)
			}
			quarantined++
			continue
		}
		a, err := c.Article(p.id)
		if err != nil {
			t.Error(err)
			continue
		}
		indexed++
		for _, fault := range charsetFaults(t, a, p.SavedPage) {
			t.Errorf("%s (%s, declares %q): %s", p.URL, p.Encoding, p.Declared, fault)
		}
	}
	t.Logf("%d pages: %d in the index, %d in quarantine", len(pages), indexed, quarantined)
	if quarantined > len(pages)/10 {
		t.Errorf("%d of %d pages are in quarantine", quarantined, len(pages))
	}
}

// charsetFaults compares an article with its page decoded by what its bytes are
// known to be.
func charsetFaults(t *testing.T, a *news.Article, p simweb.SavedPage) []string {
	t.Helper()
	body, err := os.ReadFile(p.File)
	if err != nil {
		t.Fatal(err)
	}
	if p.Encoding == "gb18030" {
		if body, err = simplifiedchinese.GB18030.NewDecoder().Bytes(body); err != nil {
			t.Fatal(err)
		}
	}
	truth := string(body)
	var faults []string
	if a.Charset != p.Encoding {
		faults = append(faults, fmt.Sprintf("charset %s", a.Charset))
	}
	content := a.Title + "\n" + a.Text
	if n, known := strings.Count(content, "\uFFFD"), strings.Count(truth, "\uFFFD"); n > known {
		faults = append(faults, fmt.Sprintf("%d replacement characters, %d on the page", n, known))
	}
	if strings.Contains(content, "锟斤拷") && !strings.Contains(truth, "锟斤拷") {
		faults = append(faults, "it was decoded twice")
	}
	// Every Chinese character of the article must be one of the page's.
	on := make(map[rune]bool)
	for _, r := range truth {
		on[r] = true
	}
	strange := 0
	for _, r := range content {
		if r >= 0x3400 && r < 0xA000 && !on[r] && !strings.Contains(truth, fmt.Sprintf("&#%d;", r)) && !strings.Contains(strings.ToLower(truth), fmt.Sprintf("&#x%x;", r)) {
			strange++
		}
	}
	if strange > 0 {
		faults = append(faults, fmt.Sprintf("%d of %d characters are not on the page", strange, utf8.RuneCountInString(content)))
	}
	return faults
}
